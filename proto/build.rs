//! Compiles the contracts with protox, so that no machine or image needs protoc.

use std::{collections::BTreeSet, path::PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

/// Messages that carry a password, code, PIN, token, name, address or payer's data: they do not print, nor do those that hold them.
const HOLD_SECRETS: &[&str] = &[
    ".wathiq.identity.v1.Person",
    ".wathiq.identity.v1.PersonName",
    ".wathiq.identity.v1.IdentityDocument",
    ".wathiq.identity.v1.Claim",
    ".wathiq.identity.v1.FindClaimsRequest",
    ".wathiq.identity.v1.ProveIdentityRequest",
    ".wathiq.identity.v1.GrantMembershipRequest",
    ".wathiq.identity.v1.SignUpRequest",
    ".wathiq.identity.v1.ProveSignUpContactRequest",
    ".wathiq.identity.v1.ChangeContactRequest",
    ".wathiq.identity.v1.ProveContactRequest",
    ".wathiq.identity.v1.BeginTotpEnrolmentRequest",
    ".wathiq.identity.v1.BeginTotpEnrolmentResponse",
    ".wathiq.identity.v1.CompleteTotpEnrolmentRequest",
    ".wathiq.identity.v1.CompleteTotpEnrolmentResponse",
    ".wathiq.identity.v1.RegenerateRecoveryCodesRequest",
    ".wathiq.identity.v1.RegenerateRecoveryCodesResponse",
    ".wathiq.identity.v1.ChangePasswordRequest",
    ".wathiq.identity.v1.RequestPasswordResetRequest",
    ".wathiq.identity.v1.ResetPasswordRequest",
    ".wathiq.identity.v1.SignInRequest",
    ".wathiq.identity.v1.SessionGrant",
    ".wathiq.identity.v1.SecondFactorChallenge",
    ".wathiq.identity.v1.CompleteSignInRequest",
    ".wathiq.identity.v1.StartContactSessionRequest",
    ".wathiq.identity.v1.CompleteContactSessionRequest",
    ".wathiq.identity.v1.ExchangeSessionRequest",
    ".wathiq.identity.v1.ExchangeSessionResponse",
    ".wathiq.identity.v1.ConfirmWithTotpRequest",
    ".wathiq.identity.v1.TakeDeliveryResponse",
    ".wathiq.signature.v1.SealRequest",
    ".wathiq.signature.v1.SealIssuedDocumentsRequest",
    ".wathiq.signature.v1.GetIssuedDocumentResponse",
    ".wathiq.signature.v1.DownloadByLinkRequest",
    ".wathiq.signature.v1.GetLinkRequest",
    ".wathiq.signature.v1.GetMessageFactsResponse",
    ".wathiq.signature.v1.GetCommitmentsResponse",
    ".wathiq.payment.v1.OpenPayableRequest",
    ".wathiq.payment.v1.StartAttemptRequest",
    ".wathiq.payment.v1.FormField",
    ".wathiq.payment.v1.ReceiveCallbackRequest",
    ".wathiq.postal_shipping.v1.PartyName",
    ".wathiq.postal_shipping.v1.PostalAddress",
    ".wathiq.postal_shipping.v1.ProofOfDelivery",
    ".wathiq.postal_shipping.v1.CarrierEvent",
    ".wathiq.postal_shipping.v1.ReceiveWebhookRequest",
    ".wathiq.postal_shipping.v1.ImportBatchRequest",
    ".wathiq.civil_registry_order.v1.FullName",
    ".wathiq.civil_registry_order.v1.DeliveryAddress",
    ".wathiq.civil_registry_order.v1.ActContent",
    ".wathiq.civil_registry_order.v1.MarginalNote",
    ".wathiq.civil_registry_order.v1.ActSummary",
    ".wathiq.civil_registry_order.v1.ActClue",
    ".wathiq.civil_registry_order.v1.SearchActsRequest",
    ".wathiq.civil_registry_order.v1.KeyingDifference",
    ".wathiq.civil_registry_order.v1.Parcel",
    ".wathiq.civil_registry_order.v1.GetOrderFactsResponse",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "wathiq/civil_registry_order/v1/act.proto",
        "wathiq/civil_registry_order/v1/act_service.proto",
        "wathiq/civil_registry_order/v1/administration_service.proto",
        "wathiq/civil_registry_order/v1/events.proto",
        "wathiq/civil_registry_order/v1/message_facts_service.proto",
        "wathiq/civil_registry_order/v1/office_service.proto",
        "wathiq/civil_registry_order/v1/order.proto",
        "wathiq/civil_registry_order/v1/order_service.proto",
        "wathiq/identity/v1/account_service.proto",
        "wathiq/identity/v1/confirmation_service.proto",
        "wathiq/identity/v1/directory_service.proto",
        "wathiq/identity/v1/events.proto",
        "wathiq/identity/v1/office_service.proto",
        "wathiq/identity/v1/person.proto",
        "wathiq/identity/v1/session_service.proto",
        "wathiq/identity/v1/specimen_service.proto",
        "wathiq/notification/v1/events.proto",
        "wathiq/notification/v1/message_service.proto",
        "wathiq/payment/v1/events.proto",
        "wathiq/payment/v1/payable.proto",
        "wathiq/payment/v1/payable_service.proto",
        "wathiq/payment/v1/payment_service.proto",
        "wathiq/payment/v1/provider_service.proto",
        "wathiq/payment/v1/reconciliation_service.proto",
        "wathiq/postal_shipping/v1/carrier_service.proto",
        "wathiq/postal_shipping/v1/events.proto",
        "wathiq/postal_shipping/v1/office_service.proto",
        "wathiq/postal_shipping/v1/range_service.proto",
        "wathiq/postal_shipping/v1/shipment.proto",
        "wathiq/postal_shipping/v1/shipment_service.proto",
        "wathiq/postal_shipping/v1/tracking_service.proto",
        "wathiq/signature/v1/document_service.proto",
        "wathiq/signature/v1/events.proto",
        "wathiq/signature/v1/issued_document_service.proto",
        "wathiq/signature/v1/legalisation.proto",
        "wathiq/signature/v1/legalisation_service.proto",
        "wathiq/signature/v1/office_service.proto",
        "wathiq/signature/v1/verification_service.proto",
    ];
    println!("cargo::rerun-if-changed=wathiq");
    println!("cargo::rerun-if-changed=third_party");
    let descriptors = protox::compile(files, [".", "third_party"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("wathiq.binpb"), descriptors.encode_to_vec())?;
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    let silent = holders_of(HOLD_SECRETS, &descriptors);
    tonic_prost_build::configure()
        .include_file("packages.rs")
        .skip_debug(silent)
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}

/// The messages named and every message that holds one of them, however deep.
fn holders_of(named: &[&str], descriptors: &FileDescriptorSet) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = named.iter().map(|name| (*name).to_owned()).collect();
    loop {
        let before = found.len();
        for file in &descriptors.file {
            for message in &file.message_type {
                if message
                    .field
                    .iter()
                    .any(|field| found.contains(field.type_name()))
                {
                    found.insert(format!(".{}.{}", file.package(), message.name()));
                }
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
