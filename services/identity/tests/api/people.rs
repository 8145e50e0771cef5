//! Citizens and staff as the tests need them, made by the calls that make them in life.

use chrono::{Datelike, TimeDelta};
use wathiq_chassis::civil_date;
use wathiq_identity::app::bootstrap_administrator::FirstAdministrator;
use wathiq_identity::domain::contact::{Email, Phone};
use wathiq_identity::domain::identity_document::{DocumentKind, IdentityDocument};
use wathiq_identity::domain::name::{PersonName as DomainName, Script};
use wathiq_identity::domain::password::NewPassword;
use wathiq_identity::domain::person::CivilIdentity;
use wathiq_identity::domain::totp::TotpSecret;
use wathiq_identity::domain::vocabulary::Language as DomainLanguage;
use wathiq_outbox::testing::StoredEvent;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1::sign_in_response::Result as SignInResult;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, request_id, with_token};

pub(crate) const PASSWORD: &str = "une phrase que je retiens";

/// Someone with an account.
pub(crate) struct Someone {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) document: IdentityDocumentMessage,
    pub(crate) address: String,
    pub(crate) totp: Option<TotpSecret>,
    /// Of the session opened last.
    pub(crate) session_id: String,
    pub(crate) session_secret: String,
    pub(crate) token: String,
}

type IdentityDocumentMessage = wathiq_proto::wathiq::identity::v1::IdentityDocument;

pub(crate) fn arabic() -> PersonName {
    PersonName {
        given: "أمينة".to_owned(),
        family: "الإدريسي".to_owned(),
    }
}

pub(crate) fn latin() -> PersonName {
    PersonName {
        given: "Amina".to_owned(),
        family: "El Idrissi".to_owned(),
    }
}

pub(crate) fn birth_date() -> Date {
    Date {
        year: 1990,
        month: 5,
        day: 1,
    }
}

pub(crate) fn cin(number: &str) -> IdentityDocumentMessage {
    IdentityDocumentMessage {
        kind: IdentityDocumentKind::Cin.into(),
        number: number.to_owned(),
    }
}

pub(crate) fn sign_up_request(number: u32) -> SignUpRequest {
    SignUpRequest {
        request_id: request_id(),
        name_arabic: Some(arabic()),
        name_latin: Some(latin()),
        birth_date: Some(birth_date()),
        identity_document: Some(cin(&format!("BE{:06}", 100_000 + number))),
        email: format!("person{number}@example.ma"),
        phone: format!("06{number:08}"),
        language: Language::Ar.into(),
        password: PASSWORD.to_owned(),
        client_address: format!("198.51.100.{}", number % 250),
    }
}

impl TestApp {
    pub(crate) fn today(&self) -> Date {
        let today = civil_date(self.now());
        Date {
            year: today.year(),
            month: today.month() as i32,
            day: today.day() as i32,
        }
    }

    pub(crate) fn date_in(&self, days: i64) -> Date {
        let day = civil_date(self.now()) + TimeDelta::days(days);
        Date {
            year: day.year(),
            month: day.month() as i32,
            day: day.day() as i32,
        }
    }

    /// What would be sent for the deliveries among the events.
    pub(crate) async fn take_all(&self, events: &[StoredEvent]) -> Vec<TakeDeliveryResponse> {
        let mut taken = Vec::new();
        for event in events
            .iter()
            .filter(|event| event.topic == "wathiq.identity.delivery.v1")
        {
            let delivery_id = event.decode::<DeliveryRequested>().delivery_id;
            let request = TakeDeliveryRequest {
                request_id: event.event_id.to_string(),
                delivery_id,
            };
            if let Ok(delivery) = self.notification.directory.clone().take_delivery(request).await {
                taken.push(delivery.into_inner());
            }
        }
        taken
    }

    /// Messages that wait to be sent.
    pub(crate) async fn messages(&self) -> Vec<TakeDeliveryResponse> {
        let events = self.drain().await;
        self.take_all(&events).await
    }

