//! Keyings that wait, and what the two readings of one differ in.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, registers};
use crate::domain::keying::Keying;
use crate::store::keyings::{self, Listed, Whose};

/// A page of keyings.
#[derive(Debug)]
pub struct KeyingPage {
    pub keyings: Vec<Listed>,
    /// The last one, where more may follow.
    pub next: Option<Uuid>,
}

/// Keyings in the registers of the caller's offices that are open, oldest first: those that the caller may look at, or has begun.
///
/// # Errors
/// [`AppError`]; an office whose registers are not with the caller's is not found.
pub async fn list(
    app: &App,
    caller: &Caller,
    (office_id, whose): (Option<Uuid>, Whose),
    after: Option<Uuid>,
    size: u16,
) -> Result<KeyingPage, AppError> {
    let mut conn = app.pool.acquire().await?;
    let held = registers::held(&mut conn, &app.ambient, caller).await?;
    let offices = match office_id {
        Some(id) => {
            registers::some_of(&held, id)?;
            vec![id]
        }
        None => held.offices(),
    };
    let limit = i64::from(size) + 1;
    let mut found = keyings::open(&mut conn, &offices, (whose, caller.person_id), after, limit).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found.last().filter(|_| more).map(|keying| keying.id);
    found.retain(|keying| held.holds(keying.key.office_id, keying.key.kind, keying.key.year));
    Ok(KeyingPage { keyings: found, next })
}

/// A keying for the third look: not for the two who read it.
///
/// # Errors
/// [`AppError`]: `KEYED_BY_SAME_PERSON`, `KEYING_STATE`; a keying of other offices is not found.
pub async fn for_third_look(app: &App, caller: &Caller, keying_id: Uuid) -> Result<Keying, AppError> {
    let mut conn = app.pool.acquire().await?;
    let keying = visible(&mut conn, app, caller, keying_id).await?;
    if keying.people().contains(&caller.person_id) {
        return Err(AppError::Denied {
            reason: "KEYED_BY_SAME_PERSON",
            description: "who has keyed this act does not see what the other read",
        });
    }
    if keying.stage.name() != "DIFFERS" {
        let text = "nothing is to be settled";
        return Err(AppError::refused("KEYING_STATE", keying_id, text));
    }
    Ok(keying)
}

/// A keying in a register that the caller's offices hold.
///
/// # Errors
/// [`AppError`]; others are not found.
pub async fn visible(
    conn: &mut sqlx::PgConnection,
    app: &App,
    caller: &Caller,
    keying_id: Uuid,
) -> Result<Keying, AppError> {
    let held = registers::held(conn, &app.ambient, caller).await?;
    let keying = keyings::find(conn, keying_id).await?.filter(|keying| {
        let key = keying.first.entry.key();
        held.holds(key.office_id, key.kind, key.year)
    });
    keying.ok_or_else(|| AppError::not_found("keying", keying_id))
}
