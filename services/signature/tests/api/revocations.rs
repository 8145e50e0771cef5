//! What the real authority says of revocation, and how long it is remembered.

use std::sync::Arc;

use wathiq_chassis::Surface;
use wathiq_signature::app::seal::{self, Seal};
use wathiq_signature::app::{App, AppError};
use wathiq_signature::pdf::{Digested, Lane, TrustMaterial, VerdictIndication};
use wathiq_signature::trust::{Trust, TrustConfig};

use crate::harness::{Stack, World, reason};
use crate::officers::{Token, uuid};
use crate::seal_interrupted::with_time_stamps;

/// A process that can ask the authority.
fn hearing(app: &App) -> App {
    let stack = Stack::get();
    App {
        trust: Trust::new(&stack.section(stack.trust()), app.ambient.clone()).unwrap(),
        ..with_time_stamps(app)
    }
}

impl World {
    /// What is said of the first signature of a file by one list and these answers.
    async fn indication(&self, file: &[u8], list: &Digested, answers: Vec<Digested>) -> VerdictIndication {
        let material = TrustMaterial {
            // The answers were given moments after the world's clock stood still.
            at: wathiq_chassis::Ambient::system().now(),
            crls: vec![list.clone()],
            ocsp_responses: answers,
            ..self.app.trust.material()
        };
        let verdict = self
            .app
            .pdf
            .verify(Lane::Verification, file.to_vec().into(), &material)
            .await
            .unwrap();
        verdict.signatures[0].indication
    }
}

#[tokio::test]
async fn a_responders_answers_suffice_for_a_verdict() {
    let world = World::present().await;
    let (_, _, file) = world.delivered().await;
    let answers = world.app.trust.kept_answers();
    assert_eq!(answers.len(), 2, "of the officer and of the time-stamp authority");
    // Of the authority itself only a list tells; of those it certified, lists and the responder.
    let mut told_by_responder = 0;
    for list in world.app.trust.kept_lists() {
        let alone = world.indication(&file, &list, Vec::new()).await;
        let with_answers = world.indication(&file, &list, answers.clone()).await;
        assert_eq!(alone, VerdictIndication::Indeterminate);
        told_by_responder += usize::from(with_answers == VerdictIndication::TotalPassed);
    }
    assert_eq!(told_by_responder, 1);
}

#[tokio::test]
async fn a_certificate_once_known_as_revoked_is_refused_by_every_process() {
    let stack = Stack::get();
    let deaf = TrustConfig {
        revocation_hosts: Vec::new(),
        ..stack.section(stack.trust())
    };
    // Neither list nor responder answers the process that serves: it registers and authorises.
    let world = World::start_with(wathiq_chassis::Ambient::system().now(), |app| {
        app.trust = Trust::new(&deaf, app.ambient.clone()).unwrap();
    })
    .await;
    let token = Token::named("officer-revoked");
    let (_, officer, id) = world.one_accepted(&token).await;
    let intents = world.authorised(officer, &[id]).await;
    let act = world.sealing(officer, &intents, &token.pin);
    let caller = wathiq_chassis::testing::caller(&world.claims(officer, Surface::Staff));
    let asked = Seal {
        intent_ids: act.intent_ids.iter().map(|id| uuid(id)).collect(),
        confirmation_id: uuid(&act.confirmation_id),
        pin: act.pin.clone().into(),
    };
    let command = wathiq_outbox::Command {
        principal: format!("person:{}", officer.0),
        method: "Seal",
        request_id: uuid(&act.request_id),
        hash: [0; 32],
    };
    let refused = seal::seal(&Arc::new(hearing(&world.app)), &caller, &command, asked).await;
    assert!(
        matches!(
            refused,
            Err(AppError::Refused {
                reason: "CREDENTIAL_REVOKED",
                ..
            })
        ),
        "another process asks"
    );
    assert_eq!(world.count("SELECT count(*) FROM revoked_certificate").await, 1);
    let act = world.sealing(officer, &intents, &token.pin);
    let refused = reason(world.try_seal(officer, act).await);
    assert_eq!(refused.1, "CREDENTIAL_REVOKED", "the deaf process knows");
}
