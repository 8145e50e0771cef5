//! The child processes that open files: what they answer, their limits, and what becomes of them.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::DateTime;
use wathiq_signature::domain::recipe::{DrawnMark, Field, Page, Recipe, ViewRectangle};
use wathiq_signature::pdf::{
    Digested, Inspection, Lane, Limit, Overlay, PdfConfig, PdfError, Pool, RenderJob, SealPolicy,
    TrustMaterial, current_template_version,
};

use crate::harness::Stack;
use crate::sample;

fn config() -> PdfConfig {
    PdfConfig {
        worker: Some(PathBuf::from(env!("CARGO_BIN_EXE_signature"))),
        ..PdfConfig::default()
    }
}

fn pool() -> Pool {
    Pool::new(config())
}

/// The recipe of a plain document with a drawn signature and its legalisation page.
fn recipe() -> Recipe {
    let example = include_str!("../../templates/legalisation-page.example.json");
    Recipe {
        mark: Some(DrawnMark {
            page_index: 0,
            rectangle: rectangle(),
            strokes: zigzag(),
        }),
        page: Some(Page {
            template: current_template_version(),
            data: serde_json::from_str(example).unwrap(),
            qr_text: "https://verification.example.ma/v/K7QP-3M9T-XW4R".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            identifier: "urn:uuid:00000000-0000-7000-8000-000000000001".to_owned(),
        }),
        field: Field::Invisible {
            name: "Wathiq_K7QP3M9TXW4R".to_owned(),
        },
        signing_time: DateTime::parse_from_rfc3339("2026-11-22T10:15:00+01:00").unwrap(),
        reason: "Légalisation de signature n° 17/2026".to_owned(),
        location: "Annexe".to_owned(),
        signer_name: "Rachid Amrani".to_owned(),
        id_seed: [7; 16],
        contents_capacity: 16 * 1024,
    }
}

/// Where the sample's frame is, as displayed.
fn rectangle() -> ViewRectangle {
    ViewRectangle {
        x: 100.0,
        y: 682.0,
        width: 200.0,
        height: 60.0,
    }
}

fn zigzag() -> Vec<Vec<[f32; 2]>> {
    vec![vec![[0.1, 0.8], [0.3, 0.2], [0.5, 0.8], [0.7, 0.2], [0.9, 0.8]]]
}

#[tokio::test]
async fn a_plain_file_is_accepted_with_its_pages_as_displayed() {
    let Inspection::Accepted(accepted) = pool().inspect(sample::plain(3).into()).await.unwrap() else {
        panic!("a plain file is accepted");
    };
    assert_eq!(accepted.pages.len(), 3);
    assert_eq!(
        (accepted.pages[2].width, accepted.pages[2].height),
        (595.0, 842.0)
    );
    assert_eq!(accepted.policy, SealPolicy::Unsigned);
}

#[tokio::test]
async fn what_is_no_pdf_is_refused_with_its_reason() {
    let inspection = pool()
        .inspect(Bytes::from_static(b"PK\x03\x04 a word processor's file"))
        .await
        .unwrap();
    assert!(
        matches!(&inspection, Inspection::Refused(refusal) if refusal.reason == "NOT_A_PDF"),
        "{inspection:?}"
    );
}

#[tokio::test]
async fn preparing_again_gives_the_same_bytes_in_another_process() {
    let file = Bytes::from(sample::plain(2));
    let (first, bytes) = pool().prepare(file.clone(), &recipe()).await.unwrap();
    let (second, again) = pool().prepare(file, &recipe()).await.unwrap();
    assert_eq!(first, second);
    assert!(bytes == again, "the same recipe gives the same bytes");
    let (other, _) = pool().prepare(sample::plain(3).into(), &recipe()).await.unwrap();
    assert_ne!(first.digest, other.digest);
}

#[tokio::test]
async fn every_part_of_the_recipe_decides_the_digest() {
    let pool = pool();
    let file = Bytes::from(sample::plain(1));
    let mut seen = HashSet::new();
    seen.insert(pool.prepare(file.clone(), &recipe()).await.unwrap().0.digest);
    let changes: [fn(&mut Recipe); 6] = [
        |recipe| recipe.mark.as_mut().unwrap().strokes[0][0] = [0.2, 0.2],
        |recipe| recipe.page.as_mut().unwrap().data["register"]["number"] = 18.into(),
        |recipe| {
            recipe.field = Field::Invisible {
                name: "Wathiq_000000000000".to_owned(),
            }
        },
        |recipe| recipe.signing_time += chrono::TimeDelta::seconds(1),
        |recipe| recipe.reason.push('.'),
        |recipe| recipe.id_seed = [8; 16],
    ];
    for change in changes {
        let mut changed = recipe();
        change(&mut changed);
        assert!(seen.insert(pool.prepare(file.clone(), &changed).await.unwrap().0.digest));
    }
}

