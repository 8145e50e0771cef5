//! The institution's electronic seal: a decision behind it, an officer's confirmation for each batch, no PIN from the officer.

use chrono::{Datelike, Days, NaiveDate};
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_chassis::{SecretFile, Surface, civil_date};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::{ADMINISTRATOR, OFFICER};
use wathiq_signature::electronic_seals::{ElectronicSealConfig, ElectronicSeals};

use crate::harness::{OFFICE, Person, World, reason, request_id, violations, with_token};
use crate::issuing::{electronic, header};
use crate::officers::Token;
use crate::tools;

const SEAL: &str = "eseal-1";

/// A world whose operator has mounted this PIN for the token.
async fn world_with_pin(pin: &str) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin");
    std::fs::write(&path, pin).unwrap();
    let entry = ElectronicSealConfig {
        token_label: SEAL.to_owned(),
        pin_file: SecretFile::new(path),
    };
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.electronic_seals = ElectronicSeals::new(vec![entry]).unwrap();
    })
    .await;
    (world, folder)
}

pub(crate) async fn world() -> (World, tempfile::TempDir) {
    world_with_pin(&Token::named(SEAL).pin).await
}

fn date(day: NaiveDate) -> Option<Date> {
    Some(Date {
        year: day.year(),
        month: day.month().cast_signed(),
        day: day.day().cast_signed(),
    })
}

impl World {
    fn today(&self) -> NaiveDate {
        civil_date(self.app.ambient.now())
    }

    /// A decision in force for birth extracts of every office below.
    fn decision(&self) -> pb::SealAuthority {
        pb::SealAuthority {
            decision_reference: "Arrêté n° 12-26".to_owned(),
            decision_date: date(self.today() - Days::new(10)),
            authority_name: "Ministère de l'Intérieur".to_owned(),
            document_kinds: vec!["birth_extract".to_owned()],
            office_ids: Vec::new(),
            valid_from: date(self.today() - Days::new(10)),
            valid_to: date(self.today() + Days::new(300)),
        }
    }

    fn seal_credential(&self, authority: pb::SealAuthority) -> pb::RegisterCredentialRequest {
        let token = Token::named(SEAL);
        pb::RegisterCredentialRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            officer_person_id: String::new(),
            token_label: token.label,
            key_label: token.key_label,
            certificate_chain_pem: token.chain_pem,
            kind: pb::CredentialKind::ElectronicSeal.into(),
            authority: Some(authority),
        }
    }

    async fn try_register_seal(
        &self,
        person: Person,
        message: pb::RegisterCredentialRequest,
    ) -> Result<pb::SigningCredential, Status> {
        let claims = wathiq_chassis::TokenClaims {
            padm: true,
            ..self.claims(person, Surface::Staff)
        };
        let request = with_token(message, &wathiq_chassis::testing::token(&claims));
        let answer = self.office().register_credential(request).await?;
        Ok(answer.into_inner().credential.unwrap())
    }

    /// The electronic seal of the test's office, registered with this decision.
    pub(crate) async fn electronic_seal(&self, authority: pb::SealAuthority) -> pb::SigningCredential {
        let administrator = self.citizen();
        self.identity.set_platform_administrator(administrator.0, true);
        let message = self.seal_credential(authority);
        self.try_register_seal(administrator, message).await.unwrap()
    }

    /// The same, in force for birth extracts.
    pub(crate) async fn standing_seal(&self) -> pb::SigningCredential {
        self.electronic_seal(self.decision()).await
    }
}

