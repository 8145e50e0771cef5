//! Events of other services that this one follows.

pub mod payables;
