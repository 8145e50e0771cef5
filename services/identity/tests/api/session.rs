//! Sign-in, second factor, tokens, sessions.

use chrono::TimeDelta;
use jsonwebtoken::dangerous::insecure_decode;
use tonic::Code;
use wathiq_chassis::TokenClaims;
use wathiq_proto::wathiq::identity::v1::sign_in_response::Result as SignInResult;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{Clients, TestApp, reason, refusal, request_id, with_token};
use crate::people::Someone;

fn wrong(app: &TestApp, someone: &Someone) -> SignInRequest {
    SignInRequest {
        password: "not the password".to_owned(),
        ..app.sign_in_request(someone, SessionSurface::Citizen)
    }
}

async fn challenge(app: &TestApp, clients: &Clients, someone: &Someone, surface: SessionSurface) -> String {
    let request = app.sign_in_request(someone, surface);
    match clients
        .sessions
        .clone()
        .sign_in(request)
        .await
        .unwrap()
        .into_inner()
        .result
        .unwrap()
    {
        SignInResult::Challenge(challenge) => challenge.challenge,
        SignInResult::Session(_) => panic!("a second factor is asked for"),
    }
}

fn complete(challenge: &str, code: &str) -> CompleteSignInRequest {
    CompleteSignInRequest {
        request_id: request_id(),
        challenge: challenge.to_owned(),
        code: code.to_owned(),
        client_address: String::new(),
    }
}

fn exchange(secret: &str) -> ExchangeSessionRequest {
    ExchangeSessionRequest {
        session_secret: secret.to_owned(),
    }
}

fn claims(token: &str) -> TokenClaims {
    insecure_decode(token).unwrap().claims
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_answered_alike() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut sessions = app.gateway.sessions.clone();
    let known = refusal(sessions.sign_in(wrong(&app, &someone)).await);
    let unknown = SignInRequest {
        login: "nobody@example.ma".to_owned(),
        ..wrong(&app, &someone)
    };
    let unknown = refusal(sessions.sign_in(unknown).await);
    assert_eq!(
        (known.code(), known.message()),
        (unknown.code(), unknown.message())
    );
    assert_eq!(known.details(), unknown.details());
    // Both leave one trace: the same statements were made.
    let traces = "SELECT count(*) FROM audit WHERE action = 'session.sign_in' AND outcome = 'refused'";
    assert_eq!(app.count(traces).await, 2);
    app.finish().await;
}

#[tokio::test]
async fn a_stranger_at_another_address_cannot_lock_the_holder_out() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut sessions = app.gateway.sessions.clone();
    let from_elsewhere = || SignInRequest {
        client_address: "192.0.2.66".to_owned(),
        ..wrong(&app, &someone)
    };
    for _ in 0..10 {
        assert_eq!(
            reason(sessions.sign_in(from_elsewhere()).await),
            "CREDENTIALS_WRONG"
        );
    }
    let limited = refusal(sessions.sign_in(from_elsewhere()).await);
    assert_eq!(limited.code(), Code::ResourceExhausted);
    // Nor does it tell whether the account exists.
    let nobody = || SignInRequest {
        login: "nobody@example.ma".to_owned(),
        ..from_elsewhere()
    };
    for _ in 0..10 {
        assert_eq!(reason(sessions.sign_in(nobody()).await), "CREDENTIALS_WRONG");
    }
    assert_eq!(
        refusal(sessions.sign_in(nobody()).await).code(),
        Code::ResourceExhausted
    );
    let holder = app.sign_in_request(&someone, SessionSurface::Citizen);
    sessions.sign_in(holder).await.unwrap();
    let wait = wathiq_chassis::status::retry_after(&limited).unwrap();
    app.advance(TimeDelta::from_std(wait).unwrap());
    assert_eq!(
        reason(sessions.sign_in(from_elsewhere()).await),
        "CREDENTIALS_WRONG"
    );
    app.finish().await;
}

#[tokio::test]
async fn right_passwords_use_nothing_up() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    for _ in 0..30 {
        let request = app.sign_in_request(&someone, SessionSurface::Citizen);
        app.gateway.sessions.clone().sign_in(request).await.unwrap();
    }
    app.finish().await;
}

