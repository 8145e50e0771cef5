//! Events in and out.

pub mod consume;
pub mod publish;
