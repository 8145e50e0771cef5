//! JSON Web Signatures in compact form (RFC 7515) with Ed25519 (RFC 8037): access tokens and confirmation records.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

/// `typ` of an access token (RFC 9068 has `at+jwt` for OAuth; these are the platform's own).
pub const TYPE_ACCESS_TOKEN: &str = "JWT";
/// `typ` of a confirmation record, so that one never passes for a token.
pub const TYPE_CONFIRMATION: &str = "wathiq-confirmation+jws";

/// A private key with its published name.
pub struct JwsKey {
    id: String,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for JwsKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "JwsKey({})", self.id)
    }
}

/// Why a key or a signature was not made.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    #[error("the seed makes no Ed25519 key, or not the one that was published")]
    Key,
    #[error("the claims cannot be written as JSON")]
    Claims(#[source] serde_json::Error),
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

impl JwsKey {
    /// # Errors
    /// [`JwsError::Key`].
    pub fn from_seed(id: String, seed: &[u8]) -> Result<Self, JwsError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| JwsError::Key)?;
        Ok(Self { id, pair })
    }

    pub fn public_key(&self) -> [u8; 32] {
        self.pair
            .public_key()
            .as_ref()
            .try_into()
            .expect("an Ed25519 public key has 32 bytes")
    }

    /// # Errors
    /// [`JwsError::Claims`].
    pub fn sign(&self, typ: &'static str, claims: &impl Serialize) -> Result<String, JwsError> {
        let header = Header {
            alg: "EdDSA",
            kid: &self.id,
            typ,
        };
        let mut text = BASE64URL_NOPAD.encode(&serde_json::to_vec(&header).map_err(JwsError::Claims)?);
        text.push('.');
        text.push_str(&BASE64URL_NOPAD.encode(&serde_json::to_vec(claims).map_err(JwsError::Claims)?));
        let signature = self.pair.sign(text.as_bytes());
        text.push('.');
        text.push_str(&BASE64URL_NOPAD.encode(signature.as_ref()));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn the_public_key_verifies_what_the_seed_signed() {
        // RFC 8037 appendix A.
        let seed = BASE64URL_NOPAD
            .decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        let key = JwsKey::from_seed("kid-1".to_owned(), &seed).unwrap();
        assert_eq!(
            BASE64URL_NOPAD.encode(&key.public_key()),
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        );
        let jws = key.sign(TYPE_CONFIRMATION, &serde_json::json!({"a": 1})).unwrap();
        let (signed, signature) = jws.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        UnparsedPublicKey::new(&ED25519, key.public_key())
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        assert!(!format!("{key:?}").contains("nWG"));
    }
}
