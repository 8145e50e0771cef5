//! What the administrator of the platform keeps as data: the law that templates cite, holidays, destination zones.

use chrono::NaiveDate;
use tonic::Code;
use wathiq_civil_registry_order::store::templates;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, World, date, line, reason, request_id, violations};

fn law(template: &str, text: &str, day: i32) -> pb::PutTemplateVersionRequest {
    pb::PutTemplateVersionRequest {
        request_id: request_id(),
        template: template.to_owned(),
        law_fr: format!("Loi n° {text} relative à l’état civil"),
        law_ar: format!("القانون رقم {text} المتعلق بالحالة المدنية"),
        valid_from: Some(date(2026, 11, day)),
        ..Default::default()
    }
}

fn holiday(day: i32, working: bool) -> pb::SetHolidayRequest {
    pb::SetHolidayRequest {
        request_id: request_id(),
        day: Some(date(2026, 11, day)),
        name: "Fête".to_owned(),
        working,
    }
}

fn destination(country: &str, zone: &str) -> pb::SetDestinationZoneRequest {
    pb::SetDestinationZoneRequest {
        request_id: request_id(),
        country_code: country.to_owned(),
        zone: zone.to_owned(),
        valid_from: Some(date(2026, 11, 23)),
    }
}

fn one(field: &str, reason: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), reason.to_owned())]
}

/// Names of the events of the catalogue, as they were told.
async fn told(world: &World) -> Vec<String> {
    let mut conn = world.database.connect().await;
    let mut events = wathiq_outbox::testing::events(&mut conn).await;
    events.retain(|event| event.topic.ends_with(".catalogue.v1"));
    let name =
        |event: wathiq_outbox::testing::StoredEvent| event.event_type.rsplit('.').next().unwrap().to_owned();
    events.into_iter().map(name).collect()
}

#[tokio::test]
async fn a_template_cites_another_law_from_its_day_on() {
    let world = World::start().await;
    let mut administration = world.administration();
    let request = world.platform(law("birth-extract", "36-21", 30));
    administration.put_template_version(request).await.unwrap();
    let again = administration
        .put_template_version(world.platform(law("birth-extract", "99-99", 30)))
        .await;
    assert_eq!(
        reason(again),
        (Code::AlreadyExists, "TEMPLATE_VERSION_EXISTS".to_owned())
    );
    let ending = pb::PutTemplateVersionRequest {
        valid_to: Some(date(2026, 11, 26)),
        ..law("birth-extract", "35-20", 25)
    };
    let request = world.platform(ending);
    administration.put_template_version(request).await.unwrap();
    let mut conn = world.database.connect().await;
    let mut cited = async |day: u32| {
        let day = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let known_at = world.app.ambient.now();
        let version = templates::in_force(&mut conn, "birth-extract", day, known_at)
            .await
            .unwrap();
        version.map_or_else(String::new, |version| version.law_fr)
    };
    for (day, number) in [(24, "37-99"), (26, "35-20"), (30, "36-21")] {
        assert!(cited(day).await.contains(number), "{day}");
    }
    assert_eq!(cited(27).await, "", "the older one is not taken up again");
    // What was drawn before a version was known is drawn again without it.
    let before = world.app.ambient.now();
    world.clock.advance(chrono::TimeDelta::minutes(5));
    let request = world.platform(law("birth-extract", "34-19", 23));
    administration.put_template_version(request).await.unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    for (known_at, number) in [(before, "37-99"), (world.app.ambient.now(), "34-19")] {
        let version = templates::in_force(&mut conn, "birth-extract", today, known_at)
            .await
            .unwrap();
        assert!(version.unwrap().law_fr.contains(number));
    }
    let unknown = administration
        .put_template_version(world.platform(law("no-template", "36-21", 30)))
        .await;
    assert_eq!(violations(unknown), one("template", "TEMPLATE_UNKNOWN"));
    let past = administration
        .put_template_version(world.platform(law("birth-extract", "36-21", 22)))
        .await;
    assert_eq!(violations(past), one("valid_from", "DATE_PAST"));
    assert_eq!(
        told(&world)
            .await
            .iter()
            .filter(|name| *name == "TemplateVersionChanged")
            .count(),
        3
    );
}

