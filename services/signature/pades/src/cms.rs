//! The CMS signature of PAdES baseline (EN 319 142-1, 6.3; RFC 5652), its time-stamp (RFC 3161), and the hole
//! in the file it is written into.
//!
//! Only the signature value comes from elsewhere, so the key may stand in a module, a remote service or a desk.

mod algorithm;
mod assemble;
mod attributes;
pub(crate) mod oids;
pub(crate) mod signed_data;
mod timestamp;

use thiserror::Error;

pub use algorithm::{Algorithm, ecdsa_der};
pub use assemble::{add_timestamp, assemble, finish, verify_signature_value};
pub use attributes::SignedAttributes;
pub(crate) use timestamp::verify_token;
pub use timestamp::{TimestampError, TimestampToken, parse_timestamp_response, timestamp_request};

/// Why a signature could not be assembled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CmsError {
    /// A certificate cannot be read, or none was given.
    #[error("the certificate cannot be read")]
    BadCertificate,
    /// The certificate's key is of a kind that is not used for seals.
    #[error("the key of the certificate is not supported")]
    UnsupportedKey,
    /// The signature value does not belong to these attributes and this certificate.
    #[error("the signature value does not fit the certificate and the signed attributes")]
    WrongSignature,
    /// A signature value is not two integers of equal length.
    #[error("the ecdsa value is malformed")]
    BadEcdsaValue,
    /// The bytes are not a CMS signature with one signer.
    #[error("the signature is not a cms signature with one signer")]
    BadCms,
    /// The signature is larger than the hole reserved for it.
    #[error("the signature needs {needed} bytes where {reserved} are reserved")]
    TooLarge {
        /// Bytes of the signature.
        needed: usize,
        /// Bytes reserved.
        reserved: usize,
    },
    /// There is no hole of that size at that place.
    #[error("the prepared file has no hole there")]
    NoHole,
}
