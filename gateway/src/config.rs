//! Settings of the gateway.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use wathiq_chassis::config::ConfigError;
use wathiq_chassis::{ProcessConfig, UpstreamConfig};

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
    /// Peers whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<IpAddr>,
    /// PEM files; absent where an ingress ends TLS.
    #[serde(default)]
    pub tls: Option<EdgeTls>,
    /// Base of the `type` of a problem document.
    #[serde(default = "default_problem_base")]
    pub problem_base: String,
    /// Uploads under way at once in this process.
    #[serde(default = "default_concurrent_uploads")]
    pub concurrent_uploads: usize,
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
        Ok(())
    }
}

fn default_problem_base() -> String {
    "https://wathiq.ma/problems/".to_owned()
}

fn default_concurrent_uploads() -> usize {
    16
}
