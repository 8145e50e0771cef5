//! Throw-away certificates, tokens and configurations for tests. Behind the feature `testing`, which no process turns
//! on outside its `[dev-dependencies]`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry_sdk::trace::SdkTracerProvider;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use crate::{
    Assurance, Caller, Clock, ProcessConfig, Surface, TlsFiles, TokenClaims, TokenVerifier, UpstreamConfig,
    VerificationKey, telemetry, tls, token,
};

/// The trust domain of the certificates made here.
pub const TRUST_DOMAIN: &str = "wathiq.test";
/// The issuer of the tokens made here.
pub const ISSUER: &str = "https://identity.wathiq.test";
/// The name of the key that signs the tokens made here.
pub const KEY_ID: &str = "test-1";

/// PKCS#8 (RFC 8410) around the private key of RFC 8032, section 7.1, test 1: known to everybody, trusted by nobody.
const PRIVATE_KEY: [u8; 48] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20, 0x9d,
    0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
    0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC_KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// A certificate authority in a folder that vanishes with it.
pub struct Pki {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    /// A new authority with a key of its own.
    pub fn new() -> Self {
        tls::install_crypto_provider();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut params = CertificateParams::default();
        params.distinguished_name = name("Wathiq test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params
            .self_signed(&key)
            .expect("the authority's certificate can be made");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("the folder can be written");
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for `spiffe://wathiq.test/<name>`; a second call replaces the files of the first.
    pub fn issue(&self, name: &str) -> TlsFiles {
        self.issue_named(name, &[format!("spiffe://{TRUST_DOMAIN}/{name}")])
    }

    /// A certificate in the files of `file` with any URI names, for names that must be refused.
    pub fn issue_named(&self, file: &str, uris: &[String]) -> TlsFiles {
        let mut params = CertificateParams::default();
        params.distinguished_name = name(file);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.subject_alt_names = uris
            .iter()
            .map(|uri| SanType::URI(uri.as_str().try_into().expect("a URI is ASCII")))
            .collect();
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate can be made");
        let path = |suffix: &str| self.folder.path().join(format!("{file}.{suffix}"));
        std::fs::write(path("pem"), certificate.pem()).expect("the folder can be written");
        std::fs::write(path("key"), key.serialize_pem()).expect("the folder can be written");
        TlsFiles {
            ca: self.folder.path().join("ca.pem"),
            certificate: path("pem"),
            key: path("key"),
        }
    }

    /// The configuration of a process of that name, on ports the system chooses.
    pub fn process(&self, name: &str) -> ProcessConfig {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        ProcessConfig {
            name: name.to_owned(),
            listen: any,
            operations_listen: any,
            trust_domain: TRUST_DOMAIN.to_owned(),
            tls: self.issue(name),
            otlp_endpoint: None,
            log: None,
            reflection: false,
            drain_seconds: 10,
            connection_age_seconds: 30,
        }
    }

    /// A channel of the process `own` to the process `upstream` at `address`.
    ///
    /// # Errors
    /// [`tls::TlsError`].
    pub fn channel(
        &self,
        own: &str,
        upstream: &str,
        address: SocketAddr,
    ) -> Result<crate::client::Channel, tls::TlsError> {
        let upstream = UpstreamConfig {
            addresses: vec![address.to_string()],
            server_name: upstream.to_owned(),
        };
        crate::client::channel(&upstream, &self.issue(own), TRUST_DOMAIN)
    }
}

impl Default for Pki {
    fn default() -> Self {
        Self::new()
    }
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// The claims of a citizen with proved identity and no role, valid for five minutes from `now`.
pub fn claims(person: Uuid, now: DateTime<Utc>) -> TokenClaims {
    TokenClaims {
        iss: ISSUER.to_owned(),
        aud: token::AUDIENCE.to_owned(),
        sub: person,
        sid: Uuid::from_u128(person.as_u128() ^ 1),
        surface: Surface::Citizen,
        assurance: Assurance::Proved,
        grants: Vec::new(),
        padm: false,
        iat: now.timestamp(),
        exp: now.timestamp() + 300,
    }
}

/// A signed token with those claims.
pub fn token(claims: &TokenClaims) -> String {
    token_signed_by(claims, KEY_ID, &PRIVATE_KEY)
}

/// A token signed by any Ed25519 key (PKCS#8) under any key name, for tokens that must be refused.
pub fn token_signed_by(claims: &TokenClaims, kid: &str, pkcs8: &[u8]) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(pkcs8)).expect("the claims can be signed")
}

/// The caller those claims make.
pub fn caller(claims: &TokenClaims) -> Caller {
    Caller {
        person_id: claims.sub,
        session_id: claims.sid,
        surface: claims.surface,
        assurance: claims.assurance,
        grants: claims.grants.clone(),
        platform_administrator: claims.padm,
        expires_at: DateTime::from_timestamp(claims.exp, 0).expect("a test's time is in range"),
    }
}

/// The public key of the tokens made here.
pub fn verification_key() -> VerificationKey {
    VerificationKey {
        kid: KEY_ID.to_owned(),
        public_key: PUBLIC_KEY,
    }
}

/// A verifier of the tokens made here.
pub fn verifier(clock: Arc<dyn Clock>) -> TokenVerifier {
    TokenVerifier::new(
        clock,
        ISSUER,
        Arc::new(|| Box::pin(async { Ok(vec![verification_key()]) })),
    )
}

/// A request with `message` that carries `token`.
pub fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = format!("Bearer {token}").parse().expect("a token is ASCII");
    request.metadata_mut().insert("authorization", value);
    request
}

/// Telemetry for a test binary, once for all its tests: trace contexts are made and carried on, logs go to standard
/// error from `warn` up, metrics are recorded.
pub fn telemetry() -> PrometheusHandle {
    static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let provider = SdkTracerProvider::builder().build();
        let subscriber = telemetry::subscriber("test", EnvFilter::new("warn"), &provider, std::io::stderr);
        // A subscriber that a test has set already is as good.
        drop(tracing::subscriber::set_global_default(subscriber));
        provider
    });
    telemetry::recorder().expect("no other recorder is installed in this test binary")
}
