//! A country is put into a zone of the fees from a day on.

use serde_json::json;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::address::{MOROCCO, is_country};
use crate::domain::fault::Faults;
use crate::domain::fee;
use crate::events::catalogue::destination_zone_changed;
use crate::store::catalogue::{self, Destination};

/// All countries that are not named.
const OTHERS: &str = "*";

/// Puts the country into the zone. A new zone is known from its first country on, and has fees once they are set; until then nothing is sold
/// there (`NO_FEE`).
///
/// # Errors
/// [`AppError`]: `DESTINATION_EXISTS`, `ZONE_OF_MOROCCO`, `COUNTRY_UNKNOWN`, `DATE_PAST`, `MALFORMED`.
pub async fn set_destination_zone(
    app: &App,
    caller: &Caller,
    command: &Command,
    destination: Destination,
) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Begun::New(mut transaction) = idempotent::begin(app, command).await? else {
        return Ok(());
    };
    check(app, &destination)?;
    if !catalogue::add_destination(&mut transaction, &destination).await? {
        return Err(AppError::Taken {
            reason: "DESTINATION_EXISTS",
            description: "the country has a zone from that date on",
        });
    }
    wathiq_outbox::append(
        &mut transaction,
        &app.ambient,
        destination_zone_changed(&destination),
    )
    .await?;
    let subject = write::Subject {
        aggregate: "destination_zone",
        id: destination.id,
    };
    let details = json!({
        "country_code": destination.country_code, "zone": destination.zone, "valid_from": destination.valid_from
    });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "destination_zone.set",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, Vec::new()).await?;
    Ok(())
}

fn check(app: &App, destination: &Destination) -> Result<(), AppError> {
    let mut faults = Faults::default();
    let Destination {
        country_code, zone, ..
    } = destination;
    if country_code != OTHERS && !is_country(country_code) {
        let description =
            "must be a country's code (ISO 3166-1), such as FR, or * for all that are not named";
        faults.note("country_code", "COUNTRY_UNKNOWN", description);
    }
    if !is_zone(zone) {
        let description = "must be 2 to 30 capital letters, digits and underscores";
        faults.note("zone", "MALFORMED", description);
    } else if (country_code == MOROCCO) != (zone == fee::MOROCCO) {
        // The ceiling holds in this zone: neither does Morocco leave it, nor does another country come to it.
        let description = "Morocco is a zone of its own, with the ceiling of its fees";
        faults.note("zone", "ZONE_OF_MOROCCO", description);
    }
    if destination.valid_from < civil_date(app.ambient.now()) {
        faults.note(
            "valid_from",
            "DATE_PAST",
            "must be today or later: the past stays",
        );
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(AppError::faults(faults))
    }
}

fn is_zone(text: &str) -> bool {
    (2..=30).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}
