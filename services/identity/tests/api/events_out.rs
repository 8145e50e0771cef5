//! Events leave for Kafka, hold no personal data, and count each aggregate's versions without a gap.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use uuid::Uuid;
use wathiq_identity::domain::signing_key::{PUBLISHED_AHEAD, SIGNS_FOR, TOKENS_OUTLIVE};
use wathiq_outbox::KafkaConfig;
use wathiq_proto::wathiq::identity::v1::*;

use crate::confirmation;
use crate::harness::{TestApp, request_id, with_token};
use crate::people::{PASSWORD, Someone};
use crate::specimen;

/// Waits until the relay has published everything, with a bound.
async fn published(app: &TestApp) {
    let work = async {
        while app
            .count("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            .await
            > 0
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("the relay publishes what waits");
}

#[tokio::test]
async fn the_relay_publishes_to_the_topics_of_this_service() {
    let app = TestApp::start_with(|settings, stack| {
        settings.kafka = Some(KafkaConfig {
            brokers: stack.text("/kafka/brokers").to_owned(),
            ca: stack.certificate("ca.pem"),
            certificate: stack.certificate("identity.pem"),
            key: stack.certificate("identity.key"),
        });
    })
    .await;
    app.administrator().await;
    published(&app).await;
    assert!(app.count("SELECT count(*) FROM outbox").await >= 4);
    app.finish().await;
}

/// Everything that identity does, done once by the calls that do it in life.
async fn everything(app: &TestApp) {
    let (agent, office) = app.counter().await;
    let mut someone = app.proved_citizen(&agent, &office.office_id).await;
    papers(app, (&agent, &office.office_id), &someone).await;
    credentials(app, &mut someone).await;
    organisation(app, (&agent, &office.office_id), &someone).await;
    // What nobody uses any more grows old, and keys change.
    confirmation::open(app, &someone).await;
    app.advance(SIGNS_FOR - PUBLISHED_AHEAD);
    tidy(app).await;
    app.advance(PUBLISHED_AHEAD + TOKENS_OUTLIVE);
    tidy(app).await;
}

async fn tidy(app: &TestApp) {
    wathiq_identity::service::tidy(&app.settings, app.ambient())
        .await
        .unwrap();
}

async fn papers(app: &TestApp, (agent, office): (&Someone, &str), someone: &Someone) {
    let mut specimens = app.gateway.specimens.clone();
    let deposit = with_token(specimen::deposit(0), &someone.token);
    specimens.deposit_specimen(deposit).await.unwrap();
    let prove = with_token(specimen::prove(office, &someone.id, 1), &agent.token);
    specimens.prove_specimen(prove).await.unwrap();
    let id = confirmation::given(app, someone).await;
    let redeem = confirmation::redeem(&id, &someone.id, &[1, 2]);
    let mut confirmations = app.signature.confirmations.clone();
    confirmations.redeem_confirmation(redeem).await.unwrap();
    let barred = confirmation::open(app, someone).await;
    let mut confirmations = app.gateway.confirmations.clone();
    for _ in 0..5 {
        let wrong = with_token(confirmation::confirm(&barred, "no code"), &someone.token);
        confirmations.confirm_with_totp(wrong).await.unwrap_err();
    }
}

async fn credentials(app: &TestApp, someone: &mut Someone) {
    let mut accounts = app.gateway.accounts.clone();
    let request = UpdatePreferencesRequest {
        request_id: request_id(),
        language: Language::Fr.into(),
        ..Default::default()
    };
    let request = with_token(request, &someone.token);
    accounts.update_preferences(request).await.unwrap();
    let renew = RegenerateRecoveryCodesRequest {
        request_id: request_id(),
        totp_code: app.code(someone),
    };
    let renew = with_token(renew, &someone.token);
    accounts.regenerate_recovery_codes(renew).await.unwrap();
    for (channel, value) in [
        (ContactChannel::Phone, "0611223344"),
        (ContactChannel::Email, "fresh@example.ma"),
    ] {
        let change = ChangeContactRequest {
            request_id: request_id(),
            channel: channel.into(),
            value: value.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let change = with_token(change, &someone.token);
        let begun = accounts.change_contact(change).await.unwrap().into_inner();
        let prove = ProveContactRequest {
            request_id: request_id(),
            contact_change_id: begun.contact_change_id,
            code: code_of(app, &begun.delivery.unwrap().delivery_id).await,
        };
        let prove = with_token(prove, &someone.token);
        accounts.prove_contact(prove).await.unwrap();
    }
    someone.email = "fresh@example.ma".to_owned();
    reset_password(app, someone).await;
    app.sign_in(someone, SessionSurface::Citizen).await;
    let change = ChangePasswordRequest {
        request_id: request_id(),
        current_password: PASSWORD.to_owned(),
        new_password: PASSWORD.to_owned(),
    };
    let change = with_token(change, &someone.token);
    accounts.change_password(change).await.unwrap();
    let end = EndSessionRequest {
        request_id: request_id(),
        session_id: someone.session_id.clone(),
    };
    let mut sessions = app.gateway.sessions.clone();
    let end = with_token(end, &someone.token);
    sessions.end_session(end).await.unwrap();
    app.sign_in(someone, SessionSurface::Citizen).await;
}

async fn reset_password(app: &TestApp, someone: &Someone) {
    let mut accounts = app.gateway.accounts.clone();
    let ask = RequestPasswordResetRequest {
        request_id: request_id(),
        email: someone.email.clone(),
        client_address: someone.address.clone(),
    };
    let asked = accounts.request_password_reset(ask).await.unwrap().into_inner();
    let reset = ResetPasswordRequest {
        request_id: request_id(),
        password_reset_id: asked.password_reset_id,
        code: code_of(app, &asked.delivery.unwrap().delivery_id).await,
        new_password: PASSWORD.to_owned(),
        second_factor: app.code(someone),
        client_address: someone.address.clone(),
    };
    accounts.reset_password(reset).await.unwrap();
}

async fn code_of(app: &TestApp, delivery_id: &str) -> String {
    let take = TakeDeliveryRequest {
        request_id: request_id(),
        delivery_id: delivery_id.to_owned(),
    };
    let mut directory = app.notification.directory.clone();
    directory.take_delivery(take).await.unwrap().into_inner().code
}

async fn organisation(app: &TestApp, (root, office): (&Someone, &str), someone: &Someone) {
    let mut offices = app.gateway.offices.clone();
    let membership = app.grant(root, office, &someone.id, OfficeRole::Agent).await;
    let end = EndMembershipRequest {
        request_id: request_id(),
        membership_id: membership.membership_id,
    };
    let mut root = Someone {
        totp: None,
        id: root.id.clone(),
        email: root.email.clone(),
        document: root.document.clone(),
        address: root.address.clone(),
        session_id: root.session_id.clone(),
        session_secret: root.session_secret.clone(),
        token: root.token.clone(),
    };
    app.renew_token(&mut root).await;
    offices
        .end_membership(with_token(end, &root.token))
        .await
        .unwrap();
    let enrol = EnrolAdministrationRequest {
        request_id: request_id(),
        name_ar: "المحافظة العقارية".to_owned(),
        name_fr: "Conservation foncière".to_owned(),
        enrolled_from: Some(app.today()),
        enrolled_to: None,
    };
    let enrolled = offices
        .enrol_administration(with_token(enrol, &root.token))
        .await
        .unwrap();
    let update = UpdateAdministrationRequest {
        request_id: request_id(),
        administration_id: enrolled.into_inner().administration.unwrap().administration_id,
        name_fr: "Conservation foncière de Casablanca".to_owned(),
        enrolled_to: Some(app.today()),
        ..Default::default()
    };
    offices
        .update_administration(with_token(update, &root.token))
        .await
        .unwrap();
}

/// The events that the list of topics says identity produces.
fn declared() -> BTreeSet<String> {
    let topics = include_str!("../../../../proto/topics.yaml");
    let mut ours = false;
    let mut events = BTreeSet::new();
    for line in topics.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- name: ") {
            ours = name.starts_with("wathiq.identity.");
        } else if let Some(list) = line.strip_prefix("events: [").filter(|_| ours) {
            let names = list.trim_end_matches(']').split(", ");
            events.extend(names.map(|name| format!("wathiq.identity.v1.{name}")));
        }
    }
    events
}

#[tokio::test]
async fn every_change_is_told_by_an_event_and_no_event_tells_of_a_person() {
    let app = TestApp::start().await;
    everything(&app).await;
    let mut conn = app.pool.acquire().await.unwrap();
    let events = wathiq_outbox::testing::events(&mut conn).await;
    let rows: Vec<(String,)> = sqlx::query_as("SELECT to_jsonb(o)::text FROM outbox o ORDER BY id")
        .fetch_all(&mut *conn)
        .await
        .unwrap();
    let people: Vec<(Uuid,)> = sqlx::query_as("SELECT person_id FROM person")
        .fetch_all(&mut *conn)
        .await
        .unwrap();
    drop(conn);
    assert_eq!(people.len(), 2);
    let told: BTreeSet<String> = events.iter().map(|event| event.event_type.clone()).collect();
    assert_eq!(told, declared());
    let mut versions: HashMap<_, i64> = HashMap::new();
    for (event, (row,)) in events.iter().zip(&rows) {
        let what = &event.event_type;
        let version = versions.entry(event.aggregate_id).or_default();
        *version += 1;
        assert_eq!(event.sequence, *version, "{what} of {}", event.aggregate_id);
        let text = format!("{row} {}", String::from_utf8_lossy(&event.payload));
        for personal in [
            "example.ma",
            "BE10",
            "AA100001",
            "Amina",
            "الإدريسي",
            "+212",
            "0611223344",
            PASSWORD,
        ] {
            assert!(!text.contains(personal), "{what} tells {personal}");
        }
        for (person,) in &people {
            assert_ne!(event.aggregate_id, *person, "{what} is keyed by a person");
            for form in [person.hyphenated().to_string(), person.simple().to_string()] {
                assert!(!text.to_lowercase().contains(&form), "{what} names a person");
            }
            let bytes = event
                .payload
                .windows(16)
                .any(|window| window == person.as_bytes());
            assert!(!bytes, "{what} holds a person's id");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn the_name_of_an_account_on_topics_stands_nowhere_else() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let (stream,): (Uuid,) = sqlx::query_as("SELECT stream_id FROM person")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    let request = with_token(GetPersonRequest {}, &someone.token);
    let mut accounts = app.gateway.accounts.clone();
    let person = accounts.get_person(request).await.unwrap().into_inner();
    let answer = prost::Message::encode_to_vec(&person);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains(&someone.id) && !answer.contains(&stream.to_string()));
    let audited =
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM audit a WHERE to_jsonb(a)::text LIKE $1")
            .bind(format!("%{stream}%"))
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(audited, 0);
    // Random in every bit: an id with the time in it would tell which person's it is.
    assert_eq!(stream.get_version_num(), 4);
    app.finish().await;
}

#[tokio::test]
async fn a_refused_command_leaves_no_event() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.newcomer().await;
    app.drain().await;
    let request = with_token(app.prove_request(&office.office_id, &agent), &agent.token);
    app.gateway
        .accounts
        .clone()
        .prove_identity(request)
        .await
        .unwrap_err();
    let request = with_token(
        confirmation::create(ConfirmationPurpose::Legalise, &[1]),
        &someone.token,
    );
    app.gateway
        .confirmations
        .clone()
        .create_confirmation(request)
        .await
        .unwrap_err();
    assert!(app.drain().await.is_empty());
    app.finish().await;
}
