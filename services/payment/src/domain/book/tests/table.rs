//! Every state with every command.

use super::*;

fn in_state(state: AttemptState) -> (Book, Uuid) {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    match state {
        AttemptState::Started => {}
        AttemptState::Authorised | AttemptState::Captured => {
            tell(&mut book, id, "T1", start());
        }
        AttemptState::Voiding | AttemptState::Voided => {
            book.cancel().unwrap();
            tell(&mut book, id, "T1", start());
        }
        AttemptState::Ended => {
            see(
                &mut book,
                id,
                &Status::default(),
                start() + TimeDelta::minutes(32),
            );
        }
    }
    if state == AttemptState::Captured {
        see(
            &mut book,
            id,
            &status(vec![sale("T1", SaleState::Captured)], &[]),
            start(),
        );
    }
    if state == AttemptState::Voided {
        see(
            &mut book,
            id,
            &status(vec![sale("T1", SaleState::Voided)], &[]),
            start(),
        );
    }
    assert_eq!(book.attempt(id).unwrap().state, state);
    (book, id)
}

#[test]
fn every_state_of_an_attempt_with_every_message() {
    use AttemptState::*;
    // State, then: the same success again, another success, a decline, the status without the transaction after the session.
    let table = [
        (Started, Authorised, Authorised, Started, Ended),
        (Authorised, Authorised, Authorised, Authorised, Authorised),
        (Captured, Captured, Captured, Captured, Captured),
        (Voiding, Voiding, Voiding, Voiding, Voiding),
        (Voided, Voided, Voided, Voided, Voided),
        (Ended, Authorised, Authorised, Ended, Ended),
    ];
    for (state, same, other, decline, end) in table {
        let (mut book, id) = in_state(state);
        tell(&mut book, id, "T1", start());
        assert_eq!(book.attempt(id).unwrap().state, same, "same on {state:?}");
        let (mut book, id) = in_state(state);
        let (_, facts) = tell(&mut book, id, "T9", start());
        assert_eq!(book.attempt(id).unwrap().state, other, "other on {state:?}");
        let pays = facts.iter().any(|fact| matches!(fact, Fact::Paid { .. }));
        assert_eq!(pays, matches!(state, Started | Ended), "other on {state:?}");
        assert_eq!(
            book.reversals.iter().any(|reversal| reversal.transaction == "T9"),
            !pays
        );
        let (mut book, id) = in_state(state);
        book.decline(id, "51");
        assert_eq!(book.attempt(id).unwrap().state, decline, "decline on {state:?}");
        let (mut book, id) = in_state(state);
        let unknown = Status::default();
        see(&mut book, id, &unknown, start() + TimeDelta::minutes(32));
        assert_eq!(book.attempt(id).unwrap().state, end, "end on {state:?}");
    }
}

fn payable_in(state: PayableState) -> Book {
    let mut book = open_book();
    match state {
        PayableState::Open => {}
        PayableState::Paid => book = paid().0,
        PayableState::Cancelled => drop(book.cancel().unwrap()),
        PayableState::Expired => drop(book.expire(book.payable.expires_at)),
    }
    assert_eq!(book.payable.state, state);
    book
}

#[test]
fn every_state_of_a_payable_with_every_command() {
    use PayableState::*;
    let late = open_book().payable.expires_at;
    for state in PayableState::ALL.iter().copied() {
        let refusal = match state {
            Open => None,
            Paid => Some(Refusal::Paid),
            Cancelled => Some(Refusal::Cancelled),
            Expired => Some(Refusal::Expired),
        };
        let mut book = payable_in(state);
        assert_eq!(
            book.start_attempt(attempt(7), start()).err(),
            refusal,
            "{state:?}"
        );
        let mut book = payable_in(state);
        let cancelled = book.cancel().map(|facts| facts.len());
        let expected = match state {
            Open => Ok(1),
            Paid => Err(Refusal::Paid),
            Cancelled | Expired => Ok(0),
        };
        assert_eq!(cancelled, expected, "{state:?}");
        let mut book = payable_in(state);
        assert_eq!(book.expire(late).len(), usize::from(state == Open), "{state:?}");
        assert_eq!(
            payable_in(state).expire(late - TimeDelta::microseconds(1)),
            [],
            "{state:?}"
        );
        let asked = refund(&mut payable_in(state), 1, 1).err();
        assert_eq!(asked, (state != Paid).then_some(Refusal::NotPaid), "{state:?}");
    }
    // An open payable whose time has passed is not payable, whether or not anybody has noticed.
    assert_eq!(
        open_book().start_attempt(attempt(7), late).err(),
        Some(Refusal::Expired)
    );
}
