//! Password hashes: Argon2id (RFC 9106), stored as PHC strings, so that the cost can be raised later.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use wathiq_chassis::Ambient;
use zeroize::Zeroizing;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Most hashes that run at once, where there are as many cores: each takes the whole of its memory and of one core.
const MOST_AT_ONCE: usize = 4;
/// Hashes that wait for their turn; what comes on top is sent away at once. At 50 ms each, the last one waits below 3 s.
const MOST_WAITING: usize = 64;
/// Room asked of the allocator for the working memory. glibc gives a block above 32 MiB back to the system as soon as it
/// is freed, and keeps smaller ones after the first; pages that are not touched cost nothing.
const RESERVED_BLOCKS: usize = 33 * 1024;

/// The cost of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
}

/// OWASP's first choice for Argon2id with 19 MiB.
pub const COST: Cost = Cost {
    memory_kib: 19_456,
    passes: 2,
};

/// Why a password was not hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordHashError {
    #[error("the stored hash is not an Argon2id PHC string")]
    Stored,
    #[error("hashing failed")]
    Argon2(#[source] argon2::Error),
    #[error("the hashing task was cut off")]
    Cut,
    #[error("too many passwords wait to be hashed")]
    Busy,
}

/// Hashes passwords off the async threads, one at a time for each core, with a bounded queue.
#[derive(Debug, Clone)]
pub struct PasswordHasher {
    permits: Arc<Semaphore>,
    /// Places to run or to wait in.
    places: Arc<Semaphore>,
    cost: Cost,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self::new(COST)
    }
}

impl PasswordHasher {
    pub fn new(cost: Cost) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_room(cost, cores.min(MOST_AT_ONCE), MOST_WAITING)
    }

    fn with_room(cost: Cost, at_once: usize, waiting: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + waiting)),
            cost,
        }
    }

    /// # Errors
    /// [`PasswordHashError::Busy`] when too many wait already; when the process has no memory for it or is stopping.
    pub async fn hash(&self, ambient: &Ambient, password: &str) -> Result<String, PasswordHashError> {
        let (cost, salt) = (self.cost, ambient.bytes::<SALT_BYTES>());
        let hash = self.run(cost, salt.to_vec(), password).await?;
        Ok(phc(cost, &salt, &hash))
    }

    /// Compares with a stored hash. Without one (no such account) the same work is done and the answer is `false`.
    ///
    /// # Errors
    /// [`PasswordHashError::Stored`] for a stored hash of another form, and as [`Self::hash`].
    pub async fn verify(&self, stored: Option<&str>, password: &str) -> Result<bool, PasswordHashError> {
        let (cost, salt, expected) = match stored {
            Some(stored) => parse(stored).ok_or(PasswordHashError::Stored)?,
            None => (self.cost, vec![0; SALT_BYTES], vec![0; HASH_BYTES]),
        };
        let hash = self.run(cost, salt, password).await?;
        let equal: bool = hash.ct_eq(&expected).into();
        Ok(equal && stored.is_some())
    }

    async fn run(
        &self,
        cost: Cost,
        salt: Vec<u8>,
        password: &str,
    ) -> Result<[u8; HASH_BYTES], PasswordHashError> {
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| PasswordHashError::Busy)?;
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| PasswordHashError::Cut)?;
        let password = Zeroizing::new(password.to_owned());
        let work = move || {
            let _held = (permit, place);
            compute(cost, &salt, &password)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordHashError::Cut)?
            .map_err(PasswordHashError::Argon2)
    }
}

fn compute(cost: Cost, salt: &[u8], password: &str) -> Result<[u8; HASH_BYTES], argon2::Error> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(HASH_BYTES))?;
    let mut memory: Vec<Block> = Vec::with_capacity(RESERVED_BLOCKS.max(params.block_count()));
    memory.resize(params.block_count(), Block::default());
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password.as_bytes(),
        salt,
        &mut hash,
        &mut memory[..],
    )?;
    Ok(hash)
}

fn phc(cost: Cost, salt: &[u8], hash: &[u8]) -> String {
    let (salt, hash) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(hash));
    format!(
        "$argon2id$v=19$m={},t={},p=1${salt}${hash}",
        cost.memory_kib, cost.passes
    )
}

fn parse(phc: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let rest = phc.strip_prefix("$argon2id$v=19$")?;
    let mut fields = rest.split('$');
    let (params, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let (memory, passes) = params
        .strip_prefix("m=")?
        .strip_suffix(",p=1")?
        .split_once(",t=")?;
    let cost = Cost {
        memory_kib: memory.parse().ok()?,
        passes: passes.parse().ok()?,
    };
    let hash = BASE64_NOPAD
        .decode(hash.as_bytes())
        .ok()
        .filter(|hash| hash.len() == HASH_BYTES)?;
    Some((cost, BASE64_NOPAD.decode(salt.as_bytes()).ok()?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> PasswordHasher {
        PasswordHasher::new(Cost {
            memory_kib: 64,
            passes: 1,
        })
    }

    #[tokio::test]
    async fn a_hash_verifies_its_password_alone() {
        let stored = cheap()
            .hash(&Ambient::system(), "une phrase secrète")
            .await
            .unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        // Another cost in force now does not matter: the stored one is used.
        let hasher = PasswordHasher::default();
        assert!(hasher.verify(Some(&stored), "une phrase secrète").await.unwrap());
        assert!(!hasher.verify(Some(&stored), "une autre phrase").await.unwrap());
    }

    #[tokio::test]
    async fn what_does_not_fit_in_the_queue_is_sent_away_and_room_comes_back() {
        let hasher = PasswordHasher::with_room(cheap().cost, 1, 2);
        let held = hasher.permits.clone().acquire_owned().await.unwrap();
        let ambient = Ambient::system();
        let mut waiting: Vec<_> = (0..3)
            .map(|_| Box::pin(hasher.hash(&ambient, "une phrase")))
            .collect();
        for hash in &mut waiting {
            assert!(futures::poll!(hash.as_mut()).is_pending());
        }
        let refused = hasher.hash(&ambient, "une phrase").await;
        assert!(matches!(refused, Err(PasswordHashError::Busy)));
        // Who gives up leaves the queue.
        waiting.pop();
        drop(held);
        waiting.push(Box::pin(hasher.hash(&ambient, "une phrase")));
        let hashed = futures::future::join_all(waiting).await;
        assert!(hashed.len() == 3 && hashed.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn without_an_account_nothing_is_right() {
        assert!(!cheap().verify(None, "").await.unwrap());
        assert!(matches!(
            cheap().verify(Some("plain"), "x").await,
            Err(PasswordHashError::Stored)
        ));
    }

    #[test]
    fn the_reference_implementation_agrees() {
        // From the reference implementation's test file: t=2, m=2^8 KiB, p=1, "password", "somesalt".
        let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let (cost, salt, expected) = parse(stored).unwrap();
        assert_eq!(compute(cost, &salt, "password").unwrap()[..], expected[..]);
        assert_eq!(phc(cost, &salt, &expected), stored);
    }
}
