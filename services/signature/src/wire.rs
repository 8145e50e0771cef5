//! The domain's words as protobuf's, for events and for answers alike.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::domain::credential::Holder;
use crate::domain::destination::Destination;
use crate::domain::issued_document::{IssuedState, SealMode};
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::state::State;

/// A civil date.
pub(crate) fn date(day: NaiveDate) -> Date {
    Date {
        year: day.year(),
        month: day.month().cast_signed(),
        day: day.day().cast_signed(),
    }
}

/// An instant.
pub(crate) fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: at.timestamp_subsec_nanos().cast_signed(),
    }
}

/// A kind of sealed file.
pub(crate) fn file_kind(kind: SealedFileKind) -> pb::SealedFileKind {
    match kind {
        SealedFileKind::Document => pb::SealedFileKind::Document,
        SealedFileKind::LegalisationPage => pb::SealedFileKind::LegalisationPage,
    }
}

/// Whose a credential is.
pub(crate) fn credential_kind(holder: &Holder) -> pb::CredentialKind {
    match holder {
        Holder::Officer(_) => pb::CredentialKind::Officer,
        Holder::Institution(_) => pb::CredentialKind::ElectronicSeal,
    }
}

/// Whose key seals.
pub(crate) fn seal_mode(mode: SealMode) -> pb::SealMode {
    match mode {
        SealMode::OfficerKey => pb::SealMode::OfficerKey,
        SealMode::ElectronicSeal => pb::SealMode::ElectronicSeal,
    }
}

/// A state of an issued document.
pub(crate) fn issued_state(state: IssuedState) -> pb::IssuedDocumentState {
    match state {
        IssuedState::WaitingForOfficer => pb::IssuedDocumentState::WaitingForOfficer,
        IssuedState::Signed => pb::IssuedDocumentState::Signed,
        IssuedState::Sealed => pb::IssuedDocumentState::Sealed,
        IssuedState::Withdrawn => pb::IssuedDocumentState::Withdrawn,
        IssuedState::Failed => pb::IssuedDocumentState::Failed,
    }
}

/// A kind of destination.
pub(crate) fn destination_kind(destination: &Destination) -> pb::DestinationKind {
    match destination {
        Destination::EnrolledAdministration(_) => pb::DestinationKind::EnrolledAdministration,
        Destination::OtherAdministration { .. } => pb::DestinationKind::OtherAdministration,
        Destination::PrivateParty { .. } => pb::DestinationKind::PrivateParty,
        Destination::Abroad { .. } => pb::DestinationKind::Abroad,
    }
}

/// A state.
pub(crate) fn state(state: State) -> pb::LegalisationState {
    match state {
        State::Draft => pb::LegalisationState::Draft,
        State::SignaturePlaced => pb::LegalisationState::SignaturePlaced,
        State::Confirmed => pb::LegalisationState::Confirmed,
        State::AwaitingPayment => pb::LegalisationState::AwaitingPayment,
        State::Submitted => pb::LegalisationState::Submitted,
        State::AgentAccepted => pb::LegalisationState::AgentAccepted,
        State::AwaitingSignature => pb::LegalisationState::AwaitingSignature,
        State::Sealed => pb::LegalisationState::Sealed,
        State::Delivered => pb::LegalisationState::Delivered,
        State::Refused => pb::LegalisationState::Refused,
        State::Cancelled => pb::LegalisationState::Cancelled,
        State::Expired => pb::LegalisationState::Expired,
    }
}
