//! The order of four acts on the demonstration, its documents and its audit.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::demo::Demo;
use crate::description::Description;
use crate::journey::office::ANNEXE;
use crate::journey::order::{Delivered, registry};
use crate::journey::record::Recorder;
use crate::journey::{Cast, checks, write_json};
use crate::{services, wait};

/// Longest wait for the books to balance: what is under way between two services shows for a moment.
const BALANCED: Duration = Duration::from_secs(60);

/// Plays the order and leaves its documents in the folder. Answers the steps, and what the tools say of the sealed documents.
///
/// # Errors
/// When a step fails, a tool is not content with a document, or the books do not balance.
pub(super) async fn play(
    demo: &Demo,
    description: &Description,
    cast: &mut Cast,
    folder: &Path,
) -> Result<(Vec<Value>, Vec<String>)> {
    let mut recorder = Recorder::new("order", |line| eprintln!("  {line}"));
    if !registry::is_digitised(&cast.registrar_session, &cast.office.office_id).await? {
        recorder
            .step(
                "the register's acts are imported, the citizen's own among them",
                digitise(demo),
            )
            .await?;
    }
    let delivered = cast.order(description, &mut recorder).await?;
    save(folder, &delivered)?;
    let lines = recorder
        .step(
            "the documents are judged by pyHanko, pdfsig, qpdf and veraPDF",
            judge(demo, description, folder),
        )
        .await?;
    recorder
        .step(
            "the audit finds that money, documents and parcels balance",
            audit(demo, folder),
        )
        .await?;
    Ok((recorder.steps().to_vec(), lines))
}

async fn digitise(demo: &Demo) -> Result<()> {
    let around = demo.around(&|_| ());
    let run = async |command: Vec<String>| services::output(&around, "civil-registry-order", &command).await;
    registry::digitise(run, ANNEXE, &demo.layout().data()).await
}

/// The sealed ones first.
const DOCUMENTS: [&str; 6] = [
    "extrait.pdf",
    "copie-integrale.pdf",
    "batch-sheet.pdf",
    "label.pdf",
    "deposit-list.pdf",
    "receipt.pdf",
];

fn save(folder: &Path, delivered: &Delivered) -> Result<()> {
    let documents = [
        &delivered.extract,
        &delivered.full_copy,
        &delivered.batch_sheet,
        &delivered.label,
        &delivered.deposit_list,
        &delivered.receipt,
    ];
    for (name, bytes) in DOCUMENTS.iter().zip(documents) {
        std::fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
    }
    write_json(&folder.join("order.json"), &delivered.order)
}

async fn judge(demo: &Demo, description: &Description, folder: &Path) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for name in &DOCUMENTS[..2] {
        let said = checks::judge(demo.layout(), &folder.join(name), &description.trust.root).await;
        lines.extend(said.with_context(|| (*name).to_owned())?);
    }
    let files = DOCUMENTS.map(|name| folder.join(name));
    lines.extend(checks::verapdf(demo.layout(), &files).await?);
    Ok(lines)
}

async fn audit(demo: &Demo, folder: &Path) -> Result<()> {
    let around = demo.around(&|_| ());
    let command = ["audit", "--json"].map(str::to_owned);
    wait::until("the balance", BALANCED, async || {
        let report = services::output(&around, "civil-registry-order", &command).await?;
        let report: Value = serde_json::from_str(&report).context("the audit's report is not JSON")?;
        write_json(&folder.join("audit.json"), &report)?;
        let differences = report["differences"]
            .as_array()
            .context("the audit tells no differences")?;
        ensure!(differences.is_empty(), "the audit finds {differences:?}");
        Ok(())
    })
    .await
}
