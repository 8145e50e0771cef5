//! The frame of a transaction.

use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;
use wathiq_chassis::{Ambient, Caller};
use wathiq_outbox::{AuditEntry, Claim, NewEvent, audit, idempotency};

use super::{App, Error};
use crate::domain::refusal::Refusal;
use crate::domain::session::SessionEnd;
use crate::events::publish;
use crate::store::sessions;

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

impl Command {
    /// `person:<uuid>` of a signed-in caller.
    pub fn principal_of(caller: &Caller) -> String {
        format!("person:{}", caller.person_id)
    }
}

/// A fresh name for an account on topics: random, so that it tells nothing, not even when the person's id was made.
pub(super) fn stream_id(ambient: &Ambient) -> Uuid {
    uuid::Builder::from_random_bytes(ambient.bytes()).into_uuid()
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

    /// As [`Self::begin`], for a command whose answer holds a secret: that is not kept, and a repeat is refused.
    pub(super) async fn begin_secret(app: &'a App, command: &'a Command) -> Result<Self, Error> {
        let mut transaction = app.pool.begin().await?;
        match idempotency::claim(&mut transaction, &app.ambient, &command.inner).await? {
            Claim::New => Ok(Self {
                app,
                command,
                transaction,
            }),
            Claim::Done(_) => Err(Refusal::ResponseNotKept.into()),
        }
    }

    /// The answer of a command that was done before; for use cases in which something expensive comes before the
    /// transaction, or whose request is no longer right once it was done.
    pub(super) async fn done_before<R: Reply>(
        app: &'a App,
        command: &'a Command,
    ) -> Result<Option<R>, Error> {
        // Dropping the transaction takes the claim back.
        match Self::begin(app, command).await? {
            Start::Done(reply) => Ok(Some(reply)),
            Start::New(_) => Ok(None),
        }
    }

    pub(super) fn app(&self) -> &'a App {
        self.app
    }

    pub(super) fn ambient(&self) -> &'a Ambient {
        &self.app.ambient
    }

    pub(super) fn conn(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    pub(super) async fn event(&mut self, event: NewEvent) -> Result<(), Error> {
        wathiq_outbox::append(&mut self.transaction, &self.app.ambient, event).await?;
        Ok(())
    }

    /// Ends all sessions of a person but one, since their password changed.
    pub(super) async fn end_sessions(&mut self, person: Uuid, keep: Option<Uuid>) -> Result<(), Error> {
        let now = self.app.ambient.now();
        for id in sessions::end_all(&mut self.transaction, person, keep, now).await? {
            self.event(publish::session_ended(id, SessionEnd::Password))
                .await?;
        }
        Ok(())
    }

    /// Notes in the audit trail what is being done.
    pub(super) async fn audit(
        &mut self,
        action: &'static str,
        (aggregate, aggregate_id): (&'static str, Uuid),
        details: Value,
    ) -> Result<(), Error> {
        self.entry(action, (aggregate, aggregate_id), None, details).await
    }

    /// Commits what was done so far, with a note of the refusal, and returns the refusal. The command stays undone: a
    /// repeat is decided anew.
    pub(super) async fn refuse(
        mut self,
        refusal: Refusal,
        action: &'static str,
        aggregate: (&'static str, Uuid),
    ) -> Error {
        let noted = self
            .entry(action, aggregate, Some(refusal.reason()), Value::Null)
            .await;
        match noted {
            Ok(()) => match self.transaction.commit().await {
                Ok(()) => refusal.into(),
                Err(error) => error.into(),
            },
            Err(error) => error,
        }
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

    /// Commits without storing the answer, which holds a secret.
    pub(super) async fn finish_secret<T>(mut self, answer: T) -> Result<T, Error> {
        idempotency::complete(&mut self.transaction, &self.command.inner, None).await?;
        self.transaction.commit().await?;
        Ok(answer)
    }

    async fn entry(
        &mut self,
        action: &'static str,
        (aggregate, aggregate_id): (&'static str, Uuid),
        reason: Option<&'static str>,
        details: Value,
    ) -> Result<(), Error> {
        let entry = AuditEntry {
            person_id: self.command.person_id,
            principal: &self.command.inner.principal,
            action,
            aggregate,
            aggregate_id,
            outcome: if reason.is_some() { "refused" } else { "done" },
            reason,
            details,
        };
        audit::record(&mut self.transaction, &self.app.ambient, entry).await?;
        Ok(())
    }
}
