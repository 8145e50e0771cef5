//! The commands of `wathiq-local`.

pub mod test;
