//! Scans of register pages.

use futures::StreamExt;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, Person, World, reason, request_id};
use crate::sample::{jpeg, keying, pdf};

fn upload(request_id: &str, office: Uuid, act_id: &str, file: &[u8]) -> Vec<pb::AttachScanRequest> {
    let header = pb::ScanHeader {
        request_id: request_id.to_owned(),
        office_id: office.to_string(),
        act_id: act_id.to_owned(),
        supersede: false,
    };
    sent(header, file)
}

fn sent(header: pb::ScanHeader, file: &[u8]) -> Vec<pb::AttachScanRequest> {
    let header = pb::attach_scan_request::Part::Header(header);
    let chunks = file
        .chunks(1024 * 1024)
        .map(|chunk| pb::attach_scan_request::Part::Chunk(chunk.to_vec()));
    std::iter::once(header)
        .chain(chunks)
        .map(|part| pb::AttachScanRequest { part: Some(part) })
        .collect()
}

async fn attach(
    world: &World,
    person: Person,
    messages: Vec<pb::AttachScanRequest>,
) -> Result<String, Status> {
    let request = world.of(person, futures::stream::iter(messages));
    let answer = world.acts().attach_scan(request).await?;
    Ok(answer.into_inner().scan_id)
}

async fn download(
    world: &World,
    person: Person,
    key: pb::download_scan_request::Key,
) -> Result<(Vec<u8>, String), Status> {
    let request = world.of(person, pb::DownloadScanRequest { key: Some(key) });
    let mut stream = world.acts().download_scan(request).await?.into_inner();
    let totals = stream.next().await.unwrap()?;
    let mut file = Vec::new();
    while let Some(part) = stream.next().await {
        file.extend(part?.chunk);
    }
    assert_eq!(totals.total_bytes, file.len() as u64);
    assert_eq!(totals.sha256, Sha256::digest(&file).as_slice());
    Ok((file, totals.content_type))
}

/// Files in the store.
fn objects(world: &World) -> usize {
    let folder = world.folder.path().join("objects/scans");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_keying_names_its_scan_and_the_act_has_it() {
    let world = World::start().await;
    let (first, second) = (world.agent(), world.agent());
    let page = jpeg(1);
    let repeated = request_id();
    let scan_id = attach(&world, first, upload(&repeated, OFFICE, "", &page))
        .await
        .unwrap();
    let again = attach(&world, first, upload(&repeated, OFFICE, "", &page))
        .await
        .unwrap();
    assert_eq!((scan_id.as_str(), objects(&world)), (again.as_str(), 1));
    let mut request = keying("1");
    request.scan_id = scan_id;
    let keyed = world.key(first, request).await.unwrap();
    let of_keying = pb::download_scan_request::Key::KeyingId(keyed.keying_id);
    assert_eq!(
        download(&world, second, of_keying).await.unwrap(),
        (page.clone(), "image/jpeg".to_owned())
    );
    let done = world.key(second, keying("1")).await.unwrap();
    let act = world.act(first, done.act_id.parse().unwrap()).await.unwrap();
    assert!(act.has_scan);
    let of_act = pb::download_scan_request::Key::ActId(done.act_id.clone());
    assert_eq!(download(&world, second, of_act.clone()).await.unwrap().0, page);
    let stranger = world.official_at(OTHER, "agent");
    assert_eq!(
        download(&world, stranger, of_act).await.unwrap_err().code(),
        Code::NotFound
    );
    let refused = attach(&world, first, upload(&request_id(), OFFICE, &done.act_id, &page)).await;
    assert_eq!(reason(refused), (Code::AlreadyExists, "SCAN_ATTACHED".into()));
    assert_eq!(objects(&world), 1);
}

#[tokio::test]
async fn an_act_without_a_scan_gets_one() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await.to_string();
    let agent = world.agent();
    let of_act = pb::download_scan_request::Key::ActId(act_id.clone());
    assert_eq!(
        download(&world, agent, of_act.clone()).await.unwrap_err().code(),
        Code::NotFound
    );
    let large = pdf(7 * 1024 * 1024);
    attach(&world, agent, upload(&request_id(), OFFICE, &act_id, &large))
        .await
        .unwrap();
    assert_eq!(
        download(&world, agent, of_act).await.unwrap(),
        (large, "application/pdf".to_owned())
    );
}

#[tokio::test]
async fn the_scan_of_a_wrong_page_is_superseded_and_kept() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await.to_string();
    let agent = world.agent();
    let of_act = pb::download_scan_request::Key::ActId(act_id.clone());
    let header = |supersede| pb::ScanHeader {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        act_id: act_id.clone(),
        supersede,
    };
    let mut scans = Vec::new();
    for page in 1..=3 {
        scans.push(
            attach(&world, agent, sent(header(page > 1), &jpeg(page)))
                .await
                .unwrap(),
        );
        assert_eq!(
            download(&world, agent, of_act.clone()).await.unwrap().0,
            jpeg(page)
        );
    }
    let refused = attach(&world, agent, sent(header(false), &jpeg(4))).await;
    assert_eq!(reason(refused), (Code::AlreadyExists, "SCAN_ATTACHED".into()));
    let stranger = world.official_at(OTHER, "agent");
    let refused = attach(&world, stranger, sent(header(true), &jpeg(4))).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    assert_eq!(download(&world, agent, of_act).await.unwrap().0, jpeg(3));
    assert!(world.act(agent, act_id.parse().unwrap()).await.unwrap().has_scan);
    // The pages that were attached before stay, and who put which in the place of which is known.
    assert_eq!(objects(&world), 3);
    let mut conn = world.database.connect().await;
    let superseded: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT details ->> 'supersedes' FROM audit WHERE action = 'scan.attach' ORDER BY id",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(superseded, [None, Some(scans[0].clone()), Some(scans[1].clone())]);
}

#[tokio::test]
async fn what_is_no_scan_is_refused_and_not_kept() {
    let world = World::start().await;
    let agent = world.agent();
    let (page, whole) = (jpeg(1), pdf(100));
    let cases: [(Vec<u8>, &str); 6] = [
        (b"II*\0 a TIFF".to_vec(), "FILE_TYPE"),
        (b"%PDF-1.7 and nothing of a PDF".to_vec(), "FILE_TYPE"),
        (whole[..whole.len() - 30].to_vec(), "FILE_TYPE"),
        (page[..page.len() - 2].to_vec(), "FILE_TYPE"),
        (Vec::new(), "FILE_EMPTY"),
        (pdf(8 * 1024 * 1024), "FILE_TOO_LARGE"),
    ];
    for (file, expected) in cases {
        let refused = attach(&world, agent, upload(&request_id(), OFFICE, "", &file))
            .await
            .unwrap_err();
        let found = wathiq_chassis::status::violations(&refused);
        assert_eq!(found[0].reason, expected, "{refused:?}");
    }
    let stranger = world.official_at(OTHER, "agent");
    let refused = attach(&world, stranger, upload(&request_id(), OFFICE, "", &page)).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    let headless = vec![pb::AttachScanRequest {
        part: Some(pb::attach_scan_request::Part::Chunk(page.clone())),
    }];
    assert_eq!(
        attach(&world, agent, headless).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(objects(&world), 0);
    let mut request = keying("1");
    request.scan_id = Uuid::new_v4().to_string();
    let refused = world.key(agent, request).await.unwrap_err();
    assert_eq!(
        wathiq_chassis::status::violations(&refused)[0].reason,
        "SCAN_UNKNOWN"
    );
}
