//! Hash ver3 from the other side, written anew from its description: sorted names (no name here has digits that would sort naturally),
//! escaped values, the store's key.

use data_encoding::BASE64;
use sha2::{Digest, Sha512};

pub(crate) const STORE_KEY: &str = "TEST1234";

/// The hash of these fields.
pub(crate) fn of(fields: &[(String, String)]) -> String {
    let mut counted: Vec<(String, &str)> = fields
        .iter()
        .map(|(name, value)| (name.to_uppercase(), value.as_str()))
        .filter(|(name, _)| name != "HASH" && name != "ENCODING")
        .collect();
    counted.sort();
    let escape = |value: &str| value.trim().replace('\\', "\\\\").replace('|', "\\|");
    let mut plain: Vec<String> = counted.iter().map(|(_, value)| escape(value)).collect();
    plain.push(escape(STORE_KEY));
    BASE64.encode(&Sha512::digest(plain.join("|")))
}
