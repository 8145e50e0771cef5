//! What time brings about.

use chrono::TimeDelta;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::expire_requests::expire_requests;
use wathiq_signature::app::sweep_objects::sweep_objects;

use crate::harness::World;
use crate::sample;

#[tokio::test]
async fn unconfirmed_requests_expire_after_thirty_days() {
    let world = World::start().await;
    let citizen = world.citizen();
    let draft = world.drafted(citizen).await.legalisation_request_id;
    let submitted = world.submitted(citizen).await.legalisation_request_id;
    world.clock.advance(TimeDelta::days(15));
    let placed = world.placed(citizen).await.legalisation_request_id;
    world
        .clock
        .advance(TimeDelta::days(15) - TimeDelta::microseconds(1));
    assert_eq!(expire_requests(&world.app).await.unwrap(), 0);
    world.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(expire_requests(&world.app).await.unwrap(), 1);
    assert_eq!(expire_requests(&world.app).await.unwrap(), 0);
    assert_eq!(
        world.try_get(citizen, &draft).await.unwrap().state(),
        pb::LegalisationState::Expired
    );
    assert_eq!(
        world.try_get(citizen, &placed).await.unwrap().state(),
        pb::LegalisationState::SignaturePlaced
    );
    assert_eq!(
        world.try_get(citizen, &submitted).await.unwrap().state(),
        pb::LegalisationState::Submitted
    );
    world.clock.advance(TimeDelta::days(15));
    assert_eq!(expire_requests(&world.app).await.unwrap(), 1);
}

#[tokio::test]
async fn objects_that_no_row_names_are_swept_after_an_hour() {
    // Files get the machine's own time: the clock of this test begins there.
    let world = World::start_at(wathiq_chassis::Clock::now(&wathiq_chassis::SystemClock)).await;
    let citizen = world.citizen();
    let document = world.upload(citizen, &sample::plain(1)).await;
    world
        .app
        .objects
        .put("documents/orphan", "left behind".into())
        .await
        .unwrap();
    world
        .app
        .objects
        .put("sealed/other", "not an upload".into())
        .await
        .unwrap();
    // What a process that was killed while it wrote has left.
    let unfinished = world.folder.path().join("objects/documents/half#1");
    std::fs::write(&unfinished, "half").unwrap();
    assert_eq!(sweep_objects(&world.app).await.unwrap(), 0);
    world.clock.advance(TimeDelta::hours(2));
    assert_eq!(sweep_objects(&world.app).await.unwrap(), 2);
    assert!(!unfinished.exists());
    assert!(!world.app.objects.exists("documents/orphan").await.unwrap());
    assert!(world.app.objects.exists("sealed/other").await.unwrap());
    let message = pb::RenderPageRequest {
        document_id: document.document_id,
        page_number: 1,
        region: None,
        width_pixels: 100,
    };
    world
        .documents()
        .render_page(world.as_citizen(citizen, message))
        .await
        .unwrap();
}
