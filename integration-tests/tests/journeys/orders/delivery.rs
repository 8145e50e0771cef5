//! The happy path, and what everybody sees of it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use wathiq_local::journey::checks;
use wathiq_local::journey::order::Delivered;
use wathiq_local::layout::{Layout, find_root};
use wathiq_local::stack::Options;
use wathiq_local::{records, topics};

use crate::stage::{self, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_acts_are_ordered_paid_made_posted_and_delivered() {
    let mut stage = stage::open(Options::default()).await.unwrap();
    stage.digitise().await.unwrap();
    // The same file again changes nothing.
    stage.digitise().await.unwrap();
    stage.codes_again().await.unwrap();
    let description = stage.stack.description.clone();
    let delivered = stage
        .cast
        .order(&description, &mut stage.recorder)
        .await
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();

    the_order_says_what_became_of_each_line(&delivered.order);
    let report = stage.balanced().await.unwrap();
    assert_eq!(report["checked"]["payables"], 1, "{report}");
    assert_eq!(report["checked"]["shipments"], 1, "{report}");
    assert_eq!(report["checked"]["issued_documents"], 2, "{report}");
    anybody_follows_the_parcel_and_learns_no_name(&stage, &delivered.order).await;
    the_papers_are_right(&stage, &delivered).await;
    no_personal_data_on_topics(&stage).await;
}

fn the_order_says_what_became_of_each_line(order: &Value) {
    let states: Vec<&Value> = (0..4).map(|place| &order["lines"][place]["state"]).collect();
    assert_eq!(
        states,
        ["delivered", "delivered", "delivered", "refunded"],
        "{order}"
    );
    assert_eq!(order["total_centimes"], 8_000);
    let refused = &order["lines"][3];
    assert_eq!(refused["refunded_centimes"], 2_000);
    assert_eq!(refused["end_reason"], "REFUSED");
    assert_eq!(refused["answer"]["reason_code"], "ACT_NOT_FOUND");
    assert_eq!(order["lines"][0]["entitlement_proof"], "acts");
    assert_eq!(order["lines"][2]["entitlement_proof"], "checked");
    let parcels = order["parcels"].as_array().unwrap();
    assert_eq!(parcels.len(), 1, "the lines share one parcel");
    assert_eq!(parcels[0]["shipment_state"], "DELIVERED");
    assert_eq!(parcels[0]["recipient_document_last_four"], "3456");
    assert_eq!(parcels[0]["exception_code"], Value::Null);
}

async fn anybody_follows_the_parcel_and_learns_no_name(stage: &Stage, order: &Value) {
    let number = order["parcels"][0]["tracking_number"].as_str().unwrap();
    let path = format!("/v1/tracking/{number}");
    let tracked = stage.cast.anyone.get(&path).await.unwrap();
    assert_eq!(tracked["state"], "delivered");
    let said = tracked.to_string();
    assert!(!said.contains("Idrissi") && !said.contains("3456"), "{said}");
}

async fn the_papers_are_right(stage: &Stage, delivered: &Delivered) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::demonstration(&find_root().unwrap());
    let root = stage.stack.description.trust.root.clone();
    for (name, bytes) in [
        ("extract.pdf", &delivered.extract),
        ("copy.pdf", &delivered.full_copy),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        checks::judge(&layout, &file, &root).await.unwrap();
        let verified = stage
            .cast
            .anyone
            .upload("/v1/verification", "application/pdf", bytes.clone())
            .await
            .unwrap();
        assert_eq!(verified["issued"], "as_issued", "{name}: {verified}");
    }
    let order = &delivered.order;
    let number = order["parcels"][0]["tracking_number"].as_str().unwrap();
    let barcode = order["lines"][2]["line_reference"].as_str().unwrap();
    for (name, bytes, said) in [
        ("label.pdf", &delivered.label, number),
        ("sheet.pdf", &delivered.batch_sheet, barcode),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let read = barcodes(&file);
        let plain: String = said.chars().filter(char::is_ascii_alphanumeric).collect();
        assert!(
            read.contains(&plain) || read.contains(said),
            "{name} says {read}, not {said}"
        );
    }
    for (name, bytes) in [
        ("receipt.pdf", &delivered.receipt),
        ("deposit-list.pdf", &delivered.deposit_list),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let all = ["extract", "copy", "label", "sheet", "receipt", "deposit-list"]
        .map(|name| folder.path().join(format!("{name}.pdf")));
    checks::verapdf(&layout, &all).await.unwrap();
}

/// Every barcode of a file, a line each.
pub(super) fn barcodes(file: &Path) -> String {
    let picture = file.with_extension("picture");
    let drawn = Command::new("pdftoppm")
        .args(["-r", "300", "-png"])
        .arg(file)
        .arg(&picture)
        .status()
        .unwrap();
    assert!(drawn.success());
    let folder = std::fs::read_dir(file.parent().unwrap()).unwrap();
    let stem = picture.file_name().unwrap().to_string_lossy().into_owned();
    let pages = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&stem));
    let read = Command::new("zbarimg")
        .args(["--quiet", "--raw"])
        .args(pages)
        .output()
        .unwrap();
    String::from_utf8(read.stdout).unwrap()
}

async fn no_personal_data_on_topics(stage: &Stage) {
    let (kafka, topics) = (
        stage.stack.description.kafka.clone(),
        topics::read(&find_root().unwrap()).unwrap(),
    );
    let events = tokio::task::spawn_blocking(move || records::read_all(&kafka, &topics))
        .await
        .unwrap()
        .unwrap();
    let text = json!(events).to_string();
    for kind in [
        "OrderPlaced",
        "LinesDelivered",
        "PayablePaid",
        "RefundCompleted",
        "ShipmentTracked",
    ] {
        assert!(text.contains(kind), "{kind} was not told");
    }
    for secret in [
        "Salma",
        "سلمى",
        "Idrissi",
        "الإدريسي",
        "Yasmine",
        "Orangers",
        "3456\"",
    ] {
        assert!(!text.contains(secret), "{secret} stands on a topic");
    }
}
