//! wip
mod asn1;
pub mod certificate;
pub mod cms;
mod emit;
mod fields;
mod keys;
mod pages;
pub mod intake;
pub mod place;
pub mod plan;
mod prepare;
pub mod software;
pub mod syntax;

pub use plan::Prepared;
pub use prepare::{PrepareError, prepare};
