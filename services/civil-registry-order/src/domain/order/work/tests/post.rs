//! What the post tells of a parcel, and what postal-shipping says by itself.

use super::*;
use crate::domain::order::parcel::CONTRADICTORY_EVENTS;

/// An order of which one line is in a parcel, given to the post now.
fn posted(calendar: &Calendar) -> (Order, Uuid) {
    let mut number = 10_000;
    let mut new_id = || {
        number += 1;
        id(number)
    };
    let mut one = order();
    one.lines.truncate(1);
    let mut work = Work::on(one, now(), calendar, terms(), &mut new_id);
    work.paid(id(500)).unwrap();
    work.take_on_paper(&[id(1)]).unwrap();
    let production = Production {
        produced_at: now(),
        looked_by: None,
        signed_by: None,
    };
    work.produce_by_hand(id(1), production).unwrap();
    let parcel = work.order.parcels[0].id;
    work.shipment_created(parcel, id(800), "RR000000015MA");
    work.handed_over(parcel, Some(id(900))).unwrap();
    (work.order, parcel)
}

/// What the carrier told on a day, or postal-shipping says by itself.
fn told(day: i64, state: &str, exception: &str, by_carrier: bool) -> Tracking {
    Tracking {
        sequence: day + 10,
        state: state.to_owned(),
        attempts: by_carrier.then_some(0),
        held_until: None,
        exception_code: exception.to_owned(),
        at: now() + TimeDelta::days(day),
    }
}

/// The order after each of these on its day, and the events of the last.
fn after(mut order: Order, parcel: Uuid, calendar: &Calendar, all: &[Tracking]) -> (Order, Vec<Fact>) {
    let mut facts = Vec::new();
    for tracking in all {
        let mut new_id = || id(20_000);
        let mut work = Work::on(order, tracking.at, calendar, terms(), &mut new_id);
        work.tracked(parcel, tracking).unwrap();
        (order, facts) = (work.order, work.facts);
    }
    (order, facts)
}

#[test]
fn that_nothing_was_heard_is_no_news() {
    let calendar = Calendar::default();
    let (order, parcel) = posted(&calendar);
    let silence = terms().silence;
    let deadline = |order: &Order| order.line(id(1)).unwrap().deadline.unwrap();
    let heard = |order: &Order| order.parcel(parcel).unwrap().heard_at;
    let (order, _) = after(order, parcel, &calendar, &[told(1, "IN_TRANSIT", "", true)]);
    let (first, first_heard) = (now() + TimeDelta::days(1) + silence, heard(&order));
    assert_eq!(deadline(&order), first);
    // Late: the person in charge was told.
    let mut new_id = || id(20_000);
    let mut work = Work::on(order, first, &calendar, terms(), &mut new_id);
    work.let_time_pass().unwrap();
    let order = work.order;
    let alerted = |order: &Order| order.line(id(1)).unwrap().alerted;
    assert_eq!(alerted(&order), Some(Alert::PostedAndSilent));
    let late = deadline_of(&order);
    let without_news = [
        told(25, "IN_TRANSIT", "SILENT", false),
        // Of a day long past: the silence goes on.
        told(26, "IN_TRANSIT", "SILENT", true),
        // Another warning hides that it is one of silence.
        told(27, "IN_TRANSIT", "DELIVERED_WITHOUT_DOCUMENT", false),
        told(28, "CLAIMED", "", false),
    ];
    for count in 1..=without_news.len() {
        let (order, _) = after(order.clone(), parcel, &calendar, &without_news[..count]);
        assert_eq!(
            (deadline_of(&order), heard(&order), alerted(&order)),
            (late, first_heard, Some(Alert::PostedAndSilent)),
            "{count}"
        );
    }
    // The citizen learns of the claim all the same, and the carrier's answer to it is news.
    let (order, facts) = after(order, parcel, &calendar, &without_news);
    assert!(facts.contains(&Fact::Tracked { parcel }));
    let (order, _) = after(order, parcel, &calendar, &[told(30, "IN_TRANSIT", "", false)]);
    assert_eq!(deadline(&order), now() + TimeDelta::days(30) + silence);
    assert_eq!(alerted(&order), None);
}

fn deadline_of(order: &Order) -> Option<DateTime<Utc>> {
    order.line(id(1)).unwrap().deadline
}

#[test]
fn the_last_day_of_collection_stays_where_it_is_not_spoken_of() {
    let calendar = Calendar::default();
    let (order, parcel) = posted(&calendar);
    let last_day = "2026-12-09".parse().ok();
    let held = Tracking {
        held_until: last_day,
        ..told(1, "HELD_FOR_COLLECTION", "", true)
    };
    let silent = told(20, "HELD_FOR_COLLECTION", "SILENT", false);
    let (order, _) = after(order, parcel, &calendar, &[held, silent]);
    assert_eq!(order.parcel(parcel).unwrap().held_until, last_day);
    let (order, _) = after(order, parcel, &calendar, &[told(21, "RETURNING", "", true)]);
    assert_eq!(order.parcel(parcel).unwrap().held_until, None);
}

#[test]
fn what_ended_otherwise_than_the_post_says_now_is_shown() {
    let calendar = Calendar::default();
    let (order, parcel) = posted(&calendar);
    for (first, then) in [("DELIVERED", "RETURNED"), ("RETURNED", "DELIVERED")] {
        let (order, _) = after(order.clone(), parcel, &calendar, &[told(1, first, "", true)]);
        let ended = order.line(id(1)).unwrap().state;
        let (order, facts) = after(order, parcel, &calendar, &[told(40, then, "", true)]);
        let found = order.parcel(parcel).unwrap();
        assert_eq!(
            (found.shipment_state.as_str(), found.exception_code.as_str()),
            (then, CONTRADICTORY_EVENTS)
        );
        assert_eq!(order.line(id(1)).unwrap().state, ended);
        assert_eq!(facts, [Fact::Tracked { parcel }]);
        let until = now() + TimeDelta::days(40) + terms().exception;
        assert_eq!(deadline_of(&order), Some(until));
        // And no more, once the post says again what it said.
        let (order, _) = after(order, parcel, &calendar, &[told(41, first, "", true)]);
        assert_eq!(order.parcel(parcel).unwrap().exception_code, "");
    }
}
