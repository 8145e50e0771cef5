//! The key that signs now, and the change from one to the next.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::{App, Error};
use crate::crypto::jws::{JwsError, JwsKey};
use crate::domain::signing_key::{self, SigningKey};
use crate::events::publish;
use crate::store::keys;

/// How long a process signs with the key it read last. Far below the time that tokens of an older key are accepted.
const REMEMBERED: TimeDelta = TimeDelta::seconds(60);

/// The key this process read last.
#[derive(Debug, Default)]
pub struct KeyRing {
    current: Mutex<Option<(Arc<JwsKey>, DateTime<Utc>)>>,
}

impl App {
    /// The key that signs now; the first one ever is made here.
    pub(super) async fn signing_key(&self) -> Result<Arc<JwsKey>, Error> {
        let now = self.ambient.now();
        if let Some(key) = self.remembered(now) {
            return Ok(key);
        }
        let mut transaction = self.pool.begin().await?;
        let mut all = keys::list(&mut transaction).await?;
        if signing_key::current(&all, now).is_none() {
            self.rotate(&mut transaction, now).await?;
            all = keys::list(&mut transaction).await?;
        }
        let current = signing_key::current(&all, now).ok_or(JwsError::Key)?;
        let sealed = keys::sealed(&mut transaction, &current.id)
            .await?
            .ok_or(JwsError::Key)?;
        let key = self.open_key(current, &sealed)?;
        transaction.commit().await?;
        let key = Arc::new(key);
        *self.keys.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&key), now));
        Ok(key)
    }

    /// Makes the next key and destroys old ones, where due; one replica at a time.
    pub(super) async fn rotate(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(), Error> {
        keys::lock_rotation(conn).await?;
        let all = keys::list(conn).await?;
        let due = signing_key::rotation(&all, now);
        if let Some(active_from) = due.create {
            let key_id = self.ambient.uuid_v7();
            let id = key_id.to_string();
            let seed = zeroize::Zeroizing::new(self.ambient.bytes::<32>());
            let public_key = JwsKey::from_seed(id.clone(), &*seed)?.public_key();
            let sealed = self
                .secrets
                .signing_keys
                .seal(&self.ambient, id.as_bytes(), &*seed)?;
            let key = SigningKey {
                id,
                public_key,
                active_from,
                has_private: true,
            };
            keys::insert(conn, &key, &sealed, now).await?;
            wathiq_outbox::append(&mut *conn, &self.ambient, publish::key_made(key_id, active_from)).await?;
            tracing::info!(event = "signing_key.made", key_id = key.id, %active_from, "a signing key was made");
        }
        for id in due.destroy {
            keys::destroy(conn, &id).await?;
            let key_id = id.parse().map_err(|_| JwsError::Key)?;
            wathiq_outbox::append(&mut *conn, &self.ambient, publish::key_retired(key_id)).await?;
            tracing::info!(
                event = "signing_key.destroyed",
                key_id = id,
                "the private half of a signing key was destroyed"
            );
        }
        Ok(())
    }

    fn remembered(&self, now: DateTime<Utc>) -> Option<Arc<JwsKey>> {
        let current = self.keys.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, read_at) = current.as_ref()?;
        let fresh = *read_at <= now && now < *read_at + REMEMBERED;
        fresh.then(|| Arc::clone(key))
    }

    fn open_key(&self, key: &SigningKey, sealed: &[u8]) -> Result<JwsKey, Error> {
        let seed = self.secrets.signing_keys.open(key.id.as_bytes(), sealed)?;
        let private = JwsKey::from_seed(key.id.clone(), &seed)?;
        if private.public_key() == key.public_key {
            Ok(private)
        } else {
            Err(JwsError::Key.into())
        }
    }
}
