//! What belongs to the call in progress, carried beside it so that outgoing calls continue it.

use std::{future::Future, time::Duration};

use secrecy::SecretString;
use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// The deadline, the user's token and the correlation id of the call in progress.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// When the caller stops waiting.
    pub deadline: Instant,
    /// The user's token as it came in, if one did.
    pub bearer: Option<SecretString>,
    /// Correlation id of the whole chain of calls, as it stands in answers and logs.
    pub request_id: String,
}

impl CallContext {
    /// A context without a user that ends after `within`.
    pub fn new(within: Duration, request_id: impl Into<String>) -> Self {
        Self {
            deadline: Instant::now() + within,
            bearer: None,
            request_id: request_id.into(),
        }
    }

    /// Adds the user's token, for whoever opens a call on a user's behalf (the gateway).
    #[must_use]
    pub fn with_bearer(mut self, bearer: SecretString) -> Self {
        self.bearer = Some(bearer);
        self
    }

    /// The context of the call in progress; none outside a call.
    ///
    /// A task spawned from a handler is outside it: hand the context over with [`CallContext::scope`] when the
    /// task still belongs to the call, and leave it out when it goes on after the answer.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `future` inside this context.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs `work` inside this context, for code that is polled rather than awaited.
    pub(crate) fn sync_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), work)
    }

    /// How long the caller still waits; zero when the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
