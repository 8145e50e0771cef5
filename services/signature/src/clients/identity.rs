//! What this service asks identity, and nothing else of it.

mod convert;
mod grpc;

use chrono::{DateTime, NaiveDate, Utc};
use futures::future::BoxFuture;
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::Grant;

use crate::domain::comparison::SpecimenProof;
use crate::domain::destination::Administration;
use crate::domain::person::Signer;
pub use grpc::GrpcIdentity;

/// Why identity gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("identity does not know the {0}")]
    NotFound(&'static str),
    /// Identity said no, with a reason of its own that the caller should see.
    #[error("identity refused")]
    Refused(#[source] Box<Status>),
    #[error("identity does not answer")]
    Unavailable(#[source] Box<Status>),
    #[error("identity answered without a usable {0}")]
    Unusable(&'static str),
}

/// An office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    pub id: Uuid,
    /// Short unique code.
    pub code: String,
    pub parent_id: Option<Uuid>,
    pub name_ar: String,
    pub name_fr: String,
    /// Civil dates between which it offers legalisation, ends included.
    pub legalisation: Vec<(NaiveDate, Option<NaiveDate>)>,
    pub active_from: Option<NaiveDate>,
    pub active_to: Option<NaiveDate>,
}

impl Office {
    /// Whether the office offers legalisation on this civil date.
    pub fn offers_legalisation_on(&self, day: NaiveDate) -> bool {
        let within = |from: Option<NaiveDate>, to: Option<NaiveDate>| {
            from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to)
        };
        within(self.active_from, self.active_to)
            && self
                .legalisation
                .iter()
                .any(|(from, to)| within(Some(*from), *to))
    }
}

/// What a person may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub session_live: bool,
    pub proved: bool,
    /// Roles held today, by the names of the access token.
    pub grants: Vec<Grant>,
    pub platform_administrator: bool,
}

/// A role that somebody holds at an office, as member or as deputy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub person_id: Uuid,
    /// By the name of the access token.
    pub role: String,
    /// Civil dates, ends included.
    pub from: NaiveDate,
    pub to: Option<NaiveDate>,
}

impl Membership {
    /// Whether the person holds the role on this civil date.
    pub fn holds(&self, person_id: Uuid, role: &str, day: NaiveDate) -> bool {
        self.person_id == person_id
            && self.role == role
            && self.from <= day
            && self.to.is_none_or(|to| day <= to)
    }
}

/// An administration and whether it is enrolled today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministrationStatus {
    pub administration: Administration,
    pub enrolled_today: bool,
}

/// A specimen that counts, with its picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Specimen {
    pub version: i32,
    pub proof: SpecimenProof,
    pub image_png: Vec<u8>,
}

impl std::fmt::Debug for Specimen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Specimen")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What a confirmation is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Legalise,
    Seal,
}

/// A confirmation to be used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// The same for every repeat of the same use.
    pub request_id: Uuid,
    pub confirmation_id: Uuid,
    pub person_id: Uuid,
    pub purpose: Purpose,
    pub hashes: Vec<[u8; 32]>,
}

/// The signed record of a used confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationRecord {
    pub confirmation_id: Uuid,
    pub person_id: Uuid,
    /// Such as `totp`.
    pub method: String,
    pub confirmed_at: DateTime<Utc>,
    /// Compact JWS by identity.
    pub jws: String,
}

/// The answers this service needs from identity. Calls made while serving a user carry that user's token.
pub trait Identity: Send + Sync {
    /// One office.
    fn office(&self, id: Uuid) -> BoxFuture<'_, Result<Office, IdentityError>>;

    /// One administration.
    fn administration(&self, id: Uuid) -> BoxFuture<'_, Result<AdministrationStatus, IdentityError>>;

    /// Whether the session is live, and what the person holds now.
    fn authorization(
        &self,
        person_id: Uuid,
        session_id: Uuid,
    ) -> BoxFuture<'_, Result<Authorization, IdentityError>>;

    /// Who holds or has held which role at an office; for the calling administrator.
    fn memberships(&self, office_id: Uuid) -> BoxFuture<'_, Result<Vec<Membership>, IdentityError>>;

    /// Names and identity document of a person.
    fn person(&self, id: Uuid) -> BoxFuture<'_, Result<Signer, IdentityError>>;

    /// Version of the calling citizen's newest specimen that counts.
    fn counting_specimen(&self) -> BoxFuture<'_, Result<Option<i32>, IdentityError>>;

    /// A person's specimen, for the calling agent; the newest that counts without a version.
    fn specimen_for_review(
        &self,
        person_id: Uuid,
        version: Option<i32>,
    ) -> BoxFuture<'_, Result<Specimen, IdentityError>>;

    /// Uses a confirmation up. A repeat with the same request id gets the same record.
    fn redeem(&self, redemption: Redemption) -> BoxFuture<'_, Result<ConfirmationRecord, IdentityError>>;
}
