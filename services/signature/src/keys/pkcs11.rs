//! A token behind PKCS#11: open, log in, sign, log out.

use std::path::PathBuf;
use std::sync::Arc;

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

use super::module;
use super::watch::{Abandoned, Watch};
use super::{KeyAlgorithm, KeyError, KeyLocation};

/// DER of `DigestInfo` for SHA-256 up to the digest (RFC 8017, 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

pub(super) struct Token {
    module: PathBuf,
    label: String,
    watch: Arc<Watch>,
}

/// Logs out when dropped, so that no way out of a batch leaves the key open. Closing the last session logs out as well; that
/// is all that a thread which was given up may do, because another may have logged in since.
struct LoggedIn<'a> {
    session: &'a Session,
    watch: &'a Watch,
}

impl Drop for LoggedIn<'_> {
    fn drop(&mut self) {
        if self.watch.step().is_err() {
            return;
        }
        if let Err(error) = self.session.logout() {
            tracing::warn!(event = "token.logout", %error, "a token did not log out; its session is closed");
        }
    }
}

impl Token {
    pub(super) fn new(module: PathBuf, label: String, watch: Arc<Watch>) -> Self {
        Self { module, label, watch }
    }

    /// Tells whoever waits for this token whether it still answers.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
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
        let context = module::context(&self.module)?;
        let slot = self.slot(&context)?;
        let session = context.open_ro_session(slot)?;
        self.log_in(&session, pin)?;
        let _logged_in = LoggedIn {
            session: &session,
            watch: &self.watch,
        };
        let key = find(&session, ObjectClass::PRIVATE_KEY, &location.key_label)?
            .ok_or(Fault::Key(KeyError::KeyMissing))?;
        let mechanisms = context.get_mechanism_list(slot)?;
        let each = asks_for_each(&session, key)?.then_some(pin);
        let signing = match each {
            None => Signing::choose(location.algorithm, &mechanisms)?,
            Some(_) => Signing::choose_in_parts(location.algorithm, &mechanisms)?,
        };
        messages
            .iter()
            .map(|message| {
                self.watch.step()?;
                signing.sign(&session, key, message, each)
            })
            .collect()
    }

    /// A log-in that a thread left behind when it was given up is ended first: every batch stands on its own PIN.
    fn log_in(&self, session: &Session, pin: &SecretString) -> Result<(), Fault> {
        self.watch.step()?;
        match session.login(UserType::User, Some(pin)) {
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                session.logout()?;
                self.watch.step()?;
                Ok(session.login(UserType::User, Some(pin))?)
            }
            done => Ok(done?),
        }
    }

    /// Modulus or encoded point of the public key object with the same label.
    pub(super) fn public_key(&self, location: &KeyLocation) -> Result<Option<Vec<u8>>, KeyError> {
        self.read_public_key(location).map_err(Fault::into_key_error)
    }

    fn read_public_key(&self, location: &KeyLocation) -> Result<Option<Vec<u8>>, Fault> {
        let context = module::context(&self.module)?;
        let session = context.open_ro_session(self.slot(&context)?)?;
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

    fn slot(&self, context: &Pkcs11) -> Result<Slot, Fault> {
        for slot in context.get_slots_with_token()? {
            self.watch.step()?;
            if context.get_token_info(slot)?.label() == self.label {
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

/// Whether the key wants the PIN for each signature (PKCS#11 2.40, 4.9, `CKA_ALWAYS_AUTHENTICATE`), as keys for qualified signatures do.
fn asks_for_each(session: &Session, key: ObjectHandle) -> Result<bool, Fault> {
    let found = session.get_attributes(key, &[AttributeType::AlwaysAuthenticate])?;
    Ok(matches!(found.first(), Some(Attribute::AlwaysAuthenticate(true))))
}

/// How a token of given mechanisms makes a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signing {
    RsaWhole,
    RsaDigest,
    EcdsaWhole,
    EcdsaDigest,
}

impl Signing {
    /// ECDSA is fed the digest: SoftHSM 2.6 has no `CKM_ECDSA_SHA256`, and every token has `CKM_ECDSA`.
    fn choose(algorithm: KeyAlgorithm, mechanisms: &[MechanismType]) -> Result<Self, Fault> {
        let has = |mechanism: MechanismType| mechanisms.contains(&mechanism);
        let chosen = match algorithm {
            KeyAlgorithm::RsaSha256 if has(MechanismType::SHA256_RSA_PKCS) => Self::RsaWhole,
            KeyAlgorithm::RsaSha256 if has(MechanismType::RSA_PKCS) => Self::RsaDigest,
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::EcdsaP384Sha256 if has(MechanismType::ECDSA) => {
                Self::EcdsaDigest
            }
            _ => return Err(Fault::Key(KeyError::AlgorithmUnsupported)),
        };
        Ok(chosen)
    }

    /// For a key that wants the PIN between the beginning of a signature and its data: only a signature in parts has such a
    /// moment, and only mechanisms that hash make one in parts.
    fn choose_in_parts(algorithm: KeyAlgorithm, mechanisms: &[MechanismType]) -> Result<Self, Fault> {
        let (wanted, chosen) = match algorithm {
            KeyAlgorithm::RsaSha256 => (MechanismType::SHA256_RSA_PKCS, Self::RsaWhole),
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::EcdsaP384Sha256 => {
                (MechanismType::ECDSA_SHA256, Self::EcdsaWhole)
            }
        };
        if mechanisms.contains(&wanted) {
            return Ok(chosen);
        }
        Err(Fault::Key(KeyError::AlgorithmUnsupported))
    }

    fn sign(
        self,
        session: &Session,
        key: ObjectHandle,
        message: &[u8],
        each: Option<&SecretString>,
    ) -> Result<Vec<u8>, Fault> {
        let data = match self {
            Self::RsaWhole | Self::EcdsaWhole => message.to_vec(),
            Self::RsaDigest => {
                let mut info = SHA256_DIGEST_INFO.to_vec();
                info.extend_from_slice(digest::digest(&digest::SHA256, message).as_ref());
                info
            }
            Self::EcdsaDigest => digest::digest(&digest::SHA256, message).as_ref().to_vec(),
        };
        let value = match each {
            None => session.sign(&self.mechanism(), key, &data)?,
            Some(pin) => {
                session.sign_init(&self.mechanism(), key)?;
                session.login(UserType::ContextSpecific, Some(pin))?;
                session.sign_update(&data)?;
                session.sign_final()?
            }
        };
        match self {
            Self::RsaWhole | Self::RsaDigest => Ok(value),
            Self::EcdsaWhole | Self::EcdsaDigest => {
                ecdsa_der(&value).map_err(|error| Fault::Key(KeyError::Unavailable(error.to_string())))
            }
        }
    }

    fn mechanism(self) -> Mechanism<'static> {
        match self {
            Self::RsaWhole => Mechanism::Sha256RsaPkcs,
            Self::RsaDigest => Mechanism::RsaPkcs,
            Self::EcdsaWhole => Mechanism::EcdsaSha256,
            Self::EcdsaDigest => Mechanism::Ecdsa,
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

impl From<Abandoned> for Fault {
    fn from(_: Abandoned) -> Self {
        Self::Key(KeyError::Unavailable("nobody waits any more".to_owned()))
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
        let in_parts = |mechanism| Signing::choose_in_parts(KeyAlgorithm::EcdsaP384Sha256, &[mechanism]);
        assert!(matches!(
            in_parts(MechanismType::ECDSA_SHA256),
            Ok(Signing::EcdsaWhole)
        ));
        let single = in_parts(MechanismType::ECDSA);
        assert!(matches!(single, Err(Fault::Key(KeyError::AlgorithmUnsupported))));
    }
}
