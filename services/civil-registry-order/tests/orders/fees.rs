//! Fees by number of copies, with a first and a last day.

use chrono::TimeDelta;
use tonic::Code;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{World, date, line, reason, request_id, violations};

fn price(amount: i64) -> Option<pb::Price> {
    Some(pb::Price {
        amount_centimes: amount,
        office_centimes: amount,
        ..Default::default()
    })
}

/// From this day of November 2026 on.
fn fee(zone: &str, steps: &[(i32, i64)], day: i32) -> pb::SetFeeRequest {
    let step = |(from_copies, amount): &(i32, i64)| pb::FeeStep {
        from_copies: *from_copies,
        price: price(*amount),
    };
    pb::SetFeeRequest {
        request_id: request_id(),
        document_kind: "birth-extract".to_owned(),
        zone: zone.to_owned(),
        steps: steps.iter().map(step).collect(),
        valid_from: Some(date(2026, 11, day)),
        ..Default::default()
    }
}

async fn set(world: &World, request: pb::SetFeeRequest) {
    world
        .administration()
        .set_fee(world.platform(request))
        .await
        .unwrap();
}

async fn refused(world: &World, request: pb::SetFeeRequest) -> Result<(), tonic::Status> {
    let answer = world.administration().set_fee(world.platform(request)).await;
    answer.map(|_| ())
}

async fn quote(world: &World, country: &str, kind: &str, copies: i32) -> Result<i64, tonic::Status> {
    let request = pb::QuoteOrderRequest {
        lines: vec![pb::LineRequest {
            document_kind: kind.to_owned(),
            copies,
            ..line("1")
        }],
        country_code: country.to_owned(),
    };
    let answer = world.orders().quote_order(request).await?;
    Ok(answer.into_inner().total_centimes)
}

async fn total(world: &World, country: &str, copies: i32) -> i64 {
    quote(world, country, "birth-extract", copies).await.unwrap()
}

fn one(field: &str, reason: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), reason.to_owned())]
}

#[tokio::test]
async fn a_new_fee_replaces_the_old_one_with_all_its_steps_until_its_last_day() {
    let world = World::start().await;
    set(&world, fee("MOROCCO", &[(1, 1_900), (3, 1_500), (5, 1_000)], 23)).await;
    for (copies, amount) in [(1, 1_900), (2, 1_900), (3, 1_500), (4, 1_500), (10, 1_000)] {
        assert_eq!(
            total(&world, "MA", copies).await,
            amount * i64::from(copies),
            "{copies}"
        );
    }
    let catalogue = world
        .orders()
        .get_catalogue(pb::GetCatalogueRequest {})
        .await
        .unwrap();
    let entries = catalogue.into_inner().entries;
    let entry = entries
        .iter()
        .find(|entry| entry.document_kind == "birth-extract")
        .unwrap();
    let fees = entry.fees.iter().filter(|fee| fee.zone == "MOROCCO");
    assert_eq!(fees.map(|fee| fee.from_copies).collect::<Vec<_>>(), [1, 3, 5]);
    let ending = pb::SetFeeRequest {
        valid_to: Some(date(2026, 11, 24)),
        ..fee("MOROCCO", &[(1, 1_800), (5, 1_700)], 24)
    };
    set(&world, ending).await;
    world.after(TimeDelta::days(1)).await;
    assert_eq!(
        total(&world, "MA", 3).await,
        3 * 1_800,
        "the step of the old fee is gone"
    );
    assert_eq!(total(&world, "MA", 5).await, 5 * 1_700);
    world.after(TimeDelta::days(1)).await;
    let ended = quote(&world, "MA", "birth-extract", 3).await;
    assert_eq!(
        violations(ended),
        one("lines[0].document_kind", "NO_FEE"),
        "the older one is not taken up again"
    );
    assert_eq!(total(&world, "FR", 3).await, 3 * 7_500);
}

#[tokio::test]
async fn a_gap_says_whether_kind_zone_or_quantity_has_no_fee() {
    let world = World::start().await;
    set(&world, fee("EUROPE", &[(2, 7_000)], 23)).await;
    let few = quote(&world, "FR", "birth-extract", 1).await;
    assert_eq!(violations(few), one("lines[0].copies", "QUANTITY_WITHOUT_FEE"));
    assert_eq!(total(&world, "FR", 2).await, 14_000);
    let destination = pb::SetDestinationZoneRequest {
        request_id: request_id(),
        country_code: "FR".to_owned(),
        zone: "FRANCE".to_owned(),
        valid_from: Some(date(2026, 11, 23)),
    };
    let mut administration = world.administration();
    administration
        .set_destination_zone(world.platform(destination))
        .await
        .unwrap();
    let zone = quote(&world, "FR", "birth-extract", 1).await;
    assert_eq!(violations(zone), one("lines[0].document_kind", "NO_FEE"));
    let kind = pb::DocumentKind {
        code: "birth-note".to_owned(),
        ..crate::catalogue::kind()
    };
    let request = pb::PutDocumentKindRequest {
        request_id: request_id(),
        document_kind: Some(kind),
    };
    administration
        .put_document_kind(world.platform(request))
        .await
        .unwrap();
    let kind = quote(&world, "MA", "birth-note", 1).await;
    assert_eq!(
        violations(kind),
        one("lines[0].document_kind", "KIND_WITHOUT_FEE")
    );
}

#[tokio::test]
async fn a_fee_is_whole_and_in_order_and_below_the_ceiling_in_each_step() {
    let world = World::start().await;
    let mixed = pb::SetFeeRequest {
        from_copies: 1,
        price: price(1_000),
        ..fee("MOROCCO", &[(1, 1_000)], 24)
    };
    assert_eq!(violations(refused(&world, mixed).await), one("steps", "NOT_BOTH"));
    let twice = fee("MOROCCO", &[(1, 1_000), (1, 900)], 24);
    let out_of_order = one("steps[1].from_copies", "STEPS_OUT_OF_ORDER");
    assert_eq!(violations(refused(&world, twice).await), out_of_order);
    let unsound = fee("MOROCCO", &[(1, 1_000), (2, 0)], 24);
    assert_eq!(
        violations(refused(&world, unsound).await),
        one("steps[1].price", "PRICE_UNSOUND")
    );
    let reversed = pb::SetFeeRequest {
        valid_to: Some(date(2026, 11, 23)),
        ..fee("MOROCCO", &[(1, 1_000)], 24)
    };
    assert_eq!(
        violations(refused(&world, reversed).await),
        one("valid_to", "RANGE_REVERSED")
    );
    let above = fee("MOROCCO", &[(1, 2_000), (2, 2_001)], 24);
    assert_eq!(reason(refused(&world, above).await).1, "FEE_ABOVE_CEILING");
    set(&world, fee("MOROCCO", &[(1, 1_000)], 24)).await;
    let again = refused(&world, fee("MOROCCO", &[(2, 900)], 24)).await;
    assert_eq!(reason(again), (Code::AlreadyExists, "FEE_EXISTS".to_owned()));
}
