//! What the post takes as a name and an address: one check for whoever is told them and for whoever posts to them, so that nothing is accepted,
//! and paid, that cannot be sent. Also one table of the letters that are written in several ways.

pub mod arabic;
pub mod countries;
pub mod name;
pub mod party;
pub mod text;
