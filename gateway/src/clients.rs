//! Clients of the services, over mTLS.

use wathiq_chassis::client::{Channel, channel};
use wathiq_chassis::tls::TlsError;
use wathiq_proto::wathiq::identity::v1::account_service_client::AccountServiceClient;
use wathiq_proto::wathiq::identity::v1::confirmation_service_client::ConfirmationServiceClient;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;
use wathiq_proto::wathiq::identity::v1::office_service_client::OfficeServiceClient as IdentityOfficeServiceClient;
use wathiq_proto::wathiq::identity::v1::session_service_client::SessionServiceClient;
use wathiq_proto::wathiq::identity::v1::specimen_service_client::SpecimenServiceClient;
use wathiq_proto::wathiq::notification::v1::message_service_client::MessageServiceClient;
use wathiq_proto::wathiq::signature::v1::document_service_client::DocumentServiceClient;
use wathiq_proto::wathiq::signature::v1::legalisation_service_client::LegalisationServiceClient;
use wathiq_proto::wathiq::signature::v1::office_service_client::OfficeServiceClient as LegalisationOfficeServiceClient;
use wathiq_proto::wathiq::signature::v1::verification_service_client::VerificationServiceClient;

use crate::config::Settings;

/// Largest answer read from a service: a page picture or a review.
const LARGEST_MESSAGE: usize = 8 * 1024 * 1024;

/// One channel per service, shared by the generated clients; making a client is cheap.
#[derive(Clone)]
pub struct Clients {
    identity: Channel,
    signature: Channel,
    notification: Channel,
}

impl Clients {
    /// # Errors
    /// When a certificate file cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        let to = |upstream| channel(upstream, &settings.process.tls, &settings.process.trust_domain);
        Ok(Clients {
            identity: to(&settings.upstream.identity)?,
            signature: to(&settings.upstream.signature)?,
            notification: to(&settings.upstream.notification)?,
        })
    }

    #[must_use]
    pub fn accounts(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.identity.clone())
    }

    #[must_use]
    pub fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.identity.clone())
    }

    #[must_use]
    pub fn organisation(&self) -> IdentityOfficeServiceClient<Channel> {
        IdentityOfficeServiceClient::new(self.identity.clone())
    }

    #[must_use]
    pub fn specimens(&self) -> SpecimenServiceClient<Channel> {
        SpecimenServiceClient::new(self.identity.clone())
    }

    #[must_use]
    pub fn confirmations(&self) -> ConfirmationServiceClient<Channel> {
        ConfirmationServiceClient::new(self.identity.clone())
    }

    #[must_use]
    pub fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.identity.clone())
    }

    #[must_use]
    pub fn documents(&self) -> DocumentServiceClient<Channel> {
        DocumentServiceClient::new(self.signature.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    #[must_use]
    pub fn legalisations(&self) -> LegalisationServiceClient<Channel> {
        LegalisationServiceClient::new(self.signature.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    #[must_use]
    pub fn legalisation_office(&self) -> LegalisationOfficeServiceClient<Channel> {
        LegalisationOfficeServiceClient::new(self.signature.clone())
            .max_decoding_message_size(LARGEST_MESSAGE)
    }

    #[must_use]
    pub fn verification(&self) -> VerificationServiceClient<Channel> {
        VerificationServiceClient::new(self.signature.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    #[must_use]
    pub fn messages(&self) -> MessageServiceClient<Channel> {
        MessageServiceClient::new(self.notification.clone())
    }
}
