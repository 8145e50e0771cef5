//! 32 duplicates of each command at once have one effect, and 32 rivals one winner.

use std::future::Future;

use futures::future::join_all;
use tonic::{Response, Status};
use wathiq_chassis::status;
use wathiq_proto::wathiq::identity::v1::sign_in_response::Result as SignInResult;
use wathiq_proto::wathiq::identity::v1::*;

use crate::confirmation;
use crate::harness::{TestApp, request_id, with_token};
use crate::people::{PASSWORD, sign_up_request};
use crate::specimen;

const MANY: usize = 32;

/// How duplicates were answered.
struct Answers<T> {
    right: Vec<T>,
    reasons: Vec<String>,
}

async fn at_once<T, F>(make: impl Fn() -> F) -> Answers<T>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let mut answers = Answers {
        right: Vec::new(),
        reasons: Vec::new(),
    };
    for result in join_all((0..MANY).map(|_| make())).await {
        match result {
            Ok(response) => answers.right.push(response.into_inner()),
            Err(status) => answers
                .reasons
                .push(status::reason(&status).unwrap_or_else(|| status.to_string())),
        }
    }
    // So many at once may wait too long for a connection, which says nothing of what is tested.
    answers.reasons.retain(|reason| reason != "DATABASE_UNAVAILABLE");
    answers
}

impl<T: PartialEq> Answers<T> {
    /// All got the same answer.
    fn same(self, what: &str) -> T {
        assert_eq!(self.reasons, Vec::<String>::new(), "{what}");
        let mut right = self.right.into_iter();
        let first = right.next().unwrap();
        assert!(right.all(|other| other == first), "{what}");
        first
    }

    /// One got the answer, which holds a secret; the others were told that it is gone.
    fn one(self, what: &str) -> T {
        let gone = self
            .reasons
            .iter()
            .all(|reason| reason == "RESPONSE_NOT_KEPT" || reason == "TOO_MANY_ATTEMPTS");
        assert!(gone, "{what}: {:?}", self.reasons);
        assert_eq!(self.right.len(), 1, "{what}");
        self.right.into_iter().next().unwrap()
    }

    /// Those that were answered got the same; the others came too often while a password was being checked.
    fn same_or_limited(self, what: &str) -> T {
        let limited = self.reasons.iter().all(|reason| reason == "TOO_MANY_ATTEMPTS");
        assert!(limited, "{what}: {:?}", self.reasons);
        Answers {
            right: self.right,
            reasons: Vec::new(),
        }
        .same(what)
    }
}

macro_rules! duplicates {
    ($client:expr, $method:ident, $request:expr) => {{
        let request = $request;
        at_once(|| {
            let (mut client, request) = ($client.clone(), request.clone());
            async move { client.$method(request).await }
        })
        .await
    }};
    ($client:expr, $method:ident, $request:expr, $token:expr) => {{
        let request = $request;
        at_once(|| {
            let (mut client, request) = ($client.clone(), with_token(request.clone(), $token));
            async move { client.$method(request).await }
        })
        .await
    }};
}

#[tokio::test]
async fn a_sign_up_repeated_is_one() {
    let app = TestApp::start().await;
    let accounts = &app.gateway.accounts;
    let opened = duplicates!(accounts, sign_up, sign_up_request(1)).same("SignUp");
    assert_eq!(app.count("SELECT count(*) FROM sign_up").await, 1);
    let resend = ResendSignUpCodeRequest {
        request_id: request_id(),
        sign_up_id: opened.sign_up_id.clone(),
        channel: ContactChannel::Email.into(),
        client_address: String::new(),
    };
    duplicates!(accounts, resend_sign_up_code, resend).same("ResendSignUpCode");
    assert_eq!(app.count("SELECT count(*) FROM delivery").await, 3);
    let messages = app.messages().await;
    for message in &messages[1..] {
        let prove = ProveSignUpContactRequest {
            request_id: request_id(),
            sign_up_id: opened.sign_up_id.clone(),
            channel: message.channel,
            code: message.code.clone(),
            client_address: String::new(),
        };
        duplicates!(accounts, prove_sign_up_contact, prove).same("ProveSignUpContact");
    }
    assert_eq!(app.drain().await.len(), 1, "one PersonRegistered");
    app.finish().await;
}

