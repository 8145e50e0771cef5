//! Every state × command, four eyes, and random sequences.

use proptest::prelude::*;

use super::*;
use crate::domain::comparison::SpecimenProof;
use crate::domain::destination::Destination;
use crate::domain::person::{IdentityDocumentKind, Signer};
use crate::domain::placement::{Mark, Rectangle};

const APPLICANT: Uuid = Uuid::from_u128(1);
const AGENT: Uuid = Uuid::from_u128(2);
const OFFICER: Uuid = Uuid::from_u128(3);
const INTENT: Uuid = Uuid::from_u128(100);
const REGISTER: RegisterNumber = RegisterNumber {
    year: 2026,
    number: 1,
};
const LIFETIMES: Lifetimes = Lifetimes {
    unconfirmed: TimeDelta::days(30),
    payment: TimeDelta::days(7),
};

fn start() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn opened() -> LegalisationRequest {
    let opening = Opening {
        applicant_id: APPLICANT,
        document_id: Uuid::from_u128(10),
        office_id: Uuid::from_u128(11),
        kind: "contract".to_owned(),
        destination: Destination::PrivateParty { name: None },
        mandatary: None,
        fee_centimes: 0,
        resubmission_of: None,
    };
    LegalisationRequest::open(Uuid::from_u128(12), opening, &LIFETIMES, start()).0
}

fn placement() -> Placement {
    let rectangle = Rectangle {
        x: 0,
        y: 0,
        width: 100_000,
        height: 50_000,
    };
    Placement {
        page_number: 1,
        rectangle,
        mark: Mark::Standing,
    }
}

fn confirmation() -> Confirmation {
    Confirmation {
        confirmation_id: Uuid::from_u128(20),
        method: "totp".to_owned(),
        confirmed_at: start(),
        jws: "a.b.c".to_owned(),
        subject_hash: [7; 32],
        specimen_version: 1,
        signer: Signer {
            given_name_arabic: "سعاد".to_owned(),
            family_name_arabic: "العلمي".to_owned(),
            given_name_latin: "Souad".to_owned(),
            family_name_latin: "Alami".to_owned(),
            document_kind: IdentityDocumentKind::Cin,
            document_number: "AB123456".to_owned(),
        },
    }
}

fn receipt() -> Receipt {
    Receipt {
        number: "X-2026-000001".to_owned(),
        submitted_at: start(),
        expected_on: start().date_naive(),
    }
}

fn comparison(agent_id: Uuid, result: ComparisonResult) -> Comparison {
    Comparison {
        agent_id,
        result,
        note: String::new(),
        specimen_version: 1,
        specimen_proof: SpecimenProof {
            method: "IN_PERSON".to_owned(),
            office_id: None,
            at: start(),
        },
        region_sha256: [1; 32],
        specimen_sha256: [2; 32],
        compared_at: start(),
    }
}

fn refusal(level: Level, refused_by: Uuid) -> Refusal {
    Refusal {
        reason_code: "other".to_owned(),
        text: "not clear enough".to_owned(),
        level,
        refused_by,
        refused_at: start(),
    }
}

/// Does `command` as `person`, at `now`.
fn apply(request: LegalisationRequest, command: Command, person: Uuid, now: DateTime<Utc>) -> Transition {
    match command {
        Command::PlaceSignature => request.place_signature(placement(), &LIFETIMES, now),
        Command::Confirm => request.confirm(confirmation(), now),
        Command::AwaitPayment => request.await_payment(&LIFETIMES, now),
        Command::Submit => request.submit(receipt(), now),
        Command::Cancel => request.cancel(now),
        Command::Expire => request.expire(now),
        Command::Accept => request.accept(comparison(person, ComparisonResult::Matches), now),
        Command::Return => request.send_back(person, "see page two".to_owned(), now),
        Command::RefuseByAgent => request.refuse(refusal(Level::Agent, person), None, now),
        Command::RefuseByOfficer => request.refuse(refusal(Level::Officer, person), None, now),
        Command::AuthoriseSeal => request.authorise_seal(person, INTENT, REGISTER, now),
        Command::AnnulIntent => request.annul_intent(INTENT, REGISTER, now),
        Command::Seal => request.seal(INTENT, REGISTER, "B-T", vec![], now),
        Command::Deliver => request.deliver(now),
    }
}

/// The person whom four eyes allow.
fn rightful(command: Command) -> Uuid {
    match command {
        Command::Accept | Command::RefuseByAgent => AGENT,
        _ => OFFICER,
    }
}

