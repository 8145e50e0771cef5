//! Payables, attempts at providers, captures, refunds, reconciliation, receipts.
//!
//! Imports go one way: `grpc, events → app → store → domain`. What speaks to a payment provider stands behind `providers`. The package is
//! one crate and one database. Every change of money goes through [`domain::book::Book`], under the lock on its payable's row.

pub mod app;
pub mod clients;
pub mod config;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod janitor;
pub mod migrate;
pub mod providers;
pub mod service;
pub mod store;
mod wire;

pub use config::Settings;
pub use migrate::migrate;
pub use service::serve;