#[tokio::test]
async fn a_change_of_an_account_repeated_is_one() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let accounts = &app.gateway.accounts;
    let update = UpdatePreferencesRequest {
        request_id: request_id(),
        language: Language::Fr.into(),
        ..Default::default()
    };
    let updated = duplicates!(accounts, update_preferences, update, &someone.token).same("UpdatePreferences");
    assert_eq!(updated.person.unwrap().etag, "v2");
    app.drain().await;
    let change = ChangeContactRequest {
        request_id: request_id(),
        channel: ContactChannel::Phone.into(),
        value: "0712345678".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let begun =
        duplicates!(accounts, change_contact, change, &someone.token).same_or_limited("ChangeContact");
    let code = app.messages().await[0].code.clone();
    let prove = ProveContactRequest {
        request_id: request_id(),
        contact_change_id: begun.contact_change_id,
        code,
    };
    duplicates!(accounts, prove_contact, prove, &someone.token).same("ProveContact");
    let change = ChangePasswordRequest {
        request_id: request_id(),
        current_password: PASSWORD.to_owned(),
        new_password: "une autre phrase à moi".to_owned(),
    };
    app.advance(chrono::TimeDelta::minutes(4));
    duplicates!(accounts, change_password, change, &someone.token).same_or_limited("ChangePassword");
    let events: Vec<_> = app
        .drain()
        .await
        .into_iter()
        .filter(|event| event.topic.ends_with("person.v1"))
        .collect();
    assert_eq!(
        events.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        [3, 4]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_password_reset_repeated_is_one() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let accounts = &app.gateway.accounts;
    let ask = RequestPasswordResetRequest {
        request_id: request_id(),
        email: someone.email.clone(),
        client_address: someone.address.clone(),
    };
    let asked = duplicates!(accounts, request_password_reset, ask).same("RequestPasswordReset");
    let messages = app.messages().await;
    assert_eq!(messages.len(), 1);
    let reset = ResetPasswordRequest {
        request_id: request_id(),
        password_reset_id: asked.password_reset_id,
        code: messages[0].code.clone(),
        new_password: "une autre phrase à moi".to_owned(),
        ..Default::default()
    };
    duplicates!(accounts, reset_password, reset).same_or_limited("ResetPassword");
    let events = app.drain().await;
    assert_eq!(
        events
            .iter()
            .filter(|event| event.topic.ends_with("person.v1"))
            .count(),
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn an_enrolment_and_a_sign_in_repeated_are_one() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let (accounts, sessions) = (&app.gateway.accounts, &app.gateway.sessions);
    let sign_in = app.sign_in_request(&someone, SessionSurface::Citizen);
    duplicates!(sessions, sign_in, sign_in).one("SignIn");
    assert_eq!(app.count("SELECT count(*) FROM session").await, 2);
    let begin = BeginTotpEnrolmentRequest {
        request_id: request_id(),
        password: PASSWORD.to_owned(),
        second_factor: String::new(),
    };
    app.advance(chrono::TimeDelta::minutes(4));
    app.renew_token(&mut someone).await;
    let begun = duplicates!(accounts, begin_totp_enrolment, begin, &someone.token).one("BeginTotpEnrolment");
    let secret = data_encoding::BASE32_NOPAD
        .decode(begun.secret.as_bytes())
        .unwrap();
    someone.totp = Some(wathiq_identity::domain::totp::TotpSecret::new(secret));
    let complete = CompleteTotpEnrolmentRequest {
        request_id: request_id(),
        code: app.code(&someone),
    };
    duplicates!(accounts, complete_totp_enrolment, complete, &someone.token).one("CompleteTotpEnrolment");
    let renew = RegenerateRecoveryCodesRequest {
        request_id: request_id(),
        totp_code: app.code(&someone),
    };
    duplicates!(accounts, regenerate_recovery_codes, renew, &someone.token).one("RegenerateRecoveryCodes");
    assert_eq!(app.count("SELECT count(*) FROM recovery_code").await, 10);
    let request = app.sign_in_request(&someone, SessionSurface::Citizen);
    let answer = sessions.clone().sign_in(request).await.unwrap().into_inner();
    let Some(SignInResult::Challenge(challenge)) = answer.result else {
        panic!()
    };
    let complete = CompleteSignInRequest {
        request_id: request_id(),
        challenge: challenge.challenge,
        code: app.code(&someone),
        client_address: String::new(),
    };
    let granted = duplicates!(sessions, complete_sign_in, complete).one("CompleteSignIn");
    assert_eq!(app.count("SELECT count(*) FROM session").await, 3);
    app.renew_token(&mut someone).await;
    let end = EndSessionRequest {
        request_id: request_id(),
        session_id: granted.session.unwrap().session_id,
    };
    duplicates!(sessions, end_session, end, &someone.token).same("EndSession");
    app.finish().await;
}

#[tokio::test]
async fn an_act_of_administration_repeated_is_one() {
    let app = TestApp::start().await;
    let root = app.administrator().await;
    let offices = &app.gateway.offices;
    let create = CreateOfficeRequest {
        request_id: request_id(),
        code: "ANF".to_owned(),
        parent_office_id: String::new(),
        kind: OfficeKind::Commune.into(),
        name_ar: "أنفا".to_owned(),
        name_fr: "Anfa".to_owned(),
        hcp_code: String::new(),
    };
    let office = duplicates!(offices, create_office, create, &root.token)
        .same("CreateOffice")
        .office
        .unwrap();
    let csv = "code,parent_code,kind,name_ar,name_fr\nANF-1,ANF,annexe,ملحقة,Annexe\n"
        .as_bytes()
        .to_vec();
    let import = ImportOfficesRequest {
        request_id: request_id(),
        csv,
    };
    duplicates!(offices, import_offices, import, &root.token).same("ImportOffices");
    let period = OfficeServicePeriod {
        service: OfferedService::IdentityProof.into(),
        from: Some(app.today()),
        to: None,
    };
    let set = SetOfficeServiceRequest {
        request_id: request_id(),
        office_id: office.office_id.clone(),
        period: Some(period),
    };
    duplicates!(offices, set_office_service, set, &root.token).same("SetOfficeService");
    let grant = app.grant_request(&office.office_id, &root.id, OfficeRole::Agent);
    let granted = duplicates!(offices, grant_membership, grant, &root.token).same("GrantMembership");
    let membership_id = granted.membership.unwrap().membership_id;
    let end = EndMembershipRequest {
        request_id: request_id(),
        membership_id,
    };
    duplicates!(offices, end_membership, end, &root.token).same("EndMembership");
    let enrol = EnrolAdministrationRequest {
        request_id: request_id(),
        name_ar: "وزارة العدل".to_owned(),
        name_fr: "Ministère de la justice".to_owned(),
        enrolled_from: Some(app.today()),
        enrolled_to: None,
    };
    let enrolled = duplicates!(offices, enrol_administration, enrol, &root.token).same("EnrolAdministration");
    let update = UpdateAdministrationRequest {
        request_id: request_id(),
        administration_id: enrolled.administration.unwrap().administration_id,
        name_fr: "Ministère de la Justice".to_owned(),
        ..Default::default()
    };
    duplicates!(offices, update_administration, update, &root.token).same("UpdateAdministration");
    let events = app.drain().await;
    assert_eq!(
        events
            .iter()
            .filter(|event| event.topic.ends_with("organisation.v1"))
            .count(),
        7
    );
    app.finish().await;
}

#[tokio::test]
async fn a_proof_a_specimen_and_a_confirmation_repeated_are_one() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut someone = app.citizen().await;
    app.drain().await;
    let prove = app.prove_request(&office.office_id, &someone);
    duplicates!(app.gateway.accounts, prove_identity, prove, &agent.token).same("ProveIdentity");
    app.renew_token(&mut someone).await;
    let specimens = &app.gateway.specimens;
    duplicates!(specimens, deposit_specimen, specimen::deposit(0), &someone.token).same("DepositSpecimen");
    let prove = specimen::prove(&office.office_id, &someone.id, 1);
    duplicates!(specimens, prove_specimen, prove, &agent.token).same("ProveSpecimen");
    let confirmations = &app.gateway.confirmations;
    let create = confirmation::create(ConfirmationPurpose::Legalise, &[1, 2]);
    let opened =
        duplicates!(confirmations, create_confirmation, create, &someone.token).same("CreateConfirmation");
    let id = opened.confirmation.unwrap().confirmation_id;
    let confirm = confirmation::confirm(&id, &app.code(&someone));
    duplicates!(confirmations, confirm_with_totp, confirm, &someone.token).same("ConfirmWithTotp");
    let redeem = confirmation::redeem(&id, &someone.id, &[1, 2]);
    duplicates!(app.signature.confirmations, redeem_confirmation, redeem).same("RedeemConfirmation");
    let types: Vec<_> = app
        .drain()
        .await
        .into_iter()
        .map(|event| event.event_type)
        .collect();
    let expected = [
        "PersonProved",
        "SpecimenDeposited",
        "SpecimenProved",
        "ConfirmationOpened",
        "ConfirmationGiven",
        "ConfirmationRedeemed",
    ];
    assert_eq!(types, expected.map(|name| format!("wathiq.identity.v1.{name}")));
    app.finish().await;
}

#[tokio::test]
async fn of_32_redemptions_one_uses_it() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    let id = confirmation::given(&app, &someone).await;
    let answers = at_once(|| {
        let mut client = app.signature.confirmations.clone();
        let request = confirmation::redeem(&id, &someone.id, &[1, 2]);
        async move { client.redeem_confirmation(request).await }
    })
    .await;
    assert_eq!(answers.right.len(), 1);
    assert!(
        answers.reasons.iter().all(|reason| reason == "CONFIRMATION_USED"),
        "{:?}",
        answers.reasons
    );
    app.finish().await;
}

