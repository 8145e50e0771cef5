//! The steps of a seal cut in the middle, repeated, and done by many at once: one seal, one number, no gap.

use std::sync::Arc;

use futures::future::join_all;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::sweep_seals::sweep_seals;
use wathiq_signature::app::{App, finish_seal, prepare_seal};
use wathiq_signature::domain::role::{AGENT, OFFICER};
use wathiq_signature::timestamp::{self, TimestampConfig};

use crate::harness::{Person, Stack, World, reason, request_id};
use crate::officers::{Token, uuid};
use crate::tools;

const FIVE_MINUTES: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// A time-stamp authority that is down: nobody listens on the discard port.
pub(crate) fn nobodys_time_stamps(ambient: &wathiq_chassis::Ambient) -> timestamp::Client {
    let config = TimestampConfig {
        url: "http://127.0.0.1:9/".to_owned(),
        seconds: 2,
        tolerance_seconds: 120,
    };
    timestamp::Client::new(&config, ambient.clone()).unwrap()
}

/// A world whose time-stamp authority is down.
pub(crate) async fn without_time_stamps() -> World {
    World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.timestamp = nobodys_time_stamps(&app.ambient);
    })
    .await
}

/// Another process of the same service, to which the authority answers.
pub(crate) fn with_time_stamps(app: &App) -> App {
    let stack = Stack::get();
    let config: TimestampConfig = stack.section(stack.timestamp());
    App {
        pool: app.pool.clone(),
        ambient: app.ambient.clone(),
        objects: app.objects.clone(),
        identity: Arc::clone(&app.identity),
        payment: app.payment.clone(),
        catalogue: Arc::clone(&app.catalogue),
        requests: app.requests.clone(),
        pdf: app.pdf.clone(),
        keys: app.keys.clone(),
        timestamp: timestamp::Client::new(&config, app.ambient.clone()).unwrap(),
        trust: app.trust.clone(),
        seal: app.seal.clone(),
        electronic_seals: app.electronic_seals.clone(),
        tasks: app.tasks.clone(),
    }
}

impl World {
    /// An owner's connection, to undo what a crash would have left undone.
    pub(crate) async fn owner(&self) -> PgConnection {
        PgConnection::connect_with(&self.database.config.owner_options().unwrap())
            .await
            .unwrap()
    }

    /// Puts an intent's file back to before it was prepared.
    async fn unprepare(&self, intent_id: &str) {
        let mut owner = self.owner().await;
        // The crash this stands for came before the row was ever changed.
        sqlx::query("ALTER TABLE seal_file DISABLE TRIGGER USER")
            .execute(&mut owner)
            .await
            .unwrap();
        let done = sqlx::query(
            "UPDATE seal_file SET phase = 'FROZEN', prepared_key = NULL, byte_range = NULL, digest = NULL,
                                  contents_offset = NULL, contents_len = NULL, prepared_at = NULL
             WHERE intent_id = $1 AND phase = 'PREPARED'",
        )
        .bind(uuid(intent_id))
        .execute(&mut owner)
        .await
        .unwrap();
        assert_eq!(done.rows_affected(), 1);
        sqlx::query("ALTER TABLE seal_file ENABLE TRIGGER USER")
            .execute(&mut owner)
            .await
            .unwrap();
    }

    /// Another request like this one, as quickly as a row is copied.
    async fn copy_of(&self, id: &str) -> String {
        let copy = Uuid::new_v4();
        sqlx::query(
            "INSERT INTO legalisation_request
             SELECT (jsonb_populate_record(original, jsonb_build_object(
                         'id', $2::uuid, 'confirmation_id', gen_random_uuid(), 'receipt_number', $2::text))).*
             FROM legalisation_request original WHERE id = $1",
        )
        .bind(uuid(id))
        .bind(copy)
        .execute(&mut self.owner().await)
        .await
        .unwrap();
        copy.to_string()
    }

