//! Whether a token's thread still answers. A call into a module cannot be interrupted: a thread that hangs in one is left
//! behind, and whatever it does afterwards is for nobody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared by a token's thread and those who wait for it.
#[derive(Debug)]
pub(super) struct Watch {
    /// Bound on one call into the module.
    call: Duration,
    /// When the call under way must have ended; none between commands.
    until: Mutex<Option<Instant>>,
    abandoned: AtomicBool,
}

/// The thread has been given up while it hung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abandoned;

/// While a command is worked on.
pub(super) struct AtWork<'a>(&'a Watch);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

impl Watch {
    pub(super) fn new(call: Duration) -> Self {
        Self {
            call,
            until: Mutex::default(),
            abandoned: AtomicBool::new(false),
        }
    }

    /// The thread takes a command up.
    pub(super) fn begin(&self) -> AtWork<'_> {
        *self.lock() = Some(Instant::now() + self.call);
        AtWork(self)
    }

    /// The thread is about to call the module again.
    ///
    /// # Errors
    /// [`Abandoned`]: nobody waits any more, so it must not.
    pub(super) fn step(&self) -> Result<(), Abandoned> {
        let mut until = self.lock();
        if self.is_abandoned() {
            return Err(Abandoned);
        }
        *until = Some(Instant::now() + self.call);
        Ok(())
    }

    /// How long the thread may still take for what it does now, and for anything it begins from now on.
    pub(super) fn patience(&self) -> Duration {
        let until = *self.lock();
        until.map_or(self.call, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Gives the thread up if it is overdue, and answers whether it is given up.
    pub(super) fn abandon_if_overdue(&self) -> bool {
        let until = self.lock();
        if until.is_some_and(|until| until <= Instant::now()) {
            self.abandoned.store(true, Ordering::SeqCst);
        }
        self.is_abandoned()
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_call_under_way_can_be_overdue_and_what_is_given_up_stays_so() {
        let watch = Watch::new(Duration::ZERO);
        assert!(!watch.abandon_if_overdue(), "nothing is under way");
        assert_eq!(watch.step(), Ok(()));
        let at_work = watch.begin();
        assert_eq!(watch.patience(), Duration::ZERO);
        assert!(watch.abandon_if_overdue());
        assert_eq!(watch.step(), Err(Abandoned));
        drop(at_work);
        assert!(watch.abandon_if_overdue());
    }

    #[test]
    fn each_call_has_its_own_time() {
        let watch = Watch::new(Duration::from_secs(60));
        let _at_work = watch.begin();
        assert!(!watch.abandon_if_overdue());
        assert!(watch.patience() > Duration::from_secs(50));
        assert_eq!(watch.step(), Ok(()));
    }
}
