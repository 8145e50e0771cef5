//! The crate against a real PostgreSQL and a real Kafka (`WATHIQ_TEST_STACK`), and against librdkafka's mock
//! cluster where faults are injected.
//!
//! `cfg(test)` is always on here; written down, it tells clippy that helpers outside test functions may
//! unwrap, too.

#[cfg(test)]
mod append;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod broker;
#[cfg(test)]
mod consumer;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod kafka;
#[cfg(test)]
mod leadership;
#[cfg(test)]
mod parked;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod trace;
