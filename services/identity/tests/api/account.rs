//! Sign-up, preferences and contacts.

use chrono::TimeDelta;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, with_token};
use crate::people::{PASSWORD, sign_up_request};

#[tokio::test]
async fn a_person_signs_up_with_two_codes_and_is_claimed() {
    let app = TestApp::start().await;
    let opened = app
        .gateway
        .accounts
        .clone()
        .sign_up(sign_up_request(1))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(opened.deliveries.len(), 2);
    assert!(opened.warnings.is_empty());
    let messages = app.messages().await;
    assert_eq!(messages[0].address, "person1@example.ma");
    assert_eq!(messages[1].address, "+212600000001");
    assert!(
        messages
            .iter()
            .all(|m| m.kind() == DeliveryKind::SignUpCode && m.language() == Language::Ar)
    );
    let half = app
        .prove_contact(&opened.sign_up_id, ContactChannel::Phone, &messages[1].code)
        .await;
    assert!(half.phone_proved && !half.email_proved && !half.account_ready);
    let code = format!("{} {}", &messages[0].code[..3], &messages[0].code[3..]);
    let whole = app
        .prove_contact(&opened.sign_up_id, ContactChannel::Email, &code)
        .await;
    assert!(whole.account_ready);
    let registered: Vec<_> = app
        .drain()
        .await
        .into_iter()
        .map(|event| (event.event_type, event.sequence))
        .collect();
    assert_eq!(
        registered,
        [("wathiq.identity.v1.PersonRegistered".to_owned(), 1)]
    );
    app.finish().await;
}

