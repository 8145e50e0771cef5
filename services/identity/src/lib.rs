//! People, offices, roles, sessions, specimens and confirmations.
pub mod domain;
pub mod crypto;
pub mod store;
