//! Ranges of numbers.

use tonic::Code;
use wathiq_outbox::testing::events;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShippingProduct::{
    RegisteredDomestic, RegisteredInternational,
};

use crate::harness::{World, number, reason, violations};

#[tokio::test]
async fn no_range_overlaps_another_in_use_or_spent() {
    let world = World::empty().await;
    let spent = world.allocate("RR", 100, 100, RegisteredDomestic).await.unwrap();
    world.created("parcel-1").await;
    let taken = (Code::AlreadyExists, "RANGE_OVERLAPS".to_owned());
    for (first, last) in [(100, 100), (0, 100), (100, 200), (50, 150)] {
        let refused = world.allocate("RR", first, last, RegisteredInternational).await;
        let status = refused.err().unwrap();
        assert!(status.message().contains(&spent.range_id), "{status:?}");
        assert_eq!(reason::<()>(Err(status)), taken);
    }
    world.allocate("RR", 101, 200, RegisteredDomestic).await.unwrap();
    world.allocate("RS", 100, 100, RegisteredDomestic).await.unwrap();
}

#[tokio::test]
async fn what_can_be_no_range_is_refused_field_by_field() {
    let world = World::empty().await;
    let request = pb::AllocateRangeRequest {
        request_id: "x".to_owned(),
        service_indicator: "EE".to_owned(),
        country_code: "FR".to_owned(),
        first: 2,
        last: 1,
        product: 0,
    };
    let refused = violations(
        world
            .ranges()
            .allocate_range(world.by_administrator(request))
            .await,
    );
    let fields: Vec<_> = refused.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "request_id",
            "service_indicator",
            "country_code",
            "first",
            "product"
        ]
    );
}

#[tokio::test]
async fn ranges_are_used_up_one_after_the_other_and_then_nothing_is_given() {
    let world = World::empty().await;
    world.allocate("RR", 1, 2, RegisteredDomestic).await.unwrap();
    world.pass(chrono::TimeDelta::seconds(1));
    world.allocate("RA", 5, 5, RegisteredDomestic).await.unwrap();
    let mut given = Vec::new();
    for reference in ["a", "b", "c"] {
        given.push(number(&world.created(reference).await));
    }
    assert_eq!(given, ["RR000000014MA", "RR000000028MA", "RA000000059MA"]);
    let exhausted = (Code::ResourceExhausted, "NUMBER_RANGE_EXHAUSTED".to_owned());
    assert_eq!(
        reason(world.try_create(crate::harness::create("d")).await),
        exhausted
    );
    world.allocate("RR", 3, 3, RegisteredDomestic).await.unwrap();
    world.created("d").await;
}

#[tokio::test]
async fn that_numbers_run_low_is_said_once_and_again_after_a_new_range() {
    let world = World::empty().await;
    let warnings = async || {
        let mut conn = world.database.connect().await;
        let all = events(&mut conn).await;
        let low = all
            .into_iter()
            .filter(|event| event.event_type.ends_with("NumberRangeRunsLow"));
        low.map(|event| event.decode::<pb::NumberRangeRunsLow>().left)
            .collect::<Vec<_>>()
    };
    world.allocate("RR", 0, 501, RegisteredDomestic).await.unwrap();
    for reference in ["a", "b"] {
        world.created(reference).await;
    }
    assert!(warnings().await.is_empty());
    for reference in ["c", "d"] {
        world.created(reference).await;
    }
    assert_eq!(warnings().await, [499]);
    let low = async || {
        let request = pb::ListRangesRequest::default();
        let answer = world
            .ranges()
            .list_ranges(world.by_administrator(request))
            .await
            .unwrap();
        answer
            .into_inner()
            .ranges
            .into_iter()
            .map(|range| (range.next, range.runs_low))
            .collect::<Vec<_>>()
    };
    assert_eq!(low().await, [(4, true)]);
    world.pass(chrono::TimeDelta::seconds(1));
    world
        .allocate("RR", 1_000, 1_001, RegisteredDomestic)
        .await
        .unwrap();
    // 500 are left: enough again, and the next shortage is told anew.
    assert_eq!(low().await, [(4, false), (1_000, false)]);
    world.created("e").await;
    assert_eq!(warnings().await, [499, 499]);
}

#[tokio::test]
async fn the_database_gives_no_number_twice_whoever_asks() {
    let world = World::start().await;
    world.created("parcel-1").await;
    let mut conn = world.database.connect().await;
    let back = sqlx::query(
        "UPDATE number_range SET next_serial = first_serial WHERE product = 'REGISTERED_DOMESTIC'",
    )
    .execute(&mut conn)
    .await;
    assert!(back.unwrap_err().to_string().contains("would give number"));
    for forbidden in [
        "DELETE FROM number_range",
        "UPDATE number_range SET first_serial = 0",
        "DELETE FROM shipment",
        "UPDATE carrier_event SET code = 'EMI'",
        "UPDATE shipment SET tracking_id = 'RR000000014MA'",
    ] {
        let refused = sqlx::query(sqlx::AssertSqlSafe(forbidden))
            .execute(&mut conn)
            .await;
        assert!(
            refused.unwrap_err().to_string().contains("permission denied"),
            "{forbidden}"
        );
    }
}
