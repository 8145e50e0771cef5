//! The service as its callers see it: real PostgreSQL, a real gRPC channel with mTLS, real PDF workers. Only identity is a double,
//! so that each of its answers can be chosen.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod authz;
mod batches;
mod commit_lost;
mod concurrency;
mod credentials;
mod denials;
mod dependencies;
mod documents;
mod electronic_seals;
mod events_out;
mod fees;
mod filing;
mod guards;
mod harness;
mod idempotency;
mod issued;
mod issued_faults;
mod issued_killed;
mod issuing;
mod janitor;
mod keys;
mod lanes;
mod matrix;
mod office;
mod officers;
mod own_requests;
mod pdf_worker;
mod register;
mod requests;
mod review;
mod revocations;
mod sample;
mod seal;
mod seal_interrupted;
mod seal_killed;
mod seal_lost;
mod seal_signed;
mod time_stamps;
mod tools;
mod verification;
