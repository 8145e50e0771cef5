use uuid::Uuid;

use super::{App, Error, change};
use crate::domain::vocabulary::Product;
use crate::events::publish;
use crate::store::{events, shipments};

/// Shipments of one transaction.
const CHUNK: i64 = 100;

/// Notes which shipments were not heard of within their time, and says how many.
///
/// # Errors
/// [`Error`]; what was noted before stays.
pub async fn watch_silence(app: &App) -> Result<usize, Error> {
    let mut noted = 0;
    for product in Product::ALL {
        loop {
            let looked_at = watch_chunk(app, *product).await?;
            noted += looked_at;
            if i64::try_from(looked_at).unwrap_or(CHUNK) < CHUNK {
                break;
            }
        }
    }
    Ok(noted)
}

async fn watch_chunk(app: &App, product: Product) -> Result<usize, Error> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    let before = now - app.silence.of(product);
    let ids: Vec<Uuid> = shipments::quiet_since(&mut transaction, product, before, CHUNK).await?;
    let mut noted = 0;
    for shipment in shipments::lock(&mut transaction, &ids).await? {
        let heard = events::of_shipment(&mut transaction, shipment.id).await?;
        let exception = shipment.tracking.exception;
        if let Some(after) = shipment.fall_silent(&heard, &app.codes, &app.silence, now) {
            let event = publish::state_changed(&after);
            change::save(&mut transaction, app, &after, exception, event).await?;
            noted += 1;
        }
    }
    transaction.commit().await?;
    Ok(noted)
}
