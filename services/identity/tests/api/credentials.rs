//! Passwords, authenticators and recovery codes.

use chrono::TimeDelta;
use wathiq_proto::wathiq::identity::v1::sign_in_response::Result as SignInResult;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, with_token};
use crate::people::PASSWORD;

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let other = someone.session_secret.clone();
    app.sign_in(&mut someone, SessionSurface::Citizen).await;
    let request = ChangePasswordRequest {
        request_id: request_id(),
        current_password: PASSWORD.to_owned(),
        new_password: "une autre phrase à moi".to_owned(),
    };
    let mut accounts = app.gateway.accounts.clone();
    accounts
        .change_password(with_token(request.clone(), &someone.token))
        .await
        .unwrap();
    // The repeat finds it done, although the password it names is no longer the current one.
    accounts
        .change_password(with_token(request, &someone.token))
        .await
        .unwrap();
    let mut sessions = app.gateway.sessions.clone();
    let exchange = |secret: &str| ExchangeSessionRequest {
        session_secret: secret.to_owned(),
    };
    assert_eq!(
        reason(sessions.exchange_session(exchange(&other)).await),
        "SESSION_EXPIRED"
    );
    sessions
        .exchange_session(exchange(&someone.session_secret))
        .await
        .unwrap();
    let old = sessions
        .sign_in(app.sign_in_request(&someone, SessionSurface::Citizen))
        .await;
    assert_eq!(reason(old), "CREDENTIALS_WRONG");
    app.finish().await;
}

#[tokio::test]
async fn a_forgotten_password_is_reset_by_code_and_second_factor() {
    let app = TestApp::start().await;
    let someone = app.citizen().await;
    app.drain().await;
    let mut accounts = app.gateway.accounts.clone();
    let ask = |email: &str| RequestPasswordResetRequest {
        request_id: request_id(),
        email: email.to_owned(),
        client_address: "192.0.2.1".to_owned(),
    };
    let nobody = accounts
        .request_password_reset(ask("nobody@example.ma"))
        .await
        .unwrap()
        .into_inner();
    assert!(
        app.messages().await.is_empty(),
        "nothing is sent where there is no account"
    );
    let asked = accounts
        .request_password_reset(ask(&someone.email))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(nobody.expire_time, asked.expire_time);
    let code = app.messages().await[0].code.clone();
    let reset = |id: &str, code: &str, second_factor: &str| ResetPasswordRequest {
        request_id: request_id(),
        password_reset_id: id.to_owned(),
        code: code.to_owned(),
        new_password: "une autre phrase à moi".to_owned(),
        second_factor: second_factor.to_owned(),
        client_address: "192.0.2.1".to_owned(),
    };
    let id = asked.password_reset_id;
    assert_eq!(
        reason(
            accounts
                .reset_password(reset(&nobody.password_reset_id, &code, ""))
                .await
        ),
        "CODE_WRONG"
    );
    assert_eq!(
        reason(accounts.reset_password(reset(&id, "000", "")).await),
        "CODE_WRONG"
    );
    assert_eq!(
        reason(accounts.reset_password(reset(&id, &code, "")).await),
        "SECOND_FACTOR_REQUIRED"
    );
    assert_eq!(
        reason(accounts.reset_password(reset(&id, &code, "999")).await),
        "SECOND_FACTOR_WRONG"
    );
    accounts
        .reset_password(reset(&id, &code, &app.code(&someone)))
        .await
        .unwrap();
    assert_eq!(
        reason(accounts.reset_password(reset(&id, &code, "")).await),
        "PASSWORD_RESET_NOT_FOUND"
    );
    let exchange = ExchangeSessionRequest {
        session_secret: someone.session_secret.clone(),
    };
    assert_eq!(
        reason(app.gateway.sessions.clone().exchange_session(exchange).await),
        "SESSION_EXPIRED"
    );
    app.finish().await;
}

#[tokio::test]
async fn an_authenticator_is_replaced_only_by_who_has_it_or_a_recovery_code() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let recovery = app.enrol_totp(&mut someone).await;
    assert_eq!(recovery.len(), 10);
    let mut accounts = app.gateway.accounts.clone();
    let begin = |second_factor: &str| {
        let request = BeginTotpEnrolmentRequest {
            request_id: request_id(),
            password: PASSWORD.to_owned(),
            second_factor: second_factor.to_owned(),
        };
        with_token(request, &someone.token)
    };
    assert_eq!(
        reason(accounts.begin_totp_enrolment(begin("")).await),
        "SECOND_FACTOR_REQUIRED"
    );
    assert_eq!(
        reason(accounts.begin_totp_enrolment(begin("123")).await),
        "SECOND_FACTOR_WRONG"
    );
    let begun = accounts
        .begin_totp_enrolment(begin(&recovery[0].to_lowercase()))
        .await
        .unwrap()
        .into_inner();
    assert!(begun.uri.starts_with("otpauth://totp/Wathiq:") && begun.uri.contains(&begun.secret));
    assert_eq!(
        reason(accounts.begin_totp_enrolment(begin(&recovery[0])).await),
        "SECOND_FACTOR_WRONG"
    );
    // The old one works until the new one has shown a code.
    let code = app.code(&someone);
    accounts.begin_totp_enrolment(begin(&code)).await.unwrap();
    let wrong = CompleteTotpEnrolmentRequest {
        request_id: request_id(),
        code: "000000".to_owned(),
    };
    assert_eq!(
        reason(
            accounts
                .complete_totp_enrolment(with_token(wrong, &someone.token))
                .await
        ),
        "SECOND_FACTOR_WRONG"
    );
    app.advance(TimeDelta::minutes(16));
    app.renew_token(&mut someone).await;
    let late = CompleteTotpEnrolmentRequest {
        request_id: request_id(),
        code: "000000".to_owned(),
    };
    let late = accounts
        .complete_totp_enrolment(with_token(late, &someone.token))
        .await;
    assert_eq!(reason(late), "TOTP_ENROLMENT_NOT_BEGUN");
    app.finish().await;
}

#[tokio::test]
async fn recovery_codes_are_renewed_with_a_code_of_the_authenticator() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let old = app.enrol_totp(&mut someone).await;
    let mut accounts = app.gateway.accounts.clone();
    let renew = |code: &str| {
        let request = RegenerateRecoveryCodesRequest {
            request_id: request_id(),
            totp_code: code.to_owned(),
        };
        with_token(request, &someone.token)
    };
    assert_eq!(
        reason(accounts.regenerate_recovery_codes(renew(&old[0])).await),
        "SECOND_FACTOR_WRONG"
    );
    let code = app.code(&someone);
    let fresh = accounts
        .regenerate_recovery_codes(renew(&code))
        .await
        .unwrap()
        .into_inner()
        .recovery_codes;
    assert_eq!(
        reason(accounts.regenerate_recovery_codes(renew(&code)).await),
        "SECOND_FACTOR_USED"
    );
    for (code, works) in [(&old[1], false), (&fresh[1], true)] {
        let mut sessions = app.gateway.sessions.clone();
        let request = app.sign_in_request(&someone, SessionSurface::Citizen);
        let Some(SignInResult::Challenge(challenge)) =
            sessions.sign_in(request).await.unwrap().into_inner().result
        else {
            panic!("a second factor is asked for")
        };
        let request = CompleteSignInRequest {
            request_id: request_id(),
            challenge: challenge.challenge,
            code: code.clone(),
            client_address: String::new(),
        };
        assert_eq!(sessions.complete_sign_in(request).await.is_ok(), works);
    }
    app.finish().await;
}
