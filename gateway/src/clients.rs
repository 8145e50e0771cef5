//! Clients of the services, over mTLS.

use wathiq_chassis::client::{Channel, channel};
use wathiq_chassis::tls::TlsError;
use wathiq_proto::wathiq::civil_registry_order::v1::act_service_client::ActServiceClient;
use wathiq_proto::wathiq::civil_registry_order::v1::administration_service_client::AdministrationServiceClient;
use wathiq_proto::wathiq::civil_registry_order::v1::office_service_client::OfficeServiceClient as OrderOfficeServiceClient;
use wathiq_proto::wathiq::civil_registry_order::v1::order_service_client::OrderServiceClient;
use wathiq_proto::wathiq::identity::v1::account_service_client::AccountServiceClient;
use wathiq_proto::wathiq::identity::v1::confirmation_service_client::ConfirmationServiceClient;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;
use wathiq_proto::wathiq::identity::v1::office_service_client::OfficeServiceClient as IdentityOfficeServiceClient;
use wathiq_proto::wathiq::identity::v1::session_service_client::SessionServiceClient;
use wathiq_proto::wathiq::identity::v1::specimen_service_client::SpecimenServiceClient;
use wathiq_proto::wathiq::notification::v1::message_service_client::MessageServiceClient;
use wathiq_proto::wathiq::payment::v1::payment_service_client::PaymentServiceClient;
use wathiq_proto::wathiq::payment::v1::provider_service_client::ProviderServiceClient;
use wathiq_proto::wathiq::payment::v1::reconciliation_service_client::ReconciliationServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::carrier_service_client::CarrierServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::office_service_client::OfficeServiceClient as ShippingOfficeServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::range_service_client::RangeServiceClient;
use wathiq_proto::wathiq::postal_shipping::v1::tracking_service_client::TrackingServiceClient;
use wathiq_proto::wathiq::signature::v1::document_service_client::DocumentServiceClient;
use wathiq_proto::wathiq::signature::v1::issued_document_service_client::IssuedDocumentServiceClient;
use wathiq_proto::wathiq::signature::v1::legalisation_service_client::LegalisationServiceClient;
use wathiq_proto::wathiq::signature::v1::office_service_client::OfficeServiceClient as LegalisationOfficeServiceClient;
use wathiq_proto::wathiq::signature::v1::verification_service_client::VerificationServiceClient;

use crate::config::Settings;

/// Largest answer read from a service: a page picture, a review, or what is wrong with a file of the carrier.
const LARGEST_MESSAGE: usize = 8 * 1024 * 1024;

/// One channel per service, shared by the generated clients; making a client is cheap.
#[derive(Clone)]
pub struct Clients {
    identity: Channel,
    signature: Channel,
    notification: Channel,
    payment: Channel,
    postal_shipping: Channel,
    civil_registry_order: Channel,
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
            payment: to(&settings.upstream.payment)?,
            postal_shipping: to(&settings.upstream.postal_shipping)?,
            civil_registry_order: to(&settings.upstream.civil_registry_order)?,
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

    #[must_use]
    pub fn issued_documents(&self) -> IssuedDocumentServiceClient<Channel> {
        IssuedDocumentServiceClient::new(self.signature.clone())
    }

    #[must_use]
    pub fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.payment.clone())
    }

    #[must_use]
    pub fn providers(&self) -> ProviderServiceClient<Channel> {
        ProviderServiceClient::new(self.payment.clone())
    }

    #[must_use]
    pub fn reconciliation(&self) -> ReconciliationServiceClient<Channel> {
        ReconciliationServiceClient::new(self.payment.clone())
    }

    #[must_use]
    pub fn carrier(&self) -> CarrierServiceClient<Channel> {
        CarrierServiceClient::new(self.postal_shipping.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    #[must_use]
    pub fn shipping_office(&self) -> ShippingOfficeServiceClient<Channel> {
        ShippingOfficeServiceClient::new(self.postal_shipping.clone())
    }

    #[must_use]
    pub fn number_ranges(&self) -> RangeServiceClient<Channel> {
        RangeServiceClient::new(self.postal_shipping.clone())
    }

    #[must_use]
    pub fn tracking(&self) -> TrackingServiceClient<Channel> {
        TrackingServiceClient::new(self.postal_shipping.clone())
    }

    #[must_use]
    pub fn orders(&self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.civil_registry_order.clone())
    }

    #[must_use]
    pub fn order_office(&self) -> OrderOfficeServiceClient<Channel> {
        OrderOfficeServiceClient::new(self.civil_registry_order.clone())
    }

    #[must_use]
    pub fn acts(&self) -> ActServiceClient<Channel> {
        ActServiceClient::new(self.civil_registry_order.clone())
    }

    #[must_use]
    pub fn order_administration(&self) -> AdministrationServiceClient<Channel> {
        AdministrationServiceClient::new(self.civil_registry_order.clone())
    }
}
