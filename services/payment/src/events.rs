//! What the service tells: [`publish`].

pub mod publish;