#[tokio::test]
async fn a_second_factor_works_once_and_a_challenge_has_five_attempts() {
    let app = TestApp::start().await;
    let someone = app.citizen().await;
    let mut sessions = app.gateway.sessions.clone();
    let first = challenge(&app, &app.gateway, &someone, SessionSurface::Citizen).await;
    let code = app.code(&someone);
    sessions.complete_sign_in(complete(&first, &code)).await.unwrap();
    assert_eq!(
        reason(sessions.complete_sign_in(complete(&first, &code)).await),
        "CHALLENGE_INVALID"
    );
    let second = challenge(&app, &app.gateway, &someone, SessionSurface::Citizen).await;
    assert_eq!(
        reason(sessions.complete_sign_in(complete(&second, &code)).await),
        "SECOND_FACTOR_USED"
    );
    for _ in 0..4 {
        assert_eq!(
            reason(sessions.complete_sign_in(complete(&second, "no code")).await),
            "SECOND_FACTOR_WRONG"
        );
    }
    let right = app.code(&someone);
    assert_eq!(
        reason(sessions.complete_sign_in(complete(&second, &right)).await),
        "CHALLENGE_INVALID"
    );
    let third = challenge(&app, &app.gateway, &someone, SessionSurface::Citizen).await;
    app.advance(TimeDelta::minutes(5));
    let late = app.code(&someone);
    assert_eq!(
        reason(sessions.complete_sign_in(complete(&third, &late)).await),
        "CHALLENGE_INVALID"
    );
    app.finish().await;
}

#[tokio::test]
async fn who_knows_only_the_password_cannot_keep_the_holder_out_of_a_known_address() {
    let app = TestApp::start().await;
    let someone = app.citizen().await;
    let mut sessions = app.gateway.sessions.clone();
    let mut limited = false;
    for round in 0..4 {
        let request = SignInRequest {
            client_address: format!("192.0.2.{round}"),
            ..app.sign_in_request(&someone, SessionSurface::Citizen)
        };
        let answer = sessions.sign_in(request).await.unwrap().into_inner();
        let Some(SignInResult::Challenge(challenge)) = answer.result else {
            panic!()
        };
        for _ in 0..5 {
            let refused = refusal(
                sessions
                    .complete_sign_in(complete(&challenge.challenge, "no code"))
                    .await,
            );
            limited |= refused.code() == Code::ResourceExhausted;
        }
    }
    assert!(limited, "guesses from unknown addresses are limited together");
    let challenge = challenge(&app, &app.gateway, &someone, SessionSurface::Citizen).await;
    sessions
        .complete_sign_in(complete(&challenge, &app.code(&someone)))
        .await
        .unwrap();
    app.finish().await;
}

#[tokio::test]
async fn a_token_says_who_where_and_with_which_roles() {
    let app = TestApp::start().await;
    let (administrator, office) = app.counter().await;
    let agent = app
        .member(&administrator, &office.office_id, OfficeRole::Agent)
        .await;
    let found = claims(&agent.token);
    assert_eq!(found.sub.to_string(), agent.id);
    assert_eq!(found.sid.to_string(), agent.session_id);
    assert_eq!(
        (found.iss.as_str(), found.aud.as_str()),
        ("https://identity.wathiq", "wathiq")
    );
    assert_eq!((found.iat, found.exp - found.iat), (app.now().timestamp(), 300));
    assert_eq!(found.assurance, wathiq_chassis::Assurance::Proved);
    let grants: Vec<_> = found
        .grants
        .iter()
        .map(|g| (g.office_id.to_string(), g.role.as_str()))
        .collect();
    assert_eq!(grants, [(office.office_id.clone(), "agent")]);
    assert!(!found.padm && claims(&administrator.token).padm);
    // The same person in a citizen session holds no role.
    let mut citizen = agent;
    app.sign_in(&mut citizen, SessionSurface::Citizen).await;
    let found = claims(&citizen.token);
    assert_eq!(
        (found.surface, found.grants.len(), found.padm),
        (wathiq_chassis::Surface::Citizen, 0, false)
    );
    app.finish().await;
}

#[tokio::test]
async fn a_token_never_outlives_its_session() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut sessions = app.gateway.sessions.clone();
    for _ in 0..24 {
        app.advance(TimeDelta::minutes(29));
        sessions
            .exchange_session(exchange(&someone.session_secret))
            .await
            .unwrap();
    }
    // 11 h 36 min have passed of 12 h.
    app.advance(TimeDelta::minutes(23));
    let last = sessions
        .exchange_session(exchange(&someone.session_secret))
        .await
        .unwrap()
        .into_inner();
    let left = claims(&last.access_token).exp - app.now().timestamp();
    assert_eq!(left, 60);
    app.advance(TimeDelta::seconds(60));
    assert_eq!(
        reason(sessions.exchange_session(exchange(&someone.session_secret)).await),
        "SESSION_EXPIRED"
    );
    assert_eq!(
        reason(sessions.exchange_session(exchange("nothing")).await),
        "SESSION_INVALID"
    );
    app.finish().await;
}

