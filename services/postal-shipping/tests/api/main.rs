//! The service as others meet it: real PostgreSQL, real gRPC over mTLS, a clock that is moved by hand, a carrier that obeys.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod authz;
mod carrier_messages;
mod claims;
mod concurrency;
mod deposit_lists;
mod events_out;
mod files;
mod harness;
mod idempotency;
mod numbers;
mod process;
mod readme;
mod retention;
mod shipments;
mod tracking;
mod validation;
