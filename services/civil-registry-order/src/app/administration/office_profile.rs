//! What an office of civil status is and has.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;
use wathiq_postal_address::party;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, write};
use crate::domain::fault::Faults;
use crate::domain::role;
use crate::events::offices::profile_changed;
use crate::store::catalogue;
use crate::store::offices::{self, Profile};

/// Sets the profile; administrators of the platform or of the office.
///
/// # Errors
/// [`AppError`]; an office that the caller does not administer, or that identity does not know, is not found.
pub async fn set_office_profile(
    app: &App,
    caller: &Caller,
    command: &Command,
    mut profile: Profile,
) -> Result<Profile, AppError> {
    authorise::staff(caller)?;
    let office_id = profile.office_id;
    let unknown = || AppError::not_found("office", office_id);
    if !caller.platform_administrator && !caller.holds(office_id, role::ADMINISTRATOR) {
        return Err(unknown());
    }
    let known = async { Ok(app.identity.offices().await?.contains_key(&office_id)) };
    match idempotent::prepare(app, command, known).await? {
        Prepared::Done(_) => {}
        Prepared::New(_, false) => return Err(unknown()),
        Prepared::New(mut transaction, true) => {
            let mut faults = Faults::default();
            faults.below("profile", |faults| {
                faults.below("address", |faults| profile.address.check(faults));
                check_sender(faults, &profile);
                if profile.language != "ar" && profile.language != "fr" {
                    faults.note("language", "LANGUAGE_UNKNOWN", "must be \"ar\" or \"fr\"");
                }
                if !profile.email.is_empty() && !is_mailbox(&profile.email) {
                    faults.note("email", "MALFORMED", "must be an e-mail address, or empty");
                }
            });
            let kinds = catalogue::kinds(&mut transaction).await?;
            for (place, code) in profile.electronic_seal_kinds.iter().enumerate() {
                if !kinds.iter().any(|kind| &kind.code == code) {
                    let field = format!("profile.electronic_seal_kinds[{place}]");
                    faults.note(&field, "DOCUMENT_KIND_UNKNOWN", "must be a kind of the catalogue");
                }
            }
            if !faults.is_empty() {
                return Err(AppError::faults(faults));
            }
            let version = offices::put_profile(&mut transaction, &profile, app.ambient.now()).await?;
            let event = profile_changed(office_id, version);
            wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
            let subject = write::Subject {
                aggregate: "office_profile",
                id: office_id,
            };
            let details = json!({ "version": version });
            write::audit(
                &mut transaction,
                &app.ambient,
                caller,
                "office_profile.set",
                subject,
                details,
            )
            .await?;
            idempotent::finish(transaction, command, Vec::new()).await?;
        }
    }
    get_office_profile(app, caller, office_id).await
}

/// The profile, for the office's staff and administrators of the platform.
///
/// # Errors
/// [`AppError`].
pub async fn get_office_profile(app: &App, caller: &Caller, office_id: Uuid) -> Result<Profile, AppError> {
    authorise::staff(caller)?;
    if !caller.platform_administrator && !caller.holds(office_id, role::ADMINISTRATOR) {
        authorise::works_at(caller, office_id)?;
    }
    let mut conn = app.pool.acquire().await?;
    let found = offices::profile(&mut conn, office_id).await?;
    found.ok_or_else(|| AppError::not_found("office_profile", office_id))
}

fn is_mailbox(text: &str) -> bool {
    text.len() <= 254
        && text.is_ascii()
        && !text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !domain.contains('@'))
}

/// The office's names stand on its parcels as the sender.
fn check_sender(faults: &mut Faults, profile: &Profile) {
    let found = party::name(&profile.bureau_fr, &profile.bureau_ar);
    for fault in found.err().unwrap_or_default() {
        let field = match fault.field.as_str() {
            "arabic" => "bureau_ar",
            _ => "bureau_fr",
        };
        faults.note(field, fault.reason, fault.description);
    }
}
