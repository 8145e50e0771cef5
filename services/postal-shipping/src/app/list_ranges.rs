use std::collections::BTreeMap;

use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{App, Error, staff};
use crate::domain::number_range::NumberRange;
use crate::domain::vocabulary::Product;
use crate::store::ranges;

/// All ranges, oldest first, each with whether its product's numbers run low.
///
/// # Errors
/// [`Error`].
pub async fn list_ranges(
    app: &App,
    caller: &Caller,
    after: Option<Uuid>,
    rows: i64,
) -> Result<Vec<(NumberRange, bool)>, Error> {
    staff::platform_administrator(caller)?;
    let mut conn = app.pool.acquire().await?;
    let mut low = BTreeMap::new();
    for product in Product::ALL {
        let stock = ranges::stock(&mut conn, *product).await?;
        low.insert(*product, app.low_water.is_low(stock));
    }
    let found = ranges::list(&mut conn, after, rows).await?;
    let with_low = |range: NumberRange| {
        let low = low.get(&range.product).copied().unwrap_or_default();
        (range, low)
    };
    Ok(found.into_iter().map(with_low).collect())
}
