//! What time brings about.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use uuid::Uuid;
use wathiq_chassis::Clock;
use wathiq_outbox::testing;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::end_credentials::end_credentials;
use wathiq_signature::app::expire_requests::expire_requests;
use wathiq_signature::app::sweep_objects::sweep_objects;
use wathiq_signature::app::sweep_reviews::sweep_reviews;

use crate::harness::{World, matching};
use crate::officers::Token;
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

/// Of the pictures of a request's region, those stay that a decision rests on or that may still be decided on.
#[tokio::test]
async fn pictures_that_no_decision_rests_on_are_swept() {
    let world = World::start_at(wathiq_chassis::Clock::now(&wathiq_chassis::SystemClock)).await;
    let agent = world.official(&["agent"]);
    let picture = |id: &str, sha256: &[u8]| format!("reviews/{id}/{}", HEXLOWER.encode(sha256));
    let accepted = world.submitted(world.citizen()).await.legalisation_request_id;
    let (refused, open) = (
        world.submitted(world.citizen()).await.legalisation_request_id,
        world.submitted(world.citizen()).await.legalisation_request_id,
    );
    let mut kept = Vec::new();
    for id in [&accepted, &refused, &open] {
        world.try_claim(agent, id).await.unwrap();
        let review = world.try_review(agent, id).await.unwrap();
        kept.push(picture(id, &review.region_sha256));
        if *id == accepted {
            world.try_accept(agent, id, matching(&review)).await.unwrap();
        }
    }
    world.try_refuse(agent, &refused, None).await.unwrap();
    let earlier = picture(&accepted, &[7; 32]);
    world
        .app
        .objects
        .put(&earlier, "seen before".into())
        .await
        .unwrap();
    world
        .app
        .objects
        .put("reviews/other", "not ours".into())
        .await
        .unwrap();
    assert_eq!(
        sweep_reviews(&world.app).await.unwrap(),
        0,
        "not before an hour has passed"
    );
    world.clock.advance(TimeDelta::hours(2));
    assert_eq!(sweep_reviews(&world.app).await.unwrap(), 2);
    let exists = async |key: &str| world.app.objects.exists(key).await.unwrap();
    assert!(exists(&kept[0]).await, "what was compared stays");
    assert!(!exists(&kept[1]).await, "refused without a comparison");
    assert!(exists(&kept[2]).await, "may still be decided on");
    assert!(!exists(&earlier).await);
    assert!(exists("reviews/other").await);
}

/// The officer's certificate ends; it is told once.
#[tokio::test]
async fn a_certificate_that_has_expired_is_told_once() {
    let world = World::present().await;
    world.officer(&Token::named("officer-1")).await;
    let mut conn = world.database.connect().await;
    let (id, end): (Uuid, DateTime<Utc>) = sqlx::query_as("SELECT id, not_after FROM signing_credential")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    testing::drain(&mut conn).await;
    world.clock.set(end);
    assert_eq!(end_credentials(&world.app).await.unwrap(), 0);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(end_credentials(&world.app).await.unwrap(), 1);
    assert_eq!(end_credentials(&world.app).await.unwrap(), 0);
    let events = testing::drain(&mut conn).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (
            events[0].topic.as_str(),
            events[0].aggregate_id,
            events[0].sequence
        ),
        ("wathiq.signature.office.v1", id, 2)
    );
    let told: pb::SigningCredentialExpired = events[0].decode();
    assert_eq!(told.credential_id, id.to_string());
}

/// What the authority says wins over the certificate's own end.
#[tokio::test]
async fn a_certificate_that_was_revoked_is_told_once() {
    let world = World::present().await;
    world.officer(&Token::named("officer-1")).await;
    let mut conn = world.database.connect().await;
    testing::drain(&mut conn).await;
    let revoked_at = world.clock.now();
    sqlx::query(
        "WITH evidence AS (INSERT INTO revocation_evidence (sha256, kind, data)
                           VALUES (sha256('list'), 'CRL', 'list') RETURNING sha256)
         INSERT INTO revoked_certificate (certificate_sha256, revoked_at, evidence_sha256, learnt_at)
         SELECT sha256(certificate), $1, evidence.sha256, $1 FROM signing_credential, evidence",
    )
    .bind(revoked_at)
    .execute(&mut conn)
    .await
    .unwrap();
    assert_eq!(end_credentials(&world.app).await.unwrap(), 1);
    world.clock.advance(TimeDelta::days(3_650));
    assert_eq!(end_credentials(&world.app).await.unwrap(), 0);
    let events = testing::drain(&mut conn).await;
    assert_eq!(events.len(), 1);
    let told: pb::SigningCredentialRevoked = events[0].decode();
    assert_eq!(told.revoke_time.unwrap().seconds, revoked_at.timestamp());
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
