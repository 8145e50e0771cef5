//! The service as its callers see it: real PostgreSQL, a real gRPC channel with mTLS, providers that speak their real protocols over HTTP.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod attempts;
mod authz;
mod callbacks;
mod concurrency;
mod doubts;
mod events_out;
mod first_looks;
mod guards;
mod harness;
mod interleavings;
mod killed;
mod losses;
mod payables;
mod provider_down;
mod readme;
mod receipts;
mod reconciliation;
mod refunds;
mod text_message;
