//! Payment by text message: a request reaches the payer's phone, is answered there, and the answer is told later. Money
//! is taken at confirmation.

mod api;
mod control;
mod payment;
mod teller;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post, put};

use crate::courier::Courier;
use crate::faults::Faults;
use crate::journal::{Journal, Known};
use control::Mischief;
use payment::Payment;

/// The merchant's account.
#[derive(Clone)]
pub struct Account {
    /// Bearer key of the interface.
    pub key: String,
    /// Signs callbacks.
    pub callback_secret: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Account").finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Provider(Arc<Inner>);

struct Inner {
    account: Account,
    journal: Journal,
    courier: Courier,
    payments: Mutex<BTreeMap<String, Payment>>,
    faults: Mutex<Faults<Mischief>>,
}

/// The interface stands under `/text-payment`, the phones under `/text-payments`.
pub(crate) fn router(account: Account, known: &Known, journal: Journal, courier: Courier) -> Router {
    let payments = known.of::<Payment>(payment::KIND).into_iter();
    let provider = Provider(Arc::new(Inner {
        account,
        journal,
        courier,
        payments: Mutex::new(payments.map(|payment| (payment.id.clone(), payment)).collect()),
        faults: Mutex::default(),
    }));
    let open: Vec<String> = provider.payments().keys().cloned().collect();
    for id in open {
        provider.watch(&id);
    }
    Router::new()
        .route("/text-payment/payments", post(api::ask))
        .route("/text-payment/payments/{id}", get(api::look))
        .route("/text-payment/payments/{id}/reversals", post(api::reverse))
        .route("/text-payments", get(control::page))
        .route("/text-payments/{id}", post(control::answer_on_page))
        .route("/control/text-payments/{id}/answer", post(control::answer))
        .route("/control/text-payments/{id}/callback", post(control::callback))
        .route("/control/text-payments/{id}/faults", put(control::faults_of_one))
        .route("/control/text-payments/faults", put(control::faults))
        .with_state(provider)
}

impl Provider {
    fn payments(&self) -> MutexGuard<'_, BTreeMap<String, Payment>> {
        // A payment is changed whole, by assignments that do not panic.
        self.0.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what `change` makes of a payment; nothing when there is none.
    fn with<T>(&self, id: &str, change: impl FnOnce(&mut Payment) -> T) -> Option<T> {
        let mut payments = self.payments();
        let payment = payments.get_mut(id)?;
        let answer = change(payment);
        self.0.journal.write(payment::KIND, payment);
        Some(answer)
    }

    /// What goes wrong with a payment.
    fn mischief<T>(&self, id: &str, look: impl FnOnce(&mut Mischief) -> T) -> T {
        let mut faults = self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        look(faults.of(id))
    }
}
