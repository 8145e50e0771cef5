//! signature: documents, legalisation requests, seals, verification.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Facts;
use crate::parts::softhsm;
use crate::secrets;

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
    let tokens = &facts.description.softhsm.tokens;
    let seal = tokens
        .iter()
        .find(|token| token.label == softhsm::ELECTRONIC_SEAL);
    let seal = seal.context("the token store lacks the institution's seal")?;
    // The token may be another stack's: its PIN is mounted here.
    let seal_pin = softhsm::pin_file(facts.around, &seal.label);
    secrets::kept(&seal_pin, || seal.pin.clone())?;
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
            "token_label": seal.label,
            "pin_file": seal_pin,
        }],
    }))
}
