//! signature: documents, legalisation requests, seals, verification.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Facts;
use crate::parts::softhsm;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let objects = facts.around.layout.data().join("objects");
    std::fs::create_dir_all(&objects)?;
    let trust = &facts.description.trust;
    let lists: reqwest::Url = trust.crl_url.parse()?;
    let lists = format!(
        "127.0.0.1:{}",
        lists
            .port()
            .context("the revocation list's address has no port")?
    );
    Ok(json!({
        "process": facts.process()?,
        "database": facts.database_section()?,
        "kafka": facts.kafka(),
        "upstream": facts.upstream(&["identity", "payment"])?,
        "consumer": {"instance": facts.instance.name()},
        "storage": {"url": format!("file://{}", objects.display())},
        "keys": {"module": facts.description.softhsm.module},
        "timestamp": {"url": trust.tsa_url},
        "trust": {"anchors": [trust.root], "revocation_hosts": [lists]},
        "seal": {"public_url": facts.public_url()?},
        "electronic_seals": [{
            "token_label": softhsm::ELECTRONIC_SEAL,
            "pin_file": softhsm::pin_file(facts.around, softhsm::ELECTRONIC_SEAL),
        }],
    }))
}
