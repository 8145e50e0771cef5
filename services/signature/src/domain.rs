//! What a legalisation is, without database, network or clock.

pub mod comparison;
pub mod confirmation_subject;
pub mod destination;
pub mod document;
pub mod fact;
pub mod kind;
pub mod person;
pub mod placement;
pub mod receipt;
pub mod refusal;
pub mod request;
pub mod role;
pub mod seal_facts;
pub mod state;
pub mod strokes;
pub mod transition;