    pub(crate) async fn prove_contact(
        &self,
        sign_up_id: &str,
        channel: ContactChannel,
        code: &str,
    ) -> ProveSignUpContactResponse {
        let request = ProveSignUpContactRequest {
            request_id: request_id(),
            sign_up_id: sign_up_id.to_owned(),
            channel: channel.into(),
            code: code.to_owned(),
            client_address: String::new(),
        };
        self.gateway
            .accounts
            .clone()
            .prove_sign_up_contact(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Signs up and signs in, without a second factor.
    pub(crate) async fn newcomer(&self) -> Someone {
        // What waits from before is not of this sign-up.
        self.drain().await;
        let request = sign_up_request(self.unique());
        let opened = self
            .gateway
            .accounts
            .clone()
            .sign_up(request.clone())
            .await
            .unwrap()
            .into_inner();
        for message in self.messages().await {
            self.prove_contact(&opened.sign_up_id, message.channel(), &message.code)
                .await;
        }
        let mut someone = Someone {
            id: String::new(),
            email: request.email,
            document: request.identity_document.unwrap(),
            address: request.client_address,
            totp: None,
            session_id: String::new(),
            session_secret: String::new(),
            token: String::new(),
        };
        self.sign_in(&mut someone, SessionSurface::Citizen).await;
        someone
    }

    /// A newcomer with an authenticator.
    pub(crate) async fn citizen(&self) -> Someone {
        let mut someone = self.newcomer().await;
        self.enrol_totp(&mut someone).await;
        someone
    }

    pub(crate) async fn enrol_totp(&self, someone: &mut Someone) -> Vec<String> {
        let mut accounts = self.gateway.accounts.clone();
        let begin = BeginTotpEnrolmentRequest {
            request_id: request_id(),
            password: PASSWORD.to_owned(),
            second_factor: someone
                .totp
                .as_ref()
                .map(|_| self.code(someone))
                .unwrap_or_default(),
        };
        let begun = accounts
            .begin_totp_enrolment(with_token(begin, &someone.token))
            .await
            .unwrap()
            .into_inner();
        let secret = data_encoding::BASE32_NOPAD
            .decode(begun.secret.as_bytes())
            .unwrap();
        someone.totp = Some(TotpSecret::new(secret));
        let complete = CompleteTotpEnrolmentRequest {
            request_id: request_id(),
            code: self.code(someone),
        };
        let completed = accounts
            .complete_totp_enrolment(with_token(complete, &someone.token))
            .await
            .unwrap();
        completed.into_inner().recovery_codes
    }

    /// A code that was not used before: the clock moves on a step.
    pub(crate) fn code(&self, someone: &Someone) -> String {
        self.advance(TimeDelta::seconds(30));
        someone.totp.as_ref().unwrap().code_at(self.now())
    }

    pub(crate) fn sign_in_request(&self, someone: &Someone, surface: SessionSurface) -> SignInRequest {
        SignInRequest {
            request_id: request_id(),
            login: someone.email.clone(),
            password: PASSWORD.to_owned(),
            surface: surface.into(),
            client_address: someone.address.clone(),
            user_agent: "test browser".to_owned(),
        }
    }

    /// Opens a session and trades it for a token.
    pub(crate) async fn sign_in(&self, someone: &mut Someone, surface: SessionSurface) {
        let mut sessions = self.gateway.sessions.clone();
        let request = self.sign_in_request(someone, surface);
        let grant = match sessions
            .sign_in(request)
            .await
            .unwrap()
            .into_inner()
            .result
            .unwrap()
        {
            SignInResult::Session(grant) => grant,
            SignInResult::Challenge(challenge) => {
                let request = CompleteSignInRequest {
                    request_id: request_id(),
                    challenge: challenge.challenge,
                    code: self.code(someone),
                    client_address: someone.address.clone(),
                };
                sessions
                    .complete_sign_in(request)
                    .await
                    .unwrap()
                    .into_inner()
                    .session
                    .unwrap()
            }
        };
        someone.session_secret = grant.session_secret;
        someone.session_id = grant.session_id;
        self.renew_token(someone).await;
    }

    pub(crate) async fn renew_token(&self, someone: &mut Someone) {
        let request = ExchangeSessionRequest {
            session_secret: someone.session_secret.clone(),
        };
        let traded = self
            .gateway
            .sessions
            .clone()
            .exchange_session(request)
            .await
            .unwrap()
            .into_inner();
        someone.token = traded.access_token;
        someone.id = traded.person_id;
    }

    /// The first administrator, in a staff session.
    pub(crate) async fn administrator(&self) -> Someone {
        let first = first_administrator();
        let made = wathiq_identity::bootstrap_administrator(&self.settings, self.ambient(), first)
            .await
            .unwrap();
        let secret = data_encoding::BASE32_NOPAD
            .decode(made.totp_secret.as_bytes())
            .unwrap();
        let mut someone = Someone {
            id: made.person_id.to_string(),
            email: "admin@example.ma".to_owned(),
            document: cin("AA100001"),
            address: "203.0.113.9".to_owned(),
            totp: Some(TotpSecret::new(secret)),
            session_id: String::new(),
            session_secret: String::new(),
            token: String::new(),
        };
        self.sign_in(&mut someone, SessionSurface::Staff).await;
        someone
    }

    pub(crate) fn ambient(&self) -> wathiq_chassis::Ambient {
        wathiq_chassis::Ambient {
            clock: self.clock.clone(),
            random: std::sync::Arc::new(wathiq_chassis::SystemRandom),
        }
    }

    pub(crate) async fn create_office(&self, administrator: &Someone, code: &str, parent: &str) -> Office {
        let request = CreateOfficeRequest {
            request_id: request_id(),
            code: code.to_owned(),
            parent_office_id: parent.to_owned(),
            kind: if parent.is_empty() {
                OfficeKind::Commune
            } else {
                OfficeKind::Annexe
            }
            .into(),
            name_ar: "ملحقة".to_owned(),
            name_fr: "Annexe".to_owned(),
            hcp_code: String::new(),
        };
        let mut offices = self.gateway.offices.clone();
        offices
            .create_office(with_token(request, &administrator.token))
            .await
            .unwrap()
            .into_inner()
            .office
            .unwrap()
    }

    pub(crate) async fn open_service(&self, administrator: &Someone, office: &str, service: OfferedService) {
        let request = SetOfficeServiceRequest {
            request_id: request_id(),
            office_id: office.to_owned(),
            period: Some(OfficeServicePeriod {
                service: service.into(),
                from: Some(self.today()),
                to: None,
            }),
        };
        self.gateway
            .offices
            .clone()
            .set_office_service(with_token(request, &administrator.token))
            .await
            .unwrap();
    }

    pub(crate) fn grant_request(
        &self,
        office: &str,
        person: &str,
        role: OfficeRole,
    ) -> GrantMembershipRequest {
        GrantMembershipRequest {
            request_id: request_id(),
            office_id: office.to_owned(),
            person: Some(grant_membership_request::Person::PersonId(person.to_owned())),
            role: role.into(),
            deputy_for_membership_id: String::new(),
            from: Some(self.today()),
            to: None,
        }
    }

    pub(crate) async fn grant(
        &self,
        by: &Someone,
        office: &str,
        person: &str,
        role: OfficeRole,
    ) -> Membership {
        let request = self.grant_request(office, person, role);
        let mut offices = self.gateway.offices.clone();
        offices
            .grant_membership(with_token(request, &by.token))
            .await
            .unwrap()
            .into_inner()
            .membership
            .unwrap()
    }

    pub(crate) fn prove_request(&self, office: &str, someone: &Someone) -> ProveIdentityRequest {
        ProveIdentityRequest {
            request_id: request_id(),
            office_id: office.to_owned(),
            person_id: someone.id.clone(),
            identity_document: Some(someone.document.clone()),
            name_arabic: Some(arabic()),
            name_latin: Some(latin()),
            birth_date: Some(birth_date()),
        }
    }

    pub(crate) async fn prove(&self, agent: &Someone, office: &str, someone: &Someone) {
        let request = self.prove_request(office, someone);
        self.gateway
            .accounts
            .clone()
            .prove_identity(with_token(request, &agent.token))
            .await
            .unwrap();
    }

    /// An administrator who is also agent of an office that proves identities.
    pub(crate) async fn counter(&self) -> (Someone, Office) {
        let mut administrator = self.administrator().await;
        let office = self.create_office(&administrator, "ANF-1", "").await;
        self.open_service(&administrator, &office.office_id, OfferedService::IdentityProof)
            .await;
        self.grant(
            &administrator,
            &office.office_id,
            &administrator.id.clone(),
            OfficeRole::Agent,
        )
        .await;
        self.renew_token(&mut administrator).await;
        (administrator, office)
    }

    /// A proved citizen with an authenticator, in a citizen session.
    pub(crate) async fn proved_citizen(&self, agent: &Someone, office: &str) -> Someone {
        let mut citizen = self.citizen().await;
        self.prove(agent, office, &citizen).await;
        self.renew_token(&mut citizen).await;
        citizen
    }

    /// A proved person with a role, in a staff session.
    pub(crate) async fn member(&self, by: &Someone, office: &str, role: OfficeRole) -> Someone {
        let mut member = self.proved_citizen(by, office).await;
        self.grant(by, office, &member.id, role).await;
        self.sign_in(&mut member, SessionSurface::Staff).await;
        member
    }
}

pub(crate) fn first_administrator() -> FirstAdministrator {
    FirstAdministrator {
        email: Email::parse("admin@example.ma").unwrap(),
        phone: Phone::parse("0699999999").unwrap(),
        civil: CivilIdentity {
            name_arabic: DomainName::parse(Script::Arabic, "سعاد", "العلوي").unwrap(),
            name_latin: DomainName::parse(Script::Latin, "Souad", "Alaoui").unwrap(),
            birth_date: chrono::NaiveDate::from_ymd_opt(1980, 2, 3).unwrap(),
            document: IdentityDocument::parse(DocumentKind::Cin, "AA100001").unwrap(),
        },
        language: DomainLanguage::French,
        password: NewPassword::parse(PASSWORD).unwrap(),
    }
}
