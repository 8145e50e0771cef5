//! CMI: the hosted payment page (`/fim/est3Dgate`) and the XML interface (`/fim/api`) of one store.

mod api;
mod cards;
mod control;
mod hash;
mod hosted;
mod order;
mod teller;
mod texts;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post, put};

use crate::courier::Courier;
use crate::faults::Faults;
use crate::journal::{Journal, Known};
use crate::now;
use control::Mischief;
use order::{Order, Status};

/// Currency of every order: the dirham (ISO 4217).
const CURRENCY: &str = "504";

/// The store's account.
#[derive(Clone)]
pub struct Store {
    pub client_id: String,
    /// Of the hashes.
    pub store_key: String,
    /// Of the XML interface.
    pub api_name: String,
    pub api_password: String,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Store")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Cmi(Arc<Inner>);

struct Inner {
    store: Store,
    journal: Journal,
    courier: Courier,
    orders: Mutex<HashMap<String, Order>>,
    faults: Mutex<Faults<Mischief>>,
}

pub(crate) fn router(store: Store, known: &Known, journal: Journal, courier: Courier) -> Router {
    let orders = known.of::<Order>(order::KIND).into_iter();
    let cmi = Cmi(Arc::new(Inner {
        store,
        journal,
        courier,
        orders: Mutex::new(orders.map(|order| (order.oid.clone(), order)).collect()),
        faults: Mutex::default(),
    }));
    cmi.wait_for_banks();
    Router::new()
        .route("/fim/est3Dgate", post(hosted::open))
        .route("/fim/est3Dgate/card", post(hosted::card))
        .route("/fim/est3Dgate/code", post(hosted::code))
        .route("/fim/est3Dgate/leave", post(hosted::leave))
        .route("/fim/api", post(api::answer))
        .route("/control/cmi/orders", get(control::orders))
        .route("/control/cmi/orders/{oid}", get(control::order))
        .route("/control/cmi/orders/{oid}/callback", post(control::callback))
        .route(
            "/control/cmi/orders/{oid}/second-success",
            post(control::second_success),
        )
        .route("/control/cmi/orders/{oid}/faults", put(control::faults_of_one))
        .route("/control/cmi/faults", put(control::faults))
        .with_state(cmi)
}

impl Cmi {
    fn orders(&self) -> MutexGuard<'_, HashMap<String, Order>> {
        // An order is changed whole, by assignments that do not panic.
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at an order and keeps what `change` makes of it; nothing when there is none.
    fn with<T>(&self, oid: &str, change: impl FnOnce(&mut Order) -> T) -> Option<T> {
        let mut orders = self.orders();
        let order = orders.get_mut(oid)?;
        let answer = change(order);
        self.0.journal.write(order::KIND, order);
        Some(answer)
    }

    /// Takes a form in: a new order, or one that was not paid yet and goes on. Nothing when it was.
    fn opened(&self, oid: String, fields: Vec<(String, String)>) -> Option<Order> {
        let mut orders = self.orders();
        let before = orders.get(&oid);
        if before.is_some_and(Order::has_success) {
            return None;
        }
        let order = Order::opened(oid, fields, before, now());
        self.0.journal.write(order::KIND, &order);
        orders.insert(order.oid.clone(), order.clone());
        Some(order)
    }

    /// Banks that were silent when the stand-in ended answer after it has begun again.
    fn wait_for_banks(&self) {
        let mut waiting: Vec<(String, String)> = Vec::new();
        for order in self.orders().values() {
            let pending = order
                .transactions
                .iter()
                .filter(|one| one.status == Status::Pending);
            waiting.extend(pending.map(|one| (order.oid.clone(), one.id.clone())));
        }
        for (oid, transaction) in waiting {
            drop(self.wait(&oid, &transaction));
        }
    }

    /// What goes wrong with an order.
    fn mischief<T>(&self, oid: &str, look: impl FnOnce(&mut Mischief) -> T) -> T {
        let mut faults = self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        look(faults.of(oid))
    }
}
