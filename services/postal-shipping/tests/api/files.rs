//! Labels and deposit lists as others' tools see them: poppler and zbar. A tool that is missing fails the test.

use std::path::Path;

use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tonic::{Code, Streaming};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::harness::{OFFICE, World, create, number, reason};

struct File {
    bytes: Vec<u8>,
    name: String,
}

/// A download put together, and its totals checked.
macro_rules! whole {
    ($stream:expr) => {{
        let mut stream: Streaming<_> = $stream;
        let first = stream.next().await.unwrap().unwrap();
        let mut bytes = Vec::new();
        while let Some(part) = stream.next().await {
            bytes.extend(part.unwrap().chunk);
        }
        assert_eq!(first.total_bytes, u64::try_from(bytes.len()).unwrap());
        assert_eq!(first.sha256, Sha256::digest(&bytes).to_vec());
        File {
            bytes,
            name: first.file_name,
        }
    }};
}

async fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(
        output.status.success(),
        "{tool}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The text of a file, its page sizes, and the barcodes of each page.
struct Seen {
    text: String,
    info: String,
    barcodes: Vec<String>,
}

async fn look_at(file: &[u8], name: &str) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pdf");
    std::fs::write(&path, file).unwrap();
    keep(name, file);
    let pdf = path.to_str().unwrap();
    let pages = folder.path().join("page");
    run(
        "pdftoppm",
        &["-r", "300", "-gray", "-png", pdf, pages.to_str().unwrap()],
    )
    .await;
    let mut pictures: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    pictures.sort();
    let mut barcodes = Vec::new();
    for picture in pictures {
        let found = run(
            "zbarimg",
            &["-q", "-Sdisable", "-Scode128.enable", picture.to_str().unwrap()],
        )
        .await;
        barcodes.extend(found.lines().map(str::to_owned));
    }
    Seen {
        text: run("pdftotext", &["-layout", pdf, "-"]).await,
        info: run("pdfinfo", &[pdf]).await,
        barcodes,
    }
}

/// For people to look at, where they name a folder.
fn keep(name: &str, file: &[u8]) {
    if let Some(folder) = std::env::var_os("WATHIQ_KEEP_FILES") {
        std::fs::write(Path::new(&folder).join(name), file).unwrap();
    }
}

