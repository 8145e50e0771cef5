//! What a reset of the password overtakes does not go through: a sign-in or change under way, and whatever was begun before.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use wathiq_identity::domain::totp::TotpSecret;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, with_token};
use crate::people::{PASSWORD, Someone};
use crate::{confirmation, directory};

const NEW_PASSWORD: &str = "une autre phrase à moi";

/// Waits until a statement waits for a lock that `holder` has.
async fn until_one_waits(app: &TestApp, holder: &mut PgConnection) {
    let (pid,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()")
        .fetch_one(holder)
        .await
        .unwrap();
    let end = Instant::now() + Duration::from_secs(4);
    loop {
        let (waiting,): (bool,) = sqlx::query_as(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid)))",
        )
        .bind(pid)
        .fetch_one(&app.pool)
        .await
        .unwrap();
        if waiting {
            return;
        }
        assert!(Instant::now() < end, "nothing waits for the person");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Calls while the person is locked, and sets another password before the call can go on.
async fn overtaken<T: Send + 'static>(
    app: &TestApp,
    someone: &Someone,
    call: impl Future<Output = T> + Send + 'static,
) -> T {
    let mut owner = app.owner().await;
    let mut transaction = owner.begin().await.unwrap();
    let id: uuid::Uuid = someone.id.parse().unwrap();
    sqlx::query("SELECT FROM person WHERE person_id = $1 FOR UPDATE")
        .bind(id)
        .execute(&mut *transaction)
        .await
        .unwrap();
    let call = tokio::spawn(call);
    until_one_waits(app, &mut transaction).await;
    sqlx::query("UPDATE person SET password_hash = password_hash || 'x' WHERE person_id = $1")
        .bind(id)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    call.await.unwrap()
}

#[tokio::test]
async fn a_sign_in_under_way_is_stopped_by_a_new_password() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let request = app.sign_in_request(&someone, SessionSurface::Citizen);
    let mut sessions = app.gateway.sessions.clone();
    let before = app.count("SELECT count(*) FROM session").await;
    let answer = overtaken(&app, &someone, async move { sessions.sign_in(request).await }).await;
    assert_eq!(reason(answer), "CREDENTIALS_WRONG");
    assert_eq!(app.count("SELECT count(*) FROM session").await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_change_of_password_under_way_is_stopped_by_a_new_password() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let request = ChangePasswordRequest {
        request_id: request_id(),
        current_password: PASSWORD.to_owned(),
        new_password: NEW_PASSWORD.to_owned(),
    };
    let request = with_token(request, &someone.token);
    let mut accounts = app.gateway.accounts.clone();
    let answer = overtaken(
        &app,
        &someone,
        async move { accounts.change_password(request).await },
    )
    .await;
    assert_eq!(reason(answer), "PASSWORD_WRONG");
    app.finish().await;
}

/// Resets the password, with a second factor where there is one.
async fn reset(app: &TestApp, someone: &Someone) {
    let mut accounts = app.gateway.accounts.clone();
    app.drain().await;
    let ask = RequestPasswordResetRequest {
        request_id: request_id(),
        email: someone.email.clone(),
        client_address: someone.address.clone(),
    };
    let asked = accounts.request_password_reset(ask).await.unwrap().into_inner();
    let reset = ResetPasswordRequest {
        request_id: request_id(),
        password_reset_id: asked.password_reset_id,
        code: app.messages().await[0].code.clone(),
        new_password: NEW_PASSWORD.to_owned(),
        second_factor: someone
            .totp
            .as_ref()
            .map(|_| app.code(someone))
            .unwrap_or_default(),
        client_address: someone.address.clone(),
    };
    accounts.reset_password(reset).await.unwrap();
}

