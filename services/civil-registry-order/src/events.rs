//! Facts as events, and the events of others as commands.

pub mod acts;
pub mod catalogue;
pub mod consume;
pub mod offices;
pub mod publish;
