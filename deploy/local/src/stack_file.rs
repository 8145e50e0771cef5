//! `target/demo/stack.json`: where everything is, for scripts. Keys are kept stable, paths are relative to the checkout.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::demo::Demo;
use crate::description::Description;
use crate::journey::notes::Notes;
use crate::services::{self, Replicas, SERVICES, instances};

/// Writes the file anew, with everybody whom the journey brought in so far.
///
/// # Errors
/// When something that it names is missing.
pub fn write(demo: &Demo, description: &Description) -> Result<()> {
    let layout = demo.layout();
    let folder = layout.results();
    std::fs::create_dir_all(&folder)?;
    let accounts = if layout.cast().exists() {
        accounts(&Notes::open(&layout.cast(), "")?)
    } else {
        Vec::new()
    };
    crate::secrets::write_private(
        &folder.join("stack.json"),
        serde_json::to_vec_pretty(&content(demo, description, &accounts)?)?,
    )
}

/// A demonstration account.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Account {
    pub role: String,
    /// The account's e-mail address.
    pub login: String,
    pub password: String,
    pub totp_secret: String,
}

/// Everybody who can sign in.
#[must_use]
pub fn accounts(notes: &Notes) -> Vec<Account> {
    let with_secret = notes.people().iter();
    with_secret
        .filter_map(|person| {
            Some(Account {
                role: person.role.clone(),
                login: person.login.clone(),
                password: person.password.clone(),
                totp_secret: person.totp_secret.clone()?,
            })
        })
        .collect()
}

/// What a script needs to play a partner, or to see what one received.
fn partners(description: &Description) -> Value {
    let (sms, mail, trust) = (&description.sms, &description.mail, &description.trust);
    json!({
        "mail": {"inbox": mail.api, "smtp": mail.smtp},
        "text_messages": {"url": sms.url, "key": sms.key, "inbox": format!("{}/inbox", sms.url)},
        "cmi": {"url": description.cmi.url, "orders": format!("{}/control/cmi/orders", description.cmi.control)},
        "text_payments": {"phones": format!("{}/text-payments", description.text_payment.control)},
        "carrier": {"items": format!("{}/parcels", description.carrier.control)},
        "trust": {"time_stamping": trust.tsa_url, "ocsp": trust.ocsp_url, "crl": trust.crl_url},
    })
}

fn content(demo: &Demo, description: &Description, accounts: &[Account]) -> Result<Value> {
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
        "partners": partners(description),
    }))
}