fn reach(state: State) -> LegalisationRequest {
    use Command::{
        Accept, AuthoriseSeal, AwaitPayment, Cancel, Confirm, Deliver, Expire, PlaceSignature, RefuseByAgent,
        Seal, Submit,
    };
    let path: &[Command] = match state {
        State::Draft => &[],
        State::SignaturePlaced => &[PlaceSignature],
        State::Confirmed => &[PlaceSignature, Confirm],
        State::AwaitingPayment => &[PlaceSignature, Confirm, AwaitPayment],
        State::Submitted => &[PlaceSignature, Confirm, Submit],
        State::AgentAccepted => &[PlaceSignature, Confirm, Submit, Accept],
        State::AwaitingSignature => &[PlaceSignature, Confirm, Submit, Accept, AuthoriseSeal],
        State::Sealed => &[PlaceSignature, Confirm, Submit, Accept, AuthoriseSeal, Seal],
        State::Delivered => &[
            PlaceSignature,
            Confirm,
            Submit,
            Accept,
            AuthoriseSeal,
            Seal,
            Deliver,
        ],
        State::Refused => &[PlaceSignature, Confirm, Submit, RefuseByAgent],
        State::Cancelled => &[Cancel],
        State::Expired => &[Expire],
    };
    let late = start() + TimeDelta::days(31);
    path.iter().fold(opened(), |request, command| {
        let now = if *command == Expire { late } else { start() };
        apply(request, *command, rightful(*command), now).unwrap().0
    })
}

/// The table, written down a second time: states down, commands across in the order of `Command::ALL`, `.` where refused.
const TABLE: &str = "
DRAFT               PLACED . . . CANCEL EXPIRE . . . . . . . .
SIGNATURE_PLACED    PLACED CONFIRMED . . CANCEL EXPIRE . . . . . . . .
CONFIRMED           . . AWAIT SUBMIT CANCEL . . . . . . . . .
AWAITING_PAYMENT    . . . SUBMIT CANCEL EXPIRE . . . . . . . .
SUBMITTED           . . . . CANCEL . ACCEPT . REFUSE . . . . .
AGENT_ACCEPTED      . . . . CANCEL . . SUBMIT . REFUSE AUTHORISE . . .
AWAITING_SIGNATURE  . . . . . . . . . . . ACCEPT SEAL .
SEALED              . . . . . . . . . . . . . DELIVER
DELIVERED           . . . . . . . . . . . . . .
REFUSED             . . . . . . . . . . . . . .
CANCELLED           . . . . . . . . . . . . . .
EXPIRED             . . . . . . . . . . . . . .
";

fn named(word: &str) -> Option<State> {
    Some(match word {
        "PLACED" => State::SignaturePlaced,
        "CONFIRMED" => State::Confirmed,
        "AWAIT" => State::AwaitingPayment,
        "SUBMIT" => State::Submitted,
        "CANCEL" => State::Cancelled,
        "EXPIRE" => State::Expired,
        "ACCEPT" => State::AgentAccepted,
        "REFUSE" => State::Refused,
        "AUTHORISE" => State::AwaitingSignature,
        "SEAL" => State::Sealed,
        "DELIVER" => State::Delivered,
        "." => return None,
        word => panic!("no state is called {word}"),
    })
}

#[test]
fn every_state_and_command() {
    let late = start() + TimeDelta::days(31);
    let mut checked = 0;
    for line in TABLE.trim().lines() {
        let mut words = line.split_whitespace();
        let state = State::parse(words.next().unwrap()).unwrap();
        for command in Command::ALL {
            let expected = named(words.next().unwrap());
            assert_eq!(state.after(command), expected, "{state:?} {command:?}");
            let before = reach(state);
            assert_eq!(before.state, state);
            let version = before.version;
            let now = if command == Command::Expire { late } else { start() };
            match (apply(before, command, rightful(command), now), expected) {
                (Ok((after, _)), Some(expected)) => {
                    assert_eq!(
                        (after.state, after.version),
                        (expected, version + 1),
                        "{state:?} {command:?}"
                    );
                }
                (Err(error), None) => assert_eq!(error, TransitionError::State { state, command }),
                (result, expected) => panic!("{state:?} {command:?}: {result:?} instead of {expected:?}"),
            }
            checked += 1;
        }
        assert_eq!(words.next(), None);
    }
    assert_eq!(checked, State::ALL.len() * Command::ALL.len());
}

#[test]
fn applicant_agent_and_officer_are_three_persons() {
    let now = start();
    for command in [Command::Accept, Command::RefuseByAgent] {
        let result = apply(reach(State::Submitted), command, APPLICANT, now);
        assert_eq!(result.unwrap_err(), TransitionError::FourEyes, "{command:?}");
    }
    for command in [Command::AuthoriseSeal, Command::Return, Command::RefuseByOfficer] {
        for person in [APPLICANT, AGENT] {
            let result = apply(reach(State::AgentAccepted), command, person, now);
            assert_eq!(
                result.unwrap_err(),
                TransitionError::FourEyes,
                "{command:?} by {person}"
            );
        }
    }
}

