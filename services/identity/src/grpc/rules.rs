//! Who may call what. A method that is not listed is refused to everybody.

use wathiq_chassis::{MethodRule, UserRule};

const GATEWAY: &[&str] = &["gateway"];
const NOTIFICATION: &[&str] = &["notification"];
const SIGNATURE: &[&str] = &["signature"];
const GATEWAY_AND_SIGNATURE: &[&str] = &["gateway", "signature"];
const GATEWAY_SIGNATURE_AND_NOTIFICATION: &[&str] = &["gateway", "signature", "notification"];
const GATEWAY_AND_ACTING: &[&str] = &["gateway", "signature", "civil-registry-order"];
const SERVICES: &[&str] = &["signature", "notification", "civil-registry-order"];
const OFFICE_READERS: &[&str] = &["gateway", "signature", "notification", "civil-registry-order"];
const ALL: &[&str] = &[
    "gateway",
    "signature",
    "notification",
    "civil-registry-order",
    "payment",
    "postal-shipping",
];

macro_rules! rule {
    ($service:literal, $method:literal, $clients:expr, $user:ident) => {
        MethodRule {
            path: concat!("/wathiq.identity.v1.", $service, "/", $method),
            clients: $clients,
            user: UserRule::$user,
        }
    };
}

/// One rule for each method.
pub const RULES: &[MethodRule] = &[
    rule!("AccountService", "SignUp", GATEWAY, None),
    rule!("AccountService", "ProveSignUpContact", GATEWAY, None),
    rule!("AccountService", "ResendSignUpCode", GATEWAY, None),
    rule!("AccountService", "GetPerson", GATEWAY, Required),
    rule!("AccountService", "UpdatePreferences", GATEWAY, Required),
    rule!("AccountService", "ChangeContact", GATEWAY, Required),
    rule!("AccountService", "ProveContact", GATEWAY, Required),
    rule!("AccountService", "BeginTotpEnrolment", GATEWAY, Required),
    rule!("AccountService", "CompleteTotpEnrolment", GATEWAY, Required),
    rule!("AccountService", "RegenerateRecoveryCodes", GATEWAY, Required),
    rule!("AccountService", "ChangePassword", GATEWAY, Required),
    rule!("AccountService", "RequestPasswordReset", GATEWAY, None),
    rule!("AccountService", "ResetPassword", GATEWAY, None),
    rule!("AccountService", "ProveIdentity", GATEWAY, Required),
    rule!("AccountService", "FindClaims", GATEWAY, Required),
    rule!("SessionService", "SignIn", GATEWAY, None),
    rule!("SessionService", "CompleteSignIn", GATEWAY, None),
    rule!("SessionService", "StartContactSession", GATEWAY, None),
    rule!("SessionService", "CompleteContactSession", GATEWAY, None),
    rule!("SessionService", "ExchangeSession", GATEWAY, None),
    rule!("SessionService", "ListSessions", GATEWAY, Required),
    rule!("SessionService", "EndSession", GATEWAY, Required),
    rule!("OfficeService", "CreateOffice", GATEWAY, Required),
    rule!("OfficeService", "ImportOffices", GATEWAY, Required),
    rule!("OfficeService", "GetOffice", OFFICE_READERS, Optional),
    rule!("OfficeService", "ListOffices", OFFICE_READERS, Optional),
    rule!("OfficeService", "SetOfficeService", GATEWAY, Required),
    rule!("OfficeService", "GrantMembership", GATEWAY, Required),
    rule!("OfficeService", "EndMembership", GATEWAY, Required),
    rule!("OfficeService", "ListMemberships", GATEWAY_AND_ACTING, Required),
    rule!("OfficeService", "EnrolAdministration", GATEWAY, Required),
    rule!("OfficeService", "UpdateAdministration", GATEWAY, Required),
    rule!(
        "OfficeService",
        "ListAdministrations",
        GATEWAY_SIGNATURE_AND_NOTIFICATION,
        Optional
    ),
    rule!("SpecimenService", "DepositSpecimen", GATEWAY, Required),
    rule!(
        "SpecimenService",
        "ListSpecimens",
        GATEWAY_AND_SIGNATURE,
        Required
    ),
    rule!("SpecimenService", "GetSpecimen", GATEWAY, Required),
    rule!("SpecimenService", "ProveSpecimen", GATEWAY, Required),
    rule!("SpecimenService", "GetSpecimenForReview", SIGNATURE, Required),
    rule!("ConfirmationService", "CreateConfirmation", GATEWAY, Required),
    rule!("ConfirmationService", "ConfirmWithTotp", GATEWAY, Required),
    rule!("ConfirmationService", "RedeemConfirmation", SIGNATURE, None),
    rule!("DirectoryService", "ListVerificationKeys", ALL, None),
    rule!("DirectoryService", "GetAuthorization", GATEWAY_AND_ACTING, None),
    rule!("DirectoryService", "GetPersonForService", SERVICES, None),
    rule!("DirectoryService", "TakeDelivery", NOTIFICATION, None),
    rule!("DirectoryService", "GetDelivery", GATEWAY, None),
    rule!("DirectoryService", "TakeQuota", GATEWAY_AND_SIGNATURE, None),
    rule!("DirectoryService", "GetAdministration", SIGNATURE, None),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_method_has_one_rule() {
        let methods = wathiq_chassis::server::method_paths(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
        let ours: BTreeSet<&str> = methods
            .iter()
            .map(String::as_str)
            .filter(|path| path.starts_with("/wathiq.identity."))
            .collect();
        let listed: BTreeSet<&str> = RULES.iter().map(|rule| rule.path).collect();
        assert_eq!(listed, ours);
        assert_eq!(RULES.len(), listed.len());
    }
}