#[tokio::test]
async fn a_code_gives_one_of_many_confirmations() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(confirmation::open(&app, &someone).await);
    }
    let code = app.code(&someone);
    let attempts = ids.iter().map(|id| {
        let mut client = app.gateway.confirmations.clone();
        let request = with_token(confirmation::confirm(id, &code), &someone.token);
        async move { client.confirm_with_totp(request).await.is_ok() }
    });
    assert_eq!(
        join_all(attempts)
            .await
            .into_iter()
            .filter(|given| *given)
            .count(),
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn of_32_agents_one_binds_a_document() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(app.newcomer().await);
    }
    let document = people[0].document.clone();
    let attempts = people.iter().cycle().take(MANY).map(|someone| {
        let mut client = app.gateway.accounts.clone();
        let request = ProveIdentityRequest {
            identity_document: Some(document.clone()),
            ..app.prove_request(&office.office_id, someone)
        };
        let request = with_token(request, &agent.token);
        async move { client.prove_identity(request).await.is_ok() }
    });
    join_all(attempts).await;
    let holders =
        "SELECT count(*) FROM person WHERE proof_method IS NOT NULL AND document_number = 'BE100000'";
    assert_eq!(app.count(holders).await, 1);
    app.finish().await;
}

#[tokio::test]
async fn the_first_key_ever_is_one() {
    let app = TestApp::start().await;
    let directory = &app.signature.directory;
    let keys = duplicates!(directory, list_verification_keys, ListVerificationKeysRequest {})
        .same("keys")
        .keys;
    assert_eq!(keys.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn of_32_at_once_a_quota_lets_its_burst_through() {
    let app = TestApp::start().await;
    let take = TakeQuotaRequest {
        bucket: "http.upload".to_owned(),
        key: vec![7; 32],
        cost: 1,
    };
    let answers = duplicates!(app.gateway.directory, take_quota, take);
    assert_eq!(answers.right.iter().filter(|answer| answer.allowed).count(), 12);
    app.finish().await;
}
