//! Wakes the drivers when something due is committed, by whatever replica. Losing the listener costs time, never a task: the drivers look
//! from time to time anyway.

use std::convert::Infallible;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;

pub(super) const CHANNEL: &str = "outward";
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Never returns.
pub async fn listen(options: &PgConnectOptions, wakes: &[Notify]) -> Infallible {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options.clone());
    loop {
        let Err(error) = hear(&pool, wakes).await;
        tracing::debug!(event = "drive.listener_lost", %error, "the drivers look from time to time until they are woken again");
        tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
    }
}

async fn hear(pool: &sqlx::PgPool, wakes: &[Notify]) -> Result<Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // What was announced while nobody listened is found by looking once.
        wakes.iter().for_each(Notify::notify_one);
        listener.recv().await?;
    }
}
