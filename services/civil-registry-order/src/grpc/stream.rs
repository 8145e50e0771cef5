//! Files as streams of chunks: the first message carries the totals.

use futures::stream::{self, BoxStream, StreamExt};
use tonic::Status;

use crate::app::download::Download;

/// Largest chunk sent; the store may read larger ones.
const CHUNK: usize = 256 * 1024;

/// A stream of answers.
pub(super) type Chunks<T> = BoxStream<'static, Result<T, Status>>;

/// What is known of a file beside its bytes.
#[derive(Debug, Default, Clone)]
pub(super) struct Totals {
    pub(super) total_bytes: u64,
    pub(super) sha256: Vec<u8>,
    pub(super) file_name: String,
    pub(super) content_type: String,
}

/// The messages of a download; the first has the totals, also of an empty file.
pub(super) fn chunks<T: Send + 'static>(
    download: Download,
    message: impl Fn(Vec<u8>, Totals) -> T + Send + Copy + 'static,
) -> Chunks<T> {
    let totals = Totals {
        total_bytes: download.total_bytes,
        sha256: download.sha256,
        file_name: download.file_name,
        content_type: download.content_type,
    };
    let first = stream::iter([Ok(message(Vec::new(), totals))]);
    let rest = download.chunks.flat_map(move |chunk| {
        let messages: Vec<Result<T, Status>> = match chunk {
            Ok(bytes) => bytes
                .chunks(CHUNK)
                .map(|part| Ok(message(part.to_vec(), Totals::default())))
                .collect(),
            Err(error) => vec![Err(error.into())],
        };
        stream::iter(messages)
    });
    first.chain(rest).boxed()
}
