//! The real process, killed at each gap of a seal and started again: one seal, one number, no gap.
//!
//! What the officer's call does stands in a world of this test; the process takes the seal on from there, as its job does after
//! a crash. At each gap it is held by something it waits for, a worker, a row, the authority, and killed there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use wathiq_chassis::testing::Pki;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::pdf::{PdfConfig, Pool};

use crate::harness::{Person, Stack, World};
use crate::officers::Token;
use crate::seal_interrupted::without_time_stamps;
use crate::tools;

const BINARY: &str = env!("CARGO_BIN_EXE_signature");
/// Starting, and any one step, takes a fraction of it.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// Processes of the service on the database and files of a world.
pub(crate) struct Service<'w> {
    world: &'w World,
    folder: TempDir,
    pki: Pki,
    pub(crate) timestamp_url: String,
}

/// A process that ends with the test at the latest.
pub(crate) struct Running(Child);

impl Running {
    /// SIGKILL: nothing is tidied up.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.try_wait().ok().flatten().is_none() {
            self.0.kill().expect("a running child can be killed");
            self.0.wait().expect("a killed child ends");
        }
    }
}

impl<'w> Service<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            folder: tempfile::tempdir().unwrap(),
            pki: Pki::new(),
            timestamp_url: Stack::get().text("/trust/tsa_url").to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A worker that says that it was started, and begins when the gate is open.
    fn gated_worker(&self) -> PathBuf {
        let text = format!(
            "echo $$ >> {0}/started\nwhile [ ! -e {0}/open ]; do /bin/sleep 0.05; done\nexec {BINARY} \"$@\"\n",
            self.folder.path().display()
        );
        script(&self.path("worker.sh"), &text)
    }

    fn open_gate(&self) {
        std::fs::write(self.path("open"), "").unwrap();
    }

    fn close_gate(&self) {
        for name in ["open", "started"] {
            let _ = std::fs::remove_file(self.path(name));
        }
    }

    pub(crate) fn start(&self) -> Running {
        let stack = Stack::get();
        let process = self.pki.process("signature");
        let tls =
            json!({ "ca": process.tls.ca, "certificate": process.tls.certificate, "key": process.tls.key });
        let database = &self.world.database.config;
        let settings = json!({
            "process": { "name": "signature", "listen": "127.0.0.1:0", "operations_listen": "127.0.0.1:0",
                         "trust_domain": process.trust_domain, "tls": tls },
            "database": { "url": database.url, "password_file": stack.text("/postgres/roles/wathiq_signature_app") },
            // Nobody listens on the discard port: these wait, the seal does not.
            "kafka": { "brokers": "127.0.0.1:9", "ca": process.tls.ca, "certificate": process.tls.certificate,
                       "key": process.tls.key },
            "upstream": { "identity": { "addresses": ["127.0.0.1:9"], "server_name": "identity" } },
            "storage": { "url": format!("file://{}", self.objects().display()) },
            "pdf": { "worker": self.gated_worker(), "jobs_per_worker": 1 },
            "keys": stack.keys(),
            "timestamp": { "url": self.timestamp_url },
            "trust": stack.trust(),
            "seal": { "public_url": "https://wathiq.test" },
        });
        let path = self.path("signature.toml");
        std::fs::write(&path, toml::to_string(&settings).unwrap()).unwrap();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let child = Command::new(BINARY)
            .args(["--config", path.to_str().unwrap(), "serve"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn();
        Running(child.unwrap())
    }

    fn objects(&self) -> PathBuf {
        self.world.folder.path().join("objects")
    }

    async fn until(&self, what: &str, reached: impl AsyncFn() -> bool) {
        let bound = Instant::now() + BOUND;
        while !reached().await {
            let log = || std::fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(Instant::now() < bound, "{what} is not reached: {}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_worker_started(&self) {
        self.until("a worker", async || self.path("started").exists())
            .await;
    }

    pub(crate) async fn until_stored(&self, folder: &str) {
        let folder = self.objects().join(folder);
        self.until("a stored file", async || holds_file(&folder)).await;
    }

    pub(crate) async fn until_state(&self, sql: &'static str) {
        let reached = async || self.world.count(sql).await == 1;
        self.until(sql, reached).await;
    }

    /// The lease that the killed process held runs out.
    pub(crate) async fn lease_runs_out(&self) {
        for table in ["seal_file", "issued_document"] {
            let sql = format!(
                "UPDATE {table} SET next_attempt_at = now() - interval '1 second' WHERE next_attempt_at IS NOT NULL"
            );
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut self.world.database.connect().await)
                .await
                .unwrap();
        }
    }

    /// Another process takes the seal to its end.
    async fn assert_sealed(&self, citizen: Person, id: &str) {
        self.open_gate();
        self.lease_runs_out().await;
        let _running = self.start();
        self.until_state("SELECT count(*) FROM seal_intent WHERE state = 'SEALED'")
            .await;
        self.world.assert_sealed_once().await;
        assert_eq!(
            self.world
                .count("SELECT count(*) FROM register_entry WHERE number = 1 AND state = 'SEALED'")
                .await,
            1
        );
        let request = self.world.try_get(citizen, id).await.unwrap();
        assert_eq!(request.state(), pb::LegalisationState::Delivered);
        let file = self
            .world
            .download(citizen, id, pb::SealedFileKind::Document)
            .await;
        tools::check_sealed(&file).await;
    }
}

fn script(path: &Path, text: &str) -> PathBuf {
    // A file that is being executed is not written again.
    if !path.exists() {
        std::fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    }
    path.to_owned()
}

fn holds_file(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            holds_file(&path)
        } else {
            path.extension().is_some_and(|extension| extension == "pdf")
        }
    })
}

