//! Use cases: one file, one public function, one transaction each. No network call inside a transaction.

pub mod accept_request;
pub mod annul_intent;
pub mod authorise;
pub mod authorise_seals;
pub mod cancel_request;
mod certificate_watch;
pub mod claim_request;
pub mod confirm_request;
pub mod confirmation_subject;
pub mod create_request;
pub mod deposit_issued;
pub mod download_document;
pub mod download_sealed;
pub mod end_credentials;
pub mod error;
pub mod expire_requests;
pub mod fees;
pub mod finish_issued;
pub mod finish_seal;
mod freeze;
pub mod get_catalogue;
pub mod get_commitments;
pub mod get_document;
pub mod get_link;
pub mod get_request;
pub mod get_review;
pub mod idempotent;
mod judge_seal;
pub mod legalisation_facts;
pub mod link;
pub mod list_credentials;
pub mod list_intents;
pub mod list_issued;
pub mod list_queue;
pub mod list_register;
pub mod list_requests;
pub mod message_facts;
pub mod own_issued;
pub mod place_signature;
pub mod prepare_seal;
pub mod refuse_request;
pub mod register_credential;
pub mod release_claim;
pub mod render_page;
pub mod render_review_page;
pub mod resubmit_request;
pub mod return_request;
pub mod review;
mod revocation;
pub mod seal;
pub mod seal_crypto;
pub mod seal_issued;
pub mod seal_problem;
pub mod seal_settings;
pub mod set_fee;
pub mod sweep_objects;
pub mod sweep_reviews;
pub mod sweep_seals;
mod turn;
pub mod upload_document;
pub mod verify_code;
pub mod verify_file;
pub mod view;
pub mod write;

use std::sync::Arc;

use sqlx::PgPool;
use tokio_util::task::TaskTracker;
use wathiq_chassis::Ambient;

use crate::clients::identity::Identity;
use crate::clients::payment::Payment;
use crate::config::RequestSettings;
use crate::domain::kind::Catalogue;
use crate::electronic_seals::ElectronicSeals;
use crate::storage::Objects;
use crate::{keys, pdf, timestamp, trust};

pub use error::AppError;

/// What use cases work with; one per process.
pub struct App {
    pub pool: PgPool,
    pub ambient: Ambient,
    pub objects: Objects,
    pub identity: Arc<dyn Identity>,
    /// None where the operator has connected none: then no fee can be set.
    pub payment: Option<Payment>,
    pub catalogue: Arc<Catalogue>,
    pub requests: RequestSettings,
    pub pdf: pdf::Pool,
    pub keys: keys::Keys,
    pub timestamp: timestamp::Client,
    pub trust: trust::Trust,
    pub seal: seal_settings::SealConfig,
    pub electronic_seals: ElectronicSeals,
    /// Work that goes on when the call that began it has ended; the process waits for it before it ends.
    pub tasks: TaskTracker,
}
