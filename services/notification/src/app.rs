//! Use cases, one file each.

pub mod compose;
pub mod list_messages;
pub mod queue_message;
pub mod send_message;
pub mod settle_message;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use wathiq_chassis::Ambient;

use crate::clients::civil_registry_order::Orders;
use crate::clients::identity::Identity;
use crate::clients::signature::Signature;
use crate::domain::administration::Administration;
use crate::letter::House;
use crate::mail::Mailer;
use crate::text_message::TextMessageProvider;

/// What use cases work with.
pub struct App {
    pub pool: PgPool,
    pub ambient: Ambient,
    pub identity: Arc<dyn Identity>,
    pub signature: Arc<dyn Signature>,
    pub orders: Arc<dyn Orders>,
    pub mailer: Mailer,
    pub text_messages: Arc<dyn TextMessageProvider>,
    /// Bound on handing one message over, by mail or text.
    pub hand_over: Duration,
    pub house: House,
    pub administration: Administration,
    /// Attachments that are larger together, in bytes, go by link.
    pub attachment_limit: u64,
}
