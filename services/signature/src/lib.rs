//! Legalisation of signatures: uploaded documents, requests and their two-level review, the register of legalisations, the
//! officers' seals, and verification by anybody.
//!
//! Imports go one way: `grpc, events → app → store → domain`. What opens an uploaded file stands behind `pdf`, what holds a
//! key behind `keys`, and other services behind `clients`. The package is one crate and one database.

pub mod app;
pub mod clients;
pub mod config;
pub mod domain;
pub mod electronic_seals;
pub mod events;
pub mod grpc;
pub mod janitor;
pub mod keys;
pub mod migrate;
pub mod pdf;
pub mod service;
pub mod storage;
pub mod store;
pub mod timestamp;
pub mod trust;
mod wire;

pub use config::Settings;
pub use migrate::migrate;
pub use service::serve;