    /// A credential for another officer like this one's, but for the key: as quickly as a row is copied.
    async fn credential_like(&self, first: Person, officer: Person) {
        let mut owner = self.owner().await;
        let key = [officer.0.as_bytes().as_slice(); 2].concat();
        for sql in [
            "INSERT INTO public_key_holder (public_key_sha256, holder_id) VALUES ($3, $2)",
            "INSERT INTO token_key_holder (token_label, key_label, holder_id) VALUES (left($2::text, 32), 'seal', $2)",
            "INSERT INTO signing_credential
             SELECT (jsonb_populate_record(original, jsonb_build_object(
                         'id', gen_random_uuid(), 'holder_id', $2::uuid, 'token_label', left($2::text, 32),
                         'public_key_sha256', $3::bytea))).*
             FROM signing_credential original WHERE holder_id = $1",
        ] {
            // Every statement takes the same three values.
            let sql = format!("WITH given AS (SELECT $1::uuid, $2::uuid, $3::bytea) {sql}");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(first.0)
                .bind(officer.0)
                .bind(&key)
                .execute(&mut owner)
                .await
                .unwrap();
        }
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&mut self.database.connect().await)
            .await
            .unwrap()
    }

    /// What a complete seal leaves, once.
    pub(crate) async fn assert_sealed_once(&self) {
        assert_eq!(self.count("SELECT count(*) FROM sealed_revision").await, 1);
        assert_eq!(self.count("SELECT count(*) FROM register_entry").await, 1);
        assert_eq!(
            self.count("SELECT count(*) FROM seal_intent WHERE state = 'SEALED'")
                .await,
            1
        );
        for event in ["SealAuthorised", "LegalisationSealed", "LegalisationDelivered"] {
            let found: i64 =
                sqlx::query_scalar("SELECT count(*) FROM outbox WHERE event_type LIKE '%.' || $1")
                    .bind(event)
                    .fetch_one(&mut self.database.connect().await)
                    .await
                    .unwrap();
            assert_eq!(found, 1, "{event}");
        }
    }

    /// The officer's act while the authority is down: the key has signed, the seal waits.
    pub(crate) async fn signed(&self, officer: Person, id: &str, token: &Token) -> Uuid {
        let intents = self.authorised(officer, &[id.to_owned()]).await;
        let answer = self
            .try_seal(officer, self.sealing(officer, &intents, &token.pin))
            .await
            .unwrap();
        assert_eq!(answer.problems, []);
        assert_eq!(
            answer.legalisation_requests[0].progress_code,
            "WAITING_FOR_TIME_STAMP"
        );
        uuid(&intents[0].intent_id)
    }

    pub(crate) async fn one_accepted(&self, token: &Token) -> (Person, Person, String) {
        let (citizen, agent) = (self.citizen(), self.official(&[AGENT]));
        let officer = self.officer(token).await;
        (citizen, officer, self.accepted(citizen, agent).await)
    }
}

#[tokio::test]
async fn a_crash_before_preparing_is_mended_with_the_same_digest() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let intent = world
        .authorised(officer, std::slice::from_ref(&id))
        .await
        .remove(0);

    world.unprepare(&intent.intent_id).await;
    let listed = world.intents(officer).await.remove(0);
    assert_eq!(
        (listed.progress_code.as_str(), listed.digests.len()),
        ("PREPARING", 0)
    );
    let act = world.sealing(officer, std::slice::from_ref(&intent), &token.pin);
    assert_eq!(
        world.try_seal(officer, act).await.unwrap().problems[0].reason,
        "INTENT_NOT_PREPARED"
    );

    // Not before its time: the officer's own call has the first chance.
    assert_eq!(finish_seal::sweep(&world.app).await.unwrap(), 0);
    world.clock.advance(FIVE_MINUTES);
    assert_eq!(finish_seal::sweep(&world.app).await.unwrap(), 1);
    let mended = world.intents(officer).await.remove(0);
    assert_eq!(mended.digests, intent.digests, "the recipe is frozen");
    assert_eq!(mended.register_entry, intent.register_entry);

    // Authorising once more finds the same intent.
    let again = world
        .authorised(officer, std::slice::from_ref(&id))
        .await
        .remove(0);
    assert_eq!(
        (&again.intent_id, &again.digests),
        (&intent.intent_id, &intent.digests)
    );
    let act = world.sealing(officer, &[again], &token.pin);
    world.try_seal(officer, act).await.unwrap();
    world.assert_sealed_once().await;
}

