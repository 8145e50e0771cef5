//! Files that were uploaded and that nobody needs.

use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use wathiq_chassis::Clock;
use wathiq_civil_registry_order::app::sweep_files::sweep_evidence;
use wathiq_civil_registry_order::app::upload_evidence::FOLDER;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{Person, World, line, order_request, request_id};

pub(crate) async fn upload(world: &World, citizen: Person, request_id: String) -> String {
    let header = pb::EvidenceHeader {
        request_id,
        file_name: "procuration.pdf".to_owned(),
        kind: "power-of-attorney".to_owned(),
    };
    sent(world, citizen, header).await.unwrap()
}

async fn sent(world: &World, citizen: Person, header: pb::EvidenceHeader) -> Result<String, tonic::Status> {
    use pb::upload_evidence_request::Part;
    let file = b"%PDF-1.7\nxref\nstartxref\n9\n%%EOF\n".to_vec();
    let parts = [Part::Header(header), Part::Chunk(file)];
    let parts = parts.map(|part| pb::UploadEvidenceRequest { part: Some(part) });
    let answer = world
        .orders()
        .upload_evidence(world.as_citizen(citizen, tokio_stream::iter(parts)))
        .await?;
    Ok(answer.into_inner().evidence_id)
}

#[tokio::test]
async fn the_same_file_as_another_kind_is_another_request() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = request_id();
    upload(&world, citizen, id.clone()).await;
    let header = pb::EvidenceHeader {
        request_id: id,
        file_name: "procuration.pdf".to_owned(),
        kind: "guardianship".to_owned(),
    };
    let refused = sent(&world, citizen, header).await;
    assert_eq!(
        crate::harness::reason(refused),
        (tonic::Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
}

#[tokio::test]
async fn what_no_order_names_in_a_day_is_deleted_and_what_one_names_stays() {
    let world = World::start().await;
    let citizen = world.citizen();
    let named = upload(&world, citizen, request_id()).await;
    let forgotten = upload(&world, citizen, request_id()).await;
    let mut request = order_request(vec![line("1")]);
    request.lines[0].set_relation(pb::Relation::Mandataire);
    request.lines[0].evidence_ids = vec![named.clone()];
    world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await
        .unwrap();
    let objects = &world.app.objects;
    let key = |id: &str| format!("{FOLDER}/{id}");
    // Of an upload that ended between its file and its row.
    objects
        .put(&key("orphan"), Bytes::from_static(b"%PDF-1.7"))
        .await
        .unwrap();
    world.clock.advance(TimeDelta::hours(23));
    sweep_evidence(&world.app).await.unwrap();
    assert!(objects.exists(&key(&forgotten)).await.unwrap());

    // Files have the age that the disk says.
    let ahead = DateTime::<Utc>::from(SystemTime::now()) - world.clock.now();
    world
        .clock
        .advance(ahead.max(TimeDelta::zero()) + TimeDelta::hours(2));
    sweep_evidence(&world.app).await.unwrap();
    for (id, stays) in [(named.as_str(), true), (&forgotten, false), ("orphan", false)] {
        assert_eq!(objects.exists(&key(id)).await.unwrap(), stays, "{id}");
    }
    assert_eq!(sweep_evidence(&world.app).await.unwrap(), 0);
}
