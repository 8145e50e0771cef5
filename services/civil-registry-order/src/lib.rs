//! Civil-status orders: digitised acts, the catalogue and its fees, orders and their lines, the offices' queues and parcels.
//!
//! Imports go one way: `grpc, events → app → store → domain`. Other services stand behind `clients`, files behind `storage`, drawn
//! documents behind `documents`. The package is one crate and one database.

pub mod app;
pub mod clients;
pub mod commands;
pub mod config;
pub mod documents;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod janitor;
pub mod migrate;
pub mod service;
pub mod storage;
pub mod store;
mod wire;

pub use config::Settings;
pub use migrate::migrate;
pub use service::serve;
