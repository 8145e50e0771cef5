//! Counted places: so many in all, so many for each one who takes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::patience::Sender;

/// Places that are given back when their [`Slot`] is dropped.
#[derive(Debug)]
pub struct Slots {
    all: usize,
    each: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    holders: HashMap<u64, Holder>,
    of: HashMap<String, usize>,
}

/// Who holds a place, and the sender that it waits for.
#[derive(Debug)]
struct Holder {
    whom: Option<String>,
    sender: Option<Sender>,
}

impl Held {
    fn add(&mut self, holder: Holder) -> u64 {
        if let Some(whom) = &holder.whom {
            *self.of.entry(whom.clone()).or_default() += 1;
        }
        self.next += 1;
        self.holders.insert(self.next, holder);
        self.next
    }

    fn remove(&mut self, number: u64) -> Option<Sender> {
        let Holder { whom, sender } = self.holders.remove(&number)?;
        if let Some(whom) = whom
            && let Some(own) = self.of.get_mut(&whom)
        {
            *own -= 1;
            if *own == 0 {
                self.of.remove(&whom);
            }
        }
        sender
    }

    /// The holder whose sender is the slowest of those that are slow.
    fn slowest(&self) -> Option<u64> {
        let slow = self.holders.iter().filter_map(|(number, holder)| {
            let pace = holder.sender.as_ref()?.is_slow()?;
            Some((pace, *number))
        });
        slow.min().map(|(_, number)| number)
    }
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
    number: u64,
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
        self.hold(Holder { whom, sender: None })
    }

    /// Takes a place for someone who sends. Where all are taken, the slowest sender of those that have been waited for
    /// is given up and makes room.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn take_for(self: &Arc<Self>, whom: String, sender: Sender) -> Result<Slot, Full> {
        let (whom, sender) = (Some(whom), Some(sender));
        self.hold(Holder { whom, sender })
    }

    fn hold(self: &Arc<Self>, holder: Holder) -> Result<Slot, Full> {
        let mut held = self.lock();
        let own = holder.whom.as_ref().and_then(|whom| held.of.get(whom));
        if own.is_some_and(|own| *own >= self.each) {
            return Err(Full::Each);
        }
        if held.holders.len() >= self.all {
            let slowest = held.slowest().ok_or(Full::All)?;
            if let Some(sender) = held.remove(slowest) {
                sender.give_up();
            }
        }
        let number = held.add(holder);
        drop(held);
        Ok(Slot {
            slots: Arc::clone(self),
            number,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_slowest_that_was_waited_for_makes_room() {
        let slots = Slots::new(3, 3);
        let take = |bytes, seconds| {
            let sender = Sender::new(Duration::from_secs(30));
            sender.brought(bytes, Duration::from_secs(seconds));
            let place = slots
                .take_for("a".to_owned(), sender.clone())
                .map(|place| (place, sender));
            place.map_err(|full| (full, slots.lock().holders.len()))
        };
        let (_fast, _) = take(1_000_000, 40).unwrap();
        let (slow, _) = take(50_000, 40).unwrap();
        let (_fresh, _) = take(1, 29).unwrap();
        assert_eq!(take(1, 0).unwrap_err(), (Full::Each, 3));
        let other = slots.take_for("b".to_owned(), Sender::new(Duration::from_secs(30)));
        let other = other.unwrap();
        assert_eq!(
            slots.lock().of["a"],
            2,
            "the place is given back at once, and once only"
        );
        drop(slow);
        assert_eq!(slots.lock().holders.len(), 3);
        assert_eq!(slots.lock().of["a"], 2);
        drop(other);
        assert_eq!(slots.lock().holders.len(), 2);
    }

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
