//! Files, in a folder or in a bucket. An object is there as a whole or not at all, and on the disk before a row names it.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, WriteMultipart};
use serde::Deserialize;
use wathiq_chassis::ConfigError;

/// S3 takes no smaller part but the last.
const PART_BYTES: usize = 5 * 1024 * 1024;
/// Parts under way at the same time, so that a fast sender cannot fill the memory.
const PARTS_UNDER_WAY: usize = 1;

/// Section `[storage]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageConfig {
    /// `file:///var/lib/wathiq/objects`, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`.
    pub url: String,
    /// Options of the store, such as `aws_endpoint` or `aws_region`; credentials come from the environment the way each
    /// provider has it, or from files named here.
    #[serde(default)]
    pub options: HashMap<String, String>,
}

/// Why the store did not give or take an object.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("there is no room left for files")]
    Full(#[source] object_store::Error),
    #[error("object {key} is not there")]
    NotFound {
        key: String,
        source: object_store::Error,
    },
    #[error("the store of files does not work")]
    Unavailable(#[source] object_store::Error),
}

/// A place for objects, shared by cloning.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Where the store is a local folder.
    folder: Option<PathBuf>,
}

/// An object being written. Nothing is visible before [`Writer::finish`].
pub struct Writer {
    key: String,
    upload: WriteMultipart,
}

/// An object being read.
pub struct Reader {
    /// Size of the whole object in bytes, whatever range is read.
    pub total_bytes: u64,
    pub chunks: BoxStream<'static, Result<Bytes, StorageError>>,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    pub modified_at: DateTime<Utc>,
}

impl Objects {
    /// Opens the store. A local folder is made if it is missing; a bucket is first asked when an object is.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn open(config: &StorageConfig) -> Result<Self, ConfigError> {
        let url = url::Url::parse(&config.url)
            .map_err(|error| ConfigError::key("storage.url", format!("not a URL: {error}")))?;
        if url.scheme() == "file" {
            let folder = url
                .to_file_path()
                .map_err(|()| ConfigError::key("storage.url", "a file URL needs an absolute path"))?;
            let store = local(&folder).map_err(|problem| {
                ConfigError::key("storage.url", format!("{}: {problem}", folder.display()))
            })?;
            return Ok(Self {
                store: Arc::new(store),
                prefix: Path::default(),
                folder: Some(folder),
            });
        }
        let (store, prefix) = object_store::parse_url_opts(&url, &config.options)
            .map_err(|error| ConfigError::key("storage.url", error.to_string()))?;
        Ok(Self {
            store: Arc::from(store),
            prefix,
            folder: None,
        })
    }

    /// Starts writing an object.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn writer(&self, key: &str) -> Result<Writer, StorageError> {
        let upload = self
            .store
            .put_multipart(&self.path(key))
            .await
            .map_err(|error| failure(key, error))?;
        Ok(Writer {
            key: key.to_owned(),
            upload: WriteMultipart::new_with_chunk_size(upload, PART_BYTES),
        })
    }

    /// Writes an object, in place of an older one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StorageError> {
        self.store
            .put(&self.path(key), bytes.into())
            .await
            .map_err(|error| failure(key, error))?;
        Ok(())
    }

    /// Reads an object whole.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        let found = self
            .store
            .get(&self.path(key))
            .await
            .map_err(|error| failure(key, error))?;
        found.bytes().await.map_err(|error| failure(key, error))
    }

    /// Reads an object from `offset`, `length` bytes or to its end. A range beyond the end is empty.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn read(&self, key: &str, offset: u64, length: Option<u64>) -> Result<Reader, StorageError> {
        let head = self
            .store
            .head(&self.path(key))
            .await
            .map_err(|error| failure(key, error))?;
        let end = length.map_or(head.size, |length| offset.saturating_add(length).min(head.size));
        if offset >= end {
            return Ok(Reader {
                total_bytes: head.size,
                chunks: futures::stream::empty().boxed(),
            });
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(offset..end)),
            ..GetOptions::default()
        };
        let found = self
            .store
            .get_opts(&self.path(key), options)
            .await
            .map_err(|error| failure(key, error))?;
        let key = key.to_owned();
        let chunks = found
            .into_stream()
            .map_err(move |error| failure(&key, error))
            .boxed();
        Ok(Reader {
            total_bytes: head.size,
            chunks,
        })
    }

    /// Whether the object is there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn exists(&self, key: &str) -> Result<bool, StorageError> {
        match self
            .store
            .head(&self.path(key))
            .await
            .map_err(|error| failure(key, error))
        {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes an object; one that is not there counts as deleted.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self
            .store
            .delete(&self.path(key))
            .await
            .map_err(|error| failure(key, error))
        {
            Ok(()) | Err(StorageError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lists the objects below a folder.
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<Listed, StorageError>> {
        let prefix = self.prefix.clone();
        let folder = folder.to_owned();
        self.store
            .list(Some(&self.path(&folder)))
            .map(move |found| {
                let found = found.map_err(|error| failure(&folder, error))?;
                let key = found
                    .location
                    .prefix_match(&prefix)
                    .map_or_else(String::new, |parts| {
                        parts
                            .map(|part| part.as_ref().to_owned())
                            .collect::<Vec<_>>()
                            .join("/")
                    });
                Ok(Listed {
                    key,
                    modified_at: found.last_modified,
                })
            })
            .boxed()
    }

    /// Deletes what writers that died have left in a local folder before `before`, and returns the number of files. A bucket
    /// does this by a rule for unfinished uploads.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn sweep_unfinished(&self, before: DateTime<Utc>) -> Result<usize, StorageError> {
        let Some(folder) = self.folder.clone() else {
            return Ok(0);
        };
        let swept = tokio::task::spawn_blocking(move || sweep_folder(&folder, before.into()));
        let swept = swept
            .await
            .map_err(|source| object_store::Error::JoinError { source });
        swept
            .and_then(|swept| {
                swept.map_err(|error| object_store::Error::Generic {
                    store: "local folder",
                    source: Box::new(error),
                })
            })
            .map_err(StorageError::Unavailable)
    }

    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), Path::join)
    }
}

