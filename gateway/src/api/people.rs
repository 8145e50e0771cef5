//! People at the counter: their claims, the proof of their identity and of their specimen, card in hand.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::accounts::AssuranceLevel;
use crate::api::specimens::Specimen;
use crate::api::wire::{CivilDate, Show, Word, body, view, words};
use crate::api::{Answer, Created, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey};
use crate::session::User;

words! {
    /// Kinds of identity document.
    IdentityDocumentKind from pb::IdentityDocumentKind { Cin, Passport, ResidenceCard }
    /// How an identity document was bound to a person.
    ProofMethod from pb::ProofMethod { InPerson, NationalEid, Bootstrap }
}

/// A name in one script.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonName {
    pub(crate) given: String,
    pub(crate) family: String,
}

impl PersonName {
    pub(crate) fn message(self) -> pb::PersonName {
        pb::PersonName {
            given: self.given,
            family: self.family,
        }
    }
}

impl Show<PersonName> for pb::PersonName {
    fn show(self) -> PersonName {
        PersonName {
            given: self.given,
            family: self.family,
        }
    }
}

/// An identity document as named by a person or seen by an official.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityDocument {
    pub(crate) kind: IdentityDocumentKind,
    pub(crate) number: String,
}

impl IdentityDocument {
    pub(crate) fn message(self) -> pb::IdentityDocument {
        pb::IdentityDocument {
            kind: self.kind.number(),
            number: self.number,
        }
    }
}

impl Show<IdentityDocument> for pb::IdentityDocument {
    fn show(self) -> IdentityDocument {
        IdentityDocument {
            kind: self.kind.show(),
            number: self.number,
        }
    }
}

view! {
    /// The record of one proof of identity.
    ProofOfIdentity from pb::ProofOfIdentity {
        method: ProofMethod,
        office_id: Option<String>,
        official_person_id: Option<String>,
        prove_time: Option<DateTime<Utc>>,
    }
    /// A person who claims an identity document.
    Claim from pb::Claim {
        person_id: String,
        name_arabic: Option<PersonName>,
        name_latin: Option<PersonName>,
        birth_date: Option<CivilDate>,
        assurance: AssuranceLevel,
        /// Newest specimen version deposited, 0 when none.
        specimen_version: i32,
    }
    /// The people who claim an identity document, newest first, at most 20.
    Claims from pb::FindClaimsResponse {
        claims: Vec<Claim>,
    }
}

body! {
    /// The document on the counter.
    ClaimSearch {
        identity_document: IdentityDocument,
    }
    /// What stands on the card in hand; replaces the claim.
    IdentityProof {
        office_id: String,
        identity_document: IdentityDocument,
        name_arabic: PersonName,
        name_latin: PersonName,
        birth_date: CivilDate,
    }
    /// Where the specimen was proved.
    SpecimenProof {
        office_id: String,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(find_claims))
        .routes(routes!(prove_identity))
        .routes(routes!(prove_specimen))
}

/// Finds the people who claim an identity document. A search, so that no number stands in an address.
#[utoipa::path(post, path = "/v1/offices/{office_id}/claim-searches", tag = "counter", request_body = ClaimSearch, responses((status = 200, body = Claims)))]
async fn find_claims(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    Body(body): Body<ClaimSearch>,
) -> Answer<Json<Claims>> {
    let identity_document = Some(body.identity_document.message());
    let answer = app
        .clients
        .accounts()
        .find_claims(pb::FindClaimsRequest {
            office_id,
            identity_document,
        })
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// Binds an identity document to a person, card in hand.
#[utoipa::path(post, path = "/v1/people/{person_id}/identity-proofs", tag = "counter", request_body = IdentityProof, responses((status = 201, body = ProofOfIdentity)))]
async fn prove_identity(
    State(app): State<App>,
    _: User,
    Path(person_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<IdentityProof>,
) -> Answer<Created<ProofOfIdentity>> {
    let request = pb::ProveIdentityRequest {
        request_id,
        office_id: body.office_id,
        person_id,
        identity_document: Some(body.identity_document.message()),
        name_arabic: Some(body.name_arabic.message()),
        name_latin: Some(body.name_latin.message()),
        birth_date: Some(body.birth_date.message()),
    };
    let answer = app.clients.accounts().prove_identity(request).await?;
    Ok(Created(filled(answer.into_inner().proof)?.show()))
}

/// Records that a specimen was drawn by the proved person.
#[utoipa::path(post, path = "/v1/people/{person_id}/specimens/{version}/proof", tag = "counter", request_body = SpecimenProof, responses((status = 201, body = Specimen)))]
async fn prove_specimen(
    State(app): State<App>,
    _: User,
    Path((person_id, version)): Path<(String, i32)>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<SpecimenProof>,
) -> Answer<Created<Specimen>> {
    let request = pb::ProveSpecimenRequest {
        request_id,
        office_id: body.office_id,
        person_id,
        version,
    };
    let answer = app.clients.specimens().prove_specimen(request).await?;
    Ok(Created(filled(answer.into_inner().specimen)?.show()))
}
