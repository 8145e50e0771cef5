//! The frame of a transaction.

use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;
use wathiq_outbox::{AuditEntry, Claim, NewEvent, audit, idempotency};

use super::{App, Error};

/// What a use case answers with: a message of the transport, of which only the encoding matters here.
pub trait Reply: prost::Message + Default {}

impl<M: prost::Message + Default> Reply for M {}

/// A command, and on whose behalf it is done.
#[derive(Debug, Clone)]
pub struct Command {
    pub inner: wathiq_outbox::Command,
    /// The person who acts, where there is one.
    pub person_id: Option<Uuid>,
}

/// What the beginning of a transaction found.
pub(super) enum Start<'a, R> {
    New(Work<'a>),
    /// The command was done before, with this answer.
    Done(R),
}

/// A transaction that has claimed its command.
pub(super) struct Work<'a> {
    app: &'a App,
    command: &'a Command,
    transaction: Transaction<'static, Postgres>,
}

/// Begins a transaction, or returns the answer given before.
macro_rules! begin {
    ($app:expr, $command:expr) => {
        match $crate::app::work::Work::begin($app, $command).await? {
            $crate::app::work::Start::New(work) => work,
            $crate::app::work::Start::Done(reply) => return Ok(reply),
        }
    };
}
pub(crate) use begin;

impl<'a> Work<'a> {
    pub(super) async fn begin<R: Reply>(app: &'a App, command: &'a Command) -> Result<Start<'a, R>, Error> {
        let mut transaction = app.pool.begin().await?;
        match idempotency::claim(&mut transaction, &app.ambient, &command.inner).await? {
            Claim::New => Ok(Start::New(Self {
                app,
                command,
                transaction,
            })),
            Claim::Done(bytes) => Ok(Start::Done(R::decode(&bytes[..]).map_err(Error::StoredResponse)?)),
        }
    }

    pub(super) fn conn(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    pub(super) async fn event(&mut self, event: NewEvent) -> Result<(), Error> {
        wathiq_outbox::append(&mut self.transaction, &self.app.ambient, event).await?;
        Ok(())
    }

    /// Notes in the audit trail what is being done.
    pub(super) async fn audit(
        &mut self,
        action: &'static str,
        (aggregate, aggregate_id): (&'static str, Uuid),
        details: Value,
    ) -> Result<(), Error> {
        let entry = AuditEntry {
            person_id: self.command.person_id,
            principal: &self.command.inner.principal,
            action,
            aggregate,
            aggregate_id,
            outcome: "done",
            reason: None,
            details,
        };
        audit::record(&mut self.transaction, &self.app.ambient, entry).await?;
        Ok(())
    }

    /// Stores the answer and commits.
    pub(super) async fn finish<R: Reply>(mut self, reply: R) -> Result<R, Error> {
        idempotency::complete(
            &mut self.transaction,
            &self.command.inner,
            Some(&reply.encode_to_vec()),
        )
        .await?;
        self.transaction.commit().await?;
        Ok(reply)
    }
}
