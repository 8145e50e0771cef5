//! The commands of `wathiq-local`.

pub mod demo;
pub mod stack;
pub mod test;
