use serde_json::json;
use wathiq_chassis::Caller;

use super::work::begin;
use super::{App, Command, Error, Reply, staff};
use crate::domain::number_range::{NumberRange, Span};
use crate::domain::vocabulary::Product;
use crate::events::publish;
use crate::store::ranges::{self, Inserted};

/// Adds a range of numbers.
///
/// # Errors
/// [`Error::Taken`] when it overlaps another range, in use or spent.
pub async fn allocate_range<R: Reply>(
    app: &App,
    caller: &Caller,
    command: &Command,
    (span, product): (Span, Product),
    reply: impl FnOnce(&NumberRange, bool) -> R,
) -> Result<R, Error> {
    staff::platform_administrator(caller)?;
    let mut work = begin!(app, command);
    // Whoever gives numbers meanwhile sees the range or does not, as a whole.
    ranges::lock_numbering(work.conn(), product).await?;
    let range = NumberRange {
        id: app.ambient.uuid_v7(),
        version: 1,
        span,
        product,
        next: span.first,
        created_at: app.ambient.now(),
    };
    if matches!(ranges::insert(work.conn(), &range).await?, Inserted::Overlaps) {
        let other = ranges::overlapping(work.conn(), &span).await?;
        return Err(taken(other));
    }
    let stock = ranges::stock(work.conn(), product).await?;
    let low = app.low_water.is_low(stock);
    // A new range ends the warning, and the next shortage is told anew; one that is too small has told itself.
    ranges::set_low_warned(work.conn(), product, low).await?;
    work.event(publish::range_allocated(&range)).await?;
    let details = json!({ "product": product.as_str(), "first": span.first, "last": span.last });
    work.audit("allocate_range", ("number_range", range.id), details)
        .await?;
    work.finish(reply(&range, low)).await
}

fn taken(other: Option<NumberRange>) -> Error {
    let other = other.map_or_else(
        || "another range".to_owned(),
        |other| {
            let Span { first, last, .. } = other.span;
            format!("range {} ({first:08} to {last:08})", other.id)
        },
    );
    Error::Taken {
        reason: "RANGE_OVERLAPS",
        description: format!("{other} holds some of these numbers, and no number is given twice"),
    }
}
