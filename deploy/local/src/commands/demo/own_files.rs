//! A person's own files: each becomes a folder with the legalised document, or with the refusal.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::demo::Demo;
use crate::description::Description;
use crate::journey::api::{Api, Refused};
use crate::journey::record::Recorder;
use crate::journey::{Cast, legalisation, write_json};

/// Files that the officer seals at once.
const BATCH: usize = 10;

/// What a file's folder may hold.
const RESULTS: [&str; 4] = [
    "legalised.pdf",
    "legalisation-page.pdf",
    "verification.json",
    "refusal.json",
];

/// Where the demonstration runs and its results go.
pub(super) struct Desk<'d> {
    pub(super) demo: &'d Demo,
    pub(super) description: &'d Description,
    pub(super) folder: &'d Path,
}

/// A file whose request the agent has accepted.
struct Accepted<'f> {
    file: &'f Path,
    own: PathBuf,
    citizen: Api,
    request_id: String,
    review: Value,
}

/// What became of a file that the platform did not legalise.
enum Outcome {
    /// The reason and the sentence for people.
    Refused(String),
    Failed(anyhow::Error),
}

/// Legalises each file, or keeps the refusal, with one printed line a file.
///
/// # Errors
/// When a file was neither legalised nor refused; the others are done nevertheless.
pub(super) async fn legalise(desk: &Desk<'_>, cast: &mut Cast, files: &[PathBuf]) -> Result<()> {
    cast.settle_in("en");
    let mut failed = 0;
    let mut names = HashSet::new();
    for group in files.chunks(BATCH) {
        let mut accepted = Vec::new();
        for file in group {
            let brought = match own_folder(desk.folder, file, &mut names) {
                Ok(own) => bring_in(cast, file, own).await,
                Err(error) => Err(Outcome::Failed(error)),
            };
            match brought {
                Ok(one) => accepted.push(one),
                Err(outcome) => failed += usize::from(!told(file, Err(outcome))),
            }
        }
        failed += finish(desk, cast, accepted).await;
    }
    if failed > 0 {
        bail!(
            "{failed} of {} files were neither legalised nor refused",
            files.len()
        );
    }
    Ok(())
}

/// What the platform says of the file, at intake or later, is its refusal; all else is a failure of ours.
async fn bring_in<'f>(cast: &mut Cast, file: &'f Path, own: PathBuf) -> Result<Accepted<'f>, Outcome> {
    let bytes = std::fs::read(file)
        .context("cannot be read")
        .map_err(Outcome::Failed)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut recorder = silent();
    cast.take_turns().await.map_err(Outcome::Failed)?;
    let document = legalisation::upload(&cast.citizen_session, &name, bytes)
        .await
        .map_err(|error| judged(&own, error, refused_at_intake))?;
    let (request_id, review) = cast
        .bring(&document, None, &mut recorder)
        .await
        .map_err(|error| judged(&own, error, speaks_of_the_file))?;
    let citizen = cast.citizen_session.clone();
    Ok(Accepted {
        file,
        own,
        citizen,
        request_id,
        review,
    })
}

fn judged(own: &Path, error: anyhow::Error, of_the_file: impl Fn(&Refused) -> bool) -> Outcome {
    match error.downcast_ref::<Refused>() {
        Some(refused) if of_the_file(refused) => keep_refusal(own, refused),
        _ => Outcome::Failed(error),
    }
}

fn keep_refusal(own: &Path, refused: &Refused) -> Outcome {
    let detail = refused.problem["detail"].as_str().unwrap_or_default();
    match write_json(&own.join("refusal.json"), &refused.problem) {
        Ok(()) => Outcome::Refused(format!("{}: {detail}", refused.reason())),
        Err(error) => Outcome::Failed(error),
    }
}

/// Whether an upload was refused for what it is, and not for who sent it or how often.
fn refused_at_intake(refused: &Refused) -> bool {
    matches!(refused.status, 400 | 413 | 415 | 422)
}

/// The same of a later step, where much else is refused with the same status: the reason says what is wrong with the file, or
/// one of its fields does.
fn speaks_of_the_file(refused: &Refused) -> bool {
    const REASONS: [&str; 5] = [
        "PDF_",
        "PAGE_",
        "RECTANGLE_",
        "SIGNATURE_MUST_STAND",
        "PREPARATION_FAILED",
    ];
    let says = |reason: &Value| {
        reason
            .as_str()
            .is_some_and(|reason| REASONS.iter().any(|known| reason.starts_with(known)))
    };
    let errors = refused.problem["errors"].as_array();
    matches!(refused.status, 400 | 422)
        && (says(&refused.problem["reason"])
            || refused.reason() == "DOCUMENT_REFUSED"
            || errors.is_some_and(|errors| errors.iter().any(|error| says(&error["reason"]))))
}

