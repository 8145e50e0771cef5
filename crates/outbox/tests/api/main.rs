//! The crate against a real PostgreSQL and a real Kafka (`WATHIQ_TEST_STACK`), and against librdkafka's mock cluster
//! where faults are injected.

mod append;
mod audit;
mod broker;
mod consumer;
mod faults;
mod harness;
mod idempotency;
mod kafka;
mod leadership;
mod parked;
mod relay;
mod rights;
mod trace;
