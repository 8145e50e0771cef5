//! `target/demo/stack.json`: where everything is, for scripts. Keys are kept stable, paths are relative to the checkout.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::demo::Demo;
use crate::description::Description;
use crate::services::{self, Replicas, SERVICES, instances};

/// Writes the file anew; the accounts that the journey made stay.
///
/// # Errors
/// When something that it names is missing.
pub fn write(demo: &Demo, description: &Description) -> Result<()> {
    let folder = demo.layout().root.join("target/demo");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("stack.json");
    let before: Value = std::fs::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let accounts = before.get("accounts").cloned().unwrap_or_else(|| json!([]));
    crate::secrets::write_private(
        &path,
        serde_json::to_vec_pretty(&content(demo, description, accounts)?)?,
    )
}

/// Replaces the accounts in the file.
///
/// # Errors
/// When the stack has not been started.
pub fn write_accounts(root: &Path, accounts: &[Account]) -> Result<()> {
    let path = root.join("target/demo/stack.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut content: Value = serde_json::from_slice(&text)?;
    content["accounts"] = serde_json::to_value(accounts)?;
    crate::secrets::write_private(&path, serde_json::to_vec_pretty(&content)?)
}

/// A demonstration account.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Account {
    pub role: String,
    /// The account's e-mail address.
    pub login: String,
    pub password: String,
    pub totp_secret: String,
}

fn content(demo: &Demo, description: &Description, accounts: Value) -> Result<Value> {
    let around = demo.around(&|_| ());
    let relative = |path: &Path| {
        path.strip_prefix(&around.layout.root)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let services = instances(&Replicas::new())
        .into_iter()
        .map(|instance| {
            let running = around
                .running(&instance.name())
                .with_context(|| format!("{} is down", instance.name()))?;
            Ok(json!({
                "name": instance.name(),
                "pid": running.pid,
                "grpc": format!("127.0.0.1:{}", around.ports.get(&instance.name())?),
                "metrics": format!("http://127.0.0.1:{}/metrics", around.ports.get(&instance.operations())?),
                "log": relative(&running.log),
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    let postgres = &description.postgres;
    let databases: BTreeMap<&str, String> = SERVICES
        .iter()
        .filter(|service| service.database)
        .map(|service| {
            let url = format!(
                "postgres://{}:{}@{}:{}/wathiq_{}?sslmode=verify-full&sslrootcert={}",
                postgres.superuser,
                postgres.superuser_password,
                postgres.host,
                postgres.port,
                service.name,
                postgres.ca.as_deref().map(relative).unwrap_or_default()
            );
            (service.name, url)
        })
        .collect();
    Ok(json!({
        "gateway": services::public_url(&around)?,
        "mail": description.mail.api,
        "kafka": description.kafka.brokers,
        "trust": {"root": relative(&description.trust.root)},
        "services": services,
        "databases": databases,
        "accounts": accounts,
        "partners": {"text_messages": {"url": description.sms.url, "inbox": format!("{}/inbox", description.sms.url)}},
    }))
}