#[tokio::test]
async fn without_the_authority_the_seal_waits_and_is_finished_without_the_pin() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let intent = world.signed(officer, &id, &token).await;

    let waiting = world.try_get(citizen, &id).await.unwrap();
    assert_eq!(waiting.state(), pb::LegalisationState::AwaitingSignature);
    assert_eq!(waiting.progress_code, "WAITING_FOR_TIME_STAMP");
    let message = pb::DownloadSealedFileRequest {
        legalisation_request_id: id.clone(),
        kind: pb::SealedFileKind::Document.into(),
        ..Default::default()
    };
    let early = world
        .legalisation()
        .download_sealed_file(world.as_citizen(citizen, message))
        .await;
    assert_eq!(
        wathiq_chassis::status::reason(&early.err().unwrap()).as_deref(),
        Some("NOT_SEALED")
    );
    let annul = pb::AnnulIntentRequest {
        request_id: request_id(),
        intent_id: intent.to_string(),
        reason: "Nous ne voulons plus attendre.".to_owned(),
    };
    assert_eq!(
        reason(world.office().annul_intent(world.as_staff(officer, annul)).await).1,
        "INTENT_SIGNED"
    );

    // Down for a while, then up.
    for _ in 0..3 {
        world.clock.advance(FIVE_MINUTES);
        assert_eq!(finish_seal::sweep(&world.app).await.unwrap(), 1);
    }
    let up = with_time_stamps(&world.app);
    world.clock.advance(FIVE_MINUTES);
    assert_eq!(finish_seal::sweep(&up).await.unwrap(), 1);
    assert_eq!(
        world.try_get(citizen, &id).await.unwrap().state(),
        pb::LegalisationState::Delivered
    );
    world.assert_sealed_once().await;
    tools::check_sealed(&world.download(citizen, &id, pb::SealedFileKind::Document).await).await;
    // Each step again: nothing is left to do.
    prepare_seal::prepare(&up, intent).await.unwrap();
    finish_seal::finish(&up, intent).await.unwrap();
    assert_eq!(finish_seal::sweep(&up).await.unwrap(), 0);
    world.assert_sealed_once().await;
}

#[tokio::test]
async fn a_signature_that_was_lost_before_it_was_stored_is_asked_for_again() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let intent = world
        .authorised(officer, std::slice::from_ref(&id))
        .await
        .remove(0);
    // The confirmation was used and written down; then the process died before the key's answer was stored.
    let lost = world.sealing(officer, std::slice::from_ref(&intent), "0000");
    assert_eq!(reason(world.try_seal(officer, lost).await).1, "PIN_INCORRECT");
    assert_eq!(world.count("SELECT count(*) FROM seal_authorisation").await, 1);

    let listed = world.intents(officer).await;
    assert_eq!(listed[0].digests, intent.digests);
    assert_eq!(listed[0].register_entry, intent.register_entry);
    let act = world.sealing(officer, &listed, &token.pin);
    world.try_seal(officer, act).await.unwrap();
    assert_eq!(
        world.count("SELECT count(*) FROM seal_authorisation").await,
        2,
        "both confirmations stay on record"
    );
    world.assert_sealed_once().await;
}

#[tokio::test]
async fn finishing_at_once_in_several_processes_gives_one_seal() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let intent = world.signed(officer, &id, &token).await;
    let up = with_time_stamps(&world.app);
    let finished = join_all((0..8).map(|_| finish_seal::finish(&up, intent))).await;
    assert!(finished.iter().all(Result::is_ok), "{finished:?}");
    world.assert_sealed_once().await;
}

#[tokio::test]
async fn thirty_two_repeats_of_one_act_are_one_seal() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let message = pb::AuthoriseSealsRequest {
        request_id: request_id(),
        legalisation_request_ids: vec![id],
        credential_id: String::new(),
    };
    let authorise = || async {
        world
            .office()
            .authorise_seals(world.as_staff(officer, message.clone()))
            .await
            .unwrap()
            .into_inner()
    };
    let answers = join_all((0..32).map(|_| authorise())).await;
    let first = &answers[0].intents[0];
    assert!(
        answers
            .iter()
            .all(|answer| answer.intents[0].intent_id == first.intent_id)
    );
    let intents = world.intents(officer).await;
    let act = world.sealing(officer, &intents, &token.pin);
    let sealed = join_all((0..32).map(|_| world.try_seal(officer, act.clone()))).await;
    for answer in sealed {
        let answer = answer.unwrap();
        assert_eq!(answer.problems, []);
        assert_eq!(answer.legalisation_requests.len(), 1);
    }
    assert_eq!(world.identity.redemptions(), 2, "the citizen's and the officer's");
    world.assert_sealed_once().await;
}

