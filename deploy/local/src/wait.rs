//! Waiting for a condition with a bound.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks `attempt` again and again until it answers, or fails with its last reason once `bound` has passed.
pub async fn until<T, F>(what: &str, bound: Duration, mut attempt: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    let start = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if start.elapsed() >= bound => {
                return Err(error.context(format!("{what} is not ready after {} s", bound.as_secs())));
            }
            Err(error) if error.is::<Hopeless>() => return Err(error),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 3 / 2).min(Duration::from_millis(150));
    }
}

/// An error after which waiting on is pointless, such as a process that has ended.
#[derive(Debug)]
pub struct Hopeless(pub String);

impl std::fmt::Display for Hopeless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Hopeless {}

/// Whether something accepts TCP connections on a loopback port.
pub async fn listening(port: u16) -> Result<()> {
    if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        bail!("nothing listens on port {port}");
    }
    Ok(())
}
