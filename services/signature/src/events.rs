//! Facts as events, and the events of others that this service follows.

pub mod consume;
pub mod issued;
pub mod publish;
pub mod records;
