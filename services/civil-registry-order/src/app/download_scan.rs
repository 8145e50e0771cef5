//! The scan of an act or of a keying.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, keyings, registers, write};
use crate::storage::Reader;
use crate::store::scans::{self, Scan};

/// Whose scan.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    Act(Uuid),
    Keying(Uuid),
}

/// The scan and its bytes. Every look is audited.
///
/// # Errors
/// [`AppError`]; what other offices hold, or has no scan, is not found.
pub async fn download_scan(app: &App, caller: &Caller, of: Of) -> Result<(Scan, Reader), AppError> {
    let mut transaction = app.pool.begin().await?;
    let found = match of {
        Of::Act(id) => {
            registers::act(&mut transaction, &app.ambient, caller, id).await?;
            scans::of_act(&mut transaction, id).await?
        }
        Of::Keying(id) => {
            let keying = keyings::visible(&mut transaction, app, caller, id).await?;
            match keying.scan_id {
                Some(scan_id) => scans::find(&mut transaction, scan_id).await?,
                None => None,
            }
        }
    };
    let (Of::Act(id) | Of::Keying(id)) = of;
    let scan = found.ok_or_else(|| AppError::not_found("scan", id))?;
    let subject = write::Subject {
        aggregate: "scan",
        id: scan.id,
    };
    let details = json!({ "of": id });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "scan.read",
        subject,
        details,
    )
    .await?;
    transaction.commit().await?;
    let reader = app.objects.read(&scan.object_key, 0, None).await?;
    Ok((scan, reader))
}
