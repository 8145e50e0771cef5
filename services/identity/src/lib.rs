//! People, offices, roles, sessions, specimens and confirmations.
//!
//! Imports go one way: `grpc, events → app → store → domain`. What is deliberately absent: other services' data (identity
//! asks nobody), sending (notification takes codes from here), and every rule of a legalisation.
//!
//! To add a use case: its message in the contract, a line in `grpc/rules.rs`, a file in `app`, its SQL in `store`, a handler
//! of a few lines, and a test in `tests/api`.

pub mod app;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod service;
pub mod store;

pub use config::Settings;
pub use service::{bootstrap_administrator, migrate, serve};
