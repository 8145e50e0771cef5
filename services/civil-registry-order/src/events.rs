//! Facts as events, and the events of others as commands.

pub mod acts;
pub mod consume;
pub mod publish;

/// Topic of what an office draws up or changes.
pub const OFFICES: &str = "wathiq.civil-registry-order.office.v1";
/// Topic of kinds, fees, ceilings and custody.
pub const CATALOGUE: &str = "wathiq.civil-registry-order.catalogue.v1";
