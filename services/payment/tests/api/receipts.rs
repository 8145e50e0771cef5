//! Receipts: drawn as PDF/A, the same each time, and read back.

use std::process::Command;

use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::{World, reason};

impl World {
    async fn receipt(&self, payer: Uuid, id: &str) -> Result<(Vec<u8>, String), Status> {
        let message = pb::DownloadReceiptRequest {
            payable_id: id.to_owned(),
        };
        let mut stream = self
            .payments()
            .download_receipt(self.by(payer, message))
            .await?
            .into_inner();
        let totals = stream.message().await?.unwrap();
        let mut pdf = Vec::new();
        while let Some(part) = stream.message().await? {
            pdf.extend(part.chunk);
        }
        assert_eq!(totals.total_bytes, pdf.len() as u64);
        assert_eq!(totals.sha256, Sha256::digest(&pdf).to_vec());
        Ok((pdf, totals.file_name))
    }
}

#[tokio::test]
async fn a_receipt_is_drawn_in_both_languages_and_the_same_each_time() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let unpaid = world.open(payer).await;
    assert_eq!(
        reason(world.receipt(payer, &unpaid.payable_id).await),
        (Code::FailedPrecondition, "PAYABLE_NOT_PAID".to_owned())
    );
    let (payable, card) = world.paid(payer).await;
    let (pdf, file_name) = world.receipt(payer, &payable.payable_id).await.unwrap();
    assert_eq!(file_name, "receipt-2026-000001.pdf");
    assert!(
        world.receipt(payer, &payable.payable_id).await.unwrap().0 == pdf,
        "the same bytes again"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.pdf");
    std::fs::write(&path, &pdf).unwrap();
    let text = Command::new("pdftotext")
        .arg("-layout")
        .arg(&path)
        .arg("-")
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let transaction = payable.attempts[0].transaction_id.as_str();
    for wanted in [
        "2026-000001",
        "Reçu de paiement",
        "Amina El Idrissi",
        "W4K7-M2PX-93",
        "23 novembre 2026 à 10:00",
        "12,00",
        "8,00",
        "20,00",
        "Extrait d’acte de naissance",
        transaction,
        &card.oid(),
    ] {
        assert!(text.replace('\u{a0}', " ").contains(wanted), "{wanted} in {text}");
    }
    assert!(!text.contains("4000"), "nothing of a card: {text}");
    assert!(
        !text.contains(&payable.owner_reference),
        "its owner's own id is for programs: {text}"
    );
    if let Some(kept) = std::env::var_os("WATHIQ_KEEP_RECEIPT") {
        std::fs::write(kept, &pdf).unwrap();
    }
}
