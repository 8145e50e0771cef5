//! The commands of `wathiq-local`.

pub mod stack;
pub mod test;
