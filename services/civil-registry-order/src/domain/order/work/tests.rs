mod office;
mod post;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::address::Address;
use crate::domain::clue::Clue;
use crate::domain::fee::Price;
use crate::domain::kind::{Language, Proof, Relation, SealMode};
use crate::domain::order::line::{Again, Document, Production};
use crate::domain::order::parcel::Tracking;
use crate::domain::person::{Applicant, FullName};
use crate::domain::reference::Reference;

const LINES: u8 = 3;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn now() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn terms() -> Terms {
    Terms {
        correction: TimeDelta::days(15),
        overdue_working_days: 10,
        posting_working_days: 2,
        together_working_days: 5,
        refund_working_days: 10,
        silence: TimeDelta::days(21),
        exception: TimeDelta::days(30),
    }
}

fn line(ordinal: u8) -> Line {
    let price = Price {
        amount: 2_000,
        office: 2_000,
        ..Price::default()
    };
    Line {
        id: id(ordinal.into()),
        ordinal,
        state: LineState::AwaitingPayment,
        state_since: now(),
        document_kind: "birth-extract".to_owned(),
        kind_id: id(100),
        language: Language::Bilingual,
        copies: 1,
        clue: Clue {
            office_id: id(200),
            kind: crate::domain::act_key::RegisterKind::Birth,
            year: Some(1990),
            part: String::new(),
            number: "1".to_owned(),
            hijri_year: None,
            person: FullName::default(),
            birth_date: None,
            death_date: None,
            father: FullName::default(),
            mother: FullName::default(),
        },
        relation: Relation::Oneself,
        // Of the second one the relation is only said.
        proof: if ordinal == 2 {
            Proof::Declared
        } else {
            Proof::Acts
        },
        evidence_ids: Vec::new(),
        // The last one is at another office.
        office_id: if ordinal == LINES { id(201) } else { id(200) },
        price,
        production_days: 3,
        deadline: Some(now() + TimeDelta::hours(48)),
        paid_at: None,
        path: None,
        assigned_to: None,
        act_id: None,
        confirmed_act: None,
        document: None,
        withdrawing: None,
        production: None,
        parcel_id: None,
        answer: None,
        end_reason: None,
        refunded_centimes: 0,
        refund_failed: false,
        alerted: None,
    }
}

fn order() -> Order {
    Order {
        id: id(1_000),
        reference: Reference::from_random(7),
        person_id: id(1_001),
        applicant: Applicant::default(),
        addressee: FullName::default(),
        address: Address::default(),
        mandataries: Vec::new(),
        zone: "MOROCCO".to_owned(),
        total_centimes: 6_000,
        payable_id: None,
        pay_before: now() + TimeDelta::hours(48),
        created_at: now(),
        updated_at: now(),
        version: 1,
        lines: (1..=LINES).map(line).collect(),
        parcels: Vec::new(),
    }
}

fn document() -> Document {
    Document {
        prepared_by: id(300),
        prepared_at: now(),
        seal_mode: SealMode::OfficerKey,
        verification_code: None,
        object_key: None,
        issued_document_id: None,
        digest: None,
        failure: None,
        sealed: false,
        again: None,
    }
}

fn again() -> Again {
    Again {
        prepared_by: id(301),
        prepared_at: now(),
        verification_code: Some("ABCDEFGHJKMN".to_owned()),
    }
}

/// Anything that can come, in any order.
fn act(work: &mut Work<'_>, choice: u8, line: Uuid, sequence: i64) -> Result<(), WorkError> {
    let parcel = work
        .order
        .parcels
        .first()
        .map(|parcel| parcel.id)
        .unwrap_or_default();
    let track = |state: &str| Tracking {
        sequence,
        state: state.to_owned(),
        attempts: Some(1),
        held_until: None,
        exception_code: String::new(),
        at: now(),
    };
    let said = answer("ACT_NOT_FOUND", "", now());
    match choice {
        0 => work.paid(id(500)),
        1 => work.not_paid(),
        2 => work.cancel(&[]),
        3 => work.cancel(&[line]),
        4 => work.take_on_paper(&[line]),
        5 => {
            let proof = work.line(line)?.proof;
            work.prepare(line, id(600), proof, document())
        }
        6 => work.deposited(line, "documents/1", Some((id(700), [1; 32]))),
        7 => work.sealed(line, id(700)),
        8 => work.refuse(line, said),
        9 => work.request_correction(line, said),
        10 => work.withdrawn(line),
        11 => work.withdrawal_refused(line),
        12 => {
            let production = Production {
                produced_at: now(),
                looked_by: None,
                signed_by: None,
            };
            work.produce_by_hand(line, production)
        }
        13 => {
            work.shipment_created(parcel, id(800), "RR000000015MA");
            Ok(())
        }
        14 => work.handed_over(parcel, None),
        15 => work.tracked(parcel, &track("DELIVERED")),
        16 => work.tracked(parcel, &track("RETURNED")),
        17 => work.tracked(parcel, &track("LOST")),
        18 => work.refunded(line, 2_000),
        19 => work.refund_failed(line),
        20 => work.draw_again(line, again()),
        21 => work.move_to(line, id(202)),
        22 => work.address_refused(parcel, Vec::new()),
        23 => work.correct_address(Address::default()),
        27 => work.release(line),
        28 => work.entitlement_checked(line, true),
        _ => work.let_time_pass(),
    }
}

