//! What a legalisation is, without database, network or clock.

pub mod commitment;
pub mod comparison;
pub mod confirmation_subject;
pub mod credential;
pub mod destination;
pub mod document;
pub mod fact;
pub mod holder_name;
pub mod intent;
pub mod kind;
pub mod person;
pub mod placement;
pub mod receipt;
pub mod recipe;
pub mod refusal;
pub mod register;
pub mod request;
pub mod revision;
pub mod role;
pub mod seal_facts;
pub mod state;
pub mod strokes;
pub mod transition;
pub mod verification_code;
