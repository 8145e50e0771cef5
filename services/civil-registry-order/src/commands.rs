//! What the process does beside serving: one file a command.

pub mod audit;
mod flags;
pub mod generate;
pub mod import;
