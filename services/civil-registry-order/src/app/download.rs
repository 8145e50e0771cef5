//! Files on their way out.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use crate::app::{App, AppError};
use crate::clients::signature::SealedFile;

/// A file with its totals.
pub struct Download {
    pub total_bytes: u64,
    pub sha256: Vec<u8>,
    pub file_name: String,
    pub content_type: String,
    pub chunks: BoxStream<'static, Result<Bytes, AppError>>,
}

impl Download {
    /// A PDF that is in memory.
    pub fn of_bytes(bytes: Bytes, file_name: String) -> Self {
        Self {
            total_bytes: bytes.len() as u64,
            sha256: Sha256::digest(&bytes).to_vec(),
            file_name,
            content_type: "application/pdf".to_owned(),
            chunks: stream::iter([Ok(bytes)]).boxed(),
        }
    }

    /// A sealed document, as signature gives it.
    pub fn of_sealed(file: SealedFile, file_name: String) -> Self {
        Self {
            total_bytes: file.total_bytes,
            sha256: file.sha256,
            file_name,
            content_type: "application/pdf".to_owned(),
            chunks: file.chunks.map_err(AppError::from).boxed(),
        }
    }

    /// An object of the store.
    ///
    /// # Errors
    /// [`AppError::Storage`].
    pub async fn of_object(
        app: &App,
        key: &str,
        sha256: Vec<u8>,
        file_name: String,
        content_type: String,
    ) -> Result<Self, AppError> {
        let reader = app.objects.read(key, 0, None).await?;
        Ok(Self {
            total_bytes: reader.total_bytes,
            sha256,
            file_name,
            content_type,
            chunks: reader.chunks.map_err(AppError::from).boxed(),
        })
    }
}