#[tokio::test]
async fn thirty_two_officers_at_once_leave_a_dense_register() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let agent = world.official(&[AGENT]);
    let first = world.officer(&token).await;
    let accepted = world.accepted(world.citizen(), agent).await;
    let mut work = Vec::new();
    for _ in 0..32 {
        let officer = world.official(&[OFFICER]);
        world.credential_like(first, officer).await;
        work.push((officer, world.copy_of(&accepted).await));
    }
    let authorised = join_all(work.iter().map(|(officer, id)| async {
        (
            *officer,
            world
                .authorised(*officer, std::slice::from_ref(id))
                .await
                .remove(0),
        )
    }))
    .await;
    // Every fourth gives its intent up: its number is not given again.
    for (officer, intent) in authorised.iter().step_by(4) {
        let annul = pb::AnnulIntentRequest {
            request_id: request_id(),
            intent_id: intent.intent_id.clone(),
            reason: "L'officier est empêché.".to_owned(),
        };
        world
            .office()
            .annul_intent(world.as_staff(*officer, annul))
            .await
            .unwrap();
    }
    let entries = world.register(agent).await;
    let numbers: Vec<i32> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=32).collect::<Vec<i32>>());
    let annulled = entries
        .iter()
        .filter(|entry| entry.state() == pb::RegisterEntryState::Annulled)
        .count();
    assert_eq!(annulled, 8);
}

#[tokio::test]
async fn issued_records_cannot_be_changed_or_removed_by_the_service() {
    let world = World::present().await;
    let mut conn = world.database.connect().await;
    for sql in [
        "UPDATE sealed_revision SET level = 'B-LT'",
        "DELETE FROM sealed_revision",
        "DELETE FROM register_entry",
        "DELETE FROM seal_intent",
        "UPDATE seal_authorisation SET method = 'none'",
        "UPDATE signing_credential SET token_label = 'other'",
        "DROP TABLE register_entry",
    ] {
        let refused = sqlx::query(sql).execute(&mut conn).await.unwrap_err();
        assert_eq!(
            refused
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .as_deref(),
            Some("42501"),
            "{sql}"
        );
    }
}

#[tokio::test]
async fn what_sealing_leaves_behind_is_swept_and_what_is_needed_stays() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let open = world.accepted(world.citizen(), world.official(&[AGENT])).await;
    world.sealed(officer, &token, std::slice::from_ref(&id)).await;
    let waiting = world.authorised(officer, &[open]).await;
    world
        .app
        .objects
        .put(
            "sealed/lost/DOCUMENT-0.pdf",
            b"second of a race".as_slice().into(),
        )
        .await
        .unwrap();

    // The clock of the test is ahead of the files': to the sweep they are old.
    world
        .clock
        .set(wathiq_chassis::Ambient::system().now() + chrono::TimeDelta::hours(2));
    assert_eq!(
        sweep_seals(&world.app).await.unwrap(),
        2,
        "the sealed intent's prepared file and the lost one"
    );
    assert!(
        !world
            .app
            .objects
            .exists("sealed/lost/DOCUMENT-0.pdf")
            .await
            .unwrap()
    );
    assert!(
        !world
            .download(citizen, &id, pb::SealedFileKind::Document)
            .await
            .is_empty()
    );
    world.clock.set(wathiq_chassis::Ambient::system().now());
    let act = world.sealing(officer, &waiting, &token.pin);
    let sealed = world.try_seal(officer, act).await.unwrap();
    assert_eq!(
        sealed.legalisation_requests[0].state(),
        pb::LegalisationState::Delivered
    );
    assert_eq!(
        sweep_seals(&world.app).await.unwrap(),
        0,
        "young files are left alone"
    );
}
