//! From a request to the command it is: who asks, for what, under which request id.

use tonic::Request;
use wathiq_chassis::{Caller, FieldViolation, peer, request_id};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::app::Command;

/// A request that changes something.
pub(super) trait Mutating: prost::Message + Clone {
    const METHOD: &'static str;

    fn request_id(&self) -> &str;

    fn forget_request_id(&mut self);
}

macro_rules! mutating {
    ($($service:literal: $request:ident, $method:literal;)+) => {
        #[cfg(test)]
        const METHODS: &[&str] = &[$(pb::$request::METHOD),+];

        $(
        impl Mutating for pb::$request {
            const METHOD: &'static str = concat!("/wathiq.postal_shipping.v1.", $service, "/", $method);

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn forget_request_id(&mut self) {
                self.request_id.clear();
            }
        }
        )+
    };
}

mutating! {
    "ShipmentService": CreateShipmentRequest, "CreateShipment";
    "ShipmentService": CancelShipmentRequest, "CancelShipment";
    "ShipmentService": HandOverRequest, "HandOver";
    "OfficeService": RecordScanRequest, "RecordScan";
    "OfficeService": OpenClaimRequest, "OpenClaim";
    "OfficeService": SettleClaimRequest, "SettleClaim";
    "RangeService": AllocateRangeRequest, "AllocateRange";
}

/// The command of a request.
pub(super) fn command<M: Mutating>(request: &Request<M>) -> Result<Command, FieldViolation> {
    let request_id = request_id(request.get_ref().request_id())?;
    let mut message = request.get_ref().clone();
    message.forget_request_id();
    let caller = request.extensions().get::<Caller>();
    let principal = match caller {
        Some(caller) => format!("person:{}", caller.person_id),
        None => format!("service:{}", peer(request).0),
    };
    Ok(Command {
        inner: wathiq_outbox::Command::new(principal, M::METHOD, request_id, &message),
        person_id: caller.map(|caller| caller.person_id),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;

    use super::*;

    /// Paths of all methods whose request has a request id.
    fn methods_with_request_id() -> BTreeSet<String> {
        const PACKAGE: &str = "wathiq.postal_shipping.v1";
        let files = prost_types::FileDescriptorSet::decode(wathiq_proto::FILE_DESCRIPTOR_SET)
            .unwrap()
            .file;
        let ours: Vec<_> = files.iter().filter(|file| file.package() == PACKAGE).collect();
        let messages = ours.iter().flat_map(|file| &file.message_type);
        let with_id: BTreeSet<String> = messages
            .filter(|message| message.field.iter().any(|field| field.name() == "request_id"))
            .map(|message| format!(".{PACKAGE}.{}", message.name()))
            .collect();
        let services = ours.iter().flat_map(|file| &file.service);
        services
            .flat_map(|service| service.method.iter().map(move |method| (service, method)))
            .filter(|(_, method)| with_id.contains(method.input_type()))
            .map(|(service, method)| format!("/{PACKAGE}.{}/{}", service.name(), method.name()))
            .collect()
    }

    #[test]
    fn every_request_with_an_id_is_a_command() {
        let commands: BTreeSet<String> = METHODS.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(commands, methods_with_request_id());
    }
}