/// Many authorities with many lists are no reason for a verification to fail.
#[tokio::test]
async fn a_file_is_verified_with_much_trust_material() {
    let root = std::fs::read_to_string(Stack::get().text("/trust/root")).unwrap();
    let anchor = wathiq_signature::trust::certificates_of_pem(&root)
        .unwrap()
        .remove(0);
    let hundred = |der: Vec<u8>| vec![Digested::of(der.into()); 100];
    let trust = TrustMaterial {
        at: wathiq_chassis::Ambient::system().now(),
        max_age: chrono::TimeDelta::zero(),
        anchors: hundred(anchor),
        crls: hundred(b"no list".to_vec()),
        ocsp_responses: hundred(b"no answer".to_vec()),
    };
    let verdict = pool()
        .verify(Lane::Verification, sample::plain(1).into(), &trust)
        .await
        .unwrap();
    assert!(verdict.signatures.is_empty());
}

/// Every way that identity has, or will have, to prove a person is printed.
#[tokio::test]
async fn the_page_has_a_text_for_every_method() {
    use wathiq_proto::wathiq::identity::v1::ProofMethod;
    let pool = pool();
    let known = (1..).map_while(|number| ProofMethod::try_from(number).ok());
    let mut methods: Vec<&str> = known
        .map(|method| method.as_str_name().trim_start_matches("PROOF_METHOD_"))
        .collect();
    assert!(methods.contains(&"BOOTSTRAP"));
    methods.push("NOT_INVENTED_YET");
    let mut digests = HashSet::new();
    for method in &methods {
        let mut recipe = recipe();
        recipe.page.as_mut().unwrap().data["specimen"]["proof"]["method"] = (*method).into();
        let (prepared, _) = pool.prepare(sample::plain(1).into(), &recipe).await.unwrap();
        assert!(digests.insert(prepared.digest), "{method} has a text of its own");
    }
    let mut recipe = recipe();
    recipe.page.as_mut().unwrap().data["confirmation"]["method"] = "PASSKEY".into();
    pool.prepare(sample::plain(1).into(), &recipe).await.unwrap();
}

#[tokio::test]
async fn a_template_that_is_gone_is_told_apart() {
    let mut recipe = recipe();
    recipe.page.as_mut().unwrap().template = "0000000000000000".to_owned();
    let refused = pool()
        .prepare(sample::plain(1).into(), &recipe)
        .await
        .map(|(prepared, _)| prepared);
    assert!(matches!(refused, Err(PdfError::Impossible(_))), "{refused:?}");
}

#[tokio::test]
async fn the_overlay_changes_its_region_and_nothing_else() {
    let pool = pool();
    let file = Bytes::from(sample::plain(1));
    let job = |overlay: Option<Overlay>| RenderJob {
        page_index: 0,
        region: None,
        width_pixels: 595,
        overlay,
    };
    let overlay = Overlay {
        rectangle: rectangle(),
        strokes: zigzag(),
    };
    let bare = pixels(&pool.render(file.clone(), job(None)).await.unwrap());
    let drawn = pixels(&pool.render(file, job(Some(overlay))).await.unwrap());
    assert_eq!(bare.dimensions(), (595, 842));
    let changed: Vec<(u32, u32)> = bare
        .enumerate_pixels()
        .filter(|(x, y, pixel)| drawn.get_pixel(*x, *y) != *pixel)
        .map(|(x, y, _)| (x, y))
        .collect();
    assert!(
        changed.len() > 100,
        "the strokes are seen: {} pixels",
        changed.len()
    );
    assert!(
        changed
            .iter()
            .all(|(x, y)| (98..=302).contains(x) && (680..=744).contains(y)),
        "only where they stand"
    );
}

#[tokio::test]
async fn a_region_is_cut_out_at_the_width_asked_for() {
    let job = RenderJob {
        page_index: 0,
        region: Some(rectangle()),
        width_pixels: 800,
        overlay: None,
    };
    let picture = pixels(&pool().render(sample::plain(1).into(), job).await.unwrap());
    assert_eq!(picture.width(), 800);
    assert!((238..=242).contains(&picture.height()), "{}", picture.height());
}

#[tokio::test]
async fn pages_and_regions_outside_the_file_are_refused() {
    let outside = ViewRectangle {
        x: 500.0,
        ..rectangle()
    };
    let jobs = [(1, None), (0, Some(outside))];
    for (page_index, region) in jobs {
        let job = RenderJob {
            page_index,
            region,
            width_pixels: 100,
            overlay: None,
        };
        let refused = pool()
            .render(sample::plain(1).into(), job)
            .await
            .map(|picture| picture.len());
        assert!(matches!(refused, Err(PdfError::PageOutOfRange)), "{refused:?}");
    }
}

fn pixels(png: &[u8]) -> image::RgbImage {
    image::load_from_memory_with_format(png, image::ImageFormat::Png)
        .unwrap()
        .to_rgb8()
}

