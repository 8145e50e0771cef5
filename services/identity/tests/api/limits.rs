//! Attempts are counted by account, contact and address, alike where there is no account, and nobody alone keeps another
//! person out.

use chrono::TimeDelta;
use futures::future::join_all;
use tonic::Code;
use wathiq_identity::config::{QuotaSettings, Settings};
use wathiq_proto::wathiq::identity::v1::sign_in_response::Result as SignInResult;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, refusal, request_id};
use crate::people::{Someone, sign_up_request};

fn bucket(settings: &mut Settings, name: &str, per_minute: f64, burst: u32) {
    let rate = QuotaSettings { per_minute, burst };
    settings.quotas.insert(name.to_owned(), rate);
}

fn ask(email: &str, address: &str) -> RequestPasswordResetRequest {
    RequestPasswordResetRequest {
        request_id: request_id(),
        email: email.to_owned(),
        client_address: address.to_owned(),
    }
}

fn reset(id: &str, code: &str, address: &str) -> ResetPasswordRequest {
    ResetPasswordRequest {
        request_id: request_id(),
        password_reset_id: id.to_owned(),
        code: code.to_owned(),
        new_password: "une autre phrase à moi".to_owned(),
        second_factor: String::new(),
        client_address: address.to_owned(),
    }
}

/// What strangers at twelve addresses are answered, who ask for a reset each and try five codes.
async fn guesses(app: &TestApp, email: &str, network: u8) -> Vec<String> {
    let mut accounts = app.gateway.accounts.clone();
    let mut answers = Vec::new();
    for host in 0..12 {
        let address = format!("10.0.{network}.{host}");
        let asked = accounts.request_password_reset(ask(email, &address)).await;
        let id = asked.unwrap().into_inner().password_reset_id;
        for guess in 0..5 {
            let code = format!("0000-0000-000{guess}");
            answers.push(reason(accounts.reset_password(reset(&id, &code, &address)).await));
        }
    }
    answers
}

#[tokio::test]
async fn a_mailbox_is_spared_and_its_holder_resets_all_the_same() {
    let app = TestApp::start().await;
    let (someone, other) = (app.newcomer().await, app.newcomer().await);
    let mut accounts = app.gateway.accounts.clone();
    app.drain().await;
    accounts
        .request_password_reset(ask(&other.email, "10.9.9.1"))
        .await
        .unwrap();
    let of_another = app.messages().await[0].code.clone();
    let known = guesses(&app, &someone.email, 1).await;
    let unknown = guesses(&app, "nobody@example.ma", 2).await;
    assert_eq!(known, unknown);
    for five in known.chunks(5) {
        assert!(five[..4].iter().all(|reason| reason == "CODE_WRONG"));
        assert_eq!(five[4], "CODE_BARRED");
    }
    let sent = app.messages().await;
    assert_eq!(sent.len(), 10, "the others would only fill the mailbox");
    // The holder, where they have never been, is sent no more either: an earlier code does.
    app.advance(TimeDelta::minutes(4));
    let elsewhere = "10.9.9.9";
    let asked = accounts
        .request_password_reset(ask(&someone.email, elsewhere))
        .await;
    let id = asked.unwrap().into_inner().password_reset_id;
    assert!(app.messages().await.is_empty());
    let wrong = accounts.reset_password(reset(&id, &of_another, elsewhere)).await;
    assert_eq!(reason(wrong), "CODE_WRONG", "it is of another account");
    let code = sent[9].code.clone();
    assert_eq!(code.len(), "XXXX-XXXX-XXXX".len());
    let typed = code.to_lowercase().replace('-', " ");
    accounts
        .reset_password(reset(&id, &typed, elsewhere))
        .await
        .unwrap();
    // With that all other resets of the account are over.
    let open = app
        .count("SELECT count(*) FROM password_reset WHERE NOT done AND person_id IS NOT NULL")
        .await;
    assert_eq!(open, 1, "that of the other account");
    app.finish().await;
}

