//! Settings of the gateway.

use std::net::SocketAddr;

use serde::Deserialize;
use wathiq_chassis::config::ConfigError;
use wathiq_chassis::{ProcessConfig, UpstreamConfig};

use crate::client_address::Network;

/// Longest time for a file's way in, in seconds: a service hears a stream for 15 minutes, and must still answer.
const LONGEST_UPLOAD: u64 = 840;

/// Everything the gateway reads at start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub process: ProcessConfig,
    pub http: HttpSettings,
    pub upstream: Upstreams,
}

/// The listener that people and programs reach.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    pub listen: SocketAddr,
    /// Origin under which people reach the gateway, without a path or final slash, such as `https://wathiq.ma`.
    pub public_url: String,
    /// Networks whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,
    /// Networks whose `traceparent` is continued; a stranger's could join unrelated traces.
    #[serde(default)]
    pub trusted_tracers: Vec<Network>,
    /// PEM files; absent where an ingress ends TLS.
    #[serde(default)]
    pub tls: Option<EdgeTls>,
    /// Base of the `type` of a problem document.
    #[serde(default = "default_problem_base")]
    pub problem_base: String,
    #[serde(default)]
    pub limits: Limits,
}

/// What one process grants the outside, in seconds and counts. Nothing here is zero.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From a new connection to the end of its first request's headers.
    pub first_request_seconds: u64,
    /// Between two requests of a connection, the second one's headers included.
    pub idle_seconds: u64,
    /// Longest time in which a reader takes nothing of an answer.
    pub reader_pause_seconds: u64,
    /// In each of these spans a sender must bring `sender_bytes`, or all that is left.
    pub sender_span_seconds: u64,
    pub sender_bytes: u64,
    /// For the body of a call that is no file, all in all.
    pub body_seconds: u64,
    /// For a whole file, all in all; at most 840, since a service hears a stream for 15 minutes.
    pub upload_seconds: u64,
    /// Connections open at once: in all, and of one address (or /64 network) that is no trusted proxy.
    pub connections: usize,
    pub connections_each: usize,
    /// Files on their way to documents at once: in all, and of one person.
    pub uploads: usize,
    pub uploads_each: usize,
    /// Files on their way to verification at once: in all, and of one address (or /64 network).
    pub verifications: usize,
    pub verifications_each: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            first_request_seconds: 10,
            idle_seconds: 60,
            reader_pause_seconds: 30,
            sender_span_seconds: 15,
            sender_bytes: 16 * 1024,
            body_seconds: 45,
            upload_seconds: 780,
            connections: 2_000,
            connections_each: 256,
            uploads: 16,
            uploads_each: 4,
            verifications: 8,
            verifications_each: 3,
        }
    }
}

impl Limits {
    fn check(&self) -> Result<(), ConfigError> {
        let counts = [
            self.connections,
            self.connections_each,
            self.uploads,
            self.uploads_each,
        ];
        let counts = counts
            .iter()
            .chain([&self.verifications, &self.verifications_each]);
        let seconds = [
            self.first_request_seconds,
            self.idle_seconds,
            self.reader_pause_seconds,
            self.sender_span_seconds,
            self.body_seconds,
            self.upload_seconds,
        ];
        if counts.into_iter().any(|count| *count == 0) || seconds.contains(&0) {
            return Err(ConfigError::key("http.limits", "every limit must be 1 or more"));
        }
        if self.upload_seconds > LONGEST_UPLOAD {
            return Err(ConfigError::key(
                "http.limits.upload_seconds",
                "must be 840 or less",
            ));
        }
        Ok(())
    }
}

/// Certificate and key of the public listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeTls {
    pub certificate: std::path::PathBuf,
    pub key: std::path::PathBuf,
}

/// The services behind the gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    pub identity: UpstreamConfig,
    pub signature: UpstreamConfig,
    pub notification: UpstreamConfig,
    pub payment: UpstreamConfig,
    #[serde(alias = "postal-shipping")]
    pub postal_shipping: UpstreamConfig,
    #[serde(alias = "civil-registry-order")]
    pub civil_registry_order: UpstreamConfig,
}

impl Settings {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// Names the key and the remedy.
    pub fn check(&self) -> Result<(), ConfigError> {
        let url = &self.http.public_url;
        let origin = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        if origin.is_none_or(|host| host.is_empty() || host.contains('/')) {
            return Err(ConfigError::key(
                "http.public_url",
                "must be an origin such as https://wathiq.ma, without a path",
            ));
        }
        self.http.limits.check()
    }
}

fn default_problem_base() -> String {
    "https://wathiq.ma/problems/".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<HttpSettings, toml::de::Error> {
        toml::from_str(&format!(
            "listen = \"127.0.0.1:0\"\npublic_url = \"https://wathiq.ma\"\n{more}"
        ))
    }

    #[test]
    fn nobody_is_trusted_unless_the_settings_say_so() {
        let settings = read("").unwrap();
        assert!(settings.trusted_proxies.is_empty() && settings.trusted_tracers.is_empty());
        assert!(settings.limits.check().is_ok());
        let settings = read("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]").unwrap();
        assert_eq!(settings.trusted_proxies.len(), 2);
        assert!(settings.trusted_tracers.is_empty());
        assert!(read("trusted_proxies = [\"proxy.example\"]").is_err());
    }

    #[test]
    fn limits_are_named_one_by_one_and_make_sense() {
        let settings = read("[limits]\nuploads = 3").unwrap();
        assert_eq!((settings.limits.uploads, settings.limits.idle_seconds), (3, 60));
        assert!(read("[limits]\nupload = 3").is_err());
        for wrong in ["uploads = 0", "idle_seconds = 0", "upload_seconds = 841"] {
            let settings = read(&format!("[limits]\n{wrong}")).unwrap();
            assert!(settings.limits.check().is_err(), "{wrong}");
        }
    }
}
