//! Tells the store's server how a try ended, and takes its answer.

use axum::http::header::CONTENT_TYPE;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::order::{Callback, Status, Transaction, field};
use super::{Cmi, hash};
use crate::courier::Answer;
use crate::faults::strikes;

/// The store wants the money at once.
const CAPTURE: &str = "ACTION=POSTAUTH";
/// The store has heard.
const HEARD: &str = "APPROVED";

impl Cmi {
    /// The fields of a callback or of the browser's return, with their hash.
    pub(super) fn signed(&self, fields: &[(String, String)]) -> Vec<(String, String)> {
        let hash = hash::ver3(fields, &self.0.store.store_key);
        let hashed = [("HASH".to_owned(), hash)];
        fields.iter().cloned().chain(hashed).collect()
    }

    /// Waits for a silent bank, and tells what it answers in the end.
    pub(super) fn wait(&self, oid: &str, transaction: &str) -> JoinHandle<Option<Transaction>> {
        let (delay, outcome) = self.mischief(oid, |mischief| mischief.silence());
        let (cmi, oid, transaction) = (self.clone(), oid.to_owned(), transaction.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let ended = cmi
                .with(&oid, |order| order.end(&transaction, outcome))
                .flatten()?;
            cmi.tell(&oid, &ended).await;
            Some(ended)
        })
    }

    /// Begins to tell, as often as is asked for, and answers when the first tries are over, or at once when they are to
    /// come later.
    pub(super) async fn tell(&self, oid: &str, transaction: &Transaction) {
        let (copies, delay) = self.mischief(oid, |mischief| (mischief.copies(), mischief.delay()));
        let mut firsts = Vec::new();
        for _ in 0..copies {
            let (over, first) = oneshot::channel();
            let (cmi, oid, transaction) = (self.clone(), oid.to_owned(), transaction.clone());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                cmi.bring(&oid, &transaction, over).await;
            });
            firsts.push(first);
        }
        if delay.is_zero() {
            for first in firsts {
                // One that broke off is over too.
                let _over = first.await;
            }
        }
    }

    /// Tells until it is acknowledged.
    pub(super) async fn bring(&self, oid: &str, transaction: &Transaction, over: oneshot::Sender<()>) {
        let fields = self.signed(&transaction.answer);
        let url = field(&transaction.answer, "callbackUrl").to_owned();
        let request = |client: &reqwest::Client| {
            client
                .post(&url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .form(&fields)
        };
        let acknowledged = |answer: Option<Answer>| self.take(oid, &transaction.id, answer);
        let done = self.0.courier.bring(Some(over), request, acknowledged).await;
        if !done {
            tracing::warn!(oid, transaction = transaction.id, "a callback is given up");
        }
    }

    /// What the store answered; whether it has heard.
    fn take(&self, oid: &str, transaction: &str, answer: Option<Answer>) -> bool {
        let lost = self.mischief(oid, |mischief| strikes(&mut mischief.answers_lost));
        let answer = answer
            .filter(|answer| !lost && answer.status == 200)
            .map(|answer| answer.text.trim().to_owned());
        let now = crate::now();
        self.with(oid, |order| {
            order.callbacks.push(Callback {
                transaction: transaction.to_owned(),
                at: now,
                answer: answer.clone(),
            });
            let capture = answer.as_deref() == Some(CAPTURE);
            if let Some(transaction) = order.transaction(transaction)
                && capture
                && transaction.status == Status::Authorised
            {
                transaction.status = Status::Captured;
                transaction.captured = Some(transaction.amount);
                transaction.captured_at = Some(now);
            }
            capture || answer.as_deref() == Some(HEARD)
        })
        .unwrap_or_default()
    }
}
