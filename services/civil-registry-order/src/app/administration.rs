//! Reference data: what can be ordered, what it costs, what an office is.

pub mod office_profile;
pub mod put_document_kind;
pub mod put_template_version;
pub mod set_destination_zone;
pub mod set_fee;
pub mod set_fee_ceiling;
pub mod set_holiday;
