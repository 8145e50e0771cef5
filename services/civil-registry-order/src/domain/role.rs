//! Roles at an office, as the access token names them.

/// Works on the queue: looks in the register, records what was found and produced.
pub const AGENT: &str = "agent";
/// Civil-status officer: signs.
pub const OFFICER: &str = "officer";
/// Keeps the office's profile.
pub const ADMINISTRATOR: &str = "administrator";
