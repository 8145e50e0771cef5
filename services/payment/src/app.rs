//! Use cases, one file each.

pub mod ask;
pub mod authorise;
pub mod cancel_payable;
pub mod download_receipt;
pub mod error;
pub mod expire_payables;
pub mod get_payable;
pub mod idempotent;
pub mod list_differences;
pub mod list_payables;
pub mod list_statement;
pub mod measure;
pub mod open_payable;
pub mod prompts;
pub mod receive_callback;
pub mod receive_return;
pub mod reconcile;
pub mod refused;
pub mod request_refund;
pub mod retry_refunds;
pub mod start_attempt;
pub mod work;
pub mod write;

use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use wathiq_chassis::Ambient;
use wathiq_documents::Engine;

use crate::config::ReceiptConfig;
use crate::domain::policy::Policy;
use crate::domain::provider::Provider;
use crate::providers::Providers;

pub use error::AppError;

/// How long payers have at each provider.
#[derive(Debug, Clone, Copy)]
pub struct Sessions {
    pub cmi: TimeDelta,
    pub text_message: TimeDelta,
}

impl Sessions {
    /// The time at one provider.
    pub fn at(&self, provider: Provider) -> TimeDelta {
        match provider {
            Provider::Cmi => self.cmi,
            Provider::TextMessage => self.text_message,
        }
    }
}

/// What use cases work with; one per process.
pub struct App {
    pub pool: PgPool,
    pub ambient: Ambient,
    pub providers: Providers,
    pub policy: Policy,
    pub sessions: Sessions,
    pub receipt: ReceiptConfig,
    pub engine: std::sync::Arc<Engine>,
    /// Receipts drawn at the same time.
    pub drawing: Semaphore,
    pub refused: refused::Quota,
}
