//! Facts as events.

pub mod publish;