/// Seals what was accepted; answers how many files failed.
async fn finish(desk: &Desk<'_>, cast: &mut Cast, accepted: Vec<Accepted<'_>>) -> usize {
    if accepted.is_empty() {
        return 0;
    }
    let ids: Vec<String> = accepted.iter().map(|one| one.request_id.clone()).collect();
    let mut sealed = cast.seal_all(&ids).await;
    let mut failed = 0;
    for one in accepted {
        let file = one.file;
        let outcome = match &mut sealed {
            Err(error) => Err(Outcome::Failed(anyhow::anyhow!("{error:#}"))),
            Ok(hindered) => match hindered.remove(&one.request_id) {
                Some(refused) => Err(judged(&one.own, refused.into(), speaks_of_the_file)),
                None => collect(desk, cast, one).await.map_err(Outcome::Failed),
            },
        };
        failed += usize::from(!told(file, outcome));
    }
    failed
}

/// Prints the one line of a file. False where it was neither legalised nor refused.
fn told(file: &Path, outcome: Result<String, Outcome>) -> bool {
    match outcome {
        Ok(verdict) => eprintln!("{}: {verdict}", shown(file)),
        Err(Outcome::Refused(reason)) => eprintln!("{}: refused, {reason}", shown(file)),
        Err(Outcome::Failed(error)) => {
            eprintln!("{}: FAILED: {error:#}", shown(file));
            return false;
        }
    }
    true
}

async fn collect(desk: &Desk<'_>, cast: &Cast, one: Accepted<'_>) -> Result<String> {
    let sealed = cast
        .receive(&one.citizen, &one.request_id, one.review, &mut silent())
        .await?;
    super::save(&one.own, &sealed)?;
    super::judge(desk.demo, desk.description, &one.own, &sealed).await?;
    let entry = &sealed.request["register_entry"];
    Ok(format!(
        "legalised as no. {} of {}, judged sound by pyHanko, pdfsig and qpdf",
        entry["number"], entry["year"]
    ))
}

fn silent() -> Recorder {
    Recorder::new("legalisation", |_| ())
}

/// A folder under the file's stem without an earlier result. Two files of one stem get folders of their own.
fn own_folder(folder: &Path, file: &Path, taken: &mut HashSet<String>) -> Result<PathBuf> {
    let stem = file
        .file_stem()
        .context("a file has no name")?
        .to_string_lossy()
        .into_owned();
    // "..pdf" has the stem ".", which is the folder itself.
    let stem = match stem.trim_matches('.') {
        "" => "unnamed".to_owned(),
        _ => stem,
    };
    let mut name = stem.clone();
    let mut count = 1;
    // The demonstration's own results are files beside these folders.
    while folder.join(&name).is_file() || !taken.insert(name.clone()) {
        count += 1;
        name = format!("{stem}-{count}");
    }
    let own = folder.join(name);
    std::fs::create_dir_all(&own)?;
    for earlier in RESULTS {
        let earlier = own.join(earlier);
        if earlier.exists() {
            std::fs::remove_file(earlier)?;
        }
    }
    Ok(own)
}

/// A path on one line of a terminal: no control character, and none that turns the reading direction.
fn shown(file: &Path) -> String {
    let turns = |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    file.to_string_lossy().replace(
        |character: char| character.is_control() || turns(character),
        "\u{fffd}",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{own_folder, shown};

    #[test]
    fn files_of_one_stem_have_folders_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("events.jsonl"), "").unwrap();
        let mut taken = HashSet::new();
        let mut place = |file: &str| {
            let own = own_folder(folder.path(), file.as_ref(), &mut taken).unwrap();
            own.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(place("a/contract.pdf"), "contract");
        assert_eq!(place("b/contract.PDF"), "contract-2");
        assert_eq!(place("c/events.jsonl.pdf"), "events.jsonl-2");
        assert!(folder.path().join("events.jsonl").is_file());
    }

    #[test]
    fn an_earlier_result_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("contract")).unwrap();
        std::fs::write(folder.path().join("contract/refusal.json"), "{}").unwrap();
        std::fs::write(folder.path().join("contract/note.txt"), "mine").unwrap();
        std::fs::write(folder.path().join("legalised.pdf"), "").unwrap();
        let own = own_folder(folder.path(), "contract.pdf".as_ref(), &mut HashSet::new()).unwrap();
        assert_eq!(std::fs::read_dir(own).unwrap().count(), 1);
        for dots in ["..pdf", "...pdf", ".....pdf"] {
            let own = own_folder(folder.path(), dots.as_ref(), &mut HashSet::new()).unwrap();
            assert_eq!(own, folder.path().join("unnamed"), "{dots}");
        }
        assert!(folder.path().join("legalised.pdf").is_file());
    }

    #[test]
    fn a_path_is_shown_on_one_line_in_one_direction() {
        assert_eq!(shown("a\n\u{202e}fdp.pdf".as_ref()), "a\u{fffd}\u{fffd}fdp.pdf");
        assert_eq!(shown("عقد كراء.pdf".as_ref()), "عقد كراء.pdf");
    }
}
