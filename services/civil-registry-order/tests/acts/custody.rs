//! Registers move with splits and mergers; acts are seen where their register is.

use chrono::NaiveDate;
use tonic::Code;
use uuid::Uuid;
use wathiq_civil_registry_order::domain::act_key::RegisterKind;
use wathiq_civil_registry_order::domain::custody::Custody;
use wathiq_civil_registry_order::store::custody;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, REGION, World, request_id, violations};
use crate::sample::{date, keying};

const THIRD: Uuid = Uuid::from_u128(0x0ff1_ce02);

async fn moved(world: &World, from: Uuid, to: Uuid, years: (Option<i16>, Option<i16>), on: &str) {
    let custody = Custody {
        id: world.app.ambient.uuid_v7(),
        office_id: from,
        kind: RegisterKind::Birth,
        from_year: years.0,
        to_year: years.1,
        held_by: to,
        valid_from: on.parse().unwrap(),
    };
    let mut conn = world.database.connect().await;
    custody::add(&mut conn, &custody, Uuid::nil(), world.app.ambient.now())
        .await
        .unwrap();
}

async fn holder(world: &World, office: Uuid, year: i16, on: &str) -> Uuid {
    let on: NaiveDate = on.parse().unwrap();
    let mut conn = world.database.connect().await;
    custody::holder(&mut conn, office, RegisterKind::Birth, year, on)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_holder_is_found_through_splits_and_mergers() {
    let world = World::start().await;
    moved(&world, OFFICE, OTHER, (None, Some(1989)), "2009-06-01").await;
    moved(&world, OTHER, THIRD, (None, None), "2015-09-04").await;
    assert_eq!(holder(&world, OFFICE, 1984, "2009-05-31").await, OFFICE);
    assert_eq!(holder(&world, OFFICE, 1984, "2009-06-01").await, OTHER);
    assert_eq!(holder(&world, OFFICE, 1984, "2026-11-23").await, THIRD);
    assert_eq!(holder(&world, OFFICE, 1990, "2026-11-23").await, OFFICE);
    assert_eq!(holder(&world, OTHER, 1990, "2026-11-23").await, THIRD);
    assert_eq!(holder(&world, THIRD, 1990, "2026-11-23").await, THIRD);
}

#[tokio::test]
async fn an_act_is_seen_where_its_register_is_today() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let (here, there) = (world.agent(), world.official_at(OTHER, "agent"));
    assert!(world.act(here, act_id).await.is_ok());
    assert_eq!(
        world.act(there, act_id).await.err().unwrap().code(),
        Code::NotFound
    );
    moved(&world, OFFICE, OTHER, (None, Some(1989)), "2026-11-01").await;
    assert_eq!(
        world.act(here, act_id).await.err().unwrap().code(),
        Code::NotFound
    );
    let act = world.act(there, act_id).await.unwrap();
    assert_eq!(act.held_by_office_id, OTHER.to_string());
    assert_eq!(act.key.unwrap().office_id, OFFICE.to_string());
    let search = pb::SearchActsRequest {
        office_id: OFFICE.to_string(),
        year: 1984,
        number: "1".to_owned(),
        ..Default::default()
    };
    let found = world
        .acts()
        .search_acts(world.of(there, search.clone()))
        .await
        .unwrap();
    assert_eq!(found.into_inner().acts.len(), 1);
    let found = world.acts().search_acts(world.of(here, search)).await.unwrap();
    assert!(found.into_inner().acts.is_empty());
    // What moved is keyed where it is now.
    let mut late = keying("2");
    late.key.as_mut().unwrap().year = 1985;
    assert_eq!(
        world.key(here, late.clone()).await.err().unwrap().code(),
        Code::NotFound
    );
    assert!(world.key(there, late).await.is_ok());
    let mut kept = keying("2");
    kept.key.as_mut().unwrap().year = 1990;
    assert!(world.key(here, kept).await.is_ok());
}

async fn said(
    world: &World,
    from: Uuid,
    to: Uuid,
    years: (i32, i32),
    valid_from: (i32, i32, i32),
) -> Result<(), tonic::Status> {
    let request = pb::SetRegisterCustodyRequest {
        request_id: request_id(),
        office_id: from.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        from_year: years.0,
        to_year: years.1,
        held_by_office_id: to.to_string(),
        valid_from: date(valid_from.0, valid_from.1, valid_from.2),
    };
    let answer = world
        .administration()
        .set_register_custody(world.platform(request))
        .await;
    answer.map(drop)
}

#[tokio::test]
async fn registers_that_moved_by_mistake_come_back_alone() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let (here, there) = (world.agent(), world.official_at(OTHER, "agent"));
    said(&world, OFFICE, OTHER, (0, 0), (2026, 11, 1)).await.unwrap();
    assert!(world.act(there, act_id).await.is_ok() && world.act(here, act_id).await.is_err());
    let nothing = violations(said(&world, OFFICE, OTHER, (0, 0), (2026, 11, 2)).await);
    assert_eq!(nothing, [("office_id".to_owned(), "NOTHING_HELD".to_owned())]);
    said(&world, OFFICE, OFFICE, (1984, 1984), (2026, 11, 20))
        .await
        .unwrap();
    assert!(world.act(here, act_id).await.is_ok() && world.act(there, act_id).await.is_err());
    assert_eq!(holder(&world, OFFICE, 1985, "2026-11-23").await, OTHER);
    assert_eq!(
        holder(&world, OTHER, 1984, "2026-11-23").await,
        OTHER,
        "its own stay"
    );
    let nothing = violations(said(&world, OTHER, OTHER, (0, 0), (2026, 11, 20)).await);
    assert_eq!(nothing, [("office_id".to_owned(), "NOTHING_HELD".to_owned())]);
}

#[tokio::test]
async fn registers_go_to_offices_that_hold_registers() {
    let world = World::start().await;
    let unknown = Uuid::from_u128(7);
    for (from, to, field, reason) in [
        (OFFICE, REGION, "held_by_office_id", "OFFICE_WITHOUT_REGISTERS"),
        (REGION, OFFICE, "office_id", "OFFICE_WITHOUT_REGISTERS"),
        (OFFICE, unknown, "held_by_office_id", "OFFICE_UNKNOWN"),
    ] {
        let refused = violations(said(&world, from, to, (0, 0), (2026, 11, 1)).await);
        assert_eq!(refused, [(field.to_owned(), reason.to_owned())]);
    }
    assert_eq!(holder(&world, OFFICE, 1984, "2026-11-23").await, OFFICE);
}