proptest! {
    /// Money goes back at most once a line and only where it came in; parcels hold lines of one office; what has ended stays.
    #[test]
    fn whatever_comes_in_whatever_order_money_and_parcels_balance(
        steps in proptest::collection::vec((0u8..29, 1u128..=u128::from(LINES), 0i64..40), 1..60)
    ) {
        let calendar = Calendar::default();
        let mut order = order();
        let (mut refunds, mut paid_facts) = (std::collections::HashMap::<Uuid, usize>::new(), 0);
        let mut at = now();
        let mut number = 10_000;
        for (choice, line, days) in steps {
            at += TimeDelta::days(days / 8);
            let before = order.clone();
            let mut new_id = || { number += 1; id(number) };
            let mut work = Work::on(order.clone(), at, &calendar, terms(), &mut new_id);
            // What is refused is not written.
            if act(&mut work, choice, id(line), days).is_err() {
                continue;
            }
            for due in &work.due {
                if due.kind == OutwardKind::RequestRefund {
                    *refunds.entry(due.subject).or_default() += 1;
                }
            }
            paid_facts += work.facts.iter().filter(|fact| matches!(fact, Fact::Paid { .. })).count();
            order = work.order;
            for line in &order.lines {
                let refunding = matches!(line.state, LineState::Refunding | LineState::Refunded);
                prop_assert_eq!(refunds.get(&line.id).copied().unwrap_or_default(), usize::from(refunding));
                prop_assert_eq!(line.refunded_centimes > 0, line.state == LineState::Refunded);
                prop_assert!(line.paid_at.is_some() || matches!(
                    line.state, LineState::AwaitingPayment | LineState::Cancelled | LineState::Expired));
                prop_assert!(!line.state.is_owed() || line.paid_at.is_some());
                prop_assert!(line.end_reason.is_some() == refunding);
                prop_assert!(line.production.is_none() || line.is_entitled());
                // Whoever is to give another address is given a time for it.
                prop_assert!(!order.waits_for_address(line) || line.deadline.is_some());
                if let Some(parcel) = line.parcel_id {
                    let parcel = order.parcel(parcel).unwrap();
                    prop_assert_eq!(parcel.office_id, line.office_id);
                }
                let old = before.line(line.id).unwrap().state;
                if matches!(old, LineState::Delivered | LineState::Returned | LineState::Refunded) {
                    prop_assert_eq!(line.state, old);
                }
            }
        }
        prop_assert!(paid_facts <= 1);
    }
}

#[test]
fn what_waits_for_its_parcel_is_not_late_in_being_posted() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let production = Production {
        produced_at: now(),
        looked_by: None,
        signed_by: None,
    };
    let mut paid = order();
    paid.lines.iter_mut().for_each(|line| line.proof = Proof::Checked);
    let mut work = Work::on(paid, now(), &calendar, terms(), &mut new_id);
    work.paid(id(500)).unwrap();
    work.request_correction(id(1), answer("ACT_NOT_FOUND", "", now()))
        .unwrap();
    work.take_on_paper(&[id(2)]).unwrap();
    work.produce_by_hand(id(2), production).unwrap();
    let together = calendar.deadline(now(), 5);
    assert_eq!(work.order.line(id(2)).unwrap().deadline, Some(together));
    let order = work.order;
    // The other line is still being corrected when the time is over: it comes in a parcel of its own, if it comes.
    let mut work = Work::on(order, together, &calendar, terms(), &mut new_id);
    work.let_time_pass().unwrap();
    let posted_by = calendar.deadline(together, 2);
    let line = work.order.line(id(2)).unwrap();
    assert_eq!((line.alerted, line.deadline), (None, Some(posted_by)));
    assert!(line.parcel_id.is_some());
    let other = work.order.line(id(1)).unwrap();
    assert_eq!((other.state, other.parcel_id), (LineState::ToCorrect, None));
    let order = work.order;
    let mut work = Work::on(order, posted_by, &calendar, terms(), &mut new_id);
    work.let_time_pass().unwrap();
    let alerted = work.order.line(id(2)).unwrap().alerted;
    assert_eq!(alerted, Some(Alert::ProducedNotPosted));
}