#[tokio::test]
async fn a_holiday_that_is_announced_moves_deadlines_set_from_then_on_until_it_is_taken_back() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut administration = world.administration();
    let deadline = async |world: &World| {
        let order = world.place(citizen, vec![line("1")]).await;
        world.pay(&order).await;
        let order = world.get(citizen, &order).await;
        let seconds = order.lines[0].deadline.as_ref().unwrap().seconds;
        let deadline = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        wathiq_chassis::civil_date(deadline - chrono::TimeDelta::seconds(1)).to_string()
    };
    // Three working days from Monday on.
    assert_eq!(deadline(&world).await, "2026-11-26");
    let request = world.platform(holiday(25, false));
    administration.set_holiday(request).await.unwrap();
    assert_eq!(deadline(&world).await, "2026-11-27");
    let again = administration
        .set_holiday(world.platform(holiday(25, false)))
        .await;
    assert_eq!(reason(again), (Code::AlreadyExists, "HOLIDAY_STANDS".to_owned()));
    let request = world.platform(holiday(25, true));
    administration.set_holiday(request).await.unwrap();
    assert_eq!(deadline(&world).await, "2026-11-26");
    let never = administration
        .set_holiday(world.platform(holiday(24, true)))
        .await;
    assert_eq!(reason(never).1, "HOLIDAY_STANDS");
    // A Saturday.
    let weekend = administration
        .set_holiday(world.platform(holiday(28, true)))
        .await;
    assert_eq!(violations(weekend), one("day", "WEEKEND_CLOSED"));
    let past = administration
        .set_holiday(world.platform(holiday(22, false)))
        .await;
    assert_eq!(violations(past), one("day", "DATE_PAST"));
    let told = told(&world).await;
    assert_eq!(told.iter().filter(|name| *name == "HolidayChanged").count(), 2);
}

#[tokio::test]
async fn a_country_comes_into_a_zone_of_its_own_and_morocco_stays_where_its_ceiling_is() {
    let world = World::start().await;
    let mut administration = world.administration();
    let quote = |country: &str| pb::QuoteOrderRequest {
        lines: vec![line("1")],
        country_code: country.to_owned(),
    };
    let request = world.platform(destination("FR", "FRANCE"));
    administration.set_destination_zone(request).await.unwrap();
    let unpriced = world.orders().quote_order(quote("FR")).await;
    assert!(unpriced.is_err(), "nothing is sold where nothing has a price");
    let fee = pb::SetFeeRequest {
        request_id: request_id(),
        document_kind: "birth-extract".to_owned(),
        zone: "FRANCE".to_owned(),
        from_copies: 1,
        price: Some(pb::Price {
            amount_centimes: 6_000,
            office_centimes: 6_000,
            ..Default::default()
        }),
        valid_from: Some(date(2026, 11, 23)),
        ..Default::default()
    };
    administration.set_fee(world.platform(fee)).await.unwrap();
    let total = async |country: &str| {
        let answer = world.orders().quote_order(quote(country)).await;
        answer.unwrap().into_inner().total_centimes
    };
    assert_eq!((total("FR").await, total("BE").await), (6_000, 7_500));
    let again = administration
        .set_destination_zone(world.platform(destination("FR", "EUROPE")))
        .await;
    assert_eq!(
        reason(again),
        (Code::AlreadyExists, "DESTINATION_EXISTS".to_owned())
    );
    for (country, zone, expected) in [
        ("MA", "EUROPE", one("zone", "ZONE_OF_MOROCCO")),
        ("BE", "MOROCCO", one("zone", "ZONE_OF_MOROCCO")),
        ("XX", "EUROPE", one("country_code", "COUNTRY_UNKNOWN")),
        ("BE", "Benelux", one("zone", "MALFORMED")),
    ] {
        let refused = administration
            .set_destination_zone(world.platform(destination(country, zone)))
            .await;
        assert_eq!(violations(refused), expected, "{country} {zone}");
    }
    // All that are not named.
    let request = world.platform(destination("*", "FRANCE"));
    administration.set_destination_zone(request).await.unwrap();
    assert_eq!(total("CA").await, 6_000);
}

#[tokio::test]
async fn reference_data_is_the_platform_s_alone() {
    let world = World::start().await;
    let administrator = world.official_at(OFFICE, "administrator");
    let mut administration = world.administration();
    let denied = [
        administration
            .put_template_version(world.staff(administrator, law("birth-extract", "36-21", 30)))
            .await
            .err(),
        administration
            .set_holiday(world.staff(administrator, holiday(25, false)))
            .await
            .err(),
        administration
            .set_destination_zone(world.staff(administrator, destination("FR", "FRANCE")))
            .await
            .err(),
    ];
    for status in denied {
        assert_eq!(status.unwrap().code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn a_repeat_after_midnight_answers_as_before() {
    let world = World::start().await;
    let (person, mut administration) = (world.citizen(), world.administration());
    let template = law("birth-extract", "36-21", 23);
    let closed = holiday(23, false);
    let zone = destination("FR", "FRANCE");
    let ceiling = pb::SetFeeCeilingRequest {
        request_id: request_id(),
        ceiling_centimes: 3_000,
        valid_from: Some(date(2026, 11, 24)),
        legal_reference: "Arrêté n° 1234-26".to_owned(),
    };
    for _ in 0..2 {
        let request = world.platform_as(person, template.clone());
        administration.put_template_version(request).await.unwrap();
        let request = world.platform_as(person, closed.clone());
        administration.set_holiday(request).await.unwrap();
        let request = world.platform_as(person, zone.clone());
        administration.set_destination_zone(request).await.unwrap();
        let request = world.platform_as(person, ceiling.clone());
        administration.set_fee_ceiling(request).await.unwrap();
        world.after(chrono::TimeDelta::hours(18)).await;
    }
    let late = administration
        .set_holiday(world.platform(holiday(23, true)))
        .await;
    assert_eq!(violations(late), one("day", "DATE_PAST"));
}
