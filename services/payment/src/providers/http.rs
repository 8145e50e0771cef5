//! Requests to a configured host: bounded in time and size, without redirects.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use futures::StreamExt;
use reqwest::{Certificate, RequestBuilder, StatusCode, Url, redirect};
use wathiq_chassis::{BoxError, ConfigError};

use super::ProviderError;

/// Largest answer that is read.
const MAX_ANSWER: usize = 256 * 1024;

/// A client. `ca` is the authority of the host's certificate; the system's authorities where none is named.
pub(super) fn client(
    key: &'static str,
    url: &Url,
    seconds: u64,
    ca: Option<&Path>,
) -> Result<reqwest::Client, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(seconds))
        .pool_max_idle_per_host(2);
    if let Some(authorities) = authorities(key, url, ca)? {
        builder = builder.tls_certs_only(authorities);
    }
    builder
        .build()
        .map_err(|error| ConfigError::key(key, error.to_string()))
}

fn authorities(
    key: &'static str,
    url: &Url,
    ca: Option<&Path>,
) -> Result<Option<Vec<Certificate>>, ConfigError> {
    let Some(path) = ca else {
        // Nothing is encrypted: nobody needs to be trusted.
        return Ok((url.scheme() == "http").then(Vec::new));
    };
    let pem = std::fs::read(path).map_err(|source| ConfigError::Read {
        path: PathBuf::from(path),
        source,
    })?;
    let certificates = Certificate::from_pem_bundle(&pem);
    certificates
        .map(Some)
        .map_err(|error| ConfigError::key(key, error.to_string()))
}

/// A URL of configuration.
pub(super) fn url(key: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| ConfigError::key(key, format!("not a URL: {error}")))?;
    let host = url.host_str().unwrap_or_default();
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(ConfigError::key(
            key,
            "must begin with https://, but on this machine",
        )),
    }
}

/// Sends and reads all of a bounded answer.
pub(super) async fn send(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    let down = |error: reqwest::Error| ProviderError::Unavailable(BoxError::from(error.without_url()));
    let response = request.send().await.map_err(down)?;
    let status = response.status();
    let mut body = response.bytes_stream();
    let mut answer = BytesMut::new();
    while let Some(chunk) = body.next().await {
        answer.extend_from_slice(&chunk.map_err(down)?);
        if answer.len() > MAX_ANSWER {
            return Err(ProviderError::Unreadable("it is too long"));
        }
    }
    Ok((status, answer.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_secrets_leave_the_machine_encrypted() {
        for good in [
            "https://payment.example/fim/api",
            "http://127.0.0.1:8080/fim/api",
            "http://[::1]:8080",
            "http://localhost:8080",
        ] {
            url("cmi.api_url", good).unwrap();
        }
        for bad in [
            "http://payment.example/fim/api",
            "http://192.0.2.1/fim/api",
            "http://127.0.0.1.example/",
            "ftp://127.0.0.1/",
            "payment.example",
        ] {
            url("cmi.api_url", bad).unwrap_err();
        }
    }
}
