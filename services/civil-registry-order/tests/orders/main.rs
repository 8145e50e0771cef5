//! Orders as their callers see them: real PostgreSQL, real gRPC channels with mTLS, files on the disk. The other services are doubles that
//! speak their contracts; their events are applied as the consumer applies them.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod address;
mod audit;
mod bad_input;
mod catalogue;
mod concurrency;
mod dependencies;
mod digitised;
mod entitlement;
mod evidence;
mod exceptions;
mod fees;
mod forms;
mod four_eyes;
mod harness;
mod hijri;
mod housekeeping;
mod idempotency;
mod journey;
mod matrix;
mod members;
mod order_offices;
mod post_office;
mod races;
mod redrawing;
mod reference_data;
mod refused_for_good;
mod register_parts;
mod registers;
mod released;
mod settlement;
mod sheet;
mod together;
mod wake;
