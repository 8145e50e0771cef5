//! The trust service: root and issuing authority, OCSP responder, CRLs and RFC 3161 time-stamps, by certomancer.
//!
//! Certificates are issued once and kept as files: a restart serves the same ones. They name the service's own
//! addresses, so its port cannot move without issuing anew.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::{Days, NaiveDate};
use rcgen::KeyPair;
use serde_json::{Map, Value, json};

use super::Surroundings;
use super::softhsm::{self, OFFICERS, Officer, Standing};
use crate::description::Trust;
use crate::process::Running;
use crate::{http, pki, secrets, wait};

/// Certificates of the service itself, each with a key of the same name.
const OWN: [&str; 4] = ["root", "issuing", "ocsp", "tsa"];

/// Starts the service on the officers' public keys, which must be there, and waits until it has answered with every
/// certificate.
///
/// # Errors
/// When certomancer is not installed, cannot be started or does not answer, or when its port has moved.
pub async fn start(around: &Surroundings<'_>) -> Result<Running> {
    let folder = folder(around);
    std::fs::create_dir_all(folder.join("keys"))?;
    for name in OWN {
        let path = folder.join(format!("keys/{name}.pem"));
        if !path.is_file() {
            secrets::write_private(&path, KeyPair::generate()?.serialize_pem())?;
        }
    }
    for officer in OFFICERS {
        let to = folder.join(format!("keys/{}.pem", officer.label));
        std::fs::copy(softhsm::public_key_file(around, &officer), to)?;
    }
    let address = address(around)?;
    let kept = secrets::kept(&folder.join("address"), || address.clone())?;
    if kept != address {
        bail!(
            "issued certificates name {kept}, but the trust service is now to listen on {address}: `make clean` issues anew"
        );
    }
    // The validity of what is issued hangs on the day of the first start.
    let day: NaiveDate = secrets::kept(&folder.join("day"), || pki::today().to_string())?.parse()?;
    let configuration = folder.join("certomancer.json");
    secrets::write_private(
        &configuration,
        serde_json::to_vec_pretty(&settings(around, day)?)?,
    )?;
    let running = run(around, &configuration, &address).await?;
    wait::until("the trust service", Duration::from_secs(30), async || {
        running.check_alive()?;
        keep_certificates(around).await
    })
    .await?;
    Ok(running)
}

/// Where clients find the service and its certificates.
///
/// # Errors
/// When no port is allotted.
pub fn describe(around: &Surroundings<'_>) -> Result<Trust> {
    let address = address(around)?;
    Ok(Trust {
        root: certificate(around, "root"),
        issuing: certificate(around, "issuing"),
        tsa: certificate(around, "tsa"),
        tsa_url: format!("{address}/wathiq/tsa/tsa"),
        ocsp_url: format!("{address}/wathiq/ocsp/issuing"),
        crl_url: format!("{address}/wathiq/crls/issuing/latest.crl"),
    })
}

/// Where a certificate is kept in PEM.
pub fn certificate(around: &Surroundings<'_>, label: &str) -> PathBuf {
    folder(around).join(format!("{label}.pem"))
}

fn folder(around: &Surroundings<'_>) -> PathBuf {
    around.layout.data().join("trust")
}

fn address(around: &Surroundings<'_>) -> Result<String> {
    Ok(format!("http://127.0.0.1:{}", around.ports.get("trust")?))
}

async fn run(around: &Surroundings<'_>, configuration: &std::path::Path, address: &str) -> Result<Running> {
    let program = around.layout.python_program("certomancer");
    ensure!(
        program.is_file(),
        "{} is not installed: run deploy/install.sh",
        program.display()
    );
    let text = |path: PathBuf| path.display().to_string();
    let arguments = vec![
        "--config".into(),
        text(configuration.to_owned()),
        "--key-root".into(),
        text(folder(around).join("keys")),
        "--service-url-prefix".into(),
        address.to_owned(),
        "animate".into(),
        "--port".into(),
        around.ports.get("trust")?.to_string(),
    ];
    around
        .start(&around.spec("trust", program, arguments), &["trust"])
        .await
}

/// Fetches every certificate that is not kept yet.
async fn keep_certificates(around: &Surroundings<'_>) -> Result<()> {
    let address = address(around)?;
    let client = http::client()?;
    // Answers even when every certificate is kept already: the service is up.
    client
        .get(format!("{address}/wathiq/certs/root/ca.cert.pem"))
        .send()
        .await?
        .error_for_status()?;
    for label in OWN
        .into_iter()
        .chain(OFFICERS.iter().map(|officer| officer.label))
    {
        let path = certificate(around, label);
        if path.is_file() {
            continue;
        }
        let repository = if label == "root" || label == "issuing" {
            "root"
        } else {
            "issuing"
        };
        let url = if label == "root" {
            format!("{address}/wathiq/certs/root/ca.cert.pem")
        } else {
            format!("{address}/wathiq/certs/{repository}/issued/{label}.cert.pem")
        };
        let pem = client.get(&url).send().await?.error_for_status()?.text().await?;
        ensure!(
            pem.contains("BEGIN CERTIFICATE"),
            "{url} does not answer with a certificate"
        );
        secrets::write_private(&path, pem)?;
    }
    Ok(())
}

