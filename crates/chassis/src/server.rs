//! The mTLS gRPC listener of a process: who may call what, for whom, for how long.
//!
//! Before a handler runs, every call has passed, in this order: the peer's certificate, the allow-list of the method,
//! the user's token, the deadline. The handler finds [`PeerName`] and [`Caller`] in the request's extensions (see
//! [`peer`] and [`caller`]) and its outgoing calls continue deadline, trace and user by themselves.
//!
//! Message sizes are limited by tonic, 4 MiB a message; a service that needs more says so on its generated server
//! (`max_decoding_message_size`).

mod authorise;
mod body;
mod call;
mod listen;

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use prost::Message;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Status,
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};
use uuid::Uuid;

pub(crate) use call::{GRPC_TIMEOUT, REQUEST_ID};

use crate::{
    caller::Caller,
    config::ProcessConfig,
    status::{self, FieldViolation, PLATFORM},
    tls::{PeerName, TlsError, TlsIdentity},
    token::TokenVerifier,
};

const DEFAULT_DEADLINE: Duration = Duration::from_secs(15);
const LONGEST_DEADLINE: Duration = Duration::from_secs(60);
/// A stream carries a file, which a cheap phone on a slow line sends for minutes.
const LONGEST_STREAM: Duration = Duration::from_secs(900);
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// Whether a method acts for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserRule {
    /// A valid token must come with the call.
    Required,
    /// A token that comes with the call must be valid.
    Optional,
    /// A token is not looked at; the peer acts for itself.
    None,
}

/// Who may call one method.
#[derive(Debug, Clone, Copy)]
pub struct MethodRule {
    /// The method: `/wathiq.identity.v1.SessionService/SignIn`.
    pub path: &'static str,
    /// The processes that may call it; empty means nobody.
    pub clients: &'static [&'static str],
    /// Whether it acts for a user.
    pub user: UserRule,
}

