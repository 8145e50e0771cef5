//! Facts as events.

pub mod publish;
pub mod records;
