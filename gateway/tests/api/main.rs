//! The gateway in front of stub services: what HTTP turns into, and what comes back.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod answers;
mod contact;
mod errors;
mod harness;
mod limits;
mod listener;
mod office_pages;
mod office_scans;
mod office_sheets;
mod order_changes;
mod order_payment;
mod orders;
mod pages;
mod partners;
mod reasons;
mod routes;
mod sessions;
mod stub;
mod texts;
mod transfers;