#[tokio::test]
async fn what_was_begun_before_a_reset_is_not_ended_after_it() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let mut accounts = app.gateway.accounts.clone();
    let begin = BeginTotpEnrolmentRequest {
        request_id: request_id(),
        password: PASSWORD.to_owned(),
        second_factor: String::new(),
    };
    let begun = accounts
        .begin_totp_enrolment(with_token(begin, &someone.token))
        .await
        .unwrap()
        .into_inner();
    let change = ChangeContactRequest {
        request_id: request_id(),
        password: PASSWORD.to_owned(),
        channel: ContactChannel::Email.into(),
        value: "other@example.ma".to_owned(),
    };
    app.drain().await;
    let changing = accounts
        .change_contact(with_token(change.clone(), &someone.token))
        .await
        .unwrap()
        .into_inner();
    let contact_code = app.messages().await[0].code.clone();
    reset(&app, &someone).await;
    // The token is still good, the session is not.
    let secret = data_encoding::BASE32_NOPAD
        .decode(begun.secret.as_bytes())
        .unwrap();
    let complete = || CompleteTotpEnrolmentRequest {
        request_id: request_id(),
        code: TotpSecret::new(secret.clone()).code_at(app.now()),
    };
    let prove = || ProveContactRequest {
        request_id: request_id(),
        contact_change_id: changing.contact_change_id.clone(),
        code: contact_code.clone(),
    };
    let token = someone.token.clone();
    let completed = accounts
        .complete_totp_enrolment(with_token(complete(), &token))
        .await;
    let proved = accounts.prove_contact(with_token(prove(), &token)).await;
    assert_eq!(
        (reason(completed), reason(proved)),
        ("SESSION_EXPIRED".to_owned(), "SESSION_EXPIRED".to_owned())
    );
    for (password, expected) in [(PASSWORD, "SESSION_EXPIRED"), (NEW_PASSWORD, "SESSION_EXPIRED")] {
        let changed = ChangePasswordRequest {
            request_id: request_id(),
            current_password: password.to_owned(),
            new_password: "encore une autre phrase".to_owned(),
        };
        let changed = reason(accounts.change_password(with_token(changed, &token)).await);
        // The old password is told apart before the session is looked at.
        assert!(
            changed == expected || (password == PASSWORD && changed == "PASSWORD_WRONG"),
            "{changed}"
        );
    }
    // Nor can a new session end what the old one began.
    let request = SignInRequest {
        password: NEW_PASSWORD.to_owned(),
        ..app.sign_in_request(&someone, SessionSurface::Citizen)
    };
    let signed_in = app
        .gateway
        .sessions
        .clone()
        .sign_in(request)
        .await
        .unwrap()
        .into_inner();
    let Some(sign_in_response::Result::Session(grant)) = signed_in.result else {
        panic!("there is no second factor")
    };
    someone.session_secret = grant.session_secret;
    app.renew_token(&mut someone).await;
    let completed = accounts
        .complete_totp_enrolment(with_token(complete(), &someone.token))
        .await;
    let proved = accounts.prove_contact(with_token(prove(), &someone.token)).await;
    assert_eq!(reason(completed), "TOTP_ENROLMENT_NOT_BEGUN");
    assert_eq!(reason(proved), "CONTACT_CHANGE_NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn nothing_is_confirmed_in_a_session_that_is_over() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let citizen = app.proved_citizen(&agent, &office.office_id).await;
    let id = confirmation::open(&app, &citizen).await;
    reset(&app, &citizen).await;
    let request = ConfirmWithTotpRequest {
        request_id: request_id(),
        confirmation_id: id,
        code: app.code(&citizen),
    };
    let confirmed = app
        .gateway
        .confirmations
        .clone()
        .confirm_with_totp(with_token(request, &citizen.token))
        .await;
    assert_eq!(reason(confirmed), "SESSION_EXPIRED");
    app.finish().await;
}

#[tokio::test]
async fn what_grew_old_is_deleted_only_once_its_end_was_told() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let id: uuid::Uuid = someone.id.parse().unwrap();
    let mut owner = app.owner().await;
    for statement in [
        "INSERT INTO session (session_id, person_id, surface, secret_hash, created_at, last_used_at, client_address, user_agent)
         SELECT gen_random_uuid(), $1, 'citizen', sha256(n::text::bytea), '2026-01-01Z', '2026-01-01Z', '', ''
         FROM generate_series(1, 1001) n",
        "INSERT INTO confirmation (confirmation_id, version, person_id, session_id, purpose, hashes, state, attempts_left, expires_at)
         SELECT gen_random_uuid(), 1, $1, gen_random_uuid(), 'legalise', ARRAY[sha256('x')], 'open', 5, '2026-01-01Z'
         FROM generate_series(1, 1001) n",
    ] {
        sqlx::query(statement).bind(id).execute(&mut owner).await.unwrap();
    }
    app.drain().await;
    let mut ended = 0;
    for left in [1, 0] {
        directory::tidy(&app).await;
        let sessions = "SELECT count(*) FROM session WHERE created_at < '2026-02-01Z' AND ended_at IS NULL";
        let confirmations = "SELECT count(*) FROM confirmation WHERE state = 'open'";
        assert_eq!(
            (app.count(sessions).await, app.count(confirmations).await),
            (left, left)
        );
        ended += app.drain().await.len();
    }
    assert_eq!(ended, 2 * 1001);
    app.finish().await;
}
