//! Facts on their way out.

pub mod publish;
