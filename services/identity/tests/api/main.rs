//! The service as others meet it: real PostgreSQL, real gRPC over mTLS, a clock that is moved by hand.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod account;
mod authz;
mod bootstrap;
mod colleagues;
mod concurrency;
mod confirmation;
mod contact;
mod credentials;
mod directory;
mod events_out;
mod evidence;
mod harness;
mod limits;
mod office;
mod overtaken;
mod people;
mod proof;
mod readme;
mod session;
mod specimen;
mod validation;
