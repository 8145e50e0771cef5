//! A kind of document is added, or a version of it from a date on.

use serde_json::json;
use sqlx::PgConnection;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::fault::Faults;
use crate::domain::kind::{DocumentKind, Language};
use crate::events::catalogue::kind_changed;
use crate::store::{catalogue, templates};

/// Adds the version. `kind` has an id of its own already; a repeat answers what was stored.
///
/// # Errors
/// [`AppError`]: `KIND_VERSION_EXISTS`, `TEMPLATE_UNKNOWN`, `DATE_PAST`, and everything that is wrong with the fields.
pub async fn put_document_kind(
    app: &App,
    caller: &Caller,
    command: &Command,
    kind: DocumentKind,
    encode: impl FnOnce(&DocumentKind) -> Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    authorise::platform(caller)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(answer) => return Ok(answer),
    };
    let mut faults = Faults::default();
    check(app, &mut faults, &kind);
    check_template(&mut transaction, app, &mut faults, &kind).await?;
    if !faults.is_empty() {
        return Err(AppError::faults(faults));
    }
    if !catalogue::add_kind(&mut transaction, &kind).await? {
        return Err(AppError::Taken {
            reason: "KIND_VERSION_EXISTS",
            description: "the kind has a version from that date on",
        });
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, kind_changed(&kind)).await?;
    let subject = write::Subject {
        aggregate: "document_kind",
        id: kind.id,
    };
    let details = json!({ "code": kind.code, "valid_from": kind.valid_from });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "document_kind.put",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, encode(&kind)).await
}

fn check(app: &App, faults: &mut Faults, kind: &DocumentKind) {
    faults.below("document_kind", |faults| {
        let code = &kind.code;
        let letters = code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !letters
            || !(2..=40).contains(&code.len())
            || !code.starts_with(|first: char| first.is_ascii_lowercase())
        {
            faults.note(
                "code",
                "MALFORMED",
                "must be lower-case letters, digits and hyphens",
            );
        }
        if kind.relations.is_empty() {
            faults.note("relations", "REQUIRED", "must name at least one relation");
        }
        if kind
            .relations_with_evidence
            .iter()
            .any(|relation| !kind.relations.contains(relation))
        {
            faults.note(
                "relations_with_evidence",
                "NOT_A_RELATION",
                "must be among the relations",
            );
        }
        if kind.languages.is_empty() {
            faults.note("languages", "REQUIRED", "must name at least one language");
        }
        if !(1..=60).contains(&kind.production_working_days) {
            faults.note("production_working_days", "OUT_OF_RANGE", "must be 1 to 60");
        }
        if kind.valid_from < wathiq_chassis::civil_date(app.ambient.now()) {
            faults.note(
                "valid_from",
                "DATE_PAST",
                "must be today or later: the past stays",
            );
        }
        if kind.valid_to.is_some_and(|last| last < kind.valid_from) {
            faults.note("valid_to", "RANGE_REVERSED", "must not be before `valid_from`");
        }
    });
}

/// A template draws acts of one register in one form, and not in every language; it is there from the first day of the kind on.
async fn check_template(
    conn: &mut PgConnection,
    app: &App,
    faults: &mut Faults,
    kind: &DocumentKind,
) -> Result<(), AppError> {
    let now = app.ambient.now();
    let version = templates::in_force(conn, &kind.template, kind.valid_from, now).await?;
    let mut note = |field: &str, reason, description| {
        faults.note(&format!("document_kind.{field}"), reason, description);
    };
    let Some(drawn) = version.map(|version| version.drawn) else {
        let description = "must be the name of a template that is in force from `valid_from` on";
        note("template", "TEMPLATE_UNKNOWN", description);
        return Ok(());
    };
    if (drawn.register, drawn.form) != (kind.register, kind.form) {
        let description = "the template is of another register or another form";
        note("template", "TEMPLATE_UNKNOWN", description);
    }
    if kind.languages.contains(&Language::Bilingual) && !drawn.bilingual {
        let description = "the template has no form in both languages";
        note("languages", "LANGUAGE_NOT_OFFERED", description);
    }
    Ok(())
}
