//! Saving what a transition brought about, with the event that tells it.

use sqlx::PgConnection;
use wathiq_outbox::NewEvent;

use super::{App, Error};
use crate::domain::shipment::Shipment;
use crate::domain::vocabulary::Exception;
use crate::store::shipments;

/// Saves a shipment after one transition and appends its event.
///
/// # Errors
/// [`Error`]; a lost race when the row is no longer at the version before.
pub(super) async fn save(
    conn: &mut PgConnection,
    app: &App,
    after: &Shipment,
    before: Option<Exception>,
    event: NewEvent,
) -> Result<(), Error> {
    shipments::save(conn, after, after.version - 1).await?;
    wathiq_outbox::append(conn, &app.ambient, event).await?;
    alert(after, before);
    Ok(())
}

/// Tells whoever runs the platform of an exception that is new.
pub(super) fn alert(after: &Shipment, before: Option<Exception>) {
    if let Some(exception) = after.new_exception(before) {
        metrics::counter!("shipment_exceptions_total", "exception" => exception.as_str()).increment(1);
        tracing::warn!(
            event = "shipment.exception",
            shipment_id = %after.id,
            office_id = %after.office_id,
            exception = exception.as_str(),
            "something is wrong with a shipment"
        );
    }
}