#[tokio::test]
async fn a_batch_is_sealed_with_the_institution_s_key_and_other_tools_agree() {
    let (world, _secrets) = world().await;
    let credential = world.standing_seal().await;
    assert_eq!(credential.kind(), pb::CredentialKind::ElectronicSeal);
    assert_eq!(credential.officer_person_id, "");
    assert_eq!(credential.authority, Some(world.decision()));
    let officer = world.official(&[OFFICER]);
    let mut documents = Vec::new();
    for _ in 0..3 {
        documents.push(world.deposited(electronic()).await);
    }
    let act = world.issuing(officer, &documents, "");
    let answer = world.try_seal_issued(officer, act.clone()).await.unwrap();
    assert_eq!(answer.problems, []);
    let states: Vec<_> = answer
        .issued_documents
        .iter()
        .map(pb::IssuedDocument::state)
        .collect();
    assert_eq!(states, [pb::IssuedDocumentState::Sealed; 3]);
    assert_eq!(
        world.try_seal_issued(officer, act).await.unwrap(),
        answer,
        "a repeat"
    );
    let id = &answer.issued_documents[0].issued_document_id;
    let (file, _) = world.try_download_issued(id, false).await.unwrap();
    tools::check_sealed(&file).await;
    let verified = world.verify(&file).await.unwrap();
    assert_eq!(
        verified.issued_document.unwrap().seal_mode(),
        pb::SealMode::ElectronicSeal
    );
    assert_eq!(verified.signatures[0].signer, Token::named(SEAL).holder);
}

#[tokio::test]
async fn only_an_administrator_of_the_platform_registers_one() {
    let (world, _secrets) = world().await;
    let message = || world.seal_credential(world.decision());
    let administrator = world.official(&[ADMINISTRATOR]);
    let request = world.as_staff(administrator, message());
    let denied = reason(world.office().register_credential(request).await);
    assert_eq!(
        denied,
        (
            Code::PermissionDenied,
            "PLATFORM_ADMINISTRATOR_MISSING".to_owned()
        )
    );
    // A token from before it was taken away.
    let former = reason(world.try_register_seal(administrator, message()).await);
    assert_eq!(former.1, "PLATFORM_ADMINISTRATOR_MISSING");
    world.identity.set_platform_administrator(administrator.0, true);
    let registered = world.try_register_seal(administrator, message()).await.unwrap();
    assert_eq!(registered.authority, Some(world.decision()));
    let twice = reason(world.try_register_seal(administrator, message()).await);
    assert_eq!(twice, (Code::AlreadyExists, "CREDENTIAL_EXISTS".to_owned()));
}

#[tokio::test]
async fn a_decision_is_whole_or_refused() {
    let (world, _secrets) = world().await;
    let administrator = world.citizen();
    world.identity.set_platform_administrator(administrator.0, true);
    let faults = async |message| -> Vec<String> {
        violations(world.try_register_seal(administrator, message).await)
            .into_iter()
            .map(|(field, _)| field)
            .collect()
    };
    let none = pb::RegisterCredentialRequest {
        authority: None,
        ..world.seal_credential(world.decision())
    };
    assert_eq!(faults(none).await, ["authority"]);
    let empty = faults(world.seal_credential(pb::SealAuthority::default())).await;
    let fields = [
        "decision_reference",
        "authority_name",
        "decision_date",
        "valid_from",
        "valid_to",
        "document_kinds",
    ];
    assert_eq!(empty, fields.map(|field| format!("authority.{field}")));
    let backwards = pb::SealAuthority {
        valid_to: date(world.today() - Days::new(11)),
        ..world.decision()
    };
    assert_eq!(
        faults(world.seal_credential(backwards)).await,
        ["authority.valid_to"]
    );
    let of_officer = pb::RegisterCredentialRequest {
        officer_person_id: request_id(),
        ..world.seal_credential(world.decision())
    };
    assert_eq!(faults(of_officer).await, ["officer_person_id"]);
}

