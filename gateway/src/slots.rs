//! Counted places: so many in all, so many for each one who takes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Places that are given back when their [`Slot`] is dropped.
#[derive(Debug)]
pub struct Slots {
    all: usize,
    each: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    of: HashMap<String, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All places are taken.
    All,
    /// The one who asks holds as many as one may.
    Each,
}

/// A place that is held.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    whom: Option<String>,
}

impl Slots {
    #[must_use]
    pub fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Slots {
            all,
            each,
            held: Mutex::default(),
        })
    }

    /// Takes a place for someone, or for nobody in particular.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(self: &Arc<Self>, whom: Option<String>) -> Result<Slot, Full> {
        let mut held = self.lock();
        let own = whom.as_ref().and_then(|whom| held.of.get(whom)).copied();
        if own.is_some_and(|own| own >= self.each) {
            return Err(Full::Each);
        }
        if held.total >= self.all {
            return Err(Full::All);
        }
        held.total += 1;
        if let Some(whom) = &whom {
            *held.of.entry(whom.clone()).or_default() += 1;
        }
        drop(held);
        Ok(Slot {
            slots: Arc::clone(self),
            whom,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.slots.lock();
        held.total -= 1;
        if let Some(whom) = &self.whom
            && let Some(own) = held.of.get_mut(whom)
        {
            *own -= 1;
            if *own == 0 {
                held.of.remove(whom);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_for_each_and_in_all_and_given_back() {
        let slots = Slots::new(3, 2);
        let take = |whom: &str| slots.take(Some(whom.to_owned()));
        let first = take("a").unwrap();
        let _second = take("a").unwrap();
        assert_eq!(take("a").unwrap_err(), Full::Each);
        let third = slots.take(None).unwrap();
        assert_eq!(take("b").unwrap_err(), Full::All);
        drop(third);
        drop(take("b").unwrap());
        drop(first);
        let _again = take("a").unwrap();
        assert_eq!(take("a").unwrap_err(), Full::Each);
        assert_eq!(slots.lock().of.len(), 1, "whoever holds nothing is forgotten");
    }
}
