//! Turns: in this process, one call at a time works on the same thing; those that wait find it done.
//!
//! This spares work, nothing more. What makes an effect happen once is the database: two processes may well do the same step at
//! the same time, and the first to commit wins.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

type Turns = HashMap<(&'static str, Uuid), Weak<tokio::sync::Mutex<()>>>;

static TURNS: LazyLock<Mutex<Turns>> = LazyLock::new(Mutex::default);

/// Waits for the turn on a thing: `what` is done to `id`. The turn ends when the guard is dropped.
pub(super) async fn take(what: &'static str, id: Uuid) -> OwnedMutexGuard<()> {
    let mutex = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let standing = turns.get(&(what, id)).and_then(Weak::upgrade);
        standing.unwrap_or_else(|| {
            let mutex = Arc::new(tokio::sync::Mutex::new(()));
            turns.insert((what, id), Arc::downgrade(&mutex));
            mutex
        })
    };
    mutex.lock_owned().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_on_one_thing_follow_each_other_and_leave_nothing_behind() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = take("test", one).await;
        let beside = take("test", other).await;
        let mut second = tokio::spawn(take("test", one));
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(50), &mut second)
                .await
                .is_err()
        );
        drop((first, beside));
        drop(second.await.unwrap());
        drop(take("test", other).await);
        let turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!turns.contains_key(&("test", one)));
    }
}