/// Why the listener cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A rule names a method that the descriptors do not have: a misspelling would deny it for ever.
    #[error("the rule for {0} names no method of this process")]
    UnknownMethod(&'static str),
    /// Two rules for one method.
    #[error("two rules for {0}")]
    DuplicateRule(&'static str),
    /// A rule asks for a user, but tokens cannot be verified.
    #[error("the rule for {0} asks for a user, but the server has no token verifier")]
    NoVerifier(&'static str),
    /// The descriptor set is not one.
    #[error("the descriptors cannot be decoded")]
    Descriptor(#[from] prost::DecodeError),
    /// The descriptor set cannot be served by reflection.
    #[error("the descriptors cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The listener broke.
    #[error("the listener failed")]
    Listener(#[from] std::io::Error),
}

/// A gRPC server under construction.
pub struct GrpcServer {
    identity: Arc<TlsIdentity>,
    rules: &'static [MethodRule],
    verifier: Option<TokenVerifier>,
    descriptor: Option<&'static [u8]>,
    routes: RoutesBuilder,
    reflection: bool,
    limits: Limits,
}

/// Times that bound calls and connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    drain: Duration,
    connection_age: Duration,
}

impl GrpcServer {
    /// A server for the identity and the limits of `config`. `verifier` may be missing only where no rule asks for a
    /// user.
    ///
    /// # Errors
    /// [`TlsError`] when the certificate files cannot be used.
    pub fn new(
        config: &ProcessConfig,
        rules: &'static [MethodRule],
        verifier: Option<TokenVerifier>,
    ) -> Result<Self, TlsError> {
        Ok(Self {
            identity: TlsIdentity::load(&config.tls, &config.trust_domain)?,
            rules,
            verifier,
            descriptor: None,
            routes: RoutesBuilder::default(),
            reflection: config.reflection,
            limits: Limits {
                drain: Duration::from_secs(config.drain_seconds),
                connection_age: Duration::from_secs(config.connection_age_seconds),
            },
        })
    }

    /// The file descriptor set of the services: rules are checked against it, and reflection serves it.
    #[must_use]
    pub fn descriptor(mut self, file_descriptor_set: &'static [u8]) -> Self {
        self.descriptor = Some(file_descriptor_set);
        self
    }

    /// Adds a generated service.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self
    }

    /// The identity the server stands on; it watches its files by itself while it serves.
    pub fn identity(&self) -> Arc<TlsIdentity> {
        Arc::clone(&self.identity)
    }

    /// Serves until `shutdown`, then lets calls in flight end within the configured drain time.
    ///
    /// # Errors
    /// [`ServeError`] before the first connection is accepted.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ServeError> {
        let (identity, limits) = (Arc::clone(&self.identity), self.limits);
        let shared = Arc::new(self.build()?);
        let watch = tokio::spawn(Arc::clone(&identity).watch(shutdown.child_token()));
        listen::run(shared, identity, limits, listener, shutdown).await;
        watch.abort();
        Ok(())
    }

    fn build(mut self) -> Result<Shared, ServeError> {
        let rules = self.checked_rules()?;
        if self.reflection
            && let Some(descriptor) = self.descriptor
        {
            let service = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(descriptor)
                .build_v1()?;
            self.routes.add_service(service);
        }
        let streams = self
            .descriptor
            .map(streaming_paths)
            .transpose()?
            .unwrap_or_default();
        Ok(Shared {
            rules,
            streams,
            verifier: self.verifier,
            routes: self.routes.routes().prepare(),
            reflection: self.reflection,
        })
    }

    fn checked_rules(&self) -> Result<HashMap<&'static str, &'static MethodRule>, ServeError> {
        let known = self.descriptor.map(method_paths).transpose()?;
        let mut rules = HashMap::new();
        for rule in self.rules {
            if known
                .as_ref()
                .is_some_and(|known| !known.iter().any(|path| path == rule.path))
            {
                return Err(ServeError::UnknownMethod(rule.path));
            }
            if rule.user != UserRule::None && self.verifier.is_none() {
                return Err(ServeError::NoVerifier(rule.path));
            }
            if rules.insert(rule.path, rule).is_some() {
                return Err(ServeError::DuplicateRule(rule.path));
            }
        }
        Ok(rules)
    }
}

impl std::fmt::Debug for GrpcServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GrpcServer")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// What every call of one server shares.
struct Shared {
    rules: HashMap<&'static str, &'static MethodRule>,
    streams: HashSet<String>,
    verifier: Option<TokenVerifier>,
    routes: Routes,
    reflection: bool,
}

/// Every method in a file descriptor set, as `/package.Service/Method`: for checks that no method lacks a rule or a
/// test.
///
/// # Errors
/// [`prost::DecodeError`] when the bytes are no `FileDescriptorSet`.
pub fn method_paths(file_descriptor_set: &[u8]) -> Result<Vec<String>, prost::DecodeError> {
    paths_where(file_descriptor_set, |_| true)
}

fn streaming_paths(file_descriptor_set: &[u8]) -> Result<HashSet<String>, prost::DecodeError> {
    paths_where(file_descriptor_set, |method| {
        method.client_streaming() || method.server_streaming()
    })
}

fn paths_where<C: FromIterator<String>>(
    file_descriptor_set: &[u8],
    wanted: fn(&MethodDescriptorProto) -> bool,
) -> Result<C, prost::DecodeError> {
    let set = FileDescriptorSet::decode(file_descriptor_set)?;
    let paths = set.file.iter().flat_map(|file| {
        file.service.iter().flat_map(move |service| {
            service
                .method
                .iter()
                .filter(move |method| wanted(method))
                .map(move |method| format!("/{}.{}/{}", file.package(), service.name(), method.name()))
        })
    });
    Ok(paths.collect())
}

/// The user the call acts for.
///
/// # Errors
/// UNAUTHENTICATED, reason `TOKEN_MISSING`, in a method whose rule does not require a user.
pub fn caller<T>(request: &Request<T>) -> Result<&Caller, Status> {
    request.extensions().get().ok_or_else(authorise::token_missing)
}

/// The process that calls.
///
/// # Panics
/// When the request did not come through a [`GrpcServer`], which is an error in the program.
pub fn peer<T>(request: &Request<T>) -> &PeerName {
    request
        .extensions()
        .get()
        .expect("a GrpcServer puts the peer's name into every request")
}

/// Reads the `request_id` that every mutating request carries (AIP-155): a UUID of the caller's choice.
///
/// # Errors
/// A [`FieldViolation`] for field `request_id`, reason `REQUIRED` or `MALFORMED`.
pub fn request_id(text: &str) -> Result<Uuid, FieldViolation> {
    if text.is_empty() {
        return Err(FieldViolation::new(
            "request_id",
            "REQUIRED",
            "a UUID of the caller's choice",
        ));
    }
    match Uuid::try_parse(text) {
        Ok(id) if !id.is_nil() => Ok(id),
        _ => Err(FieldViolation::new(
            "request_id",
            "MALFORMED",
            "must be a UUID other than the nil UUID",
        )),
    }
}

/// The time a `grpc-timeout` header gives (gRPC over HTTP/2: at most 8 digits and a unit).
pub(crate) fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

fn client_not_allowed(peer: &PeerName) -> Status {
    status::permission_denied(
        PLATFORM,
        "CLIENT_NOT_ALLOWED",
        format!("{peer} may not call this method"),
    )
}
