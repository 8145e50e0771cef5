//! An extract and a full copy print the Hijri year and dates as the register has them.

use tokio::process::Command;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::act_service_client::ActServiceClient;

use crate::digitised::{act_to_key, prepare};
use crate::harness::{World, line};

/// No calendar has these with the Gregorian birth date.
const YEAR: i32 = 1399;
const WRITTEN: &str = "trente chaabane mil trois cent quatre-vingt-dix-neuf";

async fn text_of(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new("pdftotext")
        .args([path.to_str().unwrap(), "-"])
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn documents_print_what_was_written() {
    let world = World::start().await;
    let mut acts = ActServiceClient::new(world.channel("gateway"));
    for _ in 0..2 {
        let mut request = act_to_key("", "12");
        let content = request.content.as_mut().unwrap();
        content.hijri_year = YEAR;
        WRITTEN.clone_into(&mut content.birth_date.as_mut().unwrap().hijri_latin);
        acts.key_act(world.staff(world.agent(), request)).await.unwrap();
    }
    let (citizen, officer) = (world.citizen(), world.officer());
    let copy = pb::LineRequest {
        document_kind: "birth-full-copy".to_owned(),
        language: pb::DocumentLanguage::French.into(),
        ..line("12")
    };
    let order = world.place(citizen, vec![line("12"), copy]).await;
    world.pay(&order).await;
    for line in &order.lines {
        assert_eq!(prepare(&world, officer, line).await.problems, []);
        let document = world.peers.documents.lock().unwrap()[&line.line_id].clone();
        let file = world.peers.files.lock().unwrap()[&document.issued_document_id].clone();
        let text = text_of(&file).await;
        assert!(text.contains(WRITTEN), "{}: {text}", line.document_kind);
        assert!(text.contains(&YEAR.to_string()), "{}: {text}", line.document_kind);
        assert!(!text.contains("1410"), "{}: {text}", line.document_kind);
    }
}
