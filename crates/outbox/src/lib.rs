//! What a service with a database and events needs beside its own tables: the outbox its facts leave by, the
//! relay that carries them to Kafka, the consumer loop with its inbox that brings other services' facts in,
//! the idempotency record of commands, and the audit trail.
//!
//! A transaction of a service goes, always in this order: [`idempotency::claim`], lock the aggregate's row,
//! change it, [`audit::record`], [`append`], [`idempotency::complete`], commit. Nothing is published by hand
//! after the commit.
//!
//! Delivery is at least once. Events of one aggregate arrive in the order of their sequence (the first time
//! each is seen); consumers recognise repeats by event id in their inbox. Kafka transactions are deliberately
//! not used.
//!
//! The tables (`outbox`, `inbox`, `idempotency`, `audit`, `parked`) belong to this crate and live in the
//! service's own database; [`migrate`] creates them and gives the application role exactly the rights it
//! needs.

pub mod audit;
pub mod idempotency;
pub mod parked;
#[cfg(feature = "testing")]
pub mod testing;

mod apply;
mod backoff;
mod columns;
mod consumer;
mod error;
mod event;
mod failure;
mod kafka;
mod message;
mod migrate;
mod relay;

pub use audit::{AuditEntry, AuditError};
pub use consumer::{Consumer, Delivery, HandleError, Handler};
pub use event::{NewEvent, OutboxError, append, append_all};
pub use failure::DatabaseFailure;
pub use idempotency::{Claim, Command, IdempotencyError};
pub use kafka::KafkaConfig;
pub use message::Record;
pub use migrate::{ApplyError, MigrateError, apply, is_current, migrate};
pub use parked::{Parked, ParkedError};
pub use relay::Relay;
pub use wathiq_chassis::BoxError;
