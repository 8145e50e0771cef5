//! An HTTP client for loopback addresses.

use std::time::Duration;

use anyhow::Result;

/// A client that follows no proxy and waits at most ten seconds.
///
/// # Errors
/// When the client cannot be built.
pub fn client() -> Result<reqwest::Client> {
    // Someone else in this process may have installed the same provider before.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()?)
}