#[tokio::test]
async fn outside_its_kinds_offices_and_days_nothing_is_sealed() {
    let (world, _secrets) = world().await;
    let officer = world.official(&[OFFICER]);
    let try_seal = async |documents: &[pb::IssuedDocument]| {
        let act = world.issuing(officer, documents, "");
        world.try_seal_issued(officer, act).await
    };
    let document = world.deposited(electronic()).await;
    let documents = std::slice::from_ref(&document);
    assert_eq!(reason(try_seal(documents).await).1, "CREDENTIAL_MISSING");

    let elsewhere = pb::SealAuthority {
        office_ids: vec![Uuid::from_u128(0xbeef).to_string()],
        ..world.decision()
    };
    world.electronic_seal(elsewhere).await;
    let refused = reason(try_seal(documents).await);
    assert_eq!(
        refused,
        (
            Code::FailedPrecondition,
            "ELECTRONIC_SEAL_NOT_AUTHORISED".to_owned()
        )
    );
    assert_eq!(world.identity.redemptions(), 0, "the confirmation is not used up");
}

#[tokio::test]
async fn a_kind_that_the_decision_does_not_name_is_left_out_of_the_batch() {
    let (world, _secrets) = world().await;
    world.standing_seal().await;
    let officer = world.official(&[OFFICER]);
    let other = pb::DepositHeader {
        document_kind: "death_extract".to_owned(),
        ..electronic()
    };
    let documents = [world.deposited(electronic()).await, world.deposited(other).await];
    let act = world.issuing(officer, &documents, "");
    let answer = world.try_seal_issued(officer, act).await.unwrap();
    assert_eq!(answer.issued_documents.len(), 1);
    assert_eq!(answer.problems.len(), 1);
    assert_eq!(answer.problems[0].reason, "ELECTRONIC_SEAL_NOT_AUTHORISED");
    assert_eq!(
        answer.problems[0].issued_document_id,
        documents[1].issued_document_id
    );
    let ended = chrono::TimeDelta::days(301);
    world.clock.advance(ended);
    let late = world.deposited(electronic()).await;
    let act = world.issuing(officer, &[late], "");
    let refused = reason(world.try_seal_issued(officer, act).await);
    assert_eq!(refused.1, "ELECTRONIC_SEAL_NOT_AUTHORISED");
}

#[tokio::test]
async fn keys_and_pins_are_not_mixed() {
    let (world, _secrets) = world().await;
    world.standing_seal().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let (by_seal, by_key) = (
        world.deposited(electronic()).await,
        world.deposited(header()).await,
    );
    let try_seal = async |documents: &[pb::IssuedDocument], pin: &str| {
        let act = world.issuing(officer, documents, pin);
        violations(world.try_seal_issued(officer, act).await)
    };
    let both = [by_seal.clone(), by_key.clone()];
    let field = |name: &str, reason: &str| vec![(name.to_owned(), reason.to_owned())];
    assert_eq!(
        try_seal(&both, &token.pin).await,
        field("issued_document_ids", "MIXED_SEAL_MODES")
    );
    assert_eq!(try_seal(&[by_seal], &token.pin).await, field("pin", "UNEXPECTED"));
    assert_eq!(try_seal(&[by_key], "").await, field("pin", "LENGTH"));
}

/// What only the operator can mend is not blamed on the officer, and costs no document.
#[tokio::test]
async fn a_wrong_mounted_pin_is_the_operator_s_matter() {
    let (world, secrets) = world_with_pin("0000").await;
    world.standing_seal().await;
    let officer = world.official(&[OFFICER]);
    let document = world.deposited(electronic()).await;
    let act = world.issuing(officer, &[document], "");
    let refused = reason(world.try_seal_issued(officer, act.clone()).await);
    assert_eq!(refused, (Code::Unavailable, "KEY_UNAVAILABLE".to_owned()));
    let trace = world
        .count("SELECT count(*) FROM audit WHERE action = 'issued_document.seal' AND outcome = 'refused'")
        .await;
    assert_eq!(trace, 1);
    // The secret is replaced without a restart, and the same act goes on.
    std::fs::write(secrets.path().join("pin"), Token::named(SEAL).pin).unwrap();
    let answer = world.try_seal_issued(officer, act).await.unwrap();
    assert_eq!(
        answer.issued_documents[0].state(),
        pb::IssuedDocumentState::Sealed
    );
}