#[tokio::test]
async fn staff_need_a_second_factor_and_a_role_and_their_sessions_idle_out_sooner() {
    let app = TestApp::start().await;
    let (administrator, office) = app.counter().await;
    let mut sessions = app.gateway.sessions.clone();
    let newcomer = app.newcomer().await;
    let request = app.sign_in_request(&newcomer, SessionSurface::Staff);
    assert_eq!(
        reason(sessions.sign_in(request).await),
        "SECOND_FACTOR_NOT_ENROLLED"
    );
    let citizen = app.proved_citizen(&administrator, &office.office_id).await;
    let request = app.sign_in_request(&citizen, SessionSurface::Staff);
    assert_eq!(reason(sessions.sign_in(request).await), "NOT_STAFF");
    let agent = app
        .member(&administrator, &office.office_id, OfficeRole::Agent)
        .await;
    app.advance(TimeDelta::minutes(15));
    assert_eq!(
        reason(sessions.exchange_session(exchange(&agent.session_secret)).await),
        "SESSION_EXPIRED"
    );
    sessions
        .exchange_session(exchange(&citizen.session_secret))
        .await
        .unwrap();
    app.finish().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_person_alone() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let first = someone.session_id.clone();
    app.advance(TimeDelta::seconds(1));
    app.sign_in(&mut someone, SessionSurface::Citizen).await;
    let mut sessions = app.gateway.sessions.clone();
    let list = ListSessionsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let page = sessions
        .list_sessions(with_token(list, &someone.token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.sessions[0].session_id, someone.session_id);
    assert!(page.sessions[0].current && page.sessions[0].user_agent == "test browser");
    let list = ListSessionsRequest {
        page_size: 1,
        page_token: page.next_page_token,
    };
    let page = sessions
        .list_sessions(with_token(list, &someone.token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            page.sessions[0].session_id.as_str(),
            page.next_page_token.as_str()
        ),
        (first.as_str(), "")
    );
    let end = |id: &str| EndSessionRequest {
        request_id: request_id(),
        session_id: id.to_owned(),
    };
    let stranger = app.newcomer().await;
    assert_eq!(
        reason(
            sessions
                .end_session(with_token(end(&first), &stranger.token))
                .await
        ),
        "SESSION_NOT_FOUND"
    );
    sessions
        .end_session(with_token(end(&first), &someone.token))
        .await
        .unwrap();
    let all = ListSessionsRequest::default();
    let left = sessions
        .list_sessions(with_token(all, &someone.token))
        .await
        .unwrap()
        .into_inner()
        .sessions;
    assert_eq!(left.len(), 1);
    sessions
        .end_session(with_token(end(&someone.session_id), &someone.token))
        .await
        .unwrap();
    assert_eq!(
        reason(sessions.exchange_session(exchange(&someone.session_secret)).await),
        "SESSION_EXPIRED"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_sign_in_begun_at_one_replica_is_completed_at_another() {
    let app = TestApp::start().await;
    let someone = app.citizen().await;
    let replica = app.replica().await;
    let challenge = challenge(&app, &app.gateway, &someone, SessionSurface::Citizen).await;
    let code = app.code(&someone);
    let granted = replica
        .sessions
        .clone()
        .complete_sign_in(complete(&challenge, &code))
        .await
        .unwrap();
    let secret = granted.into_inner().session.unwrap().session_secret;
    let traded = replica
        .sessions
        .clone()
        .exchange_session(exchange(&secret))
        .await
        .unwrap()
        .into_inner();
    // A token that one replica made is verified by the other.
    let request = with_token(GetPersonRequest {}, &traded.access_token);
    app.gateway.accounts.clone().get_person(request).await.unwrap();
    // And limits hold across both.
    for clients in [&app.gateway, &replica].into_iter().cycle().take(10) {
        assert_eq!(
            reason(clients.sessions.clone().sign_in(wrong(&app, &someone)).await),
            "CREDENTIALS_WRONG"
        );
    }
    assert_eq!(
        refusal(replica.sessions.clone().sign_in(wrong(&app, &someone)).await).code(),
        Code::ResourceExhausted
    );
    app.finish().await;
}

#[tokio::test]
async fn a_session_that_grew_old_is_listed_no_more_and_its_end_is_told() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let old = (someone.session_id.clone(), someone.session_secret.clone());
    app.advance(TimeDelta::minutes(30));
    app.sign_in(&mut someone, SessionSurface::Citizen).await;
    let mut sessions = app.gateway.sessions.clone();
    let list = ListSessionsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    let page = sessions
        .list_sessions(with_token(list, &someone.token))
        .await
        .unwrap()
        .into_inner();
    // One page, and no promise of another that is empty.
    assert_eq!(page.sessions[0].session_id, someone.session_id);
    assert_eq!(page.next_page_token, "");
    app.drain().await;
    for _ in 0..2 {
        wathiq_identity::service::tidy(&app.settings, app.ambient())
            .await
            .unwrap();
    }
    let told: Vec<SessionEnded> = app
        .drain()
        .await
        .iter()
        .map(wathiq_outbox::testing::StoredEvent::decode)
        .collect();
    let ended = SessionEnded {
        session_id: old.0,
        reason: SessionEndReason::Expired.into(),
    };
    assert_eq!(told, [ended]);
    assert_eq!(
        reason(sessions.exchange_session(exchange(&old.1)).await),
        "SESSION_EXPIRED"
    );
    app.finish().await;
}
