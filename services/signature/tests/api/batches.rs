//! Batches of seals that are cut in two: what is done stands and is told, the rest is told as not done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Connection;
use wathiq_chassis::{CallContext, Surface};
use wathiq_outbox::Command;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::authorise_seals::{AuthoriseSeals, Authorised, authorise_seals};
use wathiq_signature::app::{App, AppError};
use wathiq_signature::domain::intent::Signed;
use wathiq_signature::domain::role::{ADMINISTRATOR, AGENT, OFFICER};
use wathiq_signature::domain::seal_facts::SealedFileKind;
use wathiq_signature::store::intents;
use wathiq_signature::trust::{Trust, TrustConfig};

use crate::harness::{Person, Stack, World, reason};
use crate::lanes::Children;
use crate::officers::{Token, uuid};
use crate::seal_interrupted::with_time_stamps;

/// The third number of the register cannot be written.
#[tokio::test]
async fn numbers_taken_before_a_failure_are_told_and_their_files_prepared() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (agent, officer) = (world.official(&[AGENT]), world.officer(&token).await);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(world.accepted(world.citizen(), agent).await);
    }
    let mut owner = world.owner().await;
    let third = "ALTER TABLE register_entry ADD CONSTRAINT no_third CHECK (number <> 3)";
    sqlx::query(third).execute(&mut owner).await.unwrap();
    let answer = world.try_authorise(officer, &ids).await.unwrap();
    let numbers: Vec<i32> = answer
        .intents
        .iter()
        .map(|intent| intent.register_entry.as_ref().unwrap().number)
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert!(
        answer.intents.iter().all(|intent| !intent.digests.is_empty()),
        "prepared"
    );
    let problems: Vec<_> = answer
        .problems
        .iter()
        .map(|problem| (problem.legalisation_request_id.as_str(), problem.reason.as_str()))
        .collect();
    let interrupted = "WORK_INTERRUPTED";
    assert_eq!(
        problems,
        [(ids[2].as_str(), interrupted), (ids[3].as_str(), interrupted)]
    );

    let nothing = world.try_authorise(officer, &ids[2..]).await;
    assert_eq!(
        reason(nothing).1,
        "INTERNAL",
        "where nothing was done, the call failed"
    );
    let again = "ALTER TABLE register_entry DROP CONSTRAINT no_third";
    sqlx::query(again).execute(&mut owner).await.unwrap();
    let rest = world.authorised(officer, &ids[2..]).await;
    assert_eq!(
        rest[1].register_entry.as_ref().unwrap().number,
        4,
        "without a gap"
    );
}

/// Two acts on one seal: the second waits for the first, and finds nothing to do.
#[tokio::test]
async fn an_act_that_comes_too_late_uses_no_confirmation_up() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let intents = world.authorised(officer, &[id]).await;
    let used = world.identity.redemptions();
    let acts = [(); 2].map(|()| world.sealing(officer, &intents, &token.pin));
    let [first, second] = acts.map(|act| world.try_seal(officer, act));
    let (first, second) = tokio::join!(first, second);
    let (first, second) = (first.unwrap(), second.unwrap());
    let (done, late) = if first.problems.is_empty() {
        (first, second)
    } else {
        (second, first)
    };
    assert_eq!(
        done.legalisation_requests[0].state(),
        pb::LegalisationState::Delivered
    );
    assert_eq!(late.legalisation_requests, []);
    assert_eq!(late.problems[0].reason, "INTENT_ENDED");
    assert_eq!(world.identity.redemptions(), used + 1);
    world.assert_sealed_once().await;
}

/// An annulment is under way when the key has answered: the answer waits for it, and is dropped.
#[tokio::test]
async fn a_key_s_answer_waits_for_an_annulment() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let intent_id = uuid(&world.authorised(officer, &[id]).await[0].intent_id);
    let (mut annulling, mut signing) = (world.database.connect().await, world.database.connect().await);
    let mut annulment = annulling.begin().await.unwrap();
    intents::lock(&mut annulment, intent_id).await.unwrap().unwrap();
    let now = world.app.ambient.now();
    let signed = Signed {
        confirmation_id: uuid::Uuid::new_v4(),
        signature_value: vec![1; 64],
        signed_at: now,
    };
    let saving = async {
        let mut transaction = signing.begin().await.unwrap();
        let saved = intents::save_signed(
            &mut transaction,
            intent_id,
            SealedFileKind::Document,
            &signed,
            now,
        )
        .await;
        transaction.commit().await.unwrap();
        saved.unwrap()
    };
    let annul = async {
        let mut looking = world.database.connect().await;
        let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                       AND wait_event_type = 'Lock' AND query LIKE '%seal_intent%')";
        let bound = Instant::now() + Duration::from_secs(20);
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut looking)
            .await
            .unwrap()
        {
            assert!(Instant::now() < bound, "nobody waits for the annulment");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        intents::end(
            &mut annulment,
            intent_id,
            wathiq_signature::domain::intent::IntentState::Annulled,
        )
        .await
        .unwrap();
        annulment.commit().await.unwrap();
    };
    let (saved, ()) = tokio::join!(saving, annul);
    assert!(!saved, "the annulment was first");
    assert_eq!(
        world
            .count("SELECT count(*) FROM seal_file WHERE phase = 'PREPARED'")
            .await,
        1
    );
}

