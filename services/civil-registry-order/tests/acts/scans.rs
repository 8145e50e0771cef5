//! Scans of register pages.

use futures::StreamExt;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, Person, World, reason, request_id};
use crate::sample::keying;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a page of the register";

fn upload(request_id: &str, office: Uuid, act_id: &str, file: &[u8]) -> Vec<pb::AttachScanRequest> {
    let header = pb::ScanHeader {
        request_id: request_id.to_owned(),
        office_id: office.to_string(),
        act_id: act_id.to_owned(),
    };
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
    let repeated = request_id();
    let scan_id = attach(&world, first, upload(&repeated, OFFICE, "", JPEG))
        .await
        .unwrap();
    let again = attach(&world, first, upload(&repeated, OFFICE, "", JPEG))
        .await
        .unwrap();
    assert_eq!((scan_id.as_str(), objects(&world)), (again.as_str(), 1));
    let mut request = keying("1");
    request.scan_id = scan_id;
    let keyed = world.key(first, request).await.unwrap();
    let of_keying = pb::download_scan_request::Key::KeyingId(keyed.keying_id);
    assert_eq!(
        download(&world, second, of_keying).await.unwrap(),
        (JPEG.to_vec(), "image/jpeg".to_owned())
    );
    let done = world.key(second, keying("1")).await.unwrap();
    let act = world.act(first, done.act_id.parse().unwrap()).await.unwrap();
    assert!(act.has_scan);
    let of_act = pb::download_scan_request::Key::ActId(done.act_id.clone());
    assert_eq!(download(&world, second, of_act.clone()).await.unwrap().0, JPEG);
    let stranger = world.official_at(OTHER, "agent");
    assert_eq!(
        download(&world, stranger, of_act).await.unwrap_err().code(),
        Code::NotFound
    );
    let refused = attach(&world, first, upload(&request_id(), OFFICE, &done.act_id, JPEG)).await;
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
    let large = [b"%PDF-1.7 ".as_slice(), &vec![7; 7 * 1024 * 1024]].concat();
    attach(&world, agent, upload(&request_id(), OFFICE, &act_id, &large))
        .await
        .unwrap();
    assert_eq!(
        download(&world, agent, of_act).await.unwrap(),
        (large, "application/pdf".to_owned())
    );
}

#[tokio::test]
async fn what_is_no_scan_is_refused_and_not_kept() {
    let world = World::start().await;
    let agent = world.agent();
    let cases: [(Vec<u8>, &str); 3] = [
        (b"II*\0 a TIFF".to_vec(), "FILE_TYPE"),
        (Vec::new(), "FILE_EMPTY"),
        ([JPEG, &vec![0; 8 * 1024 * 1024]].concat(), "FILE_TOO_LARGE"),
    ];
    for (file, expected) in cases {
        let refused = attach(&world, agent, upload(&request_id(), OFFICE, "", &file))
            .await
            .unwrap_err();
        let found = wathiq_chassis::status::violations(&refused);
        assert_eq!(found[0].reason, expected, "{refused:?}");
    }
    let stranger = world.official_at(OTHER, "agent");
    let refused = attach(&world, stranger, upload(&request_id(), OFFICE, "", JPEG)).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    let headless = vec![pb::AttachScanRequest {
        part: Some(pb::attach_scan_request::Part::Chunk(JPEG.to_vec())),
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