#[tokio::test]
async fn one_address_alone_leaves_an_account_its_tries_everywhere_else() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut accounts = app.gateway.accounts.clone();
    let mut limited = false;
    for _ in 0..3 {
        let asked = accounts
            .request_password_reset(ask(&someone.email, "10.0.0.1"))
            .await;
        let id = asked.unwrap().into_inner().password_reset_id;
        for _ in 0..5 {
            let tried = accounts.reset_password(reset(&id, "0000", "10.0.0.1")).await;
            limited |= reason(tried) == "TOO_MANY_ATTEMPTS";
        }
    }
    assert!(limited);
    app.drain().await;
    let elsewhere = "10.9.9.9";
    let asked = accounts
        .request_password_reset(ask(&someone.email, elsewhere))
        .await;
    let id = asked.unwrap().into_inner().password_reset_id;
    let code = app.messages().await[0].code.clone();
    accounts
        .reset_password(reset(&id, &code, elsewhere))
        .await
        .unwrap();
    app.finish().await;
}

#[tokio::test]
async fn a_reset_code_is_followed_on_its_way_and_tells_nothing_of_the_account() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut accounts = app.gateway.accounts.clone();
    let mut seen = Vec::new();
    for email in [someone.email.as_str(), "nobody@example.ma"] {
        app.drain().await;
        let asked = accounts
            .request_password_reset(ask(email, "10.0.0.1"))
            .await
            .unwrap()
            .into_inner();
        let delivery = asked.delivery.unwrap();
        let mut states = vec![(delivery.channel, delivery.state, delivery.expire_time)];
        states.push(state(&app, &delivery.delivery_id).await);
        // What notification does when the event reaches it.
        let sent = app.messages().await.len();
        assert_eq!(sent, usize::from(email == someone.email));
        states.push(state(&app, &delivery.delivery_id).await);
        seen.push(states);
    }
    assert_eq!(seen[0], seen[1]);
    let states: Vec<_> = seen[0].iter().map(|(_, state, _)| *state).collect();
    let (waiting, taken) = (CodeDeliveryState::Waiting, CodeDeliveryState::Taken);
    assert_eq!(states, [waiting.into(), waiting.into(), i32::from(taken)]);
    app.finish().await;
}

async fn state(app: &TestApp, delivery_id: &str) -> (i32, i32, Option<prost_types::Timestamp>) {
    let request = GetDeliveryRequest {
        delivery_id: delivery_id.to_owned(),
    };
    let mut directory = app.gateway.directory.clone();
    let delivery = directory.get_delivery(request).await.unwrap().into_inner();
    let delivery = delivery.delivery.unwrap();
    (delivery.channel, delivery.state, delivery.expire_time)
}

fn wrong(app: &TestApp, someone: &Someone, login: &str, address: &str) -> SignInRequest {
    SignInRequest {
        login: login.to_owned(),
        password: "not the password".to_owned(),
        client_address: address.to_owned(),
        ..app.sign_in_request(someone, SessionSurface::Citizen)
    }
}

#[tokio::test]
async fn many_strangers_get_fewer_guesses_each_and_keep_nobody_out() {
    let app = TestApp::start_with(|settings, _| bucket(settings, "sign_in.everywhere", 2.0, 6)).await;
    let someone = app.newcomer().await;
    let mut sessions = app.gateway.sessions.clone();
    let mut answers = Vec::new();
    for login in [someone.email.as_str(), "nobody@example.ma"] {
        let mut codes = Vec::new();
        // The last of them share the holder's address, which tells them nothing.
        for address in ["10.0.0.1", "10.0.0.2", someone.address.as_str()] {
            for _ in 0..8 {
                let request = wrong(&app, &someone, login, address);
                codes.push(reason(sessions.sign_in(request).await));
            }
        }
        answers.push(codes);
    }
    assert_eq!(answers[0], answers[1]);
    let checked = |codes: &[String]| codes.iter().filter(|code| *code == "CREDENTIALS_WRONG").count();
    let each: Vec<usize> = answers[0].chunks(8).map(checked).collect();
    assert_eq!(each, [8, 3, 3], "six, and then three for each address");
    assert!(
        answers[0]
            .iter()
            .all(|code| code == "CREDENTIALS_WRONG" || code == "TOO_MANY_ATTEMPTS")
    );
    let elsewhere = || SignInRequest {
        client_address: "10.0.1.1".to_owned(),
        ..app.sign_in_request(&someone, SessionSurface::Citizen)
    };
    for _ in 0..5 {
        sessions.sign_in(elsewhere()).await.unwrap();
    }
    app.finish().await;
}

