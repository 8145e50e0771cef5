//! wip
pub mod syntax;
pub mod place;
pub mod plan;
mod emit;
mod fields;
mod pages;
mod prepare;
pub mod intake { }
