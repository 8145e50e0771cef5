//! Wakes the relay when an outbox row is committed. Losing the listener costs time, never an event: the relay
//! polls anyway.

use std::convert::Infallible;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;

use crate::event::CHANNEL;

const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Never returns.
pub(super) async fn listen(options: &PgConnectOptions, wake: &Notify) {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options.clone());
    loop {
        let Err(error) = hear(&pool, wake).await;
        tracing::debug!(event = "outbox.listener_lost", %error, "the relay polls until it can listen again");
        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn hear(pool: &sqlx::PgPool, wake: &Notify) -> Result<Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // What was announced while nobody listened is found by looking once.
        wake.notify_one();
        listener.recv().await?;
    }
}
