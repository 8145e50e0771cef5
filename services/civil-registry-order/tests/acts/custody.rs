//! Registers move with splits and mergers; acts are seen where their register is.

use chrono::NaiveDate;
use tonic::Code;
use uuid::Uuid;
use wathiq_civil_registry_order::domain::act_key::RegisterKind;
use wathiq_civil_registry_order::domain::custody::Custody;
use wathiq_civil_registry_order::store::custody;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, World};
use crate::sample::keying;

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
