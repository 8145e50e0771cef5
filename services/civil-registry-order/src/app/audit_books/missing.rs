//! What this service names and the other one does not list, between two ids.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;

use super::{PAGE, Report};
use crate::app::AppError;
use crate::store::books::{self, Named};

/// Goes along with the other service's pages, and looks at the same stretch of this service's books each time.
pub(super) struct Missing<'a> {
    pool: &'a PgPool,
    named: Named,
    code: &'static str,
    subject: &'static str,
    reached: Uuid,
}

impl<'a> Missing<'a> {
    pub(super) fn new(pool: &'a PgPool, named: Named, code: &'static str, subject: &'static str) -> Self {
        Self {
            pool,
            named,
            code,
            subject,
            reached: Uuid::nil(),
        }
    }

    /// After a page of the other service's ids, the last one or not.
    ///
    /// # Errors
    /// [`AppError`].
    pub(super) async fn follow(
        &mut self,
        report: &mut Report,
        listed: &HashSet<Uuid>,
        is_last: bool,
    ) -> Result<(), AppError> {
        let upto = if is_last {
            Uuid::max()
        } else {
            listed.iter().copied().max().unwrap_or(self.reached)
        };
        loop {
            let own = {
                let mut conn = self.pool.acquire().await?;
                books::named(&mut conn, self.named, self.reached, upto, PAGE).await?
            };
            let Some((last, _)) = own.last() else { break };
            self.reached = *last;
            for (theirs, row) in own.iter().filter(|(theirs, _)| !listed.contains(theirs)) {
                report.differ(self.code, self.subject, row, theirs, "none");
            }
        }
        self.reached = upto;
        Ok(())
    }
}