impl Writer {
    /// Takes more bytes; waits while the store is behind.
    ///
    /// # Errors
    /// [`StorageError`]; the writer is then good for [`Writer::abort`] only.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.upload
            .wait_for_capacity(PARTS_UNDER_WAY)
            .await
            .map_err(|error| failure(&self.key, error))?;
        self.upload.put(bytes);
        Ok(())
    }

    /// Makes the object durable and visible.
    ///
    /// # Errors
    /// [`StorageError`]; nothing is visible then.
    pub async fn finish(self) -> Result<(), StorageError> {
        self.upload
            .finish()
            .await
            .map_err(|error| failure(&self.key, error))?;
        Ok(())
    }

    /// Throws away what was written. A store that does not answer is left to its own expiry of unfinished uploads.
    pub async fn abort(self) {
        if let Err(error) = self.upload.abort().await {
            tracing::warn!(
                event = "storage.abort_failed",
                error = wathiq_chassis::status::chain(&error),
                "an unfinished object stays behind"
            );
        }
    }
}

fn local(folder: &std::path::Path) -> Result<LocalFileSystem, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| error.to_string())?;
    Ok(store.with_fsync(true))
}

/// The store writes a file beside its place, under its name and a number sign, and then renames it.
fn sweep_folder(folder: &std::path::Path, before: SystemTime) -> io::Result<usize> {
    let mut swept = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            swept += sweep_folder(&entry.path(), before)?;
        } else if entry.file_name().to_string_lossy().contains('#') && entry.metadata()?.modified()? < before
        {
            std::fs::remove_file(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn failure(key: &str, error: object_store::Error) -> StorageError {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return StorageError::NotFound {
            key: key.to_owned(),
            source: error,
        };
    }
    if is_full(&error) {
        StorageError::Full(error)
    } else {
        StorageError::Unavailable(error)
    }
}

/// Whether the disk or the quota is full, as the operating system says somewhere down the chain of causes.
fn is_full(error: &object_store::Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        })
}
