//! A line as the office sees it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, OrderView};
use crate::app::{App, AppError, authorise};
use crate::domain::order::line::Line;
use crate::domain::state::Path;
use crate::store::orders;

/// A line with its order.
#[derive(Debug, Clone)]
pub struct Entry {
    pub view: OrderView,
    pub line: Line,
    pub late: bool,
}

impl Entry {
    /// How it is, or can be, made.
    pub fn path(&self) -> Path {
        self.line.path.unwrap_or(if self.line.act_id.is_some() {
            Path::Digitised
        } else {
            Path::Paper
        })
    }
}

/// One line, for whoever works at its office.
///
/// # Errors
/// [`AppError`].
pub async fn of_line(app: &App, caller: &Caller, line_id: Uuid) -> Result<Entry, AppError> {
    let mut conn = app.pool.acquire().await?;
    let unknown = || AppError::not_found("order_line", line_id);
    let entry = of_lines(&mut conn, &[line_id], app.ambient.now())
        .await?
        .pop()
        .ok_or_else(unknown)?;
    authorise::works_at(caller, entry.line.office_id).map_err(|error| match error {
        AppError::NotFound { .. } => unknown(),
        error => error,
    })?;
    Ok(entry)
}

/// Several lines, in the order of their ids as given.
///
/// # Errors
/// [`AppError`].
pub async fn of_lines(
    conn: &mut PgConnection,
    line_ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Entry>, AppError> {
    let pairs: HashMap<Uuid, Uuid> = orders::orders_of_lines(conn, line_ids)
        .await?
        .into_iter()
        .collect();
    let mut ids: Vec<Uuid> = pairs.values().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let found = orders::get_all(conn, &ids).await?;
    let views = view::of_all(conn, found).await?;
    let entry = |id: &Uuid| {
        let view = views.iter().find(|view| Some(&view.order.id) == pairs.get(id))?;
        let line = view.order.line(*id)?.clone();
        let late = line.alerted.is_some() || line.deadline.is_some_and(|deadline| deadline <= now);
        Some(Entry {
            view: view.clone(),
            line,
            late,
        })
    };
    Ok(line_ids.iter().filter_map(entry).collect())
}
