//! What is registered as an officer's credential, and what is not.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use tonic::Code;
use uuid::Uuid;
use wathiq_signature::domain::role::{ADMINISTRATOR, OFFICER};

use crate::harness::{OFFICE, World, reason, violations};
use crate::officers::Token;

/// A certificate authority of the test's own; nobody trusts it.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(constraints: BasicConstraints) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Somebody's authority");
        params.is_ca = IsCa::Ca(constraints);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// A chain for a token that is not there, in this name.
    fn token(&self, name: &str, usage: KeyUsagePurpose) -> Token {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![usage];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Token {
            label: "absent".to_owned(),
            key_label: "seal".to_owned(),
            pin: String::new(),
            chain_pem: format!("{}{}", certificate.pem(), self.0.pem()),
            holder: name.to_owned(),
        }
    }
}

#[tokio::test]
async fn a_certificate_leads_to_a_trust_anchor() {
    let world = World::present().await;
    let administrator = world.official(&[ADMINISTRATOR]);
    let stranger = Authority::new(BasicConstraints::Unconstrained);
    let token = stranger.token("Amina Benjelloun", KeyUsagePurpose::ContentCommitment);
    let officer = world.holder(&token, &[OFFICER]);
    let untrusted = (Code::FailedPrecondition, "CREDENTIAL_UNTRUSTED".to_owned());
    assert_eq!(
        reason(world.try_register(administrator, officer, &token).await),
        untrusted
    );
    // The names fit: the officer's certificate under an issuer that only bears the issuing authority's name.
    let known = Token::named("officer-1");
    let alone = Token {
        chain_pem: known
            .chain_pem
            .split_inclusive("-----END CERTIFICATE-----")
            .next()
            .unwrap()
            .to_owned(),
        ..known.clone()
    };
    assert_eq!(
        reason(world.try_register(administrator, officer, &alone).await),
        untrusted,
        "the issuing authority's certificate is missing"
    );
    let for_others = stranger.token("Amina Benjelloun", KeyUsagePurpose::KeyAgreement);
    assert_eq!(
        violations(world.try_register(administrator, officer, &for_others).await),
        [("certificate_chain_pem".to_owned(), "CERTIFICATE_USAGE".to_owned())]
    );
    world.try_register(administrator, officer, &known).await.unwrap();
}

#[tokio::test]
async fn a_certificate_names_the_officer() {
    let world = World::present().await;
    let administrator = world.official(&[ADMINISTRATOR]);
    let token = Token::named("officer-1");
    let mismatch = (Code::FailedPrecondition, "CREDENTIAL_SUBJECT_MISMATCH".to_owned());
    let other = world.official(&[OFFICER]);
    assert_eq!(
        reason(world.try_register(administrator, other, &token).await),
        mismatch
    );
    world.identity.rename(other.0, "AMINA Fatima BENJELLOUN");
    assert_eq!(
        reason(world.try_register(administrator, other, &token).await),
        mismatch,
        "a part of the family name is missing"
    );
    world.identity.rename(other.0, "Âmina Benjelloun");
    world.try_register(administrator, other, &token).await.unwrap();
}

#[tokio::test]
async fn only_an_officer_of_the_office_gets_a_credential() {
    let world = World::present().await;
    let administrator = world.official(&[ADMINISTRATOR]);
    let token = Token::named("officer-1");
    let missing = (Code::FailedPrecondition, "OFFICER_ROLE_MISSING".to_owned());
    let person = world.holder(&token, &["agent"]);
    assert_eq!(
        reason(world.try_register(administrator, person, &token).await),
        missing
    );
    world.identity.grant(person.0, Uuid::from_u128(0xbeef), OFFICER);
    assert_eq!(
        reason(world.try_register(administrator, person, &token).await),
        missing,
        "an officer elsewhere"
    );
    world.identity.grant(person.0, OFFICE, OFFICER);
    world.try_register(administrator, person, &token).await.unwrap();
}

#[tokio::test]
async fn one_key_is_one_officers() {
    let world = World::present().await;
    let administrator = world.official(&[ADMINISTRATOR]);
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let namesake = world.holder(&token, &[OFFICER]);
    let taken = (Code::AlreadyExists, "KEY_OF_ANOTHER_OFFICER".to_owned());
    assert_eq!(
        reason(world.try_register(administrator, namesake, &token).await),
        taken
    );
    // The same certificate under another label, and another certificate for the same place.
    let elsewhere = Token {
        label: "elsewhere".to_owned(),
        ..token.clone()
    };
    assert_eq!(
        reason(world.try_register(administrator, namesake, &elsewhere).await),
        taken
    );
    // At another office the officer has the same key.
    let second = Uuid::from_u128(0x0ff1_ce02);
    world.identity.open_office(second, "ANF-CITE-2");
    for (person, role) in [(administrator, ADMINISTRATOR), (officer, OFFICER)] {
        world.identity.grant(person.0, second, role);
    }
    world
        .try_register_at(second, administrator, officer, &token)
        .await
        .unwrap();
    let holders: i64 = sqlx::query_scalar("SELECT count(DISTINCT holder_id) FROM signing_credential")
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap();
    assert_eq!(holders, 1);
}
