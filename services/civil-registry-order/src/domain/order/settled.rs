//! What a change of an order means for settlement: which acts were paid, produced, posted, delivered, returned, refunded, and of which office.

use uuid::Uuid;

use super::Order;
use super::line::Line;
use crate::domain::fee::Price;
use crate::domain::state::LineState;

/// The way of an act to the person who ordered it.
const WAY: [LineState; 2] = [LineState::Produced, LineState::HandedOver];

/// Acts that came to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub line_id: Uuid,
    pub kind_id: Uuid,
    pub office_id: Uuid,
    pub state: LineState,
    /// Below zero, with its price, where a paid line leaves an office for another.
    pub acts: i16,
    pub price: Price,
}

/// What is settled by a change.
pub fn settled(before: &Order, after: &Order) -> Vec<Settled> {
    let pairs = after
        .lines
        .iter()
        .filter_map(|line| Some((before.line(line.id)?, line)));
    pairs.flat_map(|(before, after)| of_line(before, after)).collect()
}

fn of_line(before: &Line, after: &Line) -> Vec<Settled> {
    let entry = |office_id, state, sign: i16| Settled {
        line_id: after.id,
        kind_id: after.kind_id,
        office_id,
        state,
        acts: sign * after.copies,
        price: Price {
            amount: i64::from(sign) * after.price.amount,
            office: i64::from(sign) * after.price.office,
            post: i64::from(sign) * after.price.post,
            tax: i64::from(sign) * after.price.tax,
        },
    };
    let mut entries = Vec::new();
    if before.paid_at.is_none() && after.paid_at.is_some() {
        entries.push(entry(after.office_id, LineState::Paid, 1));
    } else if before.paid_at.is_some() && before.office_id != after.office_id {
        entries.push(entry(before.office_id, LineState::Paid, -1));
        entries.push(entry(after.office_id, LineState::Paid, 1));
    }
    let now = |state| entry(after.office_id, state, 1);
    if let Some(reached) = place(after.state) {
        // What was heard of late has come all the way.
        let left = place(before.state).map_or(0, |place| place + 1);
        entries.extend(
            WAY.into_iter()
                .enumerate()
                .filter(|(step, _)| (left..=reached).contains(step))
                .map(|(_, state)| now(state)),
        );
    }
    let ended = [LineState::Delivered, LineState::Returned, LineState::Refunded];
    if before.state != after.state && ended.contains(&after.state) {
        entries.push(now(after.state));
    }
    entries
}

/// How far on the way a state is.
fn place(state: LineState) -> Option<usize> {
    match state {
        LineState::Delivered | LineState::Returned => Some(WAY.len()),
        state => WAY.iter().position(|step| *step == state),
    }
}