#[test]
fn a_signature_that_differs_is_refused_not_accepted() {
    let differs = || comparison(AGENT, ComparisonResult::Differs);
    let accepted = reach(State::Submitted).accept(differs(), start());
    assert_eq!(accepted.unwrap_err(), TransitionError::ComparisonDiffers);
    let (refused, _) = reach(State::Submitted)
        .refuse(refusal(Level::Agent, AGENT), Some(differs()), start())
        .unwrap();
    assert_eq!(
        refused.comparison.as_ref().map(|comparison| comparison.result),
        Some(ComparisonResult::Differs)
    );
}

#[test]
fn sending_back_takes_the_comparison_away_and_keeps_the_note_until_accepted() {
    let (returned, _) = apply(reach(State::AgentAccepted), Command::Return, OFFICER, start()).unwrap();
    assert!(returned.comparison.is_none());
    assert_eq!(returned.return_note.as_deref(), Some("see page two"));
    let (accepted, _) = apply(returned, Command::Accept, OFFICER, start()).unwrap();
    assert_eq!(accepted.return_note, None);
    // Who compared this time cannot seal, whatever their role was before.
    let result = apply(accepted, Command::AuthoriseSeal, OFFICER, start());
    assert_eq!(result.unwrap_err(), TransitionError::FourEyes);
}

#[test]
fn another_intent_neither_seals_nor_annuls() {
    let other = Uuid::from_u128(101);
    let sealed = reach(State::AwaitingSignature).seal(other, REGISTER, "B-T", vec![], start());
    assert_eq!(sealed.unwrap_err(), TransitionError::IntentMismatch);
    let annulled = reach(State::AwaitingSignature).annul_intent(other, REGISTER, start());
    assert_eq!(annulled.unwrap_err(), TransitionError::IntentMismatch);
}

#[test]
fn states_end_at_their_time_and_not_before() {
    let placed = reach(State::SignaturePlaced);
    assert_eq!(placed.expires_at, Some(start() + LIFETIMES.unconfirmed));
    let early = placed
        .clone()
        .expire(start() + TimeDelta::days(30) - TimeDelta::microseconds(1));
    assert_eq!(early.unwrap_err(), TransitionError::NotExpired);
    let (expired, fact) = placed.expire(start() + TimeDelta::days(30)).unwrap();
    assert_eq!(
        fact,
        Fact::Expired {
            state_before: State::SignaturePlaced
        }
    );
    assert_eq!(expired.expires_at, None);
    assert_eq!(
        reach(State::AwaitingPayment).expires_at,
        Some(start() + LIFETIMES.payment)
    );
    assert_eq!(reach(State::Submitted).expires_at, None);
}

type Breakage = fn(&mut Facts);

#[test]
fn facts_that_do_not_agree_are_not_restored() {
    let broken: [(&str, Breakage); 8] = [
        ("placement", |facts| facts.placement = None),
        ("confirmation", |facts| facts.confirmation = None),
        ("receipt", |facts| facts.receipt = None),
        ("comparison", |facts| facts.comparison = None),
        ("seal", |facts| facts.seal = None),
        ("expires_at", |facts| facts.expires_at = Some(start())),
        ("comparison", |facts| facts.opening.applicant_id = AGENT),
        ("seal", |facts| facts.opening.applicant_id = OFFICER),
    ];
    for (fact, break_it) in broken {
        let mut facts = reach(State::AwaitingSignature).into_facts();
        break_it(&mut facts);
        assert_eq!(
            LegalisationRequest::restore(facts).map_err(|fault| fault.fact),
            Err(fact)
        );
    }
}

fn any_command() -> impl Strategy<Value = (Command, Uuid, i64)> {
    let person = prop_oneof![
        Just(APPLICANT),
        Just(AGENT),
        Just(OFFICER),
        Just(Uuid::from_u128(4))
    ];
    (proptest::sample::select(Command::ALL.to_vec()), person, 0i64..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn sequences_keep_every_rule(commands in proptest::collection::vec(any_command(), 0..40)) {
        let mut request = opened();
        let mut now = start();
        let mut events = 1;
        for (command, person, days) in commands {
            now += TimeDelta::days(days / 20);
            let before = request.clone();
            match apply(request.clone(), command, person, now) {
                Ok((after, _)) => {
                    events += 1;
                    prop_assert_eq!(before.state.after(command), Some(after.state));
                    prop_assert!(command != Command::Expire || before.expires_at.is_some_and(|at| at <= now));
                    request = after;
                }
                Err(TransitionError::State { .. }) => prop_assert_eq!(before.state.after(command), None),
                Err(_) => {}
            }
            prop_assert_eq!(request.version, events);
            let restored = LegalisationRequest::restore(request.clone().into_facts());
            prop_assert_eq!(restored, Ok(request.clone()));
            if let (Some(seal), Some(comparison)) = (&request.seal, &request.comparison) {
                prop_assert!(seal.officer_id != comparison.agent_id);
                prop_assert!(seal.officer_id != APPLICANT && comparison.agent_id != APPLICANT);
            }
        }
    }
}
