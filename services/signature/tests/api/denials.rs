//! An act that is denied to an official leaves a trace.

use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::{ADMINISTRATOR, AGENT, OFFICER};

use crate::harness::{OFFICE, Person, World, reason, request_id};
use crate::officers::{Token, uuid as id};

impl World {
    /// Action, aggregate, its id and reason of each refusal of this person in the audit trail, in order.
    async fn denials(&self, person: Person) -> Vec<(String, String, Uuid, String)> {
        let mut conn = self.database.connect().await;
        sqlx::query_as(
            "SELECT action, aggregate, aggregate_id, reason FROM audit
             WHERE person_id = $1 AND outcome = 'refused' ORDER BY id",
        )
        .bind(person.0)
        .fetch_all(&mut conn)
        .await
        .unwrap()
    }
}

fn denial(action: &str, aggregate: &str, id: Uuid, reason: &str) -> (String, String, Uuid, String) {
    (action.to_owned(), aggregate.to_owned(), id, reason.to_owned())
}

#[tokio::test]
async fn an_official_whose_role_has_ended_leaves_a_trace_with_every_act() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let agent = world.official(&[AGENT]);
    let officer = world.officer(&token).await;
    world.identity.grant(officer.0, OFFICE, ADMINISTRATOR);
    let one = world.accepted(world.citizen(), agent).await;
    let other = world.accepted(world.citizen(), agent).await;
    let intents = world.authorised(officer, std::slice::from_ref(&one)).await;
    let intent_id = intents[0].intent_id.clone();

    // Tokens made while the roles were held.
    let authorise = world.as_staff(
        officer,
        pb::AuthoriseSealsRequest {
            request_id: request_id(),
            legalisation_request_ids: vec![other.clone()],
            credential_id: String::new(),
        },
    );
    let seal = world.as_staff(officer, world.sealing(officer, &intents, &token.pin));
    let annul = world.as_staff(
        officer,
        pb::AnnulIntentRequest {
            request_id: request_id(),
            intent_id: intent_id.clone(),
            reason: "Erreur sur la personne.".to_owned(),
        },
    );
    let register = world.as_staff(
        officer,
        pb::RegisterCredentialRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            officer_person_id: officer.0.to_string(),
            token_label: token.label.clone(),
            key_label: token.key_label.clone(),
            certificate_chain_pem: token.chain_pem.clone(),
            ..Default::default()
        },
    );
    let fee = world.as_staff(
        officer,
        pb::SetFeeRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            document_kind: "contract".to_owned(),
            fee_centimes: 2_000,
            from_time: None,
        },
    );
    world.identity.revoke(officer.0);

    let mut office = world.office();
    let missing = (Code::PermissionDenied, "ROLE_MISSING".to_owned());
    assert_eq!(reason(office.authorise_seals(authorise).await), missing);
    assert_eq!(reason(office.seal(seal).await), missing);
    assert_eq!(reason(office.annul_intent(annul).await), missing);
    assert_eq!(reason(office.register_credential(register).await), missing);
    assert_eq!(reason(office.set_fee(fee).await), missing);
    assert_eq!(
        world.denials(officer).await,
        [
            denial(
                "seal.authorise",
                "legalisation_request",
                id(&other),
                "ROLE_MISSING"
            ),
            denial("seal.sign", "seal_intent", id(&intent_id), "ROLE_MISSING"),
            denial("seal.annul", "seal_intent", id(&intent_id), "ROLE_MISSING"),
            denial("credential.register", "office", OFFICE, "ROLE_MISSING"),
            denial("fee.set", "office", OFFICE, "ROLE_MISSING"),
        ]
    );
}

#[tokio::test]
async fn whoever_compared_and_wants_to_seal_leaves_a_trace() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let both = world.officer(&token).await;
    world.identity.grant(both.0, OFFICE, AGENT);
    let request = world.accepted(world.citizen(), both).await;
    let answer = world
        .try_authorise(both, std::slice::from_ref(&request))
        .await
        .unwrap();
    assert_eq!(answer.problems[0].reason, "FOUR_EYES");
    assert_eq!(
        world.denials(both).await,
        [denial(
            "seal.authorise",
            "legalisation_request",
            id(&request),
            "FOUR_EYES"
        )]
    );
    assert!(world.register(world.official(&[OFFICER])).await.is_empty());
}
