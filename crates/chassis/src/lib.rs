//! What every process of the platform needs, and no domain noun.
//!
//! A process is put together in this order: [`process::main`] reads the command line and the configuration,
//! [`telemetry::init`] turns on logs, traces and metrics, [`client::channel`] makes the outgoing channels,
//! [`server::GrpcServer`] serves the mTLS listener and [`operations::serve_operations`] the plain one for probes
//! and metrics. Time, identifiers and randomness come in through [`Ambient`].
//!
//! What is deliberately absent: SQL, Kafka (see `wathiq-outbox`), every word of the administration, and automatic
//! retries of calls that may have reached the peer.

pub mod ambient;
pub mod caller;
pub mod client;
pub mod config;
pub mod context;
pub mod operations;
pub mod process;
pub mod server;
pub mod status;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;
pub mod token;

pub use ambient::{Ambient, Clock, ManualClock, Random, SeededRandom, SystemClock, SystemRandom, civil_date};
pub use caller::{Assurance, Caller, Grant, Surface};
pub use config::{ConfigError, ProcessConfig, SecretFile, TlsFiles, UpstreamConfig};
pub use context::CallContext;
pub use operations::{Readiness, serve_operations};
pub use server::{GrpcServer, MethodRule, UserRule, caller, peer, request_id};
pub use status::{ErrorDomain, FieldViolation};
pub use tls::{PeerName, TlsIdentity, install_crypto_provider};
pub use token::{KeyFetch, TokenClaims, TokenError, TokenVerifier, VerificationKey};

/// An error of any kind, as the boundaries of this crate take it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
