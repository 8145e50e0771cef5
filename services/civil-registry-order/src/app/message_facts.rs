//! What notification needs to write to a person or an office.

use uuid::Uuid;

use crate::app::view::OrderView;
use crate::app::{App, AppError, get_order};
use crate::domain::kind::DocumentKind;
use crate::store::catalogue;
use crate::store::offices::{self, Profile};

/// An order with the kinds of its lines.
///
/// # Errors
/// [`AppError`].
pub async fn order_facts(app: &App, order_id: Uuid) -> Result<(OrderView, Vec<DocumentKind>), AppError> {
    let view = get_order::shown(app, order_id).await?;
    let ids: Vec<Uuid> = view.order.lines.iter().map(|line| line.kind_id).collect();
    let mut conn = app.pool.acquire().await?;
    let kinds = catalogue::kinds_by_id(&mut conn, &ids).await?;
    Ok((view, kinds))
}

/// Facts of an office's daily mail.
#[derive(Debug)]
pub struct OfficeFacts {
    /// Nothing where the office has none: nobody is written to.
    pub profile: Option<Profile>,
    pub waiting_lines: i32,
    pub late_lines: i32,
}

/// The facts of one reminder.
///
/// # Errors
/// [`AppError`].
pub async fn office_facts(app: &App, office_id: Uuid, reminder_id: Uuid) -> Result<OfficeFacts, AppError> {
    let mut conn = app.pool.acquire().await?;
    let counts = offices::reminder(&mut conn, reminder_id, office_id).await?;
    let (waiting_lines, late_lines) = counts.ok_or_else(|| AppError::not_found("reminder", reminder_id))?;
    Ok(OfficeFacts {
        profile: offices::profile(&mut conn, office_id).await?,
        waiting_lines,
        late_lines,
    })
}
