//! Uploads, and what can be done with a document.

use bytes::Bytes;
use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use tonic::Code;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{Person, World, reason, request_id, violations};
use crate::sample;

/// Names of the files kept in the store's folder of uploads.
fn kept(world: &World) -> usize {
    let folder = world.folder.path().join("objects/documents");
    std::fs::read_dir(folder).map_or(0, std::iter::Iterator::count)
}

#[tokio::test]
async fn an_upload_is_hashed_inspected_and_given_back() {
    let world = World::start().await;
    let citizen = world.citizen();
    let file = sample::plain(3);
    let document = world.upload(citizen, &file).await;
    assert_eq!(document.sha256, Sha256::digest(&file).to_vec());
    assert_eq!(document.size_bytes, file.len() as u64);
    assert_eq!(document.file_name, "contrat.pdf");
    assert_eq!(document.seal_policy(), pb::SealPolicy::Unsigned);
    let sizes: Vec<_> = document
        .pages
        .iter()
        .map(|page| (page.width, page.height))
        .collect();
    assert_eq!(sizes, [(595.0, 842.0); 3]);
    assert_eq!(kept(&world), 1);

    let got = world
        .documents()
        .get_document(world.as_citizen(
            citizen,
            pb::GetDocumentRequest {
                document_id: document.document_id.clone(),
            },
        ))
        .await
        .unwrap();
    assert_eq!(got.into_inner().document, Some(document.clone()));
    assert_eq!(download(&world, citizen, &document, 0, 0).await, file);
    assert_eq!(download(&world, citizen, &document, 9, 100).await, file[9..109]);
    assert_eq!(
        download(&world, citizen, &document, file.len() as u64 - 5, 100).await,
        file[file.len() - 5..]
    );
    assert_eq!(download(&world, citizen, &document, u64::MAX, 1).await, b"");
}

async fn download(
    world: &World,
    person: Person,
    document: &pb::Document,
    offset: u64,
    length: u64,
) -> Vec<u8> {
    let message = pb::DownloadDocumentRequest {
        document_id: document.document_id.clone(),
        offset,
        length,
    };
    let answer = world
        .documents()
        .download_document(world.as_citizen(person, message))
        .await
        .unwrap();
    let messages: Vec<_> = answer.into_inner().map(Result::unwrap).collect().await;
    assert_eq!(
        (messages[0].total_bytes, &messages[0].sha256),
        (document.size_bytes, &document.sha256)
    );
    assert_eq!(messages[0].file_name, document.file_name);
    messages.into_iter().flat_map(|message| message.chunk).collect()
}

#[tokio::test]
async fn a_file_with_a_script_is_refused_with_its_reason_and_not_kept() {
    let world = World::start().await;
    let citizen = world.citizen();
    let file = sample::file(&[
        "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
            .to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_owned(),
    ]);
    let document = world.try_upload(citizen, &request_id(), &file).await.unwrap();
    assert_eq!(document.state(), pb::DocumentState::Refused);
    assert_eq!(document.refusal.as_ref().unwrap().reason, "SCRIPT");
    assert_eq!(document.sha256, Sha256::digest(&file).to_vec());
    assert_eq!(kept(&world), 0);

    let message = pb::DownloadDocumentRequest {
        document_id: document.document_id.clone(),
        offset: 0,
        length: 0,
    };
    let result = world
        .documents()
        .download_document(world.as_citizen(citizen, message))
        .await
        .map(|_| ());
    assert_eq!(
        reason(result),
        (Code::FailedPrecondition, "DOCUMENT_REFUSED".to_owned())
    );
    let opening = world.as_citizen(citizen, world.opening(&document));
    let result = world.legalisation().create_legalisation_request(opening).await;
    assert_eq!(
        reason(result),
        (Code::FailedPrecondition, "DOCUMENT_REFUSED".to_owned())
    );
}

#[tokio::test]
async fn what_is_no_pdf_is_refused() {
    let world = World::start().await;
    let citizen = world.citizen();
    let document = world
        .try_upload(citizen, &request_id(), b"MZ this is a program")
        .await
        .unwrap();
    assert_eq!(document.refusal.unwrap().reason, "NOT_A_PDF");
    assert_eq!(kept(&world), 0);
}

