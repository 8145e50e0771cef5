//! Which register an order means, and what of a digitised one proves: by a death's own year, by the name that notes have given, and wherever
//! registers have moved to.

use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::act_service_client::ActServiceClient;

use crate::digitised::{act_to_key, key_twice};
use crate::evidence::upload;
use crate::harness::{OFFICE, OTHER, World, date, line, name, order_request, request_id};

async fn moves(world: &World, kind: pb::RegisterKind, years: (i32, i32)) {
    let request = pb::SetRegisterCustodyRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        kind: kind.into(),
        from_year: years.0,
        to_year: years.1,
        held_by_office_id: OTHER.to_string(),
        valid_from: Some(date(2026, 11, 1)),
    };
    let mut administration = world.administration();
    administration
        .set_register_custody(world.platform(request))
        .await
        .unwrap();
}

fn death_of(birth_year: i32, death_year: i32) -> pb::LineRequest {
    let year = |year| (year > 0).then(|| date(year, 0, 0));
    let act = pb::ActClue {
        office_id: OFFICE.to_string(),
        person: Some(name("Ahmed", "El Idrissi")),
        birth_date: year(birth_year),
        death_date: year(death_year),
        ..Default::default()
    };
    pb::LineRequest {
        document_kind: "death-extract".to_owned(),
        act: Some(act),
        relation: pb::Relation::Child.into(),
        ..line("1")
    }
}

#[tokio::test]
async fn a_death_without_its_year_of_declaration_goes_where_deaths_of_its_year_are() {
    let world = World::start().await;
    let citizen = world.citizen();
    moves(&world, pb::RegisterKind::Death, (2000, 2009)).await;
    let evidence = upload(&world, citizen, request_id()).await;
    let lines = [(1930, 2003), (0, 2003), (2003, 2012), (1930, 0)]
        .map(|(born, died)| pb::LineRequest {
            evidence_ids: vec![evidence.clone()],
            ..death_of(born, died)
        })
        .to_vec();
    let order = world.place(citizen, lines).await;
    let offices: Vec<&str> = order.lines.iter().map(|line| line.office_id.as_str()).collect();
    let (here, there) = (OFFICE.to_string(), OTHER.to_string());
    assert_eq!(offices, [&there, &there, &here, &here]);
    let told: Vec<_> = order
        .lines
        .iter()
        .map(|line| line.act.clone().unwrap().death_date)
        .collect();
    assert_eq!(
        told,
        [2003, 2003, 2012, 0].map(|year| (year > 0).then(|| date(year, 0, 0)))
    );
}

#[tokio::test]
async fn an_applicant_is_known_by_the_name_that_a_note_has_given() {
    let world = World::start().await;
    let mut own = act_to_key("", "7");
    let content = own.content.get_or_insert_default();
    content.family_name = Some(pb::BilingualText {
        arabic: "بناني".to_owned(),
        latin: "Bennani".to_owned(),
    });
    content.father.get_or_insert_default().birth_date = Some(pb::WrittenDate {
        gregorian: Some(date(1958, 2, 1)),
        ..Default::default()
    });
    key_twice(&world, &own).await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let of_father = || pb::LineRequest {
        act: Some(pb::ActClue {
            office_id: OFFICE.to_string(),
            year: 1958,
            number: "3".to_owned(),
            person: Some(name("Ahmed", "El Idrissi")),
            birth_date: Some(date(1958, 2, 1)),
            ..Default::default()
        }),
        relation: pb::Relation::Child.into(),
        ..line("3")
    };
    let evidence = upload(&world, citizen, request_id()).await;
    let with_evidence = pb::LineRequest {
        evidence_ids: vec![evidence],
        ..of_father()
    };
    let order = world.place(citizen, vec![with_evidence]).await;
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Evidence);

    let act_id: Uuid = sqlx::query_scalar("SELECT id FROM act WHERE number = '7'")
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap();
    let note = pb::MarginalNote {
        date: Some(date(2011, 5, 6)),
        kind: "judgment".to_owned(),
        text: Some(pb::BilingualText {
            latin: "jugement".to_owned(),
            ..Default::default()
        }),
        changes_extract: true,
        changes: vec![pb::ExtractChange {
            field: "family_name".to_owned(),
            text: Some(pb::BilingualText {
                arabic: "الإدريسي".to_owned(),
                latin: "El Idrissi".to_owned(),
            }),
            date: None,
        }],
        ..Default::default()
    };
    let request = pb::AddMarginalNoteRequest {
        request_id: request_id(),
        act_id: act_id.to_string(),
        note: Some(note),
    };
    let mut acts = ActServiceClient::new(world.channel("gateway"));
    acts.add_marginal_note(world.staff(officer, request))
        .await
        .unwrap();
    let order = world.place(citizen, vec![of_father()]).await;
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Acts);
}

#[tokio::test]
async fn an_order_at_fault_does_not_keep_others_from_following_their_register() {
    let world = World::start().await;
    let citizen = world.citizen();
    let (broken, sound) = (
        world.place(citizen, vec![line("1")]).await,
        world.place(citizen, vec![line("2")]).await,
    );
    for order in [&broken, &sound] {
        world.pay(order).await;
    }
    let mut owner = world.database.connect_as_owner().await;
    let spoiled = "UPDATE order_line SET proof = $2 WHERE order_id = $1";
    let order_id = Uuid::try_parse(&broken.order_id).unwrap();
    let set = async |owner: &mut _, proof: &str| {
        let query = sqlx::query(spoiled).bind(order_id).bind(proof);
        query.execute(owner).await.unwrap();
    };
    set(&mut owner, "NONE_SUCH").await;
    moves(&world, pb::RegisterKind::Birth, (1980, 1999)).await;
    set(&mut owner, "DECLARED").await;
    let office = async |order: &pb::Order| world.get(citizen, order).await.lines[0].office_id.clone();
    assert_eq!(office(&sound).await, OTHER.to_string());
    assert_eq!(office(&broken).await, OFFICE.to_string());
    // What was left behind follows once it is as it should be.
    let moved = wathiq_civil_registry_order::app::move_lines::move_lines(&world.app).await;
    assert_eq!(moved.unwrap(), 1);
    assert_eq!(office(&broken).await, OTHER.to_string());
}

#[tokio::test]
async fn the_southern_provinces_are_posted_as_morocco() {
    let world = World::start().await;
    let quote = pb::QuoteOrderRequest {
        lines: vec![line("1")],
        country_code: "EH".to_owned(),
    };
    let quoted = world.orders().quote_order(quote).await.unwrap().into_inner();
    assert_eq!(quoted.total_centimes, 2_000);
    let mut request = order_request(vec![line("1")]);
    let address = request.address.get_or_insert_default();
    address.country_code = "eh".to_owned();
    address.postal_code = "70000".to_owned();
    address.locality_latin = "Laâyoune".to_owned();
    let placed = world
        .orders()
        .place_order(world.as_citizen(world.citizen(), request))
        .await;
    let order = placed.unwrap().into_inner().order.unwrap();
    assert_eq!(order.address.unwrap().country_code, "MA");
}
