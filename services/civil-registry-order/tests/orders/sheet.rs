//! The batch sheet as people and scanners see it: every page is drawn and its barcodes are read.

use std::path::PathBuf;

use tokio::process::Command;
use tokio_stream::StreamExt;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{Person, World, line};

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

async fn download(world: &World, agent: Person, sheet: &pb::BatchSheet) -> Vec<u8> {
    let request = pb::DownloadBatchSheetRequest {
        batch_sheet_id: sheet.batch_sheet_id.clone(),
    };
    let answer = world
        .office()
        .download_batch_sheet(world.staff(agent, request))
        .await
        .unwrap();
    let parts: Vec<_> = answer.into_inner().collect().await;
    parts.into_iter().flat_map(|part| part.unwrap().chunk).collect()
}

/// The barcodes of each page, page by page and from the top down.
async fn barcodes(pdf: &str, folder: &std::path::Path) -> Vec<String> {
    let pages = folder.join("page");
    run(
        "pdftoppm",
        &["-r", "200", "-gray", "-png", pdf, pages.to_str().unwrap()],
    )
    .await;
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    pictures.sort();
    let mut barcodes = Vec::new();
    for picture in pictures {
        let arguments = [
            "-q",
            "--raw",
            "-Sdisable",
            "-Scode128.enable",
            picture.to_str().unwrap(),
        ];
        barcodes.extend(run("zbarimg", &arguments).await.lines().map(str::to_owned));
    }
    barcodes
}

/// The references of an order's lines that a sheet shows, in the order of the lines.
pub(crate) async fn references(
    world: &World,
    agent: Person,
    sheet: &pb::BatchSheet,
    order: &pb::Order,
) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("batch-sheet.pdf");
    std::fs::write(&path, download(world, agent, sheet).await).unwrap();
    let text = run("pdftotext", &["-layout", path.to_str().unwrap(), "-"]).await;
    let references = order.lines.iter().map(|line| line.line_reference.clone());
    references
        .filter(|reference| text.contains(reference.as_str()))
        .collect()
}

#[tokio::test]
async fn a_sheet_has_every_line_in_the_order_of_the_registers_with_a_barcode_that_is_read() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    // Number, year and part, in the order of the registers.
    let shelves = [
        ("3", 1991, ""),
        ("2", 1990, "1"),
        ("9", 1990, "1"),
        ("9 bis", 1990, "1"),
        ("10", 1990, "1"),
        ("1", 1991, "1"),
        ("1", 1990, "2"),
        ("4", 1990, "10"),
    ];
    let mut asked: Vec<pb::LineRequest> = Vec::new();
    for (number, year, part) in shelves {
        let mut line = line(number);
        let act = line.act.as_mut().unwrap();
        (act.year, act.part) = (year, part.to_owned());
        asked.insert(asked.len() / 2, line);
    }
    let order = world.place(citizen, asked).await;
    world.pay(&order).await;
    let lines: Vec<&pb::OrderLine> = order.lines.iter().collect();
    let sheet = world.batch_sheet(agent, &lines).await;
    let file = download(&world, agent, &sheet).await;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("batch-sheet.pdf");
    std::fs::write(&path, &file).unwrap();
    let pdf = path.to_str().unwrap();
    let mut read = barcodes(pdf, folder.path()).await;
    let text = run("pdftotext", &["-layout", pdf, "-"]).await;
    let of = |(number, year, part): &(&str, i32, &str)| {
        let wanted = order.lines.iter().find(|line| {
            let act = line.act.as_ref().unwrap();
            (act.number.as_str(), act.year, act.part.as_str()) == (*number, *year, *part)
        });
        wanted.unwrap().line_reference.clone()
    };
    let expected: Vec<String> = shelves.iter().map(of).collect();
    let places: Vec<usize> = expected
        .iter()
        .map(|reference| {
            text.find(reference.as_str())
                .unwrap_or_else(|| panic!("{reference}"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    read.sort();
    let mut all = expected.clone();
    all.sort();
    assert_eq!(read, all);
    assert!(text.contains("Bordereau de production"), "{text}");
    assert!(text.contains(&sheet.number), "{text}");
    // What the scanner reads is what the one scan field takes.
    for scanned in &read {
        let request = pb::GetLineRequest {
            key: Some(pb::get_line_request::Key::LineReference(scanned.clone())),
        };
        world
            .office()
            .get_line(world.staff(agent, request))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_sheets_of_an_office_are_listed_the_latest_first() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let mut drawn = Vec::new();
    for number in ["1", "2", "3"] {
        let order = world.place(citizen, vec![line(number)]).await;
        world.pay(&order).await;
        let lines: Vec<&pb::OrderLine> = order.lines.iter().collect();
        drawn.insert(0, world.batch_sheet(agent, &lines).await);
    }
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListBatchSheetsRequest {
            page_size: 2,
            page_token,
            office_id: drawn[0].office_id.clone(),
        };
        let answer = world
            .office()
            .list_batch_sheets(world.staff(agent, request))
            .await;
        let page = answer.unwrap().into_inner();
        assert!(page.batch_sheets.len() <= 2);
        listed.extend(page.batch_sheets);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, drawn);
    let elsewhere = world.official_at(crate::harness::OTHER, "agent");
    let request = pb::ListBatchSheetsRequest {
        office_id: drawn[0].office_id.clone(),
        ..Default::default()
    };
    let refused = world
        .office()
        .list_batch_sheets(world.staff(elsewhere, request))
        .await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::NotFound);
}