async fn labels(world: &World, ids: &[&str]) -> Result<File, tonic::Status> {
    let request = pb::DownloadLabelsRequest {
        office_id: OFFICE.to_string(),
        shipment_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    let answer = world.office().download_labels(world.by_agent(request)).await?;
    Ok(whole!(answer.into_inner()))
}

/// A parcel to France, whose address is in one script.
fn abroad(reference: &str) -> pb::CreateShipmentRequest {
    let mut abroad = create(reference);
    abroad.product = pb::ShippingProduct::RegisteredInternational.into();
    let street =
        "Résidence des Très Longs Jardins, bâtiment C, 128 bis, avenue du Général-de-Gaulle prolongée";
    abroad.addressee.as_mut().unwrap().address = Some(pb::PostalAddress {
        country_code: "FR".to_owned(),
        postal_code: "69001".to_owned(),
        locality_latin: "Lyon".to_owned(),
        street_latin: street.to_owned(),
        ..Default::default()
    });
    abroad
}

#[tokio::test]
async fn labels_carry_number_and_address_and_are_read_by_scanners() {
    let world = World::start().await;
    let home = world.created("parcel-1").await;
    let abroad = world.try_create(abroad("parcel-2")).await.unwrap();
    let file = labels(&world, &[&abroad.shipment_id, &home.shipment_id])
        .await
        .unwrap();
    assert_eq!(file.name, "labels.pdf");
    let seen = look_at(&file.bytes, "labels.pdf").await;
    assert_eq!(
        seen.barcodes,
        [number(&abroad), number(&home)].map(|number| format!("CODE-128:{number}"))
    );
    assert!(seen.info.contains("Pages:           2\n"), "{}", seen.info);
    assert!(
        seen.info.contains("Page size:       283.465 x 425.197 pts"),
        "{}",
        seen.info
    );
    assert!(seen.info.contains("Tagged:          yes"), "{}", seen.info);
    for text in [
        "RR 000 100 009 MA",
        "20250 Casablanca",
        "12, rue Tarfaya",
        "MAROC",
        "FRANCE",
        "69001 Lyon",
        "Mohamed El Alaoui",
        "Annexe Cité de l’Air",
        "+212600000000",
    ] {
        assert!(seen.text.contains(text), "{text} in {}", seen.text);
    }
}

#[tokio::test]
async fn labels_of_withdrawn_or_other_offices_shipments_are_not_drawn() {
    let world = World::start().await;
    let shipment = world.created("parcel-1").await;
    let elsewhere = pb::CreateShipmentRequest {
        office_id: uuid::Uuid::new_v4().to_string(),
        ..create("parcel-2")
    };
    let elsewhere = world.try_create(elsewhere).await.unwrap();
    let refused = labels(&world, &[&shipment.shipment_id, &elsewhere.shipment_id]).await;
    assert_eq!(reason(refused), (Code::NotFound, "SHIPMENT_NOT_FOUND".to_owned()));
    let cancel = pb::CancelShipmentRequest {
        request_id: crate::harness::request_id(),
        shipment_id: shipment.shipment_id.clone(),
    };
    world.shipments().cancel_shipment(cancel).await.unwrap();
    let refused = labels(&world, &[&shipment.shipment_id]).await;
    assert_eq!(
        reason(refused),
        (Code::FailedPrecondition, "SHIPMENT_STATE".to_owned())
    );
}

#[tokio::test]
async fn a_deposit_list_is_a_form_to_sign_and_a_file() {
    let world = World::start().await;
    let mut ids = Vec::new();
    let mut numbers = Vec::new();
    for index in 0..30 {
        let parcel = format!("parcel-{index}");
        let wanted = if index == 3 {
            abroad(&parcel)
        } else {
            create(&parcel)
        };
        let created = world.try_create(wanted).await.unwrap();
        numbers.push(number(&created));
        ids.push(created.shipment_id);
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let list = world.try_hand_over(&ids).await.unwrap();
    let download = async |form: pb::DepositListForm| {
        let request = pb::DownloadDepositListRequest {
            deposit_list_id: list.deposit_list_id.clone(),
            form: form.into(),
        };
        let answer = world
            .office()
            .download_deposit_list(world.by_agent(request))
            .await
            .unwrap();
        whole!(answer.into_inner())
    };
    let csv = download(pb::DepositListForm::Csv).await;
    assert_eq!(csv.name, "2026-000001.csv");
    assert_eq!(String::from_utf8(csv.bytes).unwrap().lines().count(), 31);
    let pdf = download(pb::DepositListForm::Pdf).await;
    assert_eq!(pdf.name, "2026-000001.pdf");
    let seen = look_at(&pdf.bytes, "deposit-list.pdf").await;
    assert!(seen.info.contains("(A4)"), "{}", seen.info);
    let mut read: Vec<_> = seen
        .barcodes
        .iter()
        .map(|found| found.trim_start_matches("CODE-128:").to_owned())
        .collect();
    read.sort();
    numbers.sort();
    assert_eq!(read, numbers);
    for text in [
        "2026/000001",
        "22/11/2026",
        "Mohamed El Alaoui",
        "20250 Casablanca, Maroc",
        "69001 Lyon, France",
        "الدار البيضاء",
        "المغرب",
        "فرنسا",
        "الوجهة",
        "المرسل إليه",
        "Total des envois",
        "Le déposant",
    ] {
        assert!(seen.text.contains(text), "{text} in {}", seen.text);
    }
    // The same list is the same file.
    assert!(download(pb::DepositListForm::Pdf).await.bytes == pdf.bytes);
}