#[tokio::test]
async fn an_ipv6_network_has_the_room_of_four_addresses() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut sessions = app.gateway.sessions.clone();
    let mut checked = 0;
    for host in 0..45 {
        let request = wrong(
            &app,
            &someone,
            "nobody@example.ma",
            &format!("2001:db8:1:{host:x}::1"),
        );
        checked += usize::from(reason(sessions.sign_in(request).await) == "CREDENTIALS_WRONG");
    }
    assert_eq!(checked, 40);
    let neighbour = wrong(&app, &someone, "nobody@example.ma", "2001:db8:2::1");
    assert_eq!(reason(sessions.sign_in(neighbour).await), "CREDENTIALS_WRONG");
    app.finish().await;
}

#[tokio::test]
async fn second_factors_are_counted_by_address_over_all_accounts() {
    let app = TestApp::start_with(|settings, _| bucket(settings, "second_factor.address", 1.0, 3)).await;
    let mut reasons = Vec::new();
    for _ in 0..2 {
        let someone = app.citizen().await;
        let mut sessions = app.gateway.sessions.clone();
        let request = SignInRequest {
            client_address: "10.0.0.1".to_owned(),
            ..app.sign_in_request(&someone, SessionSurface::Citizen)
        };
        let Some(SignInResult::Challenge(challenge)) =
            sessions.sign_in(request).await.unwrap().into_inner().result
        else {
            panic!("a second factor is asked for")
        };
        for _ in 0..2 {
            let request = CompleteSignInRequest {
                request_id: request_id(),
                challenge: challenge.challenge.clone(),
                code: "no code".to_owned(),
                client_address: "10.0.0.1".to_owned(),
            };
            reasons.push(reason(sessions.complete_sign_in(request).await));
        }
    }
    assert_eq!(reasons[2..], ["SECOND_FACTOR_WRONG", "TOO_MANY_ATTEMPTS"]);
    app.finish().await;
}

fn sign_up(number: u32, phone: u32, address: &str) -> SignUpRequest {
    SignUpRequest {
        phone: format!("06{phone:08}"),
        client_address: address.to_owned(),
        ..sign_up_request(number)
    }
}

#[tokio::test]
async fn a_telephone_is_not_flooded_and_its_holder_still_signs_up() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    for number in 0..5 {
        let request = sign_up(number, 7, "10.0.0.1");
        accounts.sign_up(request).await.unwrap();
    }
    let refused = refusal(accounts.sign_up(sign_up(5, 7, "10.0.0.1")).await);
    assert_eq!(refused.code(), Code::ResourceExhausted);
    // The holder, from elsewhere, gets a code all the same, however long the stranger goes on.
    for number in 10..13 {
        app.advance(TimeDelta::minutes(20));
        let request = sign_up(number, 7, "10.0.0.1");
        accounts.sign_up(request).await.unwrap();
    }
    accounts.sign_up(sign_up(20, 7, "10.0.0.2")).await.unwrap();
    // Many strangers together are held up, and for less than an hour.
    let mut wait = None;
    for host in 3..40 {
        let request = sign_up(20 + host, 7, &format!("10.0.0.{host}"));
        if let Err(refused) = accounts.sign_up(request).await {
            wait = wathiq_chassis::status::retry_after(&refused);
            break;
        }
    }
    assert!(wait.expect("there is an end").as_secs() <= 2_000);
    app.finish().await;
}

#[tokio::test]
async fn one_source_sends_a_contact_ten_codes_a_day() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    let mut sent = 0;
    for number in 0..24 {
        let answer = accounts.sign_up(sign_up(number, 7, "10.0.0.1")).await;
        sent += usize::from(answer.is_ok());
        app.advance(TimeDelta::minutes(30));
    }
    assert_eq!(sent, 10 + 4, "ten, and what comes back in half a day");
    app.finish().await;
}

