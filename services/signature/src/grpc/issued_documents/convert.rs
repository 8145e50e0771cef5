//! Issued documents in words of the wire, both ways.

use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_proto::wathiq::signature::v1 as pb;

use super::LONGEST_REFERENCE;
use crate::app::AppError;
use crate::app::seal_issued::IssuedProblem;
use crate::domain::issued_document::{Deposit, IssuedDocument, SealMode, Title};
use crate::domain::verification_code::VerificationCode;
use crate::grpc::fields::Fields;
use crate::grpc::page;
use crate::store::issued_documents::{Facts, Filter};
use crate::wire;

/// Longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// Longest code of a kind.
const LONGEST_KIND: usize = 64;
/// Pages of the owner's list.
const OWN_PAGE: u16 = 200;
const LARGEST_OWN_PAGE: i32 = 1_000;
/// A batch is a page.
const BATCH_PAGE: u16 = 200;

/// What the header of a deposit says; the file's hash is not known yet.
pub(super) fn deposit(owner: String, header: &pb::DepositHeader) -> Result<(Uuid, Deposit), AppError> {
    let mut fields = Fields::default();
    let request_id = match wathiq_chassis::request_id(&header.request_id) {
        Ok(id) => Some(id),
        Err(violation) => fields.fault("header.request_id", "MALFORMED", violation.description),
    };
    let reference = fields.text(
        "header.owner_reference",
        &header.owner_reference,
        1..=LONGEST_REFERENCE,
    );
    let office_id = fields.id("header.office_id", &header.office_id);
    let kind = kind(&mut fields, "header.document_kind", &header.document_kind);
    let mut title = |field, text| fields.text(field, text, 1..=LONGEST_TITLE);
    let ar = title("header.title_ar", &header.title_ar);
    let fr = title("header.title_fr", &header.title_fr);
    let en = title("header.title_en", &header.title_en);
    let seal_mode = match header.seal_mode() {
        pb::SealMode::OfficerKey => Some(SealMode::OfficerKey),
        pb::SealMode::ElectronicSeal => Some(SealMode::ElectronicSeal),
        pb::SealMode::Unspecified => fields.fault("header.seal_mode", "REQUIRED", "must be said"),
    };
    let code = VerificationCode::parse(&header.verification_code).or_else(|| {
        let text = "must be 12 characters of Crockford's base 32";
        fields.fault("header.verification_code", "MALFORMED", text)
    });
    let named = &header.signing_officer_person_id;
    let signing_officer = if named.is_empty() {
        Some(None)
    } else {
        fields.id("header.signing_officer_person_id", named).map(Some)
    };
    match (
        request_id,
        reference,
        office_id,
        kind,
        ar,
        fr,
        en,
        seal_mode,
        code,
        signing_officer,
    ) {
        (
            Some(request_id),
            Some(owner_reference),
            Some(office_id),
            Some(kind),
            Some(ar),
            Some(fr),
            Some(en),
            Some(seal_mode),
            Some(code),
            Some(signing_officer),
        ) => Ok((
            request_id,
            Deposit {
                owner,
                owner_reference,
                office_id,
                kind,
                title: Title { ar, fr, en },
                seal_mode,
                code,
                signing_officer,
                source_sha256: [0; 32],
            },
        )),
        _ => Err(fields.error()),
    }
}

/// A code of a kind of document.
pub(in crate::grpc) fn kind(fields: &mut Fields, field: &str, text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    if (1..=LONGEST_KIND).contains(&text.len()) && text.bytes().all(allowed) {
        return Some(text.to_owned());
    }
    let description = "must be 1 to 64 characters of a-z, 0-9, underscore, hyphen and full stop";
    fields.fault(field, "MALFORMED", description)
}

/// Where a page of the owner's list begins, and its size.
pub(super) fn list_page(message: &pb::ListIssuedDocumentsRequest) -> Result<(Option<Uuid>, u16), AppError> {
    let mut fields = Fields::default();
    let after = page::id_of_token(&mut fields, &message.page_token);
    let size = size(&mut fields, message.page_size, OWN_PAGE, LARGEST_OWN_PAGE);
    match (after, size) {
        (Some(after), Some(size)) => Ok((after, size)),
        _ => Err(fields.error()),
    }
}

