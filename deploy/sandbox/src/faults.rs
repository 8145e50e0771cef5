//! What goes wrong on demand: for everybody, or for one order, payment or office alone, so that tests beside each other
//! do not meet each other's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Faults of one kind.
#[derive(Debug, Default)]
pub(crate) struct Faults<F> {
    everybody: F,
    own: HashMap<String, F>,
}

impl<F> Faults<F> {
    /// Sets those of one, or everybody's.
    pub(crate) fn set(&mut self, whose: Option<&str>, faults: F) {
        match whose {
            Some(whose) => drop(self.own.insert(whose.to_owned(), faults)),
            None => self.everybody = faults,
        }
    }

    /// Those that count for one: its own, or else everybody's.
    pub(crate) fn of(&mut self, whose: &str) -> &mut F {
        self.own.get_mut(whose).unwrap_or(&mut self.everybody)
    }
}

/// Takes one from a count of what is to go wrong.
pub(crate) fn strikes(count: &mut u32) -> bool {
    let strikes = *count > 0;
    *count = count.saturating_sub(1);
    strikes
}

/// How a partner is out of order for a while.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outage(Option<Instant>);

impl Outage {
    pub(crate) fn of(seconds: u64) -> Self {
        Self(Instant::now().checked_add(Duration::from_secs(seconds)))
    }

    pub(crate) fn lasts(self) -> bool {
        self.0.is_some_and(|end| Instant::now() < end)
    }
}
