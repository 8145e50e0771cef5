//! PAdES for the platform: what may enter, how a seal is put on, and what a signature is worth.
//!
//! Bytes in, bytes out: no input or output, no clock, no randomness, nothing asynchronous. A seal is made in
//! steps, so that the key may stand anywhere:
//!
//! 1. [`intake::inspect`] decides whether a file enters and how a seal may join the signatures it carries;
//! 2. [`prepare`] writes a [`plan::SealPlan`] behind the original as one incremental update with a hole, and
//!    digests the rest;
//! 3. [`cms::SignedAttributes`] are signed elsewhere, [`cms::assemble`] checks the value and makes a CMS signature,
//!    [`cms::add_timestamp`] puts a time-stamp to it;
//! 4. [`cms::finish`] writes it into the hole;
//! 5. [`verify::verify`] says what EN 319 102-1 says of the result, and of signatures of others.
//!
//! Everything reads files through [`syntax`], which repairs nothing: where two readers of a damaged file could
//! differ, the file is an error. Certificates, tokens and foreign objects are kept byte for byte.

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
