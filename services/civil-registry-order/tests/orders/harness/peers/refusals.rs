//! What the other services refuse for good, and how they list.

use std::collections::HashMap;
use std::sync::Mutex;

use tonic::{Code, Status};
use wathiq_chassis::status;

use super::DOMAIN;

/// Refusals by the name of a method.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<&'static str, (Code, &'static str)>>);

impl Refusals {
    /// From now on the method is refused with this code and reason.
    pub(crate) fn add(&self, method: &'static str, code: Code, reason: &'static str) {
        self.0.lock().unwrap().insert(method, (code, reason));
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(super) fn check(&self, method: &str) -> Result<(), Status> {
        let text = "refused whatever it says";
        match self.0.lock().unwrap().get(method) {
            None => Ok(()),
            Some((Code::FailedPrecondition, reason)) => {
                Err(status::failed_precondition(DOMAIN, reason, "test", text))
            }
            Some((Code::Aborted, reason)) => Err(status::aborted(DOMAIN, reason, text)),
            Some((code, reason)) => Err(Status::new(*code, *reason)),
        }
    }
}

/// A short page of what is listed by id, and the token of the next.
pub(super) fn page<T>(mut all: Vec<T>, id: impl Fn(&T) -> &String, token: &str) -> (Vec<T>, String) {
    const PAGE: usize = 2;
    all.sort_by(|one, other| id(one).cmp(id(other)));
    all.retain(|one| id(one).as_str() > token);
    let more = all.len() > PAGE;
    all.truncate(PAGE);
    let next = all.last().filter(|_| more).map(|last| id(last).clone());
    (all, next.unwrap_or_default())
}
