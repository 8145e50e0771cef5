//! The register of legalisations: dense, never undone, dated in Casablanca.

use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::AGENT;

use crate::harness::{OFFICE, World, request_id};
use crate::officers::Token;

#[tokio::test]
async fn an_annulled_intent_keeps_its_number_and_the_request_goes_back() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let id = world.accepted(world.citizen(), agent).await;
    let first = world
        .authorised(officer, std::slice::from_ref(&id))
        .await
        .remove(0);

    let message = pb::AnnulIntentRequest {
        request_id: request_id(),
        intent_id: first.intent_id.clone(),
        reason: "La page ne peut pas être composée.".to_owned(),
    };
    let annul = || world.as_staff(officer, message.clone());
    let entry = world
        .office()
        .annul_intent(annul())
        .await
        .unwrap()
        .into_inner()
        .register_entry
        .unwrap();
    assert_eq!(entry.state(), pb::RegisterEntryState::Annulled);
    assert_eq!(entry.annulment_reason, "La page ne peut pas être composée.");
    assert_eq!(entry.annulled_by_person_id, officer.0.to_string());
    let repeated = world
        .office()
        .annul_intent(annul())
        .await
        .unwrap()
        .into_inner()
        .register_entry
        .unwrap();
    assert_eq!(repeated, entry);
    let act = world.sealing(officer, &[first], &token.pin);
    assert_eq!(
        world.try_seal(officer, act).await.unwrap().problems[0].reason,
        "INTENT_ENDED"
    );

    let sealed = world.sealed(officer, &token, &[id]).await;
    assert_eq!(sealed[0].register_entry.as_ref().unwrap().number, 2);
    let states: Vec<_> = world
        .register(officer)
        .await
        .iter()
        .map(pb::RegisterEntry::state)
        .collect();
    assert_eq!(
        states,
        [pb::RegisterEntryState::Annulled, pb::RegisterEntryState::Sealed]
    );
}

/// The last day of a year in which the officers' certificates are valid, and that year.
fn last_day() -> (i32, chrono::NaiveDate) {
    use chrono::Datelike;
    let year = wathiq_chassis::civil_date(wathiq_chassis::Ambient::system().now()).year();
    (year, chrono::NaiveDate::from_ymd_opt(year, 12, 31).unwrap())
}

#[tokio::test]
async fn the_registers_year_and_date_are_those_of_casablanca() {
    let (year, day) = last_day();
    let world = World::start_at(day.and_hms_opt(20, 0, 0).unwrap().and_utc()).await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let before = world.accepted(world.citizen(), agent).await;
    let after = world.accepted(world.citizen(), agent).await;
    let old = world
        .authorised(officer, &[before])
        .await
        .remove(0)
        .register_entry
        .unwrap();
    assert_eq!((old.year, old.number), (year, 1));
    // 31 December 23:30Z is 00:30 on 1 January in Casablanca (UTC+1).
    world.clock.set(day.and_hms_opt(23, 30, 0).unwrap().and_utc());
    let new = world
        .authorised(officer, &[after])
        .await
        .remove(0)
        .register_entry
        .unwrap();
    assert_eq!((new.year, new.number), (year + 1, 1));
    let date = new.date.unwrap();
    assert_eq!((date.year, date.month, date.day), (year + 1, 1, 1));
}

/// The clock is read under the register's lock: a number of the new year is never dated in the old one.
#[tokio::test]
async fn an_officer_who_waits_beyond_midnight_gets_number_and_date_of_the_new_year() {
    // Ten seconds before midnight in Casablanca.
    let (year, day) = last_day();
    let world = World::start_at(day.and_hms_opt(22, 59, 50).unwrap().and_utc()).await;
    let token = Token::named("officer-1");
    let (citizen, agent) = (world.citizen(), world.official(&[AGENT]));
    let officer = world.officer(&token).await;
    let id = world.accepted(citizen, agent).await;
    let mut other = world.database.connect().await;
    let lock = "SELECT pg_advisory_lock(hashtextextended('register ' || $1::text, 0))";
    sqlx::query(lock).bind(OFFICE).execute(&mut other).await.unwrap();
    let (intents, ()) = tokio::join!(world.authorised(officer, std::slice::from_ref(&id)), async {
        // Locks of all databases stand in this view: other tests wait as well.
        let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        let bound = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut other)
            .await
            .unwrap()
        {
            assert!(std::time::Instant::now() < bound, "nobody waits for the register");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        world.clock.advance(chrono::TimeDelta::seconds(20));
        sqlx::query("SELECT pg_advisory_unlock_all()")
            .execute(&mut other)
            .await
            .unwrap();
    });
    let entry = intents[0].register_entry.clone().unwrap();
    let date = entry.date.unwrap();
    assert_eq!((entry.year, entry.number), (year + 1, 1));
    assert_eq!((date.year, date.month, date.day), (year + 1, 1, 1));
    let frozen: (i32, String) = sqlx::query_as("SELECT register_year, recipe FROM seal_intent")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(frozen.0, year + 1);
    assert!(
        frozen.1.contains(&format!("{}-01-01T00:00:10+01:00", year + 1)),
        "the signing time is of the same reading"
    );
}
