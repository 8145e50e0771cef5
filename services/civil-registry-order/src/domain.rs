//! Values, states and rules. No database, no network, no clock.

pub mod act;
pub mod act_key;
pub mod address;
pub mod clue;
pub mod custody;
pub mod entitlement;
pub mod extract;
pub mod fault;
pub mod fee;
pub mod fold;
pub mod import;
pub mod keying;
pub mod kind;
pub mod order;
pub mod person;
pub mod reference;
pub mod role;
pub mod search;
pub mod state;
pub mod text;
pub mod verification_code;
pub mod words;
pub mod working_days;
pub mod written_date;