/// Content that keeps a renderer busy far longer than a second.
fn endless() -> Bytes {
    let line = "q 0.1 0 0 0.1 0 0 cm 0 0 5950 8420 re W n 0 0 5950 8420 re f Q\n";
    sample::with_content(1, &line.repeat(100_000)).into()
}

fn whole_page(width_pixels: u32) -> RenderJob {
    RenderJob {
        page_index: 0,
        region: None,
        width_pixels,
        overlay: None,
    }
}

#[tokio::test]
async fn a_job_that_takes_too_long_on_the_wall_clock_is_ended() {
    let pool = Pool::new(PdfConfig {
        job_seconds: 1,
        ..config()
    });
    let started = Instant::now();
    let refused = pool
        .render(endless(), whole_page(2_000))
        .await
        .map(|picture| picture.len());
    assert!(
        matches!(
            refused,
            Err(PdfError::TooComplex {
                limit: Limit::WallClock
            })
        ),
        "{refused:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_job_that_takes_too_much_cpu_is_ended() {
    let pool = Pool::new(PdfConfig {
        cpu_seconds: 1,
        ..config()
    });
    let refused = pool
        .render(endless(), whole_page(2_000))
        .await
        .map(|picture| picture.len());
    assert!(
        matches!(
            refused,
            Err(PdfError::TooComplex {
                limit: Limit::CpuTime
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_job_that_takes_too_much_memory_is_ended() {
    // Small on the wire and within the rules of intake, but its picture needs far more than it is given.
    let pool = Pool::new(PdfConfig {
        memory_mib: 500,
        ..config()
    });
    let file = Bytes::from(sample::with_image(16_000, 15_000));
    assert!(file.len() < 1024 * 1024);
    assert!(matches!(
        pool.inspect(file.clone()).await,
        Ok(Inspection::Accepted(_))
    ));
    let refused = pool
        .render(file, whole_page(595))
        .await
        .map(|picture| picture.len());
    assert!(
        matches!(refused, Err(PdfError::TooComplex { limit: Limit::Memory })),
        "{refused:?}"
    );
}

/// A pool, of one child at a time for people's work, that notes each child's process id in a file.
struct Watched {
    pool: Pool,
    folder: tempfile::TempDir,
}

impl Watched {
    fn new(config: PdfConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("worker.sh");
        let (note, binary) = (folder.path().join("pids"), env!("CARGO_BIN_EXE_signature"));
        let text = format!("#!/bin/sh\necho $$ >> {}\nexec {binary} \"$@\"\n", note.display());
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
        let pool = Pool::new(PdfConfig {
            worker: Some(script),
            ..config
        });
        Self { pool, folder }
    }

    async fn job(&self) {
        self.pool.inspect(sample::plain(1).into()).await.unwrap();
    }

    /// The children started so far, in order.
    fn children(&self) -> Vec<u32> {
        let noted = std::fs::read_to_string(self.folder.path().join("pids")).unwrap_or_default();
        noted.lines().map(|line| line.parse().unwrap()).collect()
    }

    async fn until_gone(&self, child: u32) {
        let bound = Instant::now() + Duration::from_secs(20);
        // A child that has ended and not been waited for is a zombie: its command line is empty.
        while std::fs::read(format!("/proc/{child}/cmdline")).is_ok_and(|line| !line.is_empty()) {
            assert!(Instant::now() < bound, "the child does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn no_child_is_started_before_there_is_work_and_one_does_several_jobs() {
    let watched = Watched::new(PdfConfig {
        jobs_per_worker: 3,
        ..config()
    });
    assert!(watched.children().is_empty());
    for expected in [1, 1, 1, 2] {
        watched.job().await;
        assert_eq!(
            watched.children().len(),
            expected,
            "a child ends after three jobs"
        );
    }
}

#[tokio::test]
async fn an_idle_child_ends() {
    let watched = Watched::new(PdfConfig {
        idle_seconds: 1,
        ..config()
    });
    watched.job().await;
    watched.until_gone(watched.children()[0]).await;
    watched.job().await;
    assert_eq!(watched.children().len(), 2);
}

#[tokio::test]
async fn a_child_killed_from_outside_costs_no_job() {
    let watched = Watched::new(config());
    watched.job().await;
    let killed = watched.children()[0];
    let status = std::process::Command::new("kill")
        .args(["-9", &killed.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    watched.until_gone(killed).await;
    watched.job().await;
    assert_eq!(watched.children().len(), 2);
}

#[tokio::test]
async fn a_caller_who_gives_up_takes_the_child_along() {
    let watched = Watched::new(config());
    let started = async {
        let bound = Instant::now() + Duration::from_secs(20);
        while watched.children().is_empty() {
            assert!(Instant::now() < bound, "no child is started");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // Dropped here: this caller waits no longer.
    tokio::select! {
        ended = watched.pool.render(endless(), whole_page(2_000)) => panic!("{ended:?}"),
        () = started => {}
    }
    watched.until_gone(watched.children()[0]).await;
}