#[tokio::test]
async fn the_own_person_is_told_whole() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let request = with_token(GetPersonRequest {}, &someone.token);
    let person = app
        .gateway
        .accounts
        .clone()
        .get_person(request)
        .await
        .unwrap()
        .into_inner()
        .person
        .unwrap();
    assert_eq!(person.assurance(), AssuranceLevel::Claimed);
    assert_eq!(
        (person.email, person.phone),
        (someone.email.clone(), "+212600000000".to_owned())
    );
    assert_eq!(person.identity_document.unwrap().number, "BE100000");
    assert_eq!(
        person.delivery_preference,
        i32::from(DeliveryPreference::Attachment)
    );
    assert!(!person.totp_enrolled && person.proof.is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_taken_address_gets_the_same_answer_and_its_holder_a_notice() {
    let app = TestApp::start().await;
    let holder = app.newcomer().await;
    let stranger = SignUpRequest {
        email: holder.email.to_uppercase(),
        ..sign_up_request(50)
    };
    let free = sign_up_request(51);
    let mut accounts = app.gateway.accounts.clone();
    let taken = accounts.sign_up(stranger).await.unwrap().into_inner();
    let notices = app.messages().await;
    let open = accounts.sign_up(free).await.unwrap().into_inner();
    let shape = |response: &SignUpResponse| {
        let deliveries: Vec<_> = response
            .deliveries
            .iter()
            .map(|d| (d.channel, d.state, d.expire_time))
            .collect();
        (response.expire_time, deliveries, response.warnings.clone())
    };
    assert_eq!(shape(&taken), shape(&open));
    assert_eq!(notices[0].kind(), DeliveryKind::AccountExistsNotice);
    assert_eq!(
        (notices[0].address.as_str(), notices[0].code.as_str()),
        (holder.email.as_str(), "")
    );
    // Rows written are the same in number.
    for table in ["one_time_code", "delivery"] {
        let query = if table == "delivery" {
            "SELECT count(*) FROM delivery"
        } else {
            "SELECT count(*) FROM one_time_code"
        };
        assert_eq!(app.count(query).await, 6, "{table}");
    }
    // The code that was never sent cannot be found out.
    app.prove_contact(&taken.sign_up_id, ContactChannel::Phone, &notices[1].code)
        .await;
    for attempt in 0..5 {
        let request = ProveSignUpContactRequest {
            request_id: request_id(),
            sign_up_id: taken.sign_up_id.clone(),
            channel: ContactChannel::Email.into(),
            code: format!("00000{attempt}"),
            client_address: String::new(),
        };
        let expected = if attempt == 4 { "CODE_BARRED" } else { "CODE_WRONG" };
        assert_eq!(reason(accounts.prove_sign_up_contact(request).await), expected);
    }
    app.finish().await;
}

#[tokio::test]
async fn claims_are_not_unique_and_block_nobody() {
    let app = TestApp::start().await;
    let (first, second) = (sign_up_request(1), sign_up_request(2));
    let second = SignUpRequest {
        identity_document: first.identity_document.clone(),
        ..second
    };
    for request in [first, second] {
        let opened = app
            .gateway
            .accounts
            .clone()
            .sign_up(request)
            .await
            .unwrap()
            .into_inner();
        for message in app.messages().await {
            app.prove_contact(&opened.sign_up_id, message.channel(), &message.code)
                .await;
        }
    }
    assert_eq!(
        app.count("SELECT count(*) FROM person WHERE document_number = 'BE100001'")
            .await,
        2
    );
    app.finish().await;
}

#[tokio::test]
async fn who_proves_an_address_second_is_told() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    let late = SignUpRequest {
        email: "person1@example.ma".to_owned(),
        ..sign_up_request(2)
    };
    let late = accounts.sign_up(late).await.unwrap().into_inner();
    let late_codes = app.messages().await;
    let first = accounts.sign_up(sign_up_request(1)).await.unwrap().into_inner();
    for message in app.messages().await {
        app.prove_contact(&first.sign_up_id, message.channel(), &message.code)
            .await;
    }
    app.prove_contact(&late.sign_up_id, ContactChannel::Phone, &late_codes[1].code)
        .await;
    let request = ProveSignUpContactRequest {
        request_id: request_id(),
        sign_up_id: late.sign_up_id,
        channel: ContactChannel::Email.into(),
        code: late_codes[0].code.clone(),
        client_address: String::new(),
    };
    assert_eq!(
        reason(accounts.prove_sign_up_contact(request).await),
        "EMAIL_TAKEN"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_fresh_code_takes_the_place_of_the_one_before_and_codes_grow_old() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    let opened = accounts.sign_up(sign_up_request(1)).await.unwrap().into_inner();
    let old = app.messages().await;
    let resend = || ResendSignUpCodeRequest {
        request_id: request_id(),
        sign_up_id: opened.sign_up_id.clone(),
        channel: ContactChannel::Email.into(),
        client_address: String::new(),
    };
    accounts.resend_sign_up_code(resend()).await.unwrap();
    let fresh = app.messages().await;
    let prove = |code: &str| ProveSignUpContactRequest {
        request_id: request_id(),
        sign_up_id: opened.sign_up_id.clone(),
        channel: ContactChannel::Email.into(),
        code: code.to_owned(),
        client_address: String::new(),
    };
    assert_eq!(
        reason(accounts.prove_sign_up_contact(prove(&old[0].code)).await),
        "CODE_WRONG"
    );
    app.advance(TimeDelta::minutes(10));
    assert_eq!(
        reason(accounts.prove_sign_up_contact(prove(&fresh[0].code)).await),
        "CODE_EXPIRED"
    );
    accounts.resend_sign_up_code(resend()).await.unwrap();
    let fresh = app.messages().await;
    accounts
        .prove_sign_up_contact(prove(&fresh[0].code))
        .await
        .unwrap();
    assert_eq!(
        reason(accounts.prove_sign_up_contact(prove(&fresh[0].code)).await),
        "CONTACT_ALREADY_PROVED"
    );
    assert_eq!(
        reason(accounts.resend_sign_up_code(resend()).await),
        "CONTACT_ALREADY_PROVED"
    );
    app.advance(TimeDelta::hours(24));
    assert_eq!(
        reason(accounts.resend_sign_up_code(resend()).await),
        "SIGN_UP_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn nobody_is_flooded_with_codes() {
    let app = TestApp::start().await;
    let mut accounts = app.gateway.accounts.clone();
    let opened = accounts.sign_up(sign_up_request(1)).await.unwrap().into_inner();
    let resend = || ResendSignUpCodeRequest {
        request_id: request_id(),
        sign_up_id: opened.sign_up_id.clone(),
        channel: ContactChannel::Phone.into(),
        client_address: sign_up_request(1).client_address,
    };
    for _ in 0..4 {
        accounts.resend_sign_up_code(resend()).await.unwrap();
    }
    let refused = accounts.resend_sign_up_code(resend()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    let wait = wathiq_chassis::status::retry_after(&refused).unwrap();
    app.advance(TimeDelta::from_std(wait).unwrap());
    accounts.resend_sign_up_code(resend()).await.unwrap();
    app.finish().await;
}

#[tokio::test]
async fn preferences_change_on_the_version_that_was_seen() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut accounts = app.gateway.accounts.clone();
    let update = |etag: &str| {
        let request = UpdatePreferencesRequest {
            request_id: request_id(),
            language: Language::Zgh.into(),
            delivery_preference: DeliveryPreference::Link.into(),
            etag: etag.to_owned(),
        };
        with_token(request, &someone.token)
    };
    let person = accounts
        .update_preferences(update("v1"))
        .await
        .unwrap()
        .into_inner()
        .person
        .unwrap();
    assert_eq!(
        (person.language(), person.delivery_preference()),
        (Language::Zgh, DeliveryPreference::Link)
    );
    assert_eq!(person.etag, "v2");
    assert_eq!(
        reason(accounts.update_preferences(update("v1")).await),
        "ETAG_STALE"
    );
    accounts.update_preferences(update("")).await.unwrap();
    app.finish().await;
}

#[tokio::test]
async fn a_contact_changes_when_the_new_one_is_proved_and_the_old_one_is_told() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut accounts = app.gateway.accounts.clone();
    let change = |password: &str| {
        let request = ChangeContactRequest {
            request_id: request_id(),
            channel: ContactChannel::Email.into(),
            value: "new@example.ma".to_owned(),
            password: password.to_owned(),
        };
        with_token(request, &someone.token)
    };
    assert_eq!(
        reason(accounts.change_contact(change("not the password")).await),
        "PASSWORD_WRONG"
    );
    let begun = accounts
        .change_contact(change(PASSWORD))
        .await
        .unwrap()
        .into_inner();
    let messages = app.messages().await;
    assert_eq!(
        (messages[0].address.as_str(), messages[0].kind()),
        ("new@example.ma", DeliveryKind::ContactChangeCode)
    );
    let prove = |code: &str| {
        let id = begun.contact_change_id.clone();
        let request = ProveContactRequest {
            request_id: request_id(),
            contact_change_id: id,
            code: code.to_owned(),
        };
        with_token(request, &someone.token)
    };
    assert_eq!(reason(accounts.prove_contact(prove("x")).await), "CODE_WRONG");
    let person = accounts
        .prove_contact(prove(&messages[0].code))
        .await
        .unwrap()
        .into_inner()
        .person
        .unwrap();
    assert_eq!(person.email, "new@example.ma");
    let told = app.messages().await;
    assert_eq!(
        (told[0].address.as_str(), told[0].kind()),
        (someone.email.as_str(), DeliveryKind::CredentialChangedNotice)
    );
    assert_eq!(
        reason(accounts.prove_contact(prove(&messages[0].code)).await),
        "CONTACT_CHANGE_NOT_FOUND"
    );
    let stranger = app.newcomer().await;
    let request = ProveContactRequest {
        request_id: request_id(),
        contact_change_id: begun.contact_change_id,
        code: messages[0].code.clone(),
    };
    let theirs = accounts.prove_contact(with_token(request, &stranger.token)).await;
    assert_eq!(reason(theirs), "CONTACT_CHANGE_NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn a_change_to_a_taken_address_tells_only_its_holder() {
    let app = TestApp::start().await;
    let (holder, someone) = (app.newcomer().await, app.newcomer().await);
    let request = ChangeContactRequest {
        request_id: request_id(),
        channel: ContactChannel::Email.into(),
        value: holder.email.clone(),
        password: PASSWORD.to_owned(),
    };
    app.gateway
        .accounts
        .clone()
        .change_contact(with_token(request, &someone.token))
        .await
        .unwrap();
    let messages = app.messages().await;
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].address.as_str(), messages[0].kind()),
        (holder.email.as_str(), DeliveryKind::AccountExistsNotice)
    );
    app.finish().await;
}
