//! The public listener's certificate, read again when its files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::TlsAcceptor;

use crate::config::EdgeTls;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] pem::Error),
    #[error("certificate and key do not fit together")]
    Mismatch(#[source] rustls::Error),
}

/// The certificate that stands, and the files it came from.
pub(super) struct EdgeIdentity {
    files: EdgeTls,
    current: Mutex<Current>,
}

struct Current {
    seen: Option<[SystemTime; 2]>,
    acceptor: TlsAcceptor,
}

impl EdgeIdentity {
    pub(super) fn load(files: EdgeTls) -> Result<Self, IdentityError> {
        let seen = times(&files);
        let current = Current {
            seen,
            acceptor: acceptor(&files)?,
        };
        Ok(EdgeIdentity {
            files,
            current: Mutex::new(current),
        })
    }

    /// The acceptor for a new connection. Files that changed and cannot be used leave the old certificate standing:
    /// they may be half written, and are looked at again with the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = times(&self.files);
        if seen.is_some() && seen != current.seen {
            match acceptor(&self.files) {
                Ok(acceptor) => {
                    *current = Current { seen, acceptor };
                    tracing::info!(
                        event = "http.certificate_reloaded",
                        "the public certificate was read again"
                    );
                }
                Err(error) => {
                    tracing::warn!(event = "http.certificate_unusable", %error, "the old public certificate stays");
                }
            }
        }
        current.acceptor.clone()
    }
}

fn times(files: &EdgeTls) -> Option<[SystemTime; 2]> {
    let changed = |path: &Path| {
        std::fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    Some([changed(&files.certificate)?, changed(&files.key)?])
}

fn acceptor(files: &EdgeTls) -> Result<TlsAcceptor, IdentityError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| IdentityError::Read(path, error)
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    let builder = ServerConfig::builder().with_no_client_auth();
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(IdentityError::Mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
