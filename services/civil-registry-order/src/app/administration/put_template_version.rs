//! The form of a template and the law that it cites are set from a day on.

use serde_json::json;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, write};
use crate::documents::aside::AsideError;
use crate::domain::fault::Faults;
use crate::events::catalogue::template_version_changed;
use crate::store::templates::{self, TemplateVersion};

/// Most bytes of a form.
pub const SOURCE_BYTES: usize = 64 * 1024;

/// Sets the version, once its form has been drawn with made-up data. What was drawn before stays as it is.
///
/// # Errors
/// [`AppError`]: `TEMPLATE_VERSION_EXISTS`, `TEMPLATE_NOT_DRAWN`, `TEMPLATE_TOO_COSTLY`, `TEMPLATE_DRAWS_OTHER`, `LENGTH`, `MALFORMED`,
/// `DATE_PAST`, `RANGE_REVERSED`.
pub async fn put_template_version(
    app: &App,
    caller: &Caller,
    command: &Command,
    version: TemplateVersion,
) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Prepared::New(mut transaction, ()) = idempotent::prepare(app, command, check(app, &version)).await?
    else {
        return Ok(());
    };
    let known = templates::drawn(&mut transaction, &version.template).await?;
    if known.is_some_and(|drawn| drawn != version.drawn) {
        return Err(AppError::refused(
            "TEMPLATE_DRAWS_OTHER",
            "template",
            "the template is of another register, another form or other languages: a new form has a name of its own",
        ));
    }
    if !templates::add(&mut transaction, &version).await? {
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
    let details = json!({
        "template": version.template, "valid_from": version.valid_from, "has_source": version.source.is_some()
    });
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

async fn check(app: &App, version: &TemplateVersion) -> Result<(), AppError> {
    let mut faults = Faults::default();
    if !is_name(&version.template) {
        let description = "must be 2 to 40 lower-case letters, digits and hyphens";
        faults.note("template", "MALFORMED", description);
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
    if version
        .source
        .as_ref()
        .is_some_and(|source| source.len() > SOURCE_BYTES)
    {
        faults.note(
            "source",
            "LENGTH",
            format!("must have at most {SOURCE_BYTES} bytes"),
        );
    }
    if !faults.is_empty() {
        return Err(AppError::faults(faults));
    }
    match app.aside.try_out(version).await {
        Ok(()) => Ok(()),
        Err(AsideError::Form(faults)) => Err(AppError::invalid(
            "source",
            "TEMPLATE_NOT_DRAWN",
            faults.join("; "),
        )),
        Err(AsideError::TooCostly) => Err(AppError::invalid(
            "source",
            "TEMPLATE_TOO_COSTLY",
            "must be drawn with the time and the memory that a document may take",
        )),
        Err(error) => Err(AppError::Draw(error.into())),
    }
}

fn is_name(text: &str) -> bool {
    (2..=40).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