#[tokio::test]
async fn sizes_and_lengths_are_checked_and_nothing_half_done_stays() {
    let world = World::start().await;
    let citizen = world.citizen();
    let result = world
        .try_upload(citizen, &request_id(), &vec![b'%'; 20 * 1024 * 1024 + 1])
        .await;
    assert_eq!(
        violations(result),
        [("chunk".to_owned(), "FILE_TOO_LARGE".to_owned())]
    );

    // The sender does not know the length: the limit holds all the same.
    let long = upload_parts(&world, citizen, 0, vec![vec![b'%'; 256 * 1024]; 81]).await;
    assert_eq!(
        violations(long),
        [("chunk".to_owned(), "FILE_TOO_LARGE".to_owned())]
    );
    let short = upload_parts(&world, citizen, 100, vec![b"%PDF-1.7".to_vec()]).await;
    assert_eq!(
        violations(short),
        [("header.length".to_owned(), "LENGTH_MISMATCH".to_owned())]
    );
    let empty = upload_parts(&world, citizen, 0, vec![]).await;
    assert_eq!(violations(empty), [("chunk".to_owned(), "FILE_EMPTY".to_owned())]);
    assert_eq!(kept(&world), 0);
}

async fn upload_parts(
    world: &World,
    person: Person,
    length: u64,
    chunks: Vec<Vec<u8>>,
) -> Result<tonic::Response<pb::UploadDocumentResponse>, tonic::Status> {
    let header = pb::UploadHeader {
        request_id: request_id(),
        file_name: "a.pdf".to_owned(),
        length,
    };
    let parts = std::iter::once(pb::upload_document_request::Part::Header(header))
        .chain(chunks.into_iter().map(pb::upload_document_request::Part::Chunk))
        .map(|part| pb::UploadDocumentRequest { part: Some(part) });
    let messages: Vec<_> = parts.collect();
    world
        .documents()
        .upload_document(world.as_citizen(person, stream::iter(messages)))
        .await
}

#[tokio::test]
async fn the_header_is_checked_whole() {
    let world = World::start().await;
    let header = pb::UploadHeader {
        request_id: "seven".to_owned(),
        file_name: " / ".to_owned(),
        length: 0,
    };
    let parts = vec![pb::UploadDocumentRequest {
        part: Some(pb::upload_document_request::Part::Header(header)),
    }];
    let result = world
        .documents()
        .upload_document(world.as_citizen(world.citizen(), stream::iter(parts)))
        .await;
    let expected = [
        ("header.request_id", "MALFORMED"),
        ("header.file_name", "FILE_NAME"),
    ];
    assert_eq!(
        violations(result),
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );

    let chunk = pb::upload_document_request::Part::Chunk(b"%PDF".to_vec());
    let parts = vec![pb::UploadDocumentRequest { part: Some(chunk) }];
    let result = world
        .documents()
        .upload_document(world.as_citizen(world.citizen(), stream::iter(parts)))
        .await;
    assert_eq!(violations(result), [("header".to_owned(), "REQUIRED".to_owned())]);
}

#[tokio::test]
async fn pages_are_rendered_for_the_owner_within_bounds() {
    let world = World::start().await;
    let citizen = world.citizen();
    let document = world.upload(citizen, &sample::plain(1)).await;
    let job = |page_number, width_pixels, region| pb::RenderPageRequest {
        document_id: document.document_id.clone(),
        page_number,
        region,
        width_pixels,
    };
    let render = async |message| {
        let answer = world
            .documents()
            .render_page(world.as_citizen(citizen, message))
            .await;
        answer.map(|answer| answer.into_inner().image_png)
    };
    let png = render(job(1, 595, None)).await.unwrap();
    let picture = image::load_from_memory(&png).unwrap();
    assert_eq!((picture.width(), picture.height()), (595, 842));
    let region = pb::Rectangle {
        x: 0.0,
        y: 0.0,
        width: 200.0,
        height: 100.0,
    };
    let png = render(job(1, 400, Some(region))).await.unwrap();
    assert_eq!(image::load_from_memory(&png).unwrap().height(), 200);

    let fault = |field: &str, reason: &str| vec![(field.to_owned(), reason.to_owned())];
    assert_eq!(
        violations(render(job(2, 595, None)).await),
        fault("page_number", "PAGE_UNKNOWN")
    );
    assert_eq!(
        violations(render(job(0, 595, None)).await),
        fault("page_number", "PAGE_UNKNOWN")
    );
    assert_eq!(
        violations(render(job(1, 2_001, None)).await),
        fault("width_pixels", "OUT_OF_RANGE")
    );
    let outside = pb::Rectangle {
        x: 500.0,
        y: 0.0,
        width: 200.0,
        height: 100.0,
    };
    assert_eq!(
        violations(render(job(1, 400, Some(outside))).await),
        fault("region", "REGION_OUTSIDE_PAGE")
    );
    let sliver = pb::Rectangle {
        x: 0.0,
        y: 0.0,
        width: 1.0,
        height: 842.0,
    };
    assert_eq!(
        violations(render(job(1, 400, Some(sliver))).await),
        fault("width_pixels", "PICTURE_TOO_TALL")
    );
}

