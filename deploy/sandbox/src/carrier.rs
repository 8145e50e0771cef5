//! A carrier: takes deposit lists, and tells what happens to the items by signed webhook or as a CSV file.

mod control;
mod deposit;
mod item;
mod play;
mod signing;
mod teller;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post, put};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::courier::Courier;
use crate::faults::Faults;
use crate::journal::{Journal, Known};
use control::Mischief;
use item::Item;

pub use signing::Secret;

/// In the journal.
const LIST: &str = "carrier_list";

/// What the carrier and the platform know of each other.
#[derive(Debug, Clone)]
pub struct Account {
    /// Where events are told when a call does not say otherwise.
    pub webhook_url: String,
    /// Where CSV files are brought when a call does not say otherwise.
    pub csv_url: String,
    /// Signs what the carrier tells.
    pub inbound: Secret,
    /// Signs what the platform sends; any of them.
    pub outbound: Vec<Secret>,
}

/// A list that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct List {
    webhook_id: String,
    number: String,
    office: String,
    taken_at: DateTime<Utc>,
    items: Vec<String>,
    /// SHA-256 of the body, hexadecimal.
    digest: String,
}

#[derive(Clone)]
struct Carrier(Arc<Inner>);

struct Inner {
    account: Account,
    journal: Journal,
    courier: Courier,
    books: Mutex<Books>,
    faults: Mutex<Faults<Mischief>>,
}

#[derive(Default)]
struct Books {
    lists: BTreeMap<String, List>,
    items: BTreeMap<String, Item>,
}

/// The interface stands under `/carrier`, the page under `/parcels`.
pub(crate) fn router(account: Account, known: &Known, journal: Journal, courier: Courier) -> Router {
    let lists = known.of::<List>(LIST).into_iter();
    let items = known.of::<Item>(item::KIND).into_iter();
    let carrier = Carrier(Arc::new(Inner {
        account,
        journal,
        courier,
        books: Mutex::new(Books {
            lists: lists.map(|list| (list.webhook_id.clone(), list)).collect(),
            items: items.map(|item| (item.tracking_id.clone(), item)).collect(),
        }),
        faults: Mutex::default(),
    }));
    Router::new()
        .route("/carrier/deposit-lists", post(deposit::take))
        .route("/parcels", get(control::page))
        .route("/control/carrier/items", get(control::items))
        .route("/control/carrier/lists", get(control::lists))
        .route("/control/carrier/items/{tracking_id}/play", post(control::play))
        .route("/control/carrier/events", post(control::events))
        .route(
            "/control/carrier/events.csv",
            get(control::csv).post(control::send_csv),
        )
        .route(
            "/control/carrier/offices/{office}/faults",
            put(control::faults_of_one),
        )
        .route("/control/carrier/faults", put(control::faults))
        .with_state(carrier)
}

impl Carrier {
    fn books(&self) -> MutexGuard<'_, Books> {
        // Lists and items are put in whole.
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what `change` makes of an item; nothing when there is none.
    fn with<T>(&self, tracking_id: &str, change: impl FnOnce(&mut Item) -> T) -> Option<T> {
        let mut books = self.books();
        let item = books.items.get_mut(tracking_id)?;
        let answer = change(item);
        self.0.journal.write(item::KIND, item);
        Some(answer)
    }

    /// What goes wrong with an office's lists.
    fn mischief<T>(&self, office: &str, look: impl FnOnce(&mut Mischief) -> T) -> T {
        let mut faults = self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        look(faults.of(office))
    }
}
