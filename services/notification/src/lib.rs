//! E-mail and text messages to people, in their language, about what other services tell by events.
//!
//! Two steps. An event queues a message in the transaction that notes the event ([`events::consume`]); nothing is sent there.
//! The [`sender`] then asks other services for address and facts, writes the text in memory, sends it and notes the
//! outcome. No service calls this one to do its work, so it may be down without stopping any.
//!
//! Imports go one way: `grpc, events, sender → app → store → domain`.

pub mod app;
pub mod catalogue;
pub mod clients;
pub mod config;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod letter;
pub mod mail;
pub mod migrate;
pub mod sender;
pub mod service;
pub mod store;
pub mod text_message;

pub use config::Settings;
pub use migrate::migrate;
pub use service::serve;
