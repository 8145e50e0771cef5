//! The law that a template cites is set from a day on.

use serde_json::json;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::documents;
use crate::domain::fault::Faults;
use crate::events::catalogue::template_version_changed;
use crate::store::catalogue::{self, TemplateVersion};

/// Sets the version. What was drawn before keeps what it cites.
///
/// # Errors
/// [`AppError`]: `TEMPLATE_VERSION_EXISTS`, `TEMPLATE_UNKNOWN`, `DATE_PAST`, `RANGE_REVERSED`.
pub async fn put_template_version(
    app: &App,
    caller: &Caller,
    command: &Command,
    version: TemplateVersion,
) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Begun::New(mut transaction) = idempotent::begin(app, command).await? else {
        return Ok(());
    };
    let mut faults = Faults::default();
    if documents::drawn_by(&version.template).is_none() {
        faults.note("template", "TEMPLATE_UNKNOWN", "must be the name of a template");
    }
    if version.valid_from < civil_date(app.ambient.now()) {
        faults.note(
            "valid_from",
            "DATE_PAST",
            "must be today or later: the past stays",
        );
    }
    if version.valid_to.is_some_and(|last| last < version.valid_from) {
        faults.note("valid_to", "RANGE_REVERSED", "must not be before `valid_from`");
    }
    if !faults.is_empty() {
        return Err(AppError::faults(faults));
    }
    if !catalogue::add_template_version(&mut transaction, &version).await? {
        return Err(AppError::Taken {
            reason: "TEMPLATE_VERSION_EXISTS",
            description: "the template has a version from that date on",
        });
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, template_version_changed(&version)).await?;
    let subject = write::Subject {
        aggregate: "template_version",
        id: version.id,
    };
    let details = json!({ "template": version.template, "valid_from": version.valid_from });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "template_version.put",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, Vec::new()).await?;
    Ok(())
}
