//! When something that the platform needs is down: whoever waits is told, nothing is lost, and it goes on by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::account::confirm;
use wathiq_local::journey::api::{new_key, text};
use wathiq_local::journey::{CONTRACT, legalisation, pen, people};
use wathiq_local::link::Flow;
use wathiq_local::stack::Options;
use wathiq_local::wait;

use crate::calls::{call, get, keyed, said};
use crate::stage::{self, Stage};

const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_down_is_said_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("module.so");
    let mut environment = stage::without_limits();
    environment.push((
        "signature",
        "WATHIQ__KEYS__MODULE".into(),
        module.display().to_string(),
    ));
    // The module is not there yet when the officer's key is registered: that does not need it.
    let mut stage = stage::open(Options {
        environment,
        ..Options::default()
    })
    .await
    .unwrap();

    the_database(&stage).await;
    kafka(&mut stage).await;
    the_mail_server(&mut stage).await;
    the_keys_and_the_disk(&mut stage, &module).await;
}

async fn the_database(stage: &Stage) {
    let id = stage.draft().await.unwrap();
    let api = &stage.cast.citizen_session;
    let path = format!("/v1/legalisation-requests/{id}");
    let before = stage.request(&id).await.unwrap();
    let placement = json!({
        "page_number": 1, "rectangle": {"x": 330.0, "y": 608.0, "width": 190.0, "height": 62.0},
        "drawn": pen::drawn(&pen::signature(0.3)),
    });
    let (place, key) = (format!("{path}/placement"), new_key());

    stage.stack.links.postgres.set(Flow::Cut);
    // Each time: what a pool still holds and what it opens anew break in different ways.
    for _ in 0..8 {
        let read = get(api, &path).await;
        let placed = keyed(api, Method::PUT, &place, &key, Some(&placement)).await;
        for answer in [read, placed] {
            let logs = || stage::with_logs(anyhow::anyhow!("{}", answer.body), &stage.stack);
            assert_eq!(answer.said(), "503 DATABASE_UNAVAILABLE", "{:#}", logs());
        }
    }
    let file = legalisation::upload(api, "contract.pdf", CONTRACT.to_vec()).await;
    assert_eq!(said(file), "503 DATABASE_UNAVAILABLE");
    let sign_in =
        json!({"login": stage.cast.citizen.email, "password": "x", "surface": "citizen", "cookie": false});
    let answer = call(&stage.cast.anyone, Method::POST, "/v1/sessions", Some(&sign_in)).await;
    assert_eq!(answer.said(), "503 DATABASE_UNAVAILABLE");
    not_ready(stage, "signature").await;

    stage.stack.links.postgres.set(Flow::Open);
    wait::until("the database again", BOUND, async || {
        let request = stage.request(&id).await?;
        ensure!(request == before, "the request has changed: {request}");
        Ok(())
    })
    .await
    .unwrap();
    // The same call again, under its key, is done now, and only once.
    let placed = keyed(api, Method::PUT, &place, &key, Some(&placement)).await;
    assert_eq!(placed.said(), "200");
    assert_eq!(
        keyed(api, Method::PUT, &place, &key, Some(&placement)).await,
        placed
    );
    assert_eq!(stage.request(&id).await.unwrap(), placed.body);
}

