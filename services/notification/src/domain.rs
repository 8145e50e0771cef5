//! What a message is and what may become of it. Pure: no clock, no database, no network.

pub mod administration;
pub mod language;
pub mod message;
pub mod message_id;
pub mod retry;
pub mod template;
