//! From a request to the command it is: who asks, for what, under which request id.

use std::net::IpAddr;

use tonic::{Request, Status};
use wathiq_chassis::{Caller, FieldViolation, Surface, peer, request_id};
use wathiq_proto::wathiq::identity::v1 as proto;

use crate::app::{App, Command};
use crate::domain::refusal::Refusal;

/// A request that changes something.
pub(super) trait Mutating: prost::Message + Clone {
    const METHOD: &'static str;

    fn request_id(&self) -> &str;

    /// Removes what a repeat may have different: its id and the address it came from.
    fn forget_occasion(&mut self);
}

macro_rules! mutating {
    ($($service:literal { $($request:ident: $method:literal $(, $address:ident)?;)+ })+) => {
        #[cfg(test)]
        const METHODS: &[&str] = &[$($(proto::$request::METHOD),+),+];

        $($(
        impl Mutating for proto::$request {
            const METHOD: &'static str = concat!("/wathiq.identity.v1.", $service, "/", $method);

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn forget_occasion(&mut self) {
                self.request_id.clear();
                $(self.$address.clear();)?
            }
        }
        )+)+
    };
}

mutating! {
    "AccountService" {
        SignUpRequest: "SignUp", client_address;
        ProveSignUpContactRequest: "ProveSignUpContact", client_address;
        ResendSignUpCodeRequest: "ResendSignUpCode", client_address;
        UpdatePreferencesRequest: "UpdatePreferences";
        ChangeContactRequest: "ChangeContact";
        ProveContactRequest: "ProveContact";
        BeginTotpEnrolmentRequest: "BeginTotpEnrolment";
        CompleteTotpEnrolmentRequest: "CompleteTotpEnrolment";
        RegenerateRecoveryCodesRequest: "RegenerateRecoveryCodes";
        ChangePasswordRequest: "ChangePassword";
        RequestPasswordResetRequest: "RequestPasswordReset", client_address;
        ResetPasswordRequest: "ResetPassword", client_address;
        ProveIdentityRequest: "ProveIdentity";
    }
    "SessionService" {
        SignInRequest: "SignIn", client_address;
        CompleteSignInRequest: "CompleteSignIn", client_address;
        StartContactSessionRequest: "StartContactSession", client_address;
        CompleteContactSessionRequest: "CompleteContactSession", client_address;
        EndSessionRequest: "EndSession";
    }
    "OfficeService" {
        CreateOfficeRequest: "CreateOffice";
        ImportOfficesRequest: "ImportOffices";
        SetOfficeServiceRequest: "SetOfficeService";
        GrantMembershipRequest: "GrantMembership";
        EndMembershipRequest: "EndMembership";
        EnrolAdministrationRequest: "EnrolAdministration";
        UpdateAdministrationRequest: "UpdateAdministration";
    }
    "SpecimenService" {
        DepositSpecimenRequest: "DepositSpecimen";
        ProveSpecimenRequest: "ProveSpecimen";
    }
    "ConfirmationService" {
        CreateConfirmationRequest: "CreateConfirmation";
        ConfirmWithTotpRequest: "ConfirmWithTotp";
        RedeemConfirmationRequest: "RedeemConfirmation";
    }
}

/// The command of a request. Its hash is keyed, since a request may hold a password.
pub(super) fn command<M: Mutating>(app: &App, request: &Request<M>) -> Result<Command, FieldViolation> {
    let request_id = request_id(request.get_ref().request_id())?;
    let mut message = request.get_ref().clone();
    message.forget_occasion();
    let encoded = zeroize::Zeroizing::new(message.encode_to_vec());
    let hash = app
        .secrets
        .hashes
        .hash("request", &[M::METHOD.as_bytes(), &encoded]);
    let caller = request.extensions().get::<Caller>();
    let principal = match caller {
        Some(caller) => Command::principal_of(caller),
        None => match peer(request).0.as_str() {
            "gateway" => "anonymous".to_owned(),
            service => format!("service:{service}"),
        },
    };
    Ok(Command {
        inner: wathiq_outbox::Command {
            principal,
            method: M::METHOD,
            request_id,
            hash,
        },
        person_id: caller.map(|caller| caller.person_id),
    })
}

/// The caller, who has an account. On surface contact there is none, and nothing but their sessions and themselves.
///
/// # Errors
/// UNAUTHENTICATED without a caller, `WRONG_SURFACE` on surface contact.
pub(super) fn account_holder<T>(request: &Request<T>) -> Result<&Caller, Status> {
    let caller = wathiq_chassis::caller(request)?;
    if caller.surface == Surface::Contact {
        return Err(crate::app::Error::from(Refusal::WrongSurface).into());
    }
    Ok(caller)
}

/// The address that attempts are counted by: an IPv4 address, or the first half of an IPv6 one, which belongs to one
/// subscriber.
pub(super) fn client_address(text: &str) -> Result<String, FieldViolation> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let violation = |_| FieldViolation::new("client_address", "NOT_AN_ADDRESS", "not an IP address");
    Ok(match text.parse::<IpAddr>().map_err(violation)?.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;

    use super::*;

    #[test]
    fn addresses_are_counted_by_subscriber() {
        assert_eq!(client_address("::ffff:192.0.2.7").unwrap(), "192.0.2.7");
        assert_eq!(
            client_address("2001:db8:1:2:3::4").unwrap(),
            client_address("2001:db8:1:2::").unwrap()
        );
        assert_eq!(client_address("").unwrap(), "");
        assert_eq!(client_address("somewhere").unwrap_err().reason, "NOT_AN_ADDRESS");
    }

    /// Paths of all methods whose request has a request id.
    fn methods_with_request_id() -> BTreeSet<String> {
        let files = prost_types::FileDescriptorSet::decode(wathiq_proto::FILE_DESCRIPTOR_SET)
            .unwrap()
            .file;
        let ours: Vec<_> = files
            .iter()
            .filter(|file| file.package() == "wathiq.identity.v1")
            .collect();
        let messages = ours.iter().flat_map(|file| &file.message_type);
        let with_id: BTreeSet<String> = messages
            .filter(|message| message.field.iter().any(|field| field.name() == "request_id"))
            .map(|message| format!(".wathiq.identity.v1.{}", message.name()))
            .collect();
        let services = ours.iter().flat_map(|file| &file.service);
        services
            .flat_map(|service| service.method.iter().map(move |method| (service, method)))
            .filter(|(_, method)| with_id.contains(method.input_type()))
            .map(|(service, method)| format!("/wathiq.identity.v1.{}/{}", service.name(), method.name()))
            .collect()
    }

    #[test]
    fn every_request_with_an_id_is_a_command() {
        let mut commands: BTreeSet<String> = METHODS.iter().map(|path| (*path).to_owned()).collect();
        // Taking a delivery keeps its own record of who took it.
        commands.insert("/wathiq.identity.v1.DirectoryService/TakeDelivery".to_owned());
        assert_eq!(commands, methods_with_request_id());
    }
}
