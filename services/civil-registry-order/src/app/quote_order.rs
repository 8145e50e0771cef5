//! What an order would cost, and what is wrong with it. Nothing is kept.

use wathiq_chassis::{Caller, Surface};

use crate::app::order_lines::{AskedLine, Desk};
use crate::app::place_order::{self, check_count};
use crate::app::{App, AppError};
use crate::domain::address::{is_country, posted_as};
use crate::domain::fault::Faults;
use crate::domain::fee::Price;
use crate::domain::person::Applicant;
use crate::store::catalogue;

/// Prices of the lines. Whoever has not signed in is told of prices alone; for a caller with an account acts and entitlement are judged too.
///
/// # Errors
/// [`AppError::Invalid`] with everything that is wrong.
pub async fn quote_order(
    app: &App,
    caller: Option<&Caller>,
    lines: Vec<AskedLine>,
    country_code: &str,
) -> Result<Vec<Price>, AppError> {
    let known = match caller {
        Some(caller) if caller.surface == Surface::Citizen => Some(caller),
        _ => None,
    };
    let applicant = match known {
        Some(caller) => place_order::applicant_of(app.identity.person(caller.person_id).await?),
        None => Applicant::default(),
    };
    let offices = app.identity.offices().await?;
    let mut conn = app.pool.acquire().await?;
    let desk = Desk::open(&mut conn, app, offices).await?;
    let mut faults = Faults::default();
    check_count(&mut faults, lines.len());
    let country_code = posted_as(country_code);
    if !is_country(&country_code) {
        faults.note(
            "country_code",
            "COUNTRY_UNKNOWN",
            "must be a country's code (ISO 3166-1), such as MA",
        );
    }
    let zone = catalogue::zone(&mut conn, &country_code, desk.today).await?;
    let mut prices = Vec::with_capacity(lines.len());
    for (place, line) in lines.into_iter().enumerate() {
        let mut below = Faults::default();
        let price = match known {
            Some(caller) => desk
                .judge(
                    &mut conn,
                    &mut below,
                    line,
                    zone.as_deref(),
                    &applicant,
                    caller.person_id,
                )
                .await?
                .map(|judged| judged.price),
            None => desk
                .quote(&mut below, &line, zone.as_deref())
                .map(|(_, price)| price),
        };
        faults.take(&format!("lines[{place}]"), below);
        prices.extend(price);
    }
    if faults.is_empty() {
        Ok(prices)
    } else {
        Err(AppError::faults(faults))
    }
}
