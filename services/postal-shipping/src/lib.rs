//! Shipments, S10 numbers, labels, deposit lists, tracking, proofs of delivery.
//!
//! Imports go one way: `grpc, workers → app → store → domain`. What is deliberately absent: orders (the owner's reference is
//! opaque), people (addressees are names on a label), and prices.
//!
//! To add a use case: its message in the contract, a line in `grpc/rules.rs`, a file in `app`, its SQL in `store`, a handler
//! of a few lines, and a test in `tests/api`.

pub mod app;
pub mod carrier;
pub mod clients;
pub mod config;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod migrate;
pub mod service;
pub mod store;
pub mod workers;

mod wire;

pub use config::Settings;
pub use migrate::migrate;
pub use service::serve;
