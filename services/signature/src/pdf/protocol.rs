//! What travels between the service and its PDF workers: a length, a JSON head of that length, then the blobs that the
//! head announces.
//!
//! ```text
//! u32 big-endian   length of the head, at most 4 MiB
//! head             {"blobs": [lengths], "body": job or answer}
//! blobs            one after the other, at most 64 MiB each
//! ```

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest head in bytes.
const MAX_HEAD: u32 = 4 * 1024 * 1024;
/// Longest blob in bytes.
const MAX_BLOB: u64 = 64 * 1024 * 1024;
/// Most blobs in a frame: a file, the trust anchors, and the revocation data at hand.
const MAX_BLOBS: usize = 512;

#[derive(Serialize, Deserialize)]
struct Head<T> {
    blobs: Vec<u64>,
    body: T,
}

/// One message with the bytes it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame<T> {
    pub(crate) body: T,
    pub(crate) blobs: Vec<Vec<u8>>,
}

/// Why a frame was not understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the pipe between service and PDF worker broke")]
    Pipe(#[from] io::Error),
    #[error("the head of a frame is not understood")]
    Head(#[from] serde_json::Error),
    #[error("a frame announces more than is allowed")]
    TooLarge,
}

fn head<T: Serialize>(body: &T, blobs: &[&[u8]]) -> Result<Vec<u8>, FrameError> {
    if blobs.len() > MAX_BLOBS {
        return Err(FrameError::TooLarge);
    }
    let lengths = blobs.iter().map(|blob| blob.len() as u64).collect();
    let json = serde_json::to_vec(&Head { blobs: lengths, body })?;
    let length = u32::try_from(json.len()).map_err(|_| FrameError::TooLarge)?;
    if length > MAX_HEAD {
        return Err(FrameError::TooLarge);
    }
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

fn checked<T: DeserializeOwned>(json: &[u8]) -> Result<Head<T>, FrameError> {
    let head: Head<T> = serde_json::from_slice(json)?;
    if head.blobs.len() > MAX_BLOBS || head.blobs.iter().any(|length| *length > MAX_BLOB) {
        return Err(FrameError::TooLarge);
    }
    Ok(head)
}

fn head_length(bytes: [u8; 4]) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes(bytes);
    if length > MAX_HEAD {
        return Err(FrameError::TooLarge);
    }
    Ok(length as usize)
}

fn blob_buffer(length: u64) -> Vec<u8> {
    vec![0; usize::try_from(length).expect("a blob of at most 64 MiB fits the address space")]
}

/// Writes a frame; the worker's side.
pub(crate) fn write_frame<T: Serialize>(
    out: &mut impl Write,
    body: &T,
    blobs: &[&[u8]],
) -> Result<(), FrameError> {
    out.write_all(&head(body, blobs)?)?;
    for blob in blobs {
        out.write_all(blob)?;
    }
    out.flush()?;
    Ok(())
}

/// Reads a frame; the worker's side. `None` when the service has closed the pipe between two frames.
pub(crate) fn read_frame<T: DeserializeOwned>(input: &mut impl Read) -> Result<Option<Frame<T>>, FrameError> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let mut json = vec![0; head_length(length)?];
    input.read_exact(&mut json)?;
    let head = checked::<T>(&json)?;
    let mut blobs = Vec::with_capacity(head.blobs.len());
    for length in head.blobs {
        let mut blob = blob_buffer(length);
        input.read_exact(&mut blob)?;
        blobs.push(blob);
    }
    Ok(Some(Frame {
        body: head.body,
        blobs,
    }))
}

/// Writes a frame; the service's side.
pub(crate) async fn send<T: Serialize>(
    out: &mut (impl AsyncWrite + Unpin),
    body: &T,
    blobs: &[&[u8]],
) -> Result<(), FrameError> {
    out.write_all(&head(body, blobs)?).await?;
    for blob in blobs {
        out.write_all(blob).await?;
    }
    out.flush().await?;
    Ok(())
}

/// Reads a frame; the service's side, where a closed pipe is always an error.
pub(crate) async fn receive<T: DeserializeOwned>(
    input: &mut (impl AsyncRead + Unpin),
) -> Result<Frame<T>, FrameError> {
    let mut length = [0; 4];
    input.read_exact(&mut length).await?;
    let mut json = vec![0; head_length(length)?];
    input.read_exact(&mut json).await?;
    let head = checked::<T>(&json)?;
    let mut blobs = Vec::with_capacity(head.blobs.len());
    for length in head.blobs {
        let mut blob = blob_buffer(length);
        input.read_exact(&mut blob).await?;
        blobs.push(blob);
    }
    Ok(Frame {
        body: head.body,
        blobs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_one_side_writes_the_other_reads() {
        let mut wire = Vec::new();
        send(&mut wire, &"job".to_owned(), &[b"abc", b""])
            .await
            .expect("sent");
        let frame = read_frame::<String>(&mut wire.as_slice())
            .expect("read")
            .expect("a frame");
        assert_eq!(
            frame,
            Frame {
                body: "job".to_owned(),
                blobs: vec![b"abc".to_vec(), vec![]]
            }
        );

        let mut back = Vec::new();
        write_frame(&mut back, &7_u32, &[b"xyz"]).expect("written");
        let frame = receive::<u32>(&mut back.as_slice()).await.expect("received");
        assert_eq!(
            frame,
            Frame {
                body: 7,
                blobs: vec![b"xyz".to_vec()]
            }
        );
    }

    #[test]
    fn a_frame_that_announces_too_much_is_refused_before_memory_is_taken() {
        let mut wire = u32::MAX.to_be_bytes().to_vec();
        wire.extend_from_slice(b"{}");
        assert!(matches!(
            read_frame::<u32>(&mut wire.as_slice()),
            Err(FrameError::TooLarge)
        ));

        let json = br#"{"blobs":[68719476736],"body":1}"#;
        let mut wire = u32::try_from(json.len()).expect("short").to_be_bytes().to_vec();
        wire.extend_from_slice(json);
        assert!(matches!(
            read_frame::<u32>(&mut wire.as_slice()),
            Err(FrameError::TooLarge)
        ));
    }

    /// Whoever sends too much hears it, and not the child by its end.
    #[test]
    fn a_frame_of_too_many_blobs_is_not_sent() {
        let mut wire = Vec::new();
        let blobs = [b"x".as_slice(); MAX_BLOBS + 1];
        assert!(matches!(
            write_frame(&mut wire, &1_u32, &blobs),
            Err(FrameError::TooLarge)
        ));
        assert!(wire.is_empty());
    }

    #[test]
    fn a_closed_pipe_ends_the_conversation() {
        assert!(read_frame::<u32>(&mut [].as_slice()).expect("no error").is_none());
    }
}
