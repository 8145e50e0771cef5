//! Roles at an office, as the access token names them.

/// Compares signatures, accepts or refuses.
pub const AGENT: &str = "agent";
/// Authorises seals, returns or refuses.
pub const OFFICER: &str = "officer";
/// Keeps credentials and fees.
pub const ADMINISTRATOR: &str = "administrator";