impl World {
    /// A batch that another process authorises, with the officer's best credential.
    async fn authorise_by(&self, app: &Arc<App>, officer: Person, id: &str) -> Result<Authorised, AppError> {
        let caller = wathiq_chassis::testing::caller(&self.claims(officer, Surface::Staff));
        let command = Command {
            principal: format!("person:{}", officer.0),
            method: "AuthoriseSeals",
            request_id: uuid::Uuid::new_v4(),
            hash: [0; 32],
        };
        let asked = AuthoriseSeals {
            request_ids: vec![uuid(id)],
            credential_id: None,
        };
        authorise_seals(app, &caller, &command, asked).await
    }
}

#[tokio::test]
async fn a_revoked_certificate_takes_no_number_and_another_one_does() {
    let stack = Stack::get();
    let silent = TrustConfig {
        revocation_hosts: Vec::new(),
        ..stack.section(stack.trust())
    };
    // Nobody could tell of the revocation when the credential was registered.
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.trust = Trust::new(&silent, app.ambient.clone()).unwrap();
    })
    .await;
    let hearing = Arc::new(App {
        trust: Trust::new(&stack.section(stack.trust()), world.app.ambient.clone()).unwrap(),
        ..with_time_stamps(&world.app)
    });
    let (good, revoked) = (Token::named("officer-1"), Token::named("officer-revoked"));
    let (agent, administrator) = (world.official(&[AGENT]), world.official(&[ADMINISTRATOR]));
    let officer = world.holder(&revoked, &[OFFICER]);
    world
        .try_register(administrator, officer, &revoked)
        .await
        .unwrap();
    let id = world.accepted(world.citizen(), agent).await;
    let refused = async || {
        let refused = world.authorise_by(&hearing, officer, &id).await.map(|_| ());
        assert!(
            matches!(
                refused,
                Err(AppError::Refused {
                    reason: "CREDENTIAL_REVOKED",
                    ..
                })
            ),
            "{refused:?}"
        );
    };
    refused().await;
    assert_eq!(world.count("SELECT count(*) FROM register_entry").await, 0);

    // The revoked one ends last, and is passed over all the same.
    world.identity.rename(officer.0, &good.holder);
    world.try_register(administrator, officer, &good).await.unwrap();
    let longer =
        "UPDATE signing_credential SET not_after = not_after + interval '1 year' WHERE token_label = $1";
    let mut owner = world.owner().await;
    sqlx::query("ALTER TABLE signing_credential DISABLE TRIGGER USER")
        .execute(&mut owner)
        .await
        .unwrap();
    sqlx::query(longer)
        .bind(&revoked.label)
        .execute(&mut owner)
        .await
        .unwrap();
    let done = world.authorise_by(&hearing, officer, &id).await.unwrap();
    assert_eq!((done.intents.len(), done.problems.len()), (1, 0));
    assert_eq!(done.intents[0].register.number, 1);
}

/// The process waits for what goes on when its caller was answered.
#[tokio::test]
async fn preparing_that_outlasts_its_call_is_waited_for() {
    let children = Children::new();
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.pdf = children.pool();
    })
    .await;
    let token = Token::named("officer-1");
    let (_, officer, id) = world.one_accepted(&token).await;
    let before = children.started();
    children.hang(true);
    let hurried = CallContext::new(Duration::from_secs(12), "hurried");
    let intents = hurried.scope(world.authorised(officer, &[id])).await;
    assert_eq!(
        (intents[0].progress_code.as_str(), intents[0].digests.len()),
        ("PREPARING", 0)
    );
    world.app.tasks.close();
    assert_eq!(world.app.tasks.len(), 1);
    children.until_started(before + 1).await;
    children.hang(false);
    // The job is done once more where a child was killed.
    children.kill_last();
    tokio::time::timeout(Duration::from_secs(60), world.app.tasks.wait())
        .await
        .expect("what was begun ends");
    assert_eq!(world.intents(officer).await[0].digests.len(), 1);
}
