//! Deposit lists on their way to the carrier.

use chrono::TimeDelta;
use wathiq_postal_shipping::app::announce::announce_next;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::harness::{OFFICE, World, number};

async fn lists(world: &World) -> Vec<pb::DepositList> {
    let request = pb::ListDepositListsRequest {
        office_id: OFFICE.to_string(),
        ..Default::default()
    };
    let answer = world
        .office()
        .list_deposit_lists(world.by_agent(request))
        .await
        .unwrap();
    answer.into_inner().deposit_lists
}

#[tokio::test]
async fn a_list_is_announced_signed_and_once() {
    let world = World::start().await;
    assert!(!announce_next(&world.app).await.unwrap());
    let shipment = world.handed_over("parcel-1").await;
    assert!(announce_next(&world.app).await.unwrap());
    assert!(!announce_next(&world.app).await.unwrap());
    let got = world.carrier.got();
    assert_eq!(got.len(), 1);
    assert!(got[0].signed);
    assert_eq!(
        (got[0].id.as_str(), got[0].number.as_str()),
        (shipment.deposit_list_id.as_str(), "2026/000001")
    );
    assert_eq!(got[0].office, OFFICE.to_string());
    let expected = format!(
        "tracking_id,product,sheets,addressee_latin,addressee_arabic,country_code,postal_code,locality_latin,street_latin,\
         quarter_latin,extra_latin,locality_arabic,street_arabic,quarter_arabic,extra_arabic,phone\r\n\
         {},REGISTERED_DOMESTIC,2,Mohamed El Alaoui,محمد العلوي,MA,20250,Casablanca,\"12, rue Tarfaya\",Hay Hassani,Appt 3,\
         الدار البيضاء,12، زنقة طرفاية,الحي الحسني,شقة 3,+212600000000\r\n",
        number(&shipment)
    );
    assert_eq!(got[0].csv, expected);
    assert!(lists(&world).await[0].announced);
}

#[tokio::test]
async fn a_carrier_that_is_down_is_waited_for_and_the_list_says_so() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    for (status, hindrance) in [(503, "CARRIER_UNREACHABLE"), (401, "CARRIER_REFUSED")] {
        world.carrier.answers(status);
        assert!(announce_next(&world.app).await.unwrap());
        let list = lists(&world).await.remove(0);
        assert_eq!((list.announced, list.hindrance.as_str()), (false, hindrance));
        // It is not asked again at once.
        assert!(!announce_next(&world.app).await.unwrap());
        world.pass(TimeDelta::minutes(1));
    }
    world.carrier.answers(202);
    assert!(announce_next(&world.app).await.unwrap());
    let list = lists(&world).await.remove(0);
    assert_eq!((list.announced, list.hindrance.as_str()), (true, ""));
    let got = world.carrier.got();
    assert!(
        got.len() == 3
            && got
                .iter()
                .all(|got| got.id == shipment.deposit_list_id && got.signed)
    );
}

/// A process that was killed while it announced leaves the list to another.
#[tokio::test]
async fn an_announcement_that_was_cut_off_is_made_again() {
    let world = World::start().await;
    world.handed_over("parcel-1").await;
    sqlx::query("UPDATE deposit_list SET attempts = 1, next_attempt_at = $1")
        .bind(world.now() + TimeDelta::seconds(60))
        .execute(&mut world.database.connect().await)
        .await
        .unwrap();
    assert!(!announce_next(&world.app).await.unwrap());
    world.pass(TimeDelta::seconds(60));
    assert!(announce_next(&world.app).await.unwrap());
    assert!(lists(&world).await[0].announced);
}