#[tokio::test]
async fn another_person_s_document_is_not_found() {
    let world = World::start().await;
    let document = world.upload(world.citizen(), &sample::plain(1)).await;
    let other = world.citizen();
    let document_id = document.document_id.clone();
    let got = world
        .documents()
        .get_document(world.as_citizen(
            other,
            pb::GetDocumentRequest {
                document_id: document_id.clone(),
            },
        ))
        .await;
    assert_eq!(reason(got), (Code::NotFound, "DOCUMENT_NOT_FOUND".to_owned()));
    let message = pb::DownloadDocumentRequest {
        document_id: document_id.clone(),
        offset: 0,
        length: 0,
    };
    let downloaded = world
        .documents()
        .download_document(world.as_citizen(other, message))
        .await
        .map(|_| ());
    assert_eq!(
        reason(downloaded),
        (Code::NotFound, "DOCUMENT_NOT_FOUND".to_owned())
    );
    let message = pb::RenderPageRequest {
        document_id,
        page_number: 1,
        region: None,
        width_pixels: 100,
    };
    let rendered = world
        .documents()
        .render_page(world.as_citizen(other, message))
        .await;
    assert_eq!(
        reason(rendered),
        (Code::NotFound, "DOCUMENT_NOT_FOUND".to_owned())
    );
    let created = world
        .legalisation()
        .create_legalisation_request(world.as_citizen(other, world.opening(&document)))
        .await;
    assert_eq!(reason(created), (Code::NotFound, "DOCUMENT_NOT_FOUND".to_owned()));
}

/// A full disk is what the operating system says of a device without room.
#[tokio::test]
async fn a_full_store_says_so_and_nothing_is_half_done() {
    let world = World::start().await;
    let citizen = world.citizen();
    let objects = world.folder.path().join("objects");
    std::fs::create_dir_all(&objects).unwrap();
    let store = FullStore::mount(&objects.join("documents"));
    let result = world.try_upload(citizen, &request_id(), &sample::plain(1)).await;
    assert_eq!(reason(result), (Code::Unavailable, "STORAGE_FULL".to_owned()));
    store.unmount();
    let mut conn = world.database.connect().await;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM document")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(rows, 0);
    world.upload(citizen, &sample::plain(1)).await;
}

/// A file system of one page at a place of the store.
pub(crate) struct FullStore(std::path::PathBuf);

impl FullStore {
    pub(crate) fn mount(place: &std::path::Path) -> Self {
        std::fs::create_dir_all(place).unwrap();
        run(
            "mount",
            &["-t", "tmpfs", "-o", "size=4k", "tmpfs", place.to_str().unwrap()],
        );
        std::fs::write(place.join("filler"), vec![0; 4096]).unwrap();
        Self(place.to_owned())
    }

    pub(crate) fn unmount(self) {
        run("umount", &[self.0.to_str().unwrap()]);
    }
}

/// Mounting is for root; others have sudo, which installing the stack has asked for already.
fn run(program: &str, arguments: &[&str]) {
    let mut command = if rustix::process::getuid().is_root() {
        std::process::Command::new(program)
    } else {
        let mut command = std::process::Command::new("sudo");
        command.args(["-n", program]);
        command
    };
    let status = command.args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

/// An upload that breaks off leaves neither row nor object.
#[tokio::test]
async fn a_broken_upload_leaves_nothing() {
    let world = World::start().await;
    let citizen =
        wathiq_chassis::testing::caller(&world.claims(world.citizen(), wathiq_chassis::Surface::Citizen));
    let upload = wathiq_signature::app::upload_document::Upload {
        request_id: uuid::Uuid::new_v4(),
        file_name: "a.pdf".to_owned(),
        length: None,
    };
    let chunks = stream::iter([
        Ok(Bytes::from(vec![b'%'; 8 << 20])),
        Err(tonic::Status::cancelled("gone")),
    ]);
    let result =
        wathiq_signature::app::upload_document::upload_document(&world.app, &citizen, upload, chunks, |_| {
            Vec::new()
        })
        .await;
    assert!(matches!(
        result,
        Err(wathiq_signature::app::AppError::UploadBroken(_))
    ));
    assert_eq!(kept(&world), 0);
}
