//! What postal-shipping says of an address that the post does not know.

use tonic::Status;
use wathiq_chassis::{FieldViolation, status};
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use super::{DOMAIN, State};

pub(super) fn check(state: &State, message: &postal::CreateShipmentRequest) -> Result<(), Status> {
    let unknown = state.unknown_codes.lock().unwrap();
    let parties = [("sender", &message.sender), ("addressee", &message.addressee)];
    let mut wrong: Vec<FieldViolation> = parties
        .into_iter()
        .filter(|(_, party)| {
            let address = party.as_ref().and_then(|party| party.address.as_ref());
            address.is_some_and(|address| unknown.contains(&address.postal_code))
        })
        .map(|(field, _)| {
            FieldViolation::new(format!("{field}.address.postal_code"), "POSTAL_CODE", "unknown")
        })
        .collect();
    let refused = state.refused_fields.lock().unwrap();
    wrong.extend(
        refused
            .iter()
            .map(|field| FieldViolation::new(field, "MALFORMED", "not taken")),
    );
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(status::invalid_argument(DOMAIN, wrong))
    }
}