#[tokio::test]
async fn text_messages_are_counted_over_the_whole_installation() {
    let app = TestApp::start_with(|settings, _| bucket(settings, "codes.texts", 1.0, 2)).await;
    let mut accounts = app.gateway.accounts.clone();
    for number in 0..2 {
        let request = sign_up(number, number, &format!("10.0.0.{number}"));
        accounts.sign_up(request).await.unwrap();
    }
    let refused = accounts.sign_up(sign_up(2, 2, "10.0.0.2")).await;
    assert_eq!(reason(refused), "SERVICE_BUSY");
    // Nothing of it is left, and e-mail goes on.
    assert_eq!(app.count("SELECT count(*) FROM sign_up").await, 2);
    accounts
        .request_password_reset(ask("nobody@example.ma", "10.0.0.2"))
        .await
        .unwrap();
    app.finish().await;
}

#[tokio::test]
async fn starting_again_gives_no_more_guesses() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    let prove = |id: &str, code: &str, address: &str| ProveSignUpContactRequest {
        request_id: request_id(),
        sign_up_id: id.to_owned(),
        channel: ContactChannel::Phone.into(),
        code: code.to_owned(),
        client_address: address.to_owned(),
    };
    let mut wrong = 0;
    for number in 0..4 {
        let opened = accounts.sign_up(sign_up(number, 7, "10.0.0.1")).await;
        let id = opened.unwrap().into_inner().sign_up_id;
        for _ in 0..5 {
            let tried = reason(
                accounts
                    .prove_sign_up_contact(prove(&id, "guess", "10.0.0.1"))
                    .await,
            );
            wrong += usize::from(tried != "TOO_MANY_ATTEMPTS");
        }
    }
    assert_eq!(wrong, 10);
    // The holder of the telephone is not kept out by that.
    app.drain().await;
    let opened = accounts.sign_up(sign_up(9, 7, "10.0.0.2")).await.unwrap();
    let id = opened.into_inner().sign_up_id;
    let code = app.messages().await[1].code.clone();
    let proved = accounts
        .prove_sign_up_contact(prove(&id, &code, "10.0.0.2"))
        .await;
    assert!(proved.unwrap().into_inner().phone_proved);
    app.finish().await;
}

#[tokio::test]
async fn more_passwords_than_can_be_checked_are_sent_away_and_count_for_nothing() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let attempts = (0..160).map(|host| {
        let mut sessions = app.gateway.sessions.clone();
        let request = SignInRequest {
            login: format!("person{host}@elsewhere.ma"),
            client_address: format!("10.0.0.{host}"),
            ..app.sign_in_request(&someone, SessionSurface::Citizen)
        };
        async move { refusal(sessions.sign_in(request).await) }
    });
    let answers = join_all(attempts).await;
    let count = |wanted: &str| {
        let reasons = answers.iter().filter_map(wathiq_chassis::status::reason);
        reasons.filter(|reason| reason == wanted).count()
    };
    let (wrong, busy) = (count("CREDENTIALS_WRONG"), count("SERVICE_BUSY"));
    // So many at once may also wait too long for a connection.
    let cut = count("DATABASE_UNAVAILABLE");
    assert!(
        wrong > 0 && busy > 0 && wrong + busy + cut == 160,
        "{wrong} {busy} {cut}"
    );
    // What was sent away took nothing from its buckets.
    let held = app
        .count("SELECT count(*) FROM quota WHERE bucket = 'sign_in.account' AND arrival > '2026-11-22T09:00:30Z'")
        .await;
    let held = usize::try_from(held).unwrap();
    assert!((wrong..=wrong + cut).contains(&held), "{held} {wrong} {cut}");
    app.finish().await;
}

#[tokio::test]
async fn a_made_up_session_is_refused_without_a_look_at_the_database() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let exchange = |secret: &str| ExchangeSessionRequest {
        session_secret: secret.to_owned(),
    };
    let mut sessions = app.gateway.sessions.clone();
    app.cut_off(true).await;
    let made_up = data_encoding::BASE64URL_NOPAD.encode(&[7; 48]);
    for secret in [made_up.as_str(), "", "nothing"] {
        assert_eq!(
            reason(sessions.exchange_session(exchange(secret)).await),
            "SESSION_INVALID"
        );
    }
    assert_eq!(
        reason(sessions.exchange_session(exchange(&someone.session_secret)).await),
        "DATABASE_UNAVAILABLE"
    );
    app.cut_off(false).await;
    app.finish().await;
}
