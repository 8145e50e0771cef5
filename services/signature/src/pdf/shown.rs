//! Pictures that could be made: one that is asked for again, at the same time or later, is not made again just to know that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::job::RenderJob;

/// Pictures remembered at the same time.
const MAX_KEPT: usize = 4_096;

/// SHA-256 of the file's hash and the job.
type Key = [u8; 32];

/// The remembered pictures of a process: that they could be made, not what is on them.
#[derive(Default)]
pub(super) struct Shown {
    kept: Mutex<HashMap<Key, Arc<OnceCell<()>>>>,
}

impl Shown {
    /// Has a picture made unless it could be made before; whoever asks meanwhile waits for the answer. A failure is not
    /// remembered.
    pub(super) async fn once<E>(
        &self,
        file: &[u8; 32],
        job: &RenderJob,
        render: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let cell = self.cell(key(file, job));
        cell.get_or_try_init(|| render).await.copied()
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<()>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, cell| Arc::strong_count(cell) > 1);
        }
        Arc::clone(kept.entry(key).or_default())
    }
}

fn key(file: &[u8; 32], job: &RenderJob) -> Key {
    let job = serde_json::to_vec(job).expect("numbers and lists of them can be written as JSON");
    Sha256::new()
        .chain_update(file)
        .chain_update(job)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    fn job(page_index: u32) -> RenderJob {
        RenderJob {
            page_index,
            region: None,
            width_pixels: 1,
            overlay: None,
        }
    }

    #[tokio::test]
    async fn a_picture_is_made_once_and_another_one_is_another() {
        let (shown, made) = (Shown::default(), AtomicUsize::new(0));
        let ask = async |file: u8, page_index| {
            let render = async {
                tokio::task::yield_now().await;
                made.fetch_add(1, Ordering::Relaxed);
                Ok::<(), ()>(())
            };
            shown.once(&[file; 32], &job(page_index), render).await
        };
        let all = join_all((0..8).map(|_| ask(1, 0))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(made.load(Ordering::Relaxed), 1);
        ask(1, 1).await.unwrap();
        ask(2, 0).await.unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered() {
        let shown = Shown::default();
        assert_eq!(
            shown.once(&[0; 32], &job(0), async { Err("busy") }).await,
            Err("busy")
        );
        assert_eq!(
            shown.once(&[0; 32], &job(0), async { Ok::<_, &str>(()) }).await,
            Ok(())
        );
    }

    #[test]
    fn no_more_are_kept_than_may_be() {
        let shown = Shown::default();
        for number in 0..=MAX_KEPT {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            shown.cell(key);
        }
        assert_eq!(shown.kept.lock().unwrap().len(), 1);
    }
}
