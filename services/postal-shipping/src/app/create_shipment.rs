use serde_json::json;

use super::work::{Work, begin};
use super::{App, Command, Error, Reply};
use crate::domain::number_range::NumberRange;
use crate::domain::shipment::{Draft, Shipment};
use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::Product;
use crate::events::publish;
use crate::store::{ranges, shipments};

/// Opens a shipment and gives it a number; one that was opened before under the same reference is the answer where it is the
/// same.
///
/// # Errors
/// [`Error::Taken`] when the reference is another shipment's; [`Error::NumbersExhausted`].
pub async fn create_shipment<R: Reply>(
    app: &App,
    command: &Command,
    draft: Draft,
    reply: impl FnOnce(&Shipment) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    shipments::lock_reference(work.conn(), &draft.owner, &draft.owner_reference).await?;
    let existing = shipments::by_reference(work.conn(), &draft.owner, &draft.owner_reference).await?;
    if let Some(existing) = existing {
        if existing.content == draft.content {
            return work.finish(reply(&existing)).await;
        }
        return Err(Error::Taken {
            reason: "OWNER_REFERENCE_TAKEN",
            description: format!("shipment {} has this reference and other content", existing.id),
        });
    }
    let number = take_number(app, &mut work, draft.product).await?;
    let shipment = Shipment::new(app.ambient.uuid_v7(), number, draft, app.ambient.now());
    shipments::insert(work.conn(), &shipment).await?;
    work.event(publish::created(&shipment)).await?;
    let details = json!({ "tracking_id": number.to_string(), "office_id": shipment.office_id });
    work.audit("create_shipment", ("shipment", shipment.id), details)
        .await?;
    work.finish(reply(&shipment)).await
}

async fn take_number(app: &App, work: &mut Work<'_>, product: Product) -> Result<TrackingId, Error> {
    let low_warned = ranges::lock_numbering(work.conn(), product).await?;
    let range = ranges::take(work.conn(), product)
        .await?
        .ok_or(Error::NumbersExhausted(product))?;
    if !low_warned {
        warn_when_low(app, work, &range).await?;
    }
    range
        .next
        .checked_sub(1)
        .and_then(|serial| range.number(serial))
        .ok_or(Error::NumbersExhausted(product))
}

/// Tells once that the numbers run low.
async fn warn_when_low(app: &App, work: &mut Work<'_>, range: &NumberRange) -> Result<(), Error> {
    let stock = ranges::stock(work.conn(), range.product).await?;
    if !app.low_water.is_low(stock) {
        return Ok(());
    }
    ranges::set_low_warned(work.conn(), range.product, true).await?;
    let version = ranges::raise_version(work.conn(), range.id).await?;
    work.event(publish::range_runs_low(range.id, version, stock.left))
        .await?;
    tracing::warn!(
        event = "numbers.run_low",
        product = range.product.as_str(),
        left = stock.left,
        "numbers run out soon; another range is needed"
    );
    Ok(())
}