/// certomancer's configuration. It is YAML, of which JSON is a part.
fn settings(around: &Surroundings<'_>, day: NaiveDate) -> Result<Value> {
    let mut keys = Map::new();
    for name in OWN {
        keys.insert(name.into(), json!({"path": format!("{name}.pem")}));
    }
    let mut entities = json!({
        "root": {"common-name": "Wathiq demonstration root"},
        "issuing": {"common-name": "Wathiq demonstration issuing authority"},
        "ocsp": {"common-name": "Wathiq demonstration OCSP responder"},
        "tsa": {"common-name": "Wathiq demonstration time-stamping"},
    });
    let mut certificates = own_certificates(day)?;
    for officer in &OFFICERS {
        keys.insert(
            officer.label.into(),
            json!({"path": format!("{}.pem", officer.label), "public-only": true}),
        );
        entities[officer.label] =
            json!({"common-name": officer.holder, "organizational-unit-name": "Legalisation of signatures"});
        certificates[officer.label] = officer_certificate(officer, day)?;
    }
    if let Some(table) = certificates.as_object_mut() {
        for (label, specification) in table {
            let file = certificate(around, label);
            if file.is_file() {
                specification["certificate-file"] = json!(file);
            }
        }
    }
    Ok(json!({
        "external-url-prefix": address(around)?,
        "keysets": {"wathiq": {"keys": keys}},
        "pki-architectures": {"wathiq": {
            "keyset": "wathiq",
            "entity-defaults": {"country-name": "MA", "organization-name": "Wathiq demonstration"},
            "entities": entities,
            "certs": certificates,
            "services": services(),
        }},
    }))
}

fn own_certificates(day: NaiveDate) -> Result<Value> {
    let authority = |length: u8, extra: Value| {
        let mut parameters = json!({"max-path-len": length});
        if let (Some(parameters), Value::Object(extra)) = (parameters.as_object_mut(), extra) {
            parameters.extend(extra);
        }
        json!([{"id": "simple-ca", "params": parameters}])
    };
    Ok(json!({
        "root": {
            "issuer": "root",
            "validity": validity(day, -1, 3650)?,
            "profiles": authority(1, json!({"crl-repo": "root"})),
        },
        "issuing": {
            "issuer": "root",
            "validity": validity(day, -1, 3600)?,
            "profiles": authority(0, json!({})),
            "extensions": [{
                "id": "authority_information_access",
                "smart-value": {"schema": "aia-urls", "params": {"ca-issuer-links": [{"repo": "root"}]}},
            }],
        },
        "ocsp": {"issuer": "issuing", "validity": validity(day, -1, 3500)?, "profiles": ["ocsp-responder"]},
        "tsa": {
            "issuer": "issuing",
            "validity": validity(day, -1, 3500)?,
            "extensions": [
                {"id": "key_usage", "critical": true, "smart-value": {"schema": "key-usage", "params": ["digital_signature"]}},
                // RFC 3161, 2.3: the one extended usage, and critical.
                {"id": "extended_key_usage", "critical": true, "value": ["time_stamping"]},
                where_to_ask()[0], where_to_ask()[1],
            ],
        },
    }))
}

fn officer_certificate(officer: &Officer, day: NaiveDate) -> Result<Value> {
    let (from, to) = match officer.standing {
        Standing::Expired => (-760, -30),
        Standing::Valid | Standing::Revoked => (-1, 730),
    };
    let mut specification = json!({
        "issuer": "issuing",
        "validity": validity(day, from, to)?,
        "extensions": [
            {"id": "key_usage", "critical": true, "smart-value": {
                "schema": "key-usage", "params": ["digital_signature", "non_repudiation"]}},
            // What qualified certificates of natural persons carry; readers built on NSS look for it.
            {"id": "extended_key_usage", "value": ["email_protection", "client_auth"]},
            where_to_ask()[0], where_to_ask()[1],
        ],
    });
    if officer.standing == Standing::Revoked {
        // From the first moment of the first revocation list, which is as old as the authority.
        specification["revocation"] = json!({"revoked-since": instant(day, -1)?, "reason": "key_compromise"});
    }
    Ok(specification)
}

/// CRL and OCSP addresses. Certificates carry only what the configuration says.
fn where_to_ask() -> [Value; 2] {
    [
        json!({"id": "crl_distribution_points", "smart-value": {
            "schema": "crl-dist-url", "params": {"crl-repo-names": ["issuing"]}}}),
        json!({"id": "authority_information_access", "smart-value": {"schema": "aia-urls", "params": {
            "ocsp-responder-names": ["issuing"], "ca-issuer-links": [{"repo": "issuing"}]}}}),
    ]
}

fn services() -> Value {
    json!({
        "ocsp": {"issuing": {"for-issuer": "issuing", "responder-cert": "ocsp", "signing-key": "ocsp"}},
        "crl-repo": {
            "root": {"for-issuer": "root", "signing-key": "root", "simulated-update-schedule": "P30D"},
            "issuing": {"for-issuer": "issuing", "signing-key": "issuing", "simulated-update-schedule": "P30D"},
        },
        "cert-repo": {"root": {"for-issuer": "root"}, "issuing": {"for-issuer": "issuing"}},
        "time-stamping": {"tsa": {"signing-key": "tsa", "signing-cert": "tsa", "certs-to-embed": ["issuing"]}},
    })
}

fn validity(day: NaiveDate, from: i64, to: i64) -> Result<Value> {
    Ok(json!({"valid-from": instant(day, from)?, "valid-to": instant(day, to)?}))
}

fn instant(day: NaiveDate, offset: i64) -> Result<String> {
    let days = Days::new(offset.unsigned_abs());
    let moved = if offset < 0 {
        day.checked_sub_days(days)
    } else {
        day.checked_add_days(days)
    };
    Ok(format!("{}T00:00:00+0000", moved.context("date out of range")?))
}
