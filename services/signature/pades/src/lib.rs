//! wip
mod asn1;
pub mod certificate;
pub mod cms;
mod emit;
mod fields;
pub mod intake;
mod keys;
mod pages;
pub mod place;
pub mod plan;
mod prepare;
pub mod software;
pub mod syntax;
pub mod verify;

pub use plan::Prepared;
pub use prepare::{PrepareError, prepare};
