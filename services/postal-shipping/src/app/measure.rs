use super::{App, Error};
use crate::domain::vocabulary::{Exception, Product};
use crate::store::{deposit_lists, ranges, shipments};

/// Sets the gauges: numbers left, deposit lists that wait, shipments with an exception.
///
/// # Errors
/// [`Error`].
pub async fn measure(app: &App) -> Result<(), Error> {
    let mut conn = app.pool.acquire().await?;
    for product in Product::ALL {
        let stock = ranges::stock(&mut conn, *product).await?;
        metrics::gauge!("tracking_numbers_left", "product" => product.as_str()).set(float(stock.left));
    }
    let waiting = deposit_lists::count_waiting(&mut conn).await?;
    metrics::gauge!("deposit_lists_waiting").set(float(waiting.unsigned_abs()));
    let counted = shipments::count_exceptions(&mut conn).await?;
    for exception in Exception::ALL {
        let count = counted
            .iter()
            .find(|(word, _)| word == exception.as_str())
            .map_or(0, |(_, count)| count.unsigned_abs());
        metrics::gauge!("shipments_with_exception", "exception" => exception.as_str()).set(float(count));
    }
    Ok(())
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
