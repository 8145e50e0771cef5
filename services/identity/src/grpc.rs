//! The transport: the only place that knows the messages of the services. Thin handlers, one file that reads and writes
//! messages for each service, one file that turns errors into statuses, one that says who may call what.

mod account;
mod account_convert;
mod command;
mod confirmation;
mod convert;
mod directory;
mod fields;
mod office;
mod office_convert;
pub mod rules;
mod session;
mod specimen;
mod status;

pub use account::Accounts;
pub use confirmation::Confirmations;
pub use directory::Directory;
pub use office::Offices;
pub use session::Sessions;
pub use specimen::Specimens;

use wathiq_chassis::ErrorDomain;

/// The domain of this service's reasons.
pub const ERRORS: ErrorDomain = ErrorDomain("identity.wathiq");