async fn not_ready(stage: &Stage, process: &str) {
    let url = format!("{}/readyz", stage.stack.operations(process).unwrap());
    wait::until("the probe", BOUND, async || {
        let status = reqwest::get(&url).await?.status();
        ensure!(status == 503, "{process} still says {status}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn kafka(stage: &mut Stage) {
    stage.stack.stop("kafka").await.unwrap();
    // The authenticator needs no message: confirming and submitting go on.
    let id = stage.submitted().await.unwrap();
    assert_eq!(stage.request(&id).await.unwrap()["state"], "submitted");
    // Whoever waits for a code is told that it waits.
    let person = people::citizen();
    let name = |[given, family]: [&str; 2]| json!({"given": given, "family": family});
    let body = json!({
        "name_latin": name(person.name_latin), "name_arabic": name(person.name_arabic), "birth_date": person.birth_date,
        "identity_document": {"kind": "cin", "number": person.cin}, "email": person.email, "phone": person.phone,
        "language": "fr", "password": person.password,
    });
    let opened = stage.cast.anyone.post("/v1/sign-ups", &body).await.unwrap();
    let delivery = text(&opened, "/deliveries/0/delivery_id").unwrap();
    let path = format!("/v1/code-deliveries/{delivery}");
    assert_eq!(stage.cast.anyone.get(&path).await.unwrap()["state"], "waiting");

    stage.stack.restart("kafka").await.unwrap();
    // What was written in the meantime goes out now: the code and the receipt.
    let code = stage.cast.inbox.mailed_code(&person.email, None).await;
    let code = code
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();
    let proofs = format!(
        "/v1/sign-ups/{}/contact-proofs",
        text(&opened, "/sign_up_id").unwrap()
    );
    let body = json!({"channel": "email", "code": code});
    assert_eq!(
        call(&stage.cast.anyone, Method::POST, &proofs, Some(&body))
            .await
            .said(),
        "200"
    );
    assert_eq!(stage.cast.anyone.get(&path).await.unwrap()["state"], "taken");
    receipt(stage, &id).await.unwrap();
}

/// The mail that says that a request was submitted.
async fn receipt(stage: &Stage, id: &str) -> Result<Value> {
    let request = stage.request(id).await?;
    stage
        .cast
        .inbox
        .mail_with(&stage.cast.citizen.email, text(&request, "/receipt/number")?)
        .await
}

async fn the_mail_server(stage: &mut Stage) {
    stage.stack.links.smtp.set(Flow::Cut);
    let id = stage.submitted().await.unwrap();
    let head = stage.administrator().await.unwrap();
    let path = format!("/v1/messages?aggregate_id={id}");
    wait::until("an attempt", BOUND, async || {
        let messages = head.get(&path).await?;
        ensure!(
            messages["items"][0]["attempts"].as_i64() > Some(0),
            "not tried yet: {messages}"
        );
        ensure!(messages["items"][0]["state"] == "queued", "{messages}");
        Ok(())
    })
    .await
    .unwrap();
    stage.stack.links.smtp.set(Flow::Open);
    receipt(stage, &id).await.unwrap();
    let messages = head.get(&path).await.unwrap();
    assert_eq!(
        messages["items"].as_array().map(Vec::len),
        Some(1),
        "one message: {messages}"
    );
}

async fn the_keys_and_the_disk(stage: &mut Stage, module: &Path) {
    let id = stage.accepted().await.unwrap();
    let intents = legalisation::authorise(&stage.cast.officer_session, &[&id])
        .await
        .unwrap();
    stage.codes_again().await.unwrap();
    let cast = &mut stage.cast;
    let digests = intents[0]["digests"].as_array().unwrap().clone();
    let confirmation = confirm(&cast.officer_session, &mut cast.office.officer, "seal", &digests)
        .await
        .unwrap();
    let act = json!({
        "intent_ids": [intents[0]["intent_id"]], "confirmation_id": confirmation, "pin": cast.officer_pin,
    });
    let (key, officer) = (new_key(), cast.officer_session.clone());
    let seal = async || keyed(&officer, Method::POST, "/v1/office/seals", &key, Some(&act)).await;

    // No way to the key: nothing is signed, the act can be repeated with the same confirmation.
    assert_eq!(seal().await.said(), "503 KEY_UNAVAILABLE");
    assert_eq!(stage.request(&id).await.unwrap()["state"], "awaiting_signature");
    std::os::unix::fs::symlink(&stage.stack.description.softhsm.module, module).unwrap();

    // No room for the sealed file, nor for an upload: the one waits, the other is refused.
    let objects = objects(stage);
    let full = [
        FullDisk::at(&objects.join("sealed")),
        FullDisk::at(&objects.join("documents")),
    ];
    let answer = seal().await;
    assert_eq!(answer.said(), "200");
    assert_eq!(
        answer.body["legalisation_requests"][0]["state"],
        "awaiting_signature"
    );
    let file = legalisation::upload(&stage.cast.citizen_session, "contract.pdf", CONTRACT.to_vec()).await;
    assert_eq!(said(file), "503 STORAGE_FULL");
    drop(full);
    wait::until("the seal", BOUND, async || {
        let request = stage.request(&id).await?;
        ensure!(request["state"] == "delivered", "still {}", request["state"]);
        Ok(())
    })
    .await
    .map_err(|error| stage::with_logs(error, &stage.stack))
    .unwrap();
    let document = legalisation::download(&stage.cast.citizen_session, &id, "document")
        .await
        .unwrap();
    let verified = legalisation::verify(&stage.cast.anyone, document).await.unwrap();
    assert_eq!(verified["issued"], "as_issued");
    assert_eq!(stage.register().await.unwrap().len(), 1);
    legalisation::upload(&stage.cast.citizen_session, "contract.pdf", CONTRACT.to_vec())
        .await
        .unwrap();
}

/// Where the signature service keeps its files.
fn objects(stage: &Stage) -> PathBuf {
    let settings = std::fs::read_to_string(stage.stack.configuration("signature")).unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    let url = settings["storage"]["url"].as_str().unwrap();
    PathBuf::from(url.strip_prefix("file://").unwrap())
}

/// A file system without room at a folder, until it is dropped.
struct FullDisk(PathBuf);

impl FullDisk {
    fn at(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.display().to_string();
        assert!(
            as_root("mount", &["-t", "tmpfs", "-o", "size=4k", "tmpfs", &path]),
            "cannot mount at {path}"
        );
        std::fs::write(folder.join("filler"), vec![0; 4096]).unwrap();
        Self(folder.to_owned())
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        as_root("umount", &["-l", &self.0.display().to_string()]);
    }
}

/// Mounting is for root; others have sudo, which installing the stack has asked for already.
fn as_root(program: &str, arguments: &[&str]) -> bool {
    let direct = Command::new(program).args(arguments).status();
    if direct.is_ok_and(|status| status.success()) {
        return true;
    }
    let by_sudo = Command::new("sudo")
        .args(["-n", program])
        .args(arguments)
        .status();
    by_sudo.is_ok_and(|status| status.success())
}
