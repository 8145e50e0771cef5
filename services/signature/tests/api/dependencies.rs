//! What others cannot do for us is told as it is, and nothing is half done.

use tonic::Code;
use wathiq_signature::config::DatabaseConfig;
use wathiq_signature::pdf::{PdfConfig, Pool};

use crate::harness::{World, id_of, reason, request_id};
use crate::sample;

fn kept(world: &World) -> usize {
    let folder = world.folder.path().join("objects/documents");
    std::fs::read_dir(folder).map_or(0, std::iter::Iterator::count)
}

/// Nobody listens on the discard port.
pub(crate) fn nowhere() -> DatabaseConfig {
    DatabaseConfig {
        url: "postgres://nobody@127.0.0.1:9/nowhere".to_owned(),
        password_file: None,
        owner_url: None,
        owner_password_file: None,
    }
}

#[tokio::test]
async fn a_database_that_is_down() {
    let world = World::start_with("2026-11-23T09:00:00Z".parse().unwrap(), |app| {
        app.pool = nowhere().pool().unwrap();
    })
    .await;
    let unavailable = (Code::Unavailable, "DATABASE_UNAVAILABLE".to_owned());
    let citizen = world.citizen();
    let id = uuid::Uuid::new_v4().to_string();
    assert_eq!(reason(world.try_get(citizen, &id).await), unavailable);
    assert_eq!(
        reason(world.try_upload(citizen, &request_id(), &sample::plain(1)).await),
        unavailable
    );
    assert_eq!(kept(&world), 0);
}

#[tokio::test]
async fn no_worker_to_open_files() {
    let world = World::start_with("2026-11-23T09:00:00Z".parse().unwrap(), |app| {
        let config = PdfConfig {
            worker: Some("/nonexistent/signature".into()),
            ..PdfConfig::default()
        };
        app.pdf = Pool::new(config);
    })
    .await;
    let result = world
        .try_upload(world.citizen(), &request_id(), &sample::plain(1))
        .await;
    assert_eq!(
        reason(result),
        (Code::Unavailable, "PDF_WORKER_UNAVAILABLE".to_owned())
    );
    assert_eq!(kept(&world), 0);
}

#[tokio::test]
async fn a_store_that_has_lost_a_file_is_our_fault() {
    let world = World::start().await;
    let citizen = world.citizen();
    let document = world.upload(citizen, &sample::plain(1)).await;
    for entry in std::fs::read_dir(world.folder.path().join("objects/documents")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let message = wathiq_proto::wathiq::signature::v1::RenderPageRequest {
        document_id: document.document_id,
        page_number: 1,
        region: None,
        width_pixels: 100,
    };
    let result = world
        .documents()
        .render_page(world.as_citizen(citizen, message))
        .await;
    assert_eq!(reason(result), (Code::Internal, "INTERNAL".to_owned()));
}

/// A row that this code did not write is an error of ours that names where to look, not a guess.
#[tokio::test]
async fn a_row_that_cannot_be_is_named() {
    let world = World::start().await;
    let citizen = world.citizen();
    let request = world.submitted(citizen).await;
    let id = request.legalisation_request_id.clone();
    let mut conn = world.database.connect().await;
    let mut owner = world.owner().await;
    for sql in [
        "ALTER TABLE legalisation_request DISABLE TRIGGER USER",
        "UPDATE legalisation_request SET destination = '{\"kind\": \"MOON\"}'",
    ] {
        sqlx::query(sql).execute(&mut owner).await.unwrap();
    }
    let found = wathiq_signature::store::requests::find(&mut conn, id_of(&request)).await;
    assert_eq!(
        found.unwrap_err().to_string(),
        format!("row {id} of legalisation_request is inconsistent in destination")
    );
    assert_eq!(
        reason(world.try_get(citizen, &id).await),
        (Code::Internal, "INTERNAL".to_owned())
    );
}
