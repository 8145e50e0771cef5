//! Files as streams of chunks: the first message carries the totals.

use futures::stream::{self, BoxStream, StreamExt};
use sha2::{Digest, Sha256};
use tonic::Status;

const CHUNK: usize = 256 * 1024;

/// A stream of answers.
pub(super) type Chunks<T> = BoxStream<'static, Result<T, Status>>;

/// One message of a download, whatever it is called.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) chunk: Vec<u8>,
    pub(super) total_bytes: u64,
    pub(super) sha256: Vec<u8>,
    pub(super) file_name: String,
}

/// A file in chunks.
pub(super) fn chunks<T: Send + 'static>(
    file: &[u8],
    file_name: &str,
    message: impl Fn(Part) -> T,
) -> Chunks<T> {
    let totals = Part {
        chunk: Vec::new(),
        total_bytes: u64::try_from(file.len()).unwrap_or(u64::MAX),
        sha256: Sha256::digest(file).to_vec(),
        file_name: file_name.to_owned(),
    };
    let parts = file.chunks(CHUNK).map(|chunk| Part {
        chunk: chunk.to_vec(),
        ..Part::default()
    });
    let messages: Vec<_> = std::iter::once(totals)
        .chain(parts)
        .map(|part| Ok(message(part)))
        .collect();
    stream::iter(messages).boxed()
}
