//! Who may call which method. A method that is not listed cannot be called.

use wathiq_chassis::{MethodRule, UserRule};

const GATEWAY: &[&str] = &["gateway"];
const NOTIFICATION: &[&str] = &["notification"];

const fn rule(path: &'static str, clients: &'static [&'static str], user: UserRule) -> MethodRule {
    MethodRule { path, clients, user }
}

/// The rules of the package's methods.
pub const RULES: &[MethodRule] = &[
    rule(
        "/wathiq.signature.v1.DocumentService/UploadDocument",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.DocumentService/GetDocument",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.DocumentService/DownloadDocument",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.DocumentService/RenderPage",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/GetCatalogue",
        GATEWAY,
        UserRule::Optional,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/CreateLegalisationRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/PlaceSignature",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/GetConfirmationSubject",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/ConfirmLegalisationRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/CancelLegalisationRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/ResubmitLegalisationRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/GetLegalisationRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/ListLegalisationRequests",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/DownloadSealedFile",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.LegalisationService/GetCommitments",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ListQueue",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ClaimRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ReleaseClaim",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/GetReview",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/RenderReviewPage",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/AcceptRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/RefuseRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ReturnRequest",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/AuthoriseSeals",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/Seal",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ListIntents",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/AnnulIntent",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ListRegister",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/RegisterCredential",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/ListCredentials",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.OfficeService/SetFee",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.signature.v1.VerificationService/VerifyCode",
        GATEWAY,
        UserRule::None,
    ),
    rule(
        "/wathiq.signature.v1.VerificationService/VerifyFile",
        GATEWAY,
        UserRule::None,
    ),
    rule(
        "/wathiq.signature.v1.VerificationService/DownloadByLink",
        GATEWAY,
        UserRule::None,
    ),
    rule(
        "/wathiq.signature.v1.VerificationService/GetLink",
        GATEWAY,
        UserRule::None,
    ),
    rule(
        "/wathiq.signature.v1.MessageFactsService/GetMessageFacts",
        NOTIFICATION,
        UserRule::None,
    ),
    rule(
        "/wathiq.signature.v1.MessageFactsService/DownloadForMessage",
        NOTIFICATION,
        UserRule::None,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_package_has_one_rule() {
        let methods = wathiq_chassis::server::method_paths(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut methods: Vec<&str> = methods
            .iter()
            .map(String::as_str)
            .filter(|path| path.starts_with("/wathiq.signature."))
            .collect();
        let mut ruled: Vec<&str> = RULES.iter().map(|rule| rule.path).collect();
        methods.sort_unstable();
        ruled.sort_unstable();
        assert_eq!(methods, ruled);
        assert!(RULES.iter().all(|rule| rule.clients.len() == 1));
    }
}
