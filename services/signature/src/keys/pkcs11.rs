//! A token behind PKCS#11: open, log in, sign, log out.

use aws_lc_rs::digest;
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use der::Decode;
use der::asn1::OctetStringRef;
use secrecy::SecretString;
use wathiq_pades::cms::ecdsa_der;

use super::{KeyAlgorithm, KeyError, KeyLocation};

/// DER of `DigestInfo` for SHA-256 up to the digest (RFC 8017, 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

pub(super) struct Token {
    context: Pkcs11,
    label: String,
}

/// Logs out when dropped, so that no way out of a batch leaves the key open.
struct LoggedIn<'a> {
    session: &'a Session,
}

impl Drop for LoggedIn<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.session.logout() {
            tracing::warn!(event = "token.logout", %error, "a token did not log out; its session is closed");
        }
    }
}

impl Token {
    pub(super) fn new(context: Pkcs11, label: String) -> Self {
        Self { context, label }
    }

    /// Signs a batch; once more from the start when the device lost its session on the way.
    pub(super) fn sign(
        &self,
        location: &KeyLocation,
        pin: &SecretString,
        messages: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, KeyError> {
        match self.batch(location, pin, messages) {
            Err(Fault::Session(error)) => {
                tracing::warn!(
                    event = "token.session_lost",
                    error,
                    "a token lost its session; opening another"
                );
                self.batch(location, pin, messages).map_err(Fault::into_key_error)
            }
            other => other.map_err(Fault::into_key_error),
        }
    }

    fn batch(
        &self,
        location: &KeyLocation,
        pin: &SecretString,
        messages: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let slot = self.slot()?;
        let session = self.context.open_ro_session(slot)?;
        session.login(UserType::User, Some(pin))?;
        let _logged_in = LoggedIn { session: &session };
        let key = find(&session, ObjectClass::PRIVATE_KEY, &location.key_label)?
            .ok_or(Fault::Key(KeyError::KeyMissing))?;
        let signing = Signing::choose(location.algorithm, &self.context.get_mechanism_list(slot)?)?;
        messages
            .iter()
            .map(|message| signing.sign(&session, key, message))
            .collect()
    }

    /// Modulus or encoded point of the public key object with the same label.
    pub(super) fn public_key(&self, location: &KeyLocation) -> Result<Option<Vec<u8>>, KeyError> {
        self.read_public_key(location).map_err(Fault::into_key_error)
    }

    fn read_public_key(&self, location: &KeyLocation) -> Result<Option<Vec<u8>>, Fault> {
        let session = self.context.open_ro_session(self.slot()?)?;
        let Some(key) = find(&session, ObjectClass::PUBLIC_KEY, &location.key_label)? else {
            return Ok(None);
        };
        let wanted = match location.algorithm {
            KeyAlgorithm::RsaSha256 => AttributeType::Modulus,
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::EcdsaP384Sha256 => AttributeType::EcPoint,
        };
        let found = session.get_attributes(key, &[wanted])?.into_iter().next();
        Ok(match found {
            Some(Attribute::Modulus(modulus)) => Some(modulus),
            Some(Attribute::EcPoint(point)) => Some(unwrapped(point)),
            _ => None,
        })
    }

    fn slot(&self) -> Result<Slot, Fault> {
        for slot in self.context.get_slots_with_token()? {
            if self.context.get_token_info(slot)?.label() == self.label {
                return Ok(slot);
            }
        }
        Err(Fault::Key(KeyError::Unavailable(
            "no token of this label is present".to_owned(),
        )))
    }
}

/// `CKA_EC_POINT` is a DER octet string (PKCS#11 2.40, 6.3.3); some modules give the bare point.
fn unwrapped(point: Vec<u8>) -> Vec<u8> {
    match <&OctetStringRef>::from_der(&point) {
        Ok(inner) => inner.as_bytes().to_vec(),
        Err(_) => point,
    }
}

fn find(session: &Session, class: ObjectClass, label: &str) -> Result<Option<ObjectHandle>, Fault> {
    let template = [
        Attribute::Class(class),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    Ok(session.find_objects(&template)?.first().copied())
}

/// How a token of given mechanisms makes a signature.
enum Signing {
    RsaWhole,
    RsaDigest,
    Ecdsa,
}

impl Signing {
    /// ECDSA is always fed the digest: SoftHSM 2.6 has no `CKM_ECDSA_SHA256`, and every token has `CKM_ECDSA`.
    fn choose(algorithm: KeyAlgorithm, mechanisms: &[MechanismType]) -> Result<Self, Fault> {
        let has = |mechanism: MechanismType| mechanisms.contains(&mechanism);
        let chosen = match algorithm {
            KeyAlgorithm::RsaSha256 if has(MechanismType::SHA256_RSA_PKCS) => Self::RsaWhole,
            KeyAlgorithm::RsaSha256 if has(MechanismType::RSA_PKCS) => Self::RsaDigest,
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::EcdsaP384Sha256 if has(MechanismType::ECDSA) => {
                Self::Ecdsa
            }
            _ => return Err(Fault::Key(KeyError::AlgorithmUnsupported)),
        };
        Ok(chosen)
    }

    fn sign(&self, session: &Session, key: ObjectHandle, message: &[u8]) -> Result<Vec<u8>, Fault> {
        match self {
            Self::RsaWhole => Ok(session.sign(&Mechanism::Sha256RsaPkcs, key, message)?),
            Self::RsaDigest => {
                let mut info = SHA256_DIGEST_INFO.to_vec();
                info.extend_from_slice(digest::digest(&digest::SHA256, message).as_ref());
                Ok(session.sign(&Mechanism::RsaPkcs, key, &info)?)
            }
            Self::Ecdsa => {
                let hashed = digest::digest(&digest::SHA256, message);
                let raw = session.sign(&Mechanism::Ecdsa, key, hashed.as_ref())?;
                ecdsa_der(&raw).map_err(|error| Fault::Key(KeyError::Unavailable(error.to_string())))
            }
        }
    }
}

/// What went wrong inside, before it is told outside.
enum Fault {
    /// The session or device went away: worth one more try.
    Session(String),
    Key(KeyError),
}

impl Fault {
    fn into_key_error(self) -> KeyError {
        match self {
            Self::Session(error) => KeyError::Unavailable(error),
            Self::Key(error) => error,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let Error::Pkcs11(code, _) = &error else {
            return Self::Key(KeyError::Unavailable(error.to_string()));
        };
        match code {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => {
                Self::Key(KeyError::PinIncorrect)
            }
            RvError::PinLocked | RvError::PinExpired => Self::Key(KeyError::PinLocked),
            RvError::SessionHandleInvalid
            | RvError::SessionClosed
            | RvError::DeviceError
            | RvError::DeviceMemory
            | RvError::DeviceRemoved
            | RvError::UserNotLoggedIn
            | RvError::UserAlreadyLoggedIn => Self::Session(error.to_string()),
            _ => Self::Key(KeyError::Unavailable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mechanism_follows_the_token() {
        let rsa_only_raw = Signing::choose(KeyAlgorithm::RsaSha256, &[MechanismType::RSA_PKCS]);
        assert!(matches!(rsa_only_raw, Ok(Signing::RsaDigest)));
        let none = Signing::choose(KeyAlgorithm::EcdsaP256Sha256, &[MechanismType::RSA_PKCS]);
        assert!(matches!(none, Err(Fault::Key(KeyError::AlgorithmUnsupported))));
    }
}
