//! Wakes the drivers when something due is committed, by whatever replica. Losing the listener costs time, never a task: the drivers look
//! from time to time anyway.

use std::convert::Infallible;
use std::time::Duration;

use crate::domain::order::fact::OutwardKind;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

pub(super) const CHANNEL: &str = "outward";
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Calls `wake` with what became due; with nothing where anything may have. Never returns.
pub async fn listen(options: &PgConnectOptions, wake: impl Fn(Option<OutwardKind>)) -> Infallible {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options.clone());
    loop {
        let Err(error) = hear(&pool, &wake).await;
        tracing::debug!(event = "drive.listener_lost", %error, "the drivers look from time to time until they are woken again");
        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn hear(pool: &sqlx::PgPool, wake: &impl Fn(Option<OutwardKind>)) -> Result<Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // What was announced while nobody listened is found by looking once.
    wake(None);
    loop {
        let due = listener.recv().await?;
        wake(OutwardKind::parse(due.payload()));
    }
}
