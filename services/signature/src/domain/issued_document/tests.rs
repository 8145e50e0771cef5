use super::*;

const OFFICER: Uuid = Uuid::from_u128(3);

fn document(stage: Stage) -> IssuedDocument {
    IssuedDocument {
        id: Uuid::from_u128(1),
        deposit: Deposit {
            owner: "civil-registry-order".to_owned(),
            owner_reference: "line-1".to_owned(),
            office_id: Uuid::from_u128(2),
            kind: "birth_extract".to_owned(),
            title: Title {
                ar: "نسخة موجزة".to_owned(),
                fr: "Extrait".to_owned(),
                en: "Extract".to_owned(),
            },
            seal_mode: SealMode::OfficerKey,
            code: VerificationCode::from_random([1; 8]),
            signing_officer: Some(OFFICER),
            source_sha256: [3; 32],
        },
        salt: Salt([4; 32]),
        prepared: Prepared {
            object_key: "issued-prepared/1.pdf".to_owned(),
            byte_range: [0, 1, 2, 3],
            digest: [5; 32],
            contents_offset: 1,
            contents_len: 2,
            prepared_at: DateTime::UNIX_EPOCH,
        },
        stage,
        hindrance: None,
        attempts: 0,
    }
}

fn signed(confirmation: u128) -> Signed {
    Signed {
        confirmation_id: Uuid::from_u128(confirmation),
        credential_id: Uuid::from_u128(9),
        signature_value: vec![1],
        signed_at: DateTime::UNIX_EPOCH,
    }
}

fn sealed() -> SealedFile {
    SealedFile {
        object_key: "issued/1.pdf".to_owned(),
        size_bytes: 1,
        sha256: [6; 32],
        commitment: [7; 32],
        level: "B-T".to_owned(),
        sealed_at: DateTime::UNIX_EPOCH,
    }
}

/// Every state with what its owner and an officer may do to it: with the confirmation that signed it, and with another.
#[test]
fn each_state_and_what_may_be_done_to_it() {
    use IssuedError::{Failed, Sealed, Withdrawn};
    let (own, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let table = [
        (
            Stage::WaitingForOfficer,
            Ok(true),
            Ok(Part::ToSign),
            Ok(Part::ToSign),
        ),
        (
            Stage::Signed(signed(7)),
            Err(Sealed),
            Ok(Part::SignedBefore),
            Err(Sealed),
        ),
        (
            Stage::Sealed(signed(7), sealed()),
            Err(Sealed),
            Ok(Part::SignedBefore),
            Err(Sealed),
        ),
        (Stage::Withdrawn, Ok(false), Err(Withdrawn), Err(Withdrawn)),
        (Stage::Failed(signed(7)), Err(Failed), Err(Failed), Err(Failed)),
    ];
    let mut seen = Vec::new();
    for (stage, withdraw, with_own, with_other) in table {
        let document = document(stage);
        let state = document.state();
        assert_eq!(document.may_withdraw(), withdraw, "{state:?}");
        assert_eq!(document.part_in(own, OFFICER), with_own, "{state:?}");
        assert_eq!(document.part_in(other, OFFICER), with_other, "{state:?}");
        seen.push(state);
    }
    assert_eq!(seen, IssuedState::ALL, "the table has every state");
}

#[test]
fn only_the_officer_it_names_begins_to_seal_it() {
    let (act, colleague) = (Uuid::from_u128(7), Uuid::from_u128(4));
    let mut waiting = document(Stage::WaitingForOfficer);
    assert_eq!(waiting.part_in(act, colleague), Err(IssuedError::OtherOfficer));
    assert_eq!(waiting.part_in(act, OFFICER), Ok(Part::ToSign));
    waiting.deposit.signing_officer = None;
    assert_eq!(waiting.part_in(act, colleague), Ok(Part::ToSign));
}

#[test]
fn what_it_waits_for() {
    assert_eq!(
        document(Stage::WaitingForOfficer).progress(),
        "WAITING_FOR_OFFICER"
    );
    let mut waiting = document(Stage::Signed(signed(1)));
    assert_eq!(waiting.progress(), "WAITING_FOR_TIME_STAMP");
    waiting.hindrance = Some(Hindrance::RevocationUnknown);
    assert_eq!(waiting.progress(), "WAITING_FOR_REVOCATION_DATA");
    assert_eq!(document(Stage::Sealed(signed(1), sealed())).progress(), "");
}

#[test]
fn only_what_cannot_be_finished_fails_and_not_at_once() {
    let mut waiting = document(Stage::Signed(signed(1)));
    assert!(!waiting.fails_with(Hindrance::Unfinishable), "the first try");
    waiting.attempts = FAILING_ATTEMPTS;
    assert!(waiting.fails_with(Hindrance::Unfinishable));
    for patient in [
        Hindrance::TimeStampMissing,
        Hindrance::TimeStampUntrusted,
        Hindrance::RevocationUnknown,
    ] {
        assert!(!waiting.fails_with(patient), "{patient:?}");
    }
}

#[test]
fn names_are_read_back() {
    for state in IssuedState::ALL {
        assert_eq!(IssuedState::parse(state.as_str()), Some(state));
    }
    for mode in [SealMode::OfficerKey, SealMode::ElectronicSeal] {
        assert_eq!(SealMode::parse(mode.as_str()), Some(mode));
    }
}
