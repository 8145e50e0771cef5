//! The chassis from outside: real listeners on ports the system chooses, real TLS, a probe service.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod access;
mod calls;
mod configuration;
mod lifecycle;
mod probe;
mod statuses;
mod transport;
