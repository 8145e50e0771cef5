//! What an office may do, and what it may not.

use super::*;

#[test]
fn nobody_serves_their_own_order() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut work = Work::on(order(), now(), &calendar, terms(), &mut new_id);
    let (line, own, other) = (id(1), id(1_001), id(301));
    work.paid(id(500)).unwrap();
    let refused = Err(WorkError::OwnOrder(line));
    assert_eq!(work.assign(&[line], Some(own)), refused);
    let drawn = Document {
        prepared_by: own,
        ..document()
    };
    assert_eq!(work.prepare(line, id(600), Proof::Acts, drawn), refused);
    work.take_on_paper(&[line]).unwrap();
    for (looked_by, signed_by) in [(own, other), (other, own)] {
        let production = Production {
            produced_at: now(),
            looked_by: Some(looked_by),
            signed_by: Some(signed_by),
        };
        assert_eq!(work.produce_by_hand(line, production), refused);
    }
    work.assign(&[line], Some(other)).unwrap();
}

#[test]
fn what_is_given_back_waits_again_and_its_time_runs_on() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut work = Work::on(order(), now(), &calendar, terms(), &mut new_id);
    let line = id(1);
    work.paid(id(500)).unwrap();
    assert!(matches!(work.release(line), Err(WorkError::Step(_))));
    let deadline = work.order.line(line).unwrap().deadline;
    work.take_on_paper(&[line]).unwrap();
    work.assign(&[line], Some(id(301))).unwrap();
    work.release(line).unwrap();
    let back = work.order.line(line).unwrap();
    assert_eq!(
        (back.state, back.path, back.assigned_to),
        (LineState::Paid, None, None)
    );
    assert_eq!(back.deadline, deadline);
    work.move_to(line, id(202)).unwrap();
    assert_eq!(work.order.line(line).unwrap().office_id, id(202));
    work.prepare(line, id(600), Proof::Acts, document()).unwrap();
    assert_eq!(work.release(line), Err(WorkError::Prepared(line)));
}

#[test]
fn money_that_does_not_go_back_is_told() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut work = Work::on(order(), now(), &calendar, terms(), &mut new_id);
    let line = id(1);
    work.paid(id(500)).unwrap();
    work.refuse(line, answer("ACT_NOT_FOUND", "", now())).unwrap();
    let due = calendar.deadline(now(), 10);
    let mut work = Work::on(work.order, due, &calendar, terms(), &mut new_id);
    work.let_time_pass().unwrap();
    let late = work.order.line(line).unwrap();
    assert_eq!((late.alerted, late.deadline), (Some(Alert::RefundOverdue), None));
    work.refunded(line, 2_000).unwrap();
    assert_eq!(work.order.line(line).unwrap().alerted, None);
}

#[test]
fn what_is_cancelled_without_a_name_is_what_can_be_cancelled() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut work = Work::on(order(), now(), &calendar, terms(), &mut new_id);
    work.paid(id(500)).unwrap();
    work.take_on_paper(&[id(1)]).unwrap();
    let all = [id(1), id(2), id(3)];
    assert_eq!(work.cancel(&all), Err(WorkError::InProduction(id(1))));
    work.cancel(&[]).unwrap();
    let states = all.map(|line| work.order.line(line).unwrap().state);
    assert_eq!(
        states,
        [
            LineState::InProduction,
            LineState::Refunding,
            LineState::Refunding
        ]
    );
    assert_eq!(work.cancel(&[]), Err(WorkError::InProduction(id(1))));
}

#[test]
fn a_check_stands_in_the_history_and_a_mandataire_without_papers_needs_a_note() {
    let calendar = Calendar::default();
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let line = id(2);
    let mut one = order();
    one.lines[1].relation = Relation::Mandataire;
    let mut work = Work::on(one, now(), &calendar, terms(), &mut new_id);
    assert!(matches!(
        work.entitlement_checked(line, true),
        Err(WorkError::Step(_))
    ));
    work.paid(id(500)).unwrap();
    assert_eq!(
        work.entitlement_checked(line, false),
        Err(WorkError::NoteNeeded(line))
    );
    work.entitlement_checked(line, true).unwrap();
    assert_eq!(work.facts.last(), Some(&Fact::EntitlementChecked { line }));
    work.refuse(line, answer("ACT_NOT_FOUND", "", now())).unwrap();
    assert!(matches!(
        work.entitlement_checked(line, true),
        Err(WorkError::Step(_))
    ));
}
