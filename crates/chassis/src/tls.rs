//! Mutual TLS 1.3 between processes: rustls on aws-lc-rs, peers named by SPIFFE-style URI SANs, files re-read when
//! they change.

mod peer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use rustls::{ClientConfig, RootCertStore, ServerConfig, client::Resumption, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_util::sync::CancellationToken;

use crate::{config::TlsFiles, telemetry::names::CERTIFICATE_EXPIRY_SECONDS};

pub(crate) use peer::peer_name;

const POLL: Duration = Duration::from_secs(5);

/// The name of a process, as its certificate proves it: the path of the URI SAN `spiffe://<trust domain>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerName(pub String);

impl std::fmt::Display for PeerName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or holds no PEM of that kind.
    #[error("cannot read {what} from {path}")]
    File {
        /// Which of the three.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The file's state cannot be asked for.
    #[error("cannot look at {path}")]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no certificate at all.
    #[error("no certificate in {path}")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The certificate is not one this platform issues.
    #[error("certificate {path} is not usable: {problem}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The parts do not make a TLS configuration: a key of another certificate, an authority that is none.
    #[error("certificate, key and authority do not fit together")]
    Unusable(#[from] rustls::Error),
    /// The upstream's name cannot stand in a certificate.
    #[error("`{name}` is no server name")]
    ServerName {
        /// The name.
        name: String,
    },
    /// The authority file makes no verifier.
    #[error("the authority makes no client verifier")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
}

/// Makes aws-lc-rs the provider of the process; called once at the start, later calls change nothing.
pub fn install_crypto_provider() {
    // An error means that a provider is installed already, which is what was asked for.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// The process's own identity: certificate, key and the authority its peers must chain to.
///
/// New handshakes use new files as soon as [`TlsIdentity::refresh`] has seen them; connections that stand go on. A
/// set of files that does not fit together (half written, say) is reported and the old one stays in use.
pub struct TlsIdentity {
    files: TlsFiles,
    trust_domain: String,
    current: RwLock<Loaded>,
}

#[derive(Clone)]
struct Loaded {
    stamp: Stamp,
    roots: Arc<RootCertStore>,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    not_after: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp([(SystemTime, u64); 3]);

impl TlsIdentity {
    /// Reads the three files.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn load(files: &TlsFiles, trust_domain: &str) -> Result<Arc<Self>, TlsError> {
        install_crypto_provider();
        let loaded = Loaded::read(files, trust_domain)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            trust_domain: trust_domain.to_owned(),
            current: RwLock::new(loaded),
        }))
    }

    /// Reads the files again if one of them has changed; says whether it had.
    ///
    /// # Errors
    /// [`TlsError`]; the identity in use stays as it was.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        if self.current().stamp == Stamp::of(&self.files)? {
            return Ok(false);
        }
        let loaded = Loaded::read(&self.files, &self.trust_domain)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// As [`TlsIdentity::refresh`], for those who can only go on with what is in use.
    pub(crate) fn refresh_or_report(&self) {
        match self.refresh() {
            Ok(true) => tracing::info!(
                event = "tls.reloaded",
                "certificate files have changed and are in use"
            ),
            Ok(false) => {}
            Err(error) => tracing::error!(
                event = "tls.reload_failed",
                error = crate::status::chain(&error),
                "changed certificate files cannot be used; the old ones stay in use"
            ),
        }
    }

    /// Refreshes every 5 s and publishes `certificate_expiry_seconds`, until told to stop.
    pub async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(POLL);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.refresh_or_report();
            let left = self.not_after().timestamp() - DateTime::<Utc>::from(SystemTime::now()).timestamp();
            // Seconds until expiry stay far below 2^52, so the conversion is exact.
            metrics::gauge!(CERTIFICATE_EXPIRY_SECONDS).set(left as f64);
        }
    }

    /// When the own certificate ends.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.current().not_after
    }

    /// The trust domain peers must belong to.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        self.current().server
    }

    /// A client configuration that accepts the peer named `expected` alone.
    pub(crate) fn client_config(&self, expected: &str) -> Arc<ClientConfig> {
        let loaded = self.current();
        let mut config = ClientConfig::clone(&loaded.client);
        let verifier = peer::SpiffeVerifier::new(loaded.roots, &self.trust_domain, expected);
        config.dangerous().set_certificate_verifier(Arc::new(verifier));
        Arc::new(config)
    }

    fn current(&self) -> Loaded {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl std::fmt::Debug for TlsIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TlsIdentity")
            .field("files", &self.files)
            .field("trust_domain", &self.trust_domain)
            .finish_non_exhaustive()
    }
}

impl Loaded {
    fn read(files: &TlsFiles, trust_domain: &str) -> Result<Self, TlsError> {
        // The stamp is taken first: a change while reading is then seen by the next refresh.
        let stamp = Stamp::of(files)?;
        let roots = Arc::new(read_roots(&files.ca)?);
        let chain = read_chain("the certificate", &files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| TlsError::File {
            what: "the private key",
            path: files.key.clone(),
            source,
        })?;
        let not_after = peer_name(&chain[0], trust_domain)
            .and_then(|_| peer::not_after(&chain[0]))
            .map_err(|problem| TlsError::Certificate {
                path: files.certificate.clone(),
                problem,
            })?;
        Ok(Self {
            stamp,
            server: Arc::new(server_config(Arc::clone(&roots), chain.clone(), key.clone_key())?),
            client: Arc::new(client_config(&roots, chain, key)?),
            roots,
            not_after,
        })
    }
}

impl Stamp {
    fn of(files: &TlsFiles) -> Result<Self, TlsError> {
        let look = |path: &Path| {
            std::fs::metadata(path)
                .and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
                .map_err(|source| TlsError::Metadata {
                    path: path.to_owned(),
                    source,
                })
        };
        Ok(Self([
            look(&files.ca)?,
            look(&files.certificate)?,
            look(&files.key)?,
        ]))
    }
}

fn read_chain(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |source| TlsError::File {
        what,
        path: path.to_owned(),
        source,
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(file)?
        .collect::<Result<_, _>>()
        .map_err(file)?;
    if chain.is_empty() {
        return Err(TlsError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(chain)
}

fn read_roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_chain("the authority", path)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn server_config(
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // A resumed session would outlive the certificate it was opened with.
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client_config(
    roots: &Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(Arc::clone(roots))
        .with_client_auth_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}
