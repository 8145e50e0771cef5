//! Public verification, people's work and sealing do not get into each other's way.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tonic::Code;
use wathiq_chassis::CallContext;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::pdf::{LaneConfig, PdfConfig, Pool};

use crate::harness::{World, reason};
use crate::sample;

/// Children that note that they were started, and hang while they are told to.
pub(crate) struct Children {
    folder: TempDir,
}

impl Children {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "#!/bin/sh\necho $$ >> {0}/started\nif [ -e {0}/hang ]; then exec sleep 600; fi\nexec {1} \"$@\"\n",
            folder.path().display(),
            env!("CARGO_BIN_EXE_signature")
        );
        let script = folder.path().join("worker.sh");
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
        Self { folder }
    }

    /// One child a job, and one job of public verification at a time.
    pub(crate) fn pool(&self) -> Pool {
        Pool::new(PdfConfig {
            worker: Some(self.path("worker.sh")),
            jobs_per_worker: 1,
            job_seconds: 600,
            verification: LaneConfig {
                workers: 1,
                queue: 0,
                patience_seconds: 5,
            },
            ..PdfConfig::default()
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn hang(&self, hang: bool) {
        if hang {
            std::fs::write(self.path("hang"), "").unwrap();
        } else {
            std::fs::remove_file(self.path("hang")).unwrap();
        }
    }

    pub(crate) fn started(&self) -> usize {
        std::fs::read_to_string(self.path("started"))
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// Ends the child that was started last, as the kernel does.
    pub(crate) fn kill_last(&self) {
        let started = std::fs::read_to_string(self.path("started")).unwrap();
        let child = started.lines().last().unwrap();
        let status = std::process::Command::new("kill").args(["-9", child]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) async fn until_started(&self, number: usize) {
        let bound = Instant::now() + Duration::from_secs(20);
        while self.started() < number {
            assert!(Instant::now() < bound, "no child is started");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_flood_of_verifications_stops_neither_uploads_nor_seals_nor_lookups_and_says_when_to_come_again() {
    let children = Children::new();
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.pdf = children.pool();
    })
    .await;
    children.hang(true);
    let file = sample::plain(1);
    // A caller who waits as long as it takes: it holds the one place of the lane all the time.
    let patient = CallContext::new(Duration::from_secs(300), "patient");
    let refused = tokio::select! {
        hung = patient.scope(world.verify(&file)) => panic!("the first verification hangs all the time: {hung:?}"),
        refused = async {
            children.until_started(1).await;
            children.hang(false);
            let refused = world.verify(&file).await;
            let (request, ..) = world.delivered().await;
            assert_eq!(request.state(), pb::LegalisationState::Delivered);
            // Nor does it keep those waiting who look up what was issued.
            let code = request.verification_code;
            let looked_up = world.verification().verify_code(pb::VerifyCodeRequest { code }).await;
            assert_eq!(looked_up.unwrap().into_inner().indication(), pb::Indication::TotalPassed);
            refused
        } => refused,
    };
    let status = refused.as_ref().unwrap_err().clone();
    assert_eq!(
        reason(refused),
        (Code::ResourceExhausted, "PDF_WORKERS_BUSY".to_owned())
    );
    assert!(wathiq_chassis::status::retry_after(&status).is_some());
}

#[tokio::test]
async fn an_issued_file_that_many_look_up_is_opened_once() {
    let children = Children::new();
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.pdf = children.pool();
    })
    .await;
    let (request, _, file) = world.delivered().await;
    let code = || pb::VerifyCodeRequest {
        code: request.verification_code.clone(),
    };
    let first = world
        .verification()
        .verify_code(code())
        .await
        .unwrap()
        .into_inner();
    let opened = children.started();
    let again = world
        .verification()
        .verify_code(code())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    let uploaded = world.verify(&file).await.unwrap();
    assert_eq!(uploaded.signatures, again.signatures);
    assert_eq!(children.started(), opened, "the verdict was remembered");
    world.clock.advance(chrono::TimeDelta::minutes(1));
    world.verification().verify_code(code()).await.unwrap();
    assert!(
        children.started() > opened,
        "a verdict is not remembered for long"
    );
    // A file that was not issued here is opened each time.
    let mut other = file.clone();
    other.push(b'\n');
    world.verify(&other).await.unwrap();
    let opened = children.started();
    world.verify(&other).await.unwrap();
    assert!(children.started() > opened);
}
