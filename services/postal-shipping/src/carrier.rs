//! The carrier's own interface: where deposit lists are announced.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Url, redirect};
use uuid::Uuid;
use wathiq_chassis::ConfigError;

use crate::config::CarrierConfig;
use crate::domain::deposit_list::Hindrance;
use crate::domain::webhook::Secret;

/// A deposit list on its way.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The same at every attempt, by which the carrier takes it once.
    pub id: Uuid,
    /// Such as `2026/000042`.
    pub number: String,
    pub office_id: Uuid,
    pub csv: Vec<u8>,
}

/// Why the carrier did not take a list.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    #[error("the carrier does not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("the carrier answered with HTTP status {0}")]
    Status(u16),
}

impl CarrierError {
    /// What the list waits for.
    pub fn hindrance(&self) -> Hindrance {
        match self {
            Self::Status(status) if *status < 500 && *status != 429 => Hindrance::Refused,
            Self::Unreachable(_) | Self::Status(_) => Hindrance::Unreachable,
        }
    }
}

/// A client of the carrier.
#[derive(Debug, Clone)]
pub struct Carrier {
    http: reqwest::Client,
    deposit_lists: Url,
    secret: Secret,
}

impl Carrier {
    /// A client; connects at first use. No redirects: what is sent is for the configured host alone.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &CarrierConfig) -> Result<Self, ConfigError> {
        let url = format!("{}/deposit-lists", config.url.trim_end_matches('/'));
        let deposit_lists = Url::parse(&url)
            .map_err(|error| ConfigError::key("carrier.url", format!("not a URL: {error}")))?;
        let clear = deposit_lists.scheme() == "http" && is_on_this_machine(&deposit_lists);
        if deposit_lists.scheme() != "https" && !clear {
            return Err(ConfigError::key(
                "carrier.url",
                "must begin with https://, but on this machine",
            ));
        }
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(config.seconds))
            .pool_max_idle_per_host(1);
        if let Some(path) = &config.ca {
            let pem = std::fs::read(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?;
            let authorities = Certificate::from_pem_bundle(&pem)
                .map_err(|error| ConfigError::key("carrier.ca", error.to_string()))?;
            builder = builder.tls_certs_only(authorities);
        } else if deposit_lists.scheme() == "http" {
            // Nothing to verify; the system's authorities need not even be there.
            builder = builder.tls_certs_only(Vec::new());
        }
        let http = builder
            .build()
            .map_err(|error| ConfigError::key("carrier", error.to_string()))?;
        Ok(Self {
            http,
            deposit_lists,
            secret: config.outbound_secret()?,
        })
    }

    /// Announces a deposit list.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub async fn announce(&self, list: Announcement, now: DateTime<Utc>) -> Result<(), CarrierError> {
        let id = list.id.to_string();
        let signature = self.secret.sign(&id, now, &list.csv);
        let response = self
            .http
            .post(self.deposit_lists.clone())
            .header("webhook-id", id)
            .header("webhook-timestamp", now.timestamp().to_string())
            .header("webhook-signature", signature)
            .header("wathiq-deposit-list", list.number)
            .header("wathiq-office", list.office_id.to_string())
            .header(CONTENT_TYPE, "text/csv; charset=utf-8")
            .body(list.csv)
            .send()
            .await
            .map_err(CarrierError::Unreachable)?;
        if response.status().is_success() {
            Ok(())
        } else {
            Err(CarrierError::Status(response.status().as_u16()))
        }
    }
}

fn is_on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        let on = |url: &str| is_on_this_machine(&Url::parse(url).unwrap());
        assert!(on("http://127.0.0.1:9/x") && on("http://[::1]/") && on("http://localhost/"));
        assert!(!on("http://post.example/") && !on("http://192.0.2.1/") && !on("http://127.0.0.1.example/"));
    }
}