/// Holds rows until it is dropped.
pub(crate) async fn holding(world: &World, sql: &'static str) -> PgConnection {
    let mut conn = world.database.connect().await;
    for sql in ["BEGIN", sql] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    }
    conn
}

/// Killed before the file is prepared, between the prepared file and its row, and after the digest stands.
#[tokio::test]
async fn killed_while_preparing() {
    let folder = tempfile::tempdir().unwrap();
    let breakable = script(
        &folder.path().join("worker.sh"),
        &format!(
            "if [ -e {}/broken ]; then exit 1; fi\nexec {BINARY} \"$@\"\n",
            folder.path().display()
        ),
    );
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.pdf = Pool::new(PdfConfig {
            worker: Some(breakable),
            jobs_per_worker: 1,
            ..PdfConfig::default()
        });
    })
    .await;
    let service = Service::new(&world);
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    std::fs::write(folder.path().join("broken"), "").unwrap();
    let frozen = world
        .authorised(officer, std::slice::from_ref(&id))
        .await
        .remove(0);
    std::fs::remove_file(folder.path().join("broken")).unwrap();
    assert_eq!(
        (frozen.progress_code.as_str(), frozen.digests.len()),
        ("PREPARING", 0)
    );
    service.lease_runs_out().await;

    let first = service.start();
    service.until_worker_started().await;
    first.kill();
    assert_eq!(
        world
            .count("SELECT count(*) FROM seal_file WHERE phase = 'FROZEN'")
            .await,
        1
    );

    service.close_gate();
    service.lease_runs_out().await;
    let second = service.start();
    service.until_worker_started().await;
    let held = holding(&world, "SELECT FROM seal_file FOR UPDATE").await;
    service.open_gate();
    service.until_stored("prepared").await;
    second.kill();
    held.close().await.unwrap();
    assert_eq!(
        world
            .count("SELECT count(*) FROM seal_file WHERE phase = 'FROZEN'")
            .await,
        1
    );

    service.lease_runs_out().await;
    let third = service.start();
    service
        .until_state("SELECT count(*) FROM seal_file WHERE phase = 'PREPARED'")
        .await;
    third.kill();
    let intents = world.intents(officer).await;
    assert_eq!(intents[0].register_entry, frozen.register_entry);
    // The service's own clock went on all this time, and the authority's.
    world.clock.set(wathiq_chassis::Ambient::system().now());
    let act = world.sealing(officer, &intents, &token.pin);
    let sealed = world.try_seal(officer, act).await.unwrap();
    assert_eq!(
        sealed.legalisation_requests[0].state(),
        pb::LegalisationState::Delivered
    );
    world.assert_sealed_once().await;
    let file = world.download(citizen, &id, pb::SealedFileKind::Document).await;
    tools::check_sealed(&file).await;
}

/// Killed while the authority is asked, while the finished bytes are judged, and between the sealed file and its row.
#[tokio::test]
async fn killed_while_finishing() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    world.signed(officer, &id, &token).await;
    let mut service = Service::new(&world);

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answering = std::mem::replace(
        &mut service.timestamp_url,
        format!("http://{}/", silent.local_addr().unwrap()),
    );
    service.lease_runs_out().await;
    let first = service.start();
    let asked = tokio::time::timeout(BOUND, silent.accept()).await;
    asked.expect("the authority is asked").unwrap();
    first.kill();
    service.timestamp_url = answering;
    assert_eq!(
        world
            .count("SELECT count(*) FROM seal_file WHERE phase = 'SIGNED'")
            .await,
        1
    );

    service.lease_runs_out().await;
    let second = service.start();
    service.until_worker_started().await;
    second.kill();
    assert_eq!(world.count("SELECT count(*) FROM sealed_revision").await, 0);

    service.close_gate();
    service.lease_runs_out().await;
    let third = service.start();
    service.until_worker_started().await;
    let held = holding(&world, "SELECT FROM legalisation_request FOR UPDATE").await;
    service.open_gate();
    service.until_stored("sealed").await;
    third.kill();
    held.close().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM sealed_revision").await, 0);

    service.assert_sealed(citizen, &id).await;
}

/// Two processes that look at the same moment: one seal all the same.
#[tokio::test]
async fn two_processes_at_once_give_one_seal() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    world.signed(officer, &id, &token).await;
    let service = Service::new(&world);
    service.lease_runs_out().await;
    let first = service.start();
    service.until_worker_started().await;
    // The first is held while it judges what it has made; its lease runs out, and the second begins.
    std::fs::remove_file(service.path("started")).unwrap();
    service.lease_runs_out().await;
    let second = service.start();
    service.until_worker_started().await;
    service.open_gate();
    service
        .until_state("SELECT count(*) FROM seal_intent WHERE state = 'SEALED'")
        .await;
    world.assert_sealed_once().await;
    drop((first, second));
    let file = world.download(citizen, &id, pb::SealedFileKind::Document).await;
    tools::check_sealed(&file).await;
}
