//! The rules, pure: no clock, no database, no transport.

pub mod carrier_event;
pub mod code_table;
pub mod delivery;
pub mod deposit_list;
pub mod number_range;
pub mod party;
pub mod shipment;
pub mod tracking;
pub mod tracking_id;
pub mod vocabulary;
pub mod webhook;

pub use wathiq_postal_address::{countries, name, text};
