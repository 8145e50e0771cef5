//! Rules of people, offices, sessions, specimens and confirmations: pure, without SQL, clock or transport.

pub mod administration;
pub mod common_passwords;
pub mod confirmation;
pub mod contact;
pub mod contact_session;
pub mod crockford;
pub mod delivery;
pub mod identity_document;
pub mod membership;
pub mod name;
pub mod office;
pub mod office_import;
pub mod one_time_code;
pub mod password;
pub mod person;
pub mod quota;
pub mod recovery_code;
pub mod refusal;
pub mod session;
pub mod sign_up;
pub mod signing_key;
pub mod specimen;
pub mod specimen_image;
pub mod totp;
pub mod vocabulary;

/// Implements `Debug` without the value, for types that hold personal data.
macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}
pub(crate) use redacted;