fn size(fields: &mut Fields, asked: i32, usual: u16, largest: i32) -> Option<u16> {
    match asked {
        0 => Some(usual),
        1.. => fields.number("page_size", asked.min(largest)),
        _ => fields.fault("page_size", "OUT_OF_RANGE", "must not be negative"),
    }
}

/// What waits at an office, one more than the page.
pub(super) fn to_seal_filter(
    caller: &Caller,
    message: &pb::ListIssuedDocumentsToSealRequest,
) -> Result<(Filter, u16), AppError> {
    let mut fields = Fields::default();
    let office_id = fields.id("office_id", &message.office_id);
    let after = page::id_of_token(&mut fields, &message.page_token);
    let size = size(&mut fields, message.page_size, BATCH_PAGE, i32::from(BATCH_PAGE));
    let seal_mode = match message.seal_mode() {
        pb::SealMode::Unspecified => None,
        pb::SealMode::OfficerKey => Some(SealMode::OfficerKey),
        pb::SealMode::ElectronicSeal => Some(SealMode::ElectronicSeal),
    };
    match (office_id, after, size) {
        (Some(office_id), Some(after), Some(size)) => Ok((
            Filter {
                office_id,
                seal_mode,
                officer: message.mine_only.then_some(caller.person_id),
                after,
                limit: i64::from(size) + 1,
            },
            size,
        )),
        _ => Err(fields.error()),
    }
}

pub(super) fn issued_document(document: &IssuedDocument) -> pb::IssuedDocument {
    let (deposit, sealed) = (&document.deposit, document.sealed());
    pb::IssuedDocument {
        issued_document_id: document.id.to_string(),
        owner: deposit.owner.clone(),
        owner_reference: deposit.owner_reference.clone(),
        office_id: deposit.office_id.to_string(),
        document_kind: deposit.kind.clone(),
        title_ar: deposit.title.ar.clone(),
        title_fr: deposit.title.fr.clone(),
        title_en: deposit.title.en.clone(),
        seal_mode: wire::seal_mode(deposit.seal_mode).into(),
        verification_code: deposit.code.as_str().to_owned(),
        state: wire::issued_state(document.state()).into(),
        digest: document.prepared.digest.to_vec(),
        progress_code: document.progress().to_owned(),
        create_time: Some(wire::timestamp(document.prepared.prepared_at)),
        seal_time: sealed.map(|file| wire::timestamp(file.sealed_at)),
        sha256: sealed.map(|file| file.sha256.to_vec()).unwrap_or_default(),
        size_bytes: sealed
            .map(|file| file.size_bytes.unsigned_abs())
            .unwrap_or_default(),
        level: sealed.map(|file| file.level.clone()).unwrap_or_default(),
    }
}

pub(super) fn problem(problem: IssuedProblem) -> pb::IssuedDocumentProblem {
    pb::IssuedDocumentProblem {
        issued_document_id: problem.document_id.to_string(),
        reason: problem.reason.to_owned(),
        description: problem.description,
    }
}

/// What whoever verifies a document may know of it.
pub(in crate::grpc) fn facts(facts: &Facts) -> pb::IssuedDocumentFacts {
    let (deposit, sealed) = (&facts.document.deposit, facts.document.sealed());
    pb::IssuedDocumentFacts {
        verification_code: deposit.code.grouped(),
        state: wire::issued_state(facts.document.state()).into(),
        document_kind: deposit.kind.clone(),
        title_ar: deposit.title.ar.clone(),
        title_fr: deposit.title.fr.clone(),
        title_en: deposit.title.en.clone(),
        office_name_ar: facts.office_name_ar.clone(),
        office_name_fr: facts.office_name_fr.clone(),
        seal_mode: wire::seal_mode(deposit.seal_mode).into(),
        seal_time: sealed.map(|file| wire::timestamp(file.sealed_at)),
        document_sha256: sealed.map(|file| file.sha256.to_vec()).unwrap_or_default(),
    }
}
