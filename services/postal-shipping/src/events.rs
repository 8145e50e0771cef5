//! What this service tells others.

pub mod publish;
