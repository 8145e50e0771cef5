//! The gateway in front of stub services: what HTTP turns into, and what comes back.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod answers;
mod errors;
mod harness;
mod limits;
mod listener;
mod pages;
mod reasons;
mod routes;
mod sessions;
mod stub;
mod texts;
mod transfers;
