//! A legalisation request in JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::status_text::{Texts, status_text};
use crate::api::wire::{CivilDate, Hex, Show, Word, view, words};
use crate::problem::Problem;

words! {
    /// States of a legalisation request.
    LegalisationState from pb::LegalisationState {
        Draft, SignaturePlaced, Confirmed, AwaitingPayment, Submitted, AgentAccepted, AwaitingSignature, Sealed,
        Delivered, Refused, Cancelled, Expired,
    }
    /// In what capacity the person signs.
    SigningCapacity from pb::SigningCapacity { Oneself, Organisation }
    /// Where the document goes.
    DestinationKind from pb::DestinationKind { EnrolledAdministration, OtherAdministration, PrivateParty, Abroad }
    /// States of a register entry.
    RegisterEntryState from pb::RegisterEntryState { Pending, Sealed, Annulled }
    /// Kinds of sealed files.
    SealedFileKind from pb::SealedFileKind { Document, LegalisationPage }
}

view! {
    /// Receipt of a filing.
    Receipt from pb::Receipt {
        number: String,
        submit_time: Option<DateTime<Utc>>,
        expected_date: Option<CivilDate>,
    }
    /// A refusal by the office.
    Refusal from pb::Refusal {
        /// Code of the catalogue.
        reason_code: String,
        text: String,
        refuse_time: Option<DateTime<Utc>>,
    }
    /// One file of a sealed request.
    SealedFile from pb::SealedFile {
        kind: SealedFileKind,
        /// 1 is the first sealed revision.
        revision: i32,
        size_bytes: u64,
        sha256: Hex,
    }
    /// What the citizen's confirmation covers, and its hash.
    ConfirmationSubjectAnswer from pb::GetConfirmationSubjectResponse {
        subject: Option<ConfirmationSubject>,
        /// SHA-256 to open a confirmation for.
        hash: Hex,
    }
    /// Everything the citizen's confirmation covers.
    ConfirmationSubject from pb::ConfirmationSubject {
        legalisation_request_id: String,
        document_sha256: Hex,
        page_number: i32,
        /// Thousandths of a point: x, y, width, height.
        rectangle: Vec<i64>,
        mark_sha256: Option<Hex>,
        specimen_version: i32,
        office_id: String,
    }
    /// Salt and commitments of a sealed document.
    Commitments from pb::GetCommitmentsResponse {
        salt: Hex,
        commitments: Vec<RevisionCommitment>,
    }
    /// HMAC-SHA-256 of a revision's SHA-256 under the salt.
    RevisionCommitment from pb::RevisionCommitment {
        kind: SealedFileKind,
        revision: i32,
        sha256: Hex,
        commitment: Hex,
    }
    /// What may be legalised, and why requests are refused.
    Catalogue from pb::GetCatalogueResponse {
        document_kinds: Vec<DocumentKind>,
        refusal_reasons: Vec<RefusalReason>,
    }
    /// A kind of document.
    DocumentKind from pb::DocumentKind {
        code: String,
        name_ar: String,
        name_fr: String,
        name_en: String,
        needs_mandatary: bool,
        /// Refused with this reason; null where allowed.
        refused_reason: Option<String>,
        fee_centimes: i64,
    }
    /// A catalogued reason for refusing a request.
    RefusalReason from pb::RefusalReason {
        code: String,
        text_ar: String,
        text_fr: String,
        text_en: String,
    }
}

/// Entry of the register of legalisations.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegisterEntry {
    pub(crate) office_id: String,
    pub(crate) year: i32,
    /// 1…n without a gap for an office and year.
    pub(crate) number: i32,
    pub(crate) date: Option<CivilDate>,
    pub(crate) state: RegisterEntryState,
    pub(crate) annulment_reason: Option<String>,
    pub(crate) annul_time: Option<DateTime<Utc>>,
    /// The officer who annulled.
    pub(crate) annulled_by_person_id: Option<String>,
    pub(crate) legalisation_request_id: Option<String>,
    pub(crate) intent_id: Option<String>,
}

impl Show<RegisterEntry> for pb::RegisterEntry {
    fn show(self) -> RegisterEntry {
        RegisterEntry {
            office_id: self.office_id,
            year: self.year,
            number: self.number,
            date: self.date.show(),
            state: self.state.show(),
            annulment_reason: self.annulment_reason.show(),
            annul_time: self.annul_time.show(),
            annulled_by_person_id: self.annulled_by_person_id.show(),
            legalisation_request_id: self.request_id.show(),
            intent_id: self.intent_id.show(),
        }
    }
}

/// A legalisation request.
#[derive(Serialize, ToSchema)]
pub(crate) struct LegalisationRequest {
    pub(crate) legalisation_request_id: String,
    pub(crate) state: LegalisationState,
    /// What happens next, and when.
    pub(crate) status_text: Texts,
    pub(crate) document_id: String,
    pub(crate) office_id: String,
    pub(crate) document_kind: String,
    pub(crate) capacity: SigningCapacity,
    pub(crate) destination: Option<Destination>,
    pub(crate) mandatary: Option<Mandatary>,
    pub(crate) placement: Option<Placement>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) register_entry: Option<RegisterEntry>,
    pub(crate) files: Vec<SealedFile>,
    pub(crate) verification_code: Option<String>,
    pub(crate) fee_centimes: i64,
    pub(crate) create_time: Option<DateTime<Utc>>,
    pub(crate) update_time: Option<DateTime<Utc>>,
    /// The state ends by itself then.
    pub(crate) expire_time: Option<DateTime<Utc>>,
    /// Machine-readable detail of what happens next.
    pub(crate) progress_code: Option<String>,
    pub(crate) resubmission_of: Option<String>,
    /// Where the fee is paid; null without one.
    pub(crate) payable_id: Option<String>,
    pub(crate) etag: String,
}