#[test]
fn what_is_drawn_anew_is_taken_back_first_and_a_refund_goes_before_it() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut work = Work::on(order(), now(), &calendar, terms(), &mut new_id);
    let line = id(1);
    work.paid(id(500)).unwrap();
    work.prepare(line, id(600), Proof::Acts, document()).unwrap();
    work.deposited(line, "documents/1", Some((id(700), [1; 32])))
        .unwrap();
    work.due.clear();
    work.draw_again(line, again()).unwrap();
    work.draw_again(line, again()).unwrap();
    let kinds = |work: &Work<'_>| work.due.iter().map(|due| due.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&work), [OutwardKind::WithdrawDocument]);
    work.withdrawn(line).unwrap();
    assert_eq!(
        kinds(&work),
        [OutwardKind::WithdrawDocument, OutwardKind::DepositDocument]
    );
    let drawn = work.order.line(line).unwrap().document.clone().unwrap();
    assert_eq!((drawn.prepared_by, drawn.issued_document_id), (id(301), None));
    // Refused while it is taken back: it is not asked twice, and nothing is drawn any more.
    work.draw_again(line, again()).unwrap();
    work.refuse(line, answer("ACT_NOT_FOUND", "", now())).unwrap();
    work.withdrawn(line).unwrap();
    assert_eq!(work.order.line(line).unwrap().state, LineState::Refunding);
    assert_eq!(
        kinds(&work),
        [
            OutwardKind::WithdrawDocument,
            OutwardKind::DepositDocument,
            OutwardKind::WithdrawDocument,
            OutwardKind::RequestRefund
        ]
    );
}

#[test]
fn nothing_is_made_for_somebody_whose_relation_is_not_known() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut work = Work::on(order(), now(), &calendar, terms(), &mut new_id);
    let line = id(2);
    work.paid(id(500)).unwrap();
    let production = Production {
        produced_at: now(),
        looked_by: None,
        signed_by: None,
    };
    assert_eq!(
        work.prepare(line, id(600), Proof::Declared, document()),
        Err(WorkError::NotEntitled(line))
    );
    work.take_on_paper(&[line]).unwrap();
    assert_eq!(
        work.produce_by_hand(line, production),
        Err(WorkError::NotEntitled(line))
    );
    work.entitlement_checked(line, false).unwrap();
    work.produce_by_hand(line, production).unwrap();
    assert_eq!(work.order.line(line).unwrap().state, LineState::Produced);
}

#[test]
fn a_parcel_that_is_numbered_keeps_the_address_that_it_goes_to() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let at = |code: &str| Address {
        postal_code: code.to_owned(),
        ..Address::default()
    };
    let mut one = order();
    one.address = at("30000");
    one.lines.remove(1);
    let mut work = Work::on(one, now(), &calendar, terms(), &mut new_id);
    let lines = [id(1), id(LINES.into())];
    work.paid(id(500)).unwrap();
    work.take_on_paper(&lines).unwrap();
    for line in lines {
        let production = Production {
            produced_at: now(),
            looked_by: None,
            signed_by: None,
        };
        work.produce_by_hand(line, production).unwrap();
    }
    let [first, second] = [0, 1].map(|place: usize| work.order.parcels[place].id);
    work.shipment_created(first, id(800), "RR000000015MA");
    work.address_refused(second, Vec::new()).unwrap();
    work.correct_address(at("20000")).unwrap();
    let goes_to = |parcel: Uuid| work.order.parcel(parcel).unwrap().address.postal_code.as_str();
    assert_eq!((goes_to(first), goes_to(second)), ("30000", "20000"));
    assert_eq!(work.order.address.postal_code, "20000");
}
