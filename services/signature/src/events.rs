//! Facts as events.

pub mod issued;
pub mod payables;
pub mod publish;
pub mod records;
