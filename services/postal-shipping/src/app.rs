//! Use cases: one file, one public async function, one transaction each.
//!
//! A transaction goes in this order: claim the request, lock rows, pure transition, save, audit, event, response, commit. Locks
//! are taken in the order: owner's reference, numbering, shipments by id.

pub mod allocate_range;
pub mod announce;
pub mod cancel_shipment;
pub mod create_shipment;
pub mod deposit_list_file;
pub mod forget;
pub mod get_shipment;
pub mod hand_over;
pub mod import_batch;
pub mod labels;
pub mod list_deposit_lists;
pub mod list_office_shipments;
pub mod list_ranges;
pub mod list_shipments;
pub mod measure;
pub mod open_claim;
pub mod receive_webhook;
pub mod record_scan;
pub mod settle_claim;
pub mod staff;
pub mod take_events;
pub mod track;
pub mod watch_silence;

mod batch_columns;
mod change;
mod error;
mod print;
mod work;

pub use error::Error;
pub use print::Printer;
pub use work::{Command, Reply};

use std::sync::Arc;

use sqlx::PgPool;
use wathiq_chassis::Ambient;

use crate::app::forget::Retention;
use crate::carrier::Carrier;
use crate::domain::code_table::CodeTable;
use crate::domain::number_range::LowWater;
use crate::domain::shipment::SilenceLimits;
use crate::domain::webhook::Secret;

/// What every use case works with.
#[derive(Debug)]
pub struct App {
    pub pool: PgPool,
    pub ambient: Ambient,
    pub codes: Arc<CodeTable>,
    pub low_water: LowWater,
    pub silence: SilenceLimits,
    pub retention: Retention,
    /// Any of which the carrier's messages are signed with.
    pub inbound_secrets: Vec<Secret>,
    pub carrier: Carrier,
    pub printer: Printer,
}
