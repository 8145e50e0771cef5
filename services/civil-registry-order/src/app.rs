//! Use cases: one file, one public function, one transaction each. No network call inside a transaction.

pub mod add_marginal_note;
pub mod administration;
pub mod attach_scan;
pub mod audit_books;
pub mod authorise;
pub mod cancel_lines;
pub mod change;
pub mod correct_address;
pub mod correct_line;
pub mod download;
pub mod download_document;
pub mod download_scan;
pub mod draw_document;
pub mod drive;
pub mod error;
pub mod forget_answered;
pub mod get_act;
pub mod get_catalogue;
pub mod get_order;
pub mod idempotent;
pub mod import_acts;
pub mod key_act;
pub mod keying_progress;
pub mod keyings;
pub mod let_time_pass;
pub mod list_order_offices;
pub mod list_orders;
pub mod message_facts;
pub mod move_lines;
pub mod office;
pub mod order_lines;
pub mod place_order;
pub mod quote_order;
pub mod registers;
pub mod remind_offices;
pub mod search_acts;
pub mod set_register_custody;
pub mod sweep_files;
pub mod upload_evidence;
pub mod view;
pub mod withdraw_keying;
pub mod write;

use std::sync::Arc;

use sqlx::PgPool;
use wathiq_chassis::Ambient;
use wathiq_documents::Engine;

use crate::clients::identity::Identity;
use crate::clients::payment::Payment;
use crate::clients::postal_shipping::PostalShipping;
use crate::clients::signature::Signature;
use crate::config::OrderSettings;
use crate::documents::aside::Aside;
use crate::storage::Objects;

pub use error::AppError;

/// What use cases work with; one per process.
pub struct App {
    pub pool: PgPool,
    pub ambient: Ambient,
    pub objects: Objects,
    pub identity: Identity,
    pub payment: Payment,
    pub postal: PostalShipping,
    pub signature: Signature,
    pub engine: Arc<Engine>,
    pub aside: Aside,
    pub orders: OrderSettings,
}
