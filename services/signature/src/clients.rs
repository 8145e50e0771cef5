//! The services this one asks.

pub mod identity;
pub mod payment;