impl Show<LegalisationRequest> for pb::LegalisationRequest {
    fn show(self) -> LegalisationRequest {
        LegalisationRequest {
            status_text: status_text(&self),
            legalisation_request_id: self.legalisation_request_id,
            state: self.state.show(),
            document_id: self.document_id,
            office_id: self.office_id,
            document_kind: self.document_kind,
            capacity: self.capacity.show(),
            destination: self.destination.show(),
            mandatary: self.mandatary.show(),
            placement: self.placement.show(),
            receipt: self.receipt.show(),
            refusal: self.refusal.show(),
            register_entry: self.register_entry.show(),
            files: self.files.show(),
            verification_code: self.verification_code.show(),
            fee_centimes: self.fee_centimes,
            create_time: self.create_time.show(),
            update_time: self.update_time.show(),
            expire_time: self.expire_time.show(),
            progress_code: self.progress_code.show(),
            resubmission_of: self.resubmission_of.show(),
            payable_id: self.payable_id.show(),
            etag: self.etag,
        }
    }
}

/// Destination of a document.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) kind: DestinationKind,
    /// For an enrolled administration.
    #[serde(default)]
    pub(crate) administration_id: Option<String>,
    /// Free name for the others, at most 200 characters.
    #[serde(default)]
    pub(crate) name: Option<String>,
}

impl Destination {
    pub(crate) fn message(self) -> pb::Destination {
        pb::Destination {
            kind: self.kind.number(),
            administration_id: self.administration_id.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
        }
    }
}

impl Show<Destination> for pb::Destination {
    fn show(self) -> Destination {
        Destination {
            kind: self.kind.show(),
            administration_id: self.administration_id.show(),
            name: self.name.show(),
        }
    }
}

/// The person who receives a power of attorney.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mandatary {
    #[serde(default)]
    pub(crate) name_arabic: String,
    #[serde(default)]
    pub(crate) name_latin: String,
    #[serde(default)]
    pub(crate) identity_document_number: String,
    #[serde(default)]
    pub(crate) address: String,
}

impl Mandatary {
    pub(crate) fn message(self) -> pb::Mandatary {
        pb::Mandatary {
            name_arabic: self.name_arabic,
            name_latin: self.name_latin,
            identity_document_number: self.identity_document_number,
            address: self.address,
        }
    }
}

impl Show<Mandatary> for pb::Mandatary {
    fn show(self) -> Mandatary {
        Mandatary {
            name_arabic: self.name_arabic,
            name_latin: self.name_latin,
            identity_document_number: self.identity_document_number,
            address: self.address,
        }
    }
}

/// Where the citizen's signature is: drawn for this request, or standing in the document already.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Placement {
    /// 1 is the first page.
    pub(crate) page_number: i32,
    pub(crate) rectangle: Rectangle,
    #[serde(default)]
    pub(crate) drawn: Option<DrawnSignature>,
    #[serde(default)]
    pub(crate) standing: bool,
}

/// A rectangle on a page as displayed: points from the top left corner, y down.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rectangle {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A signature drawn for this very request: 1 to 100 strokes, at most 5,000 points.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrawnSignature {
    pub(crate) strokes: Vec<SignatureStroke>,
}

/// One stroke.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureStroke {
    pub(crate) points: Vec<SignaturePoint>,
}

/// A point of a stroke: fractions of the rectangle, origin top left, y down.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignaturePoint {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Placement {
    /// # Errors
    /// Where both marks, or none, are given.
    pub(crate) fn message(self) -> Result<pb::Placement, Problem> {
        let mark = match (self.drawn, self.standing) {
            (Some(drawn), false) => pb::placement::Mark::Drawn(drawn.message()),
            (None, true) => pb::placement::Mark::Standing(pb::StandingSignature {}),
            _ => {
                return Err(Problem::field(
                    "/drawn",
                    "ONE_MARK",
                    "give either drawn strokes or standing: true",
                ));
            }
        };
        let Rectangle { x, y, width, height } = self.rectangle;
        Ok(pb::Placement {
            page_number: self.page_number,
            rectangle: Some(pb::Rectangle { x, y, width, height }),
            mark: Some(mark),
        })
    }
}

impl DrawnSignature {
    fn message(self) -> pb::DrawnSignature {
        let point = |point: SignaturePoint| pb::SignaturePoint {
            x: point.x,
            y: point.y,
        };
        let stroke = |stroke: SignatureStroke| pb::SignatureStroke {
            points: stroke.points.into_iter().map(point).collect(),
        };
        pb::DrawnSignature {
            strokes: self.strokes.into_iter().map(stroke).collect(),
        }
    }
}

impl Show<Placement> for pb::Placement {
    fn show(self) -> Placement {
        let pb::Rectangle { x, y, width, height } = self.rectangle.unwrap_or_default();
        let standing = matches!(self.mark, Some(pb::placement::Mark::Standing(_)));
        let drawn = match self.mark {
            Some(pb::placement::Mark::Drawn(drawn)) => Some(drawn.show()),
            _ => None,
        };
        Placement {
            page_number: self.page_number,
            rectangle: Rectangle { x, y, width, height },
            drawn,
            standing,
        }
    }
}

impl Show<DrawnSignature> for pb::DrawnSignature {
    fn show(self) -> DrawnSignature {
        let point = |point: pb::SignaturePoint| SignaturePoint {
            x: point.x,
            y: point.y,
        };
        let stroke = |stroke: pb::SignatureStroke| SignatureStroke {
            points: stroke.points.into_iter().map(point).collect(),
        };
        DrawnSignature {
            strokes: self.strokes.into_iter().map(stroke).collect(),
        }
    }
}
