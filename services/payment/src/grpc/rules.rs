//! Who may call which method. A method that is not listed cannot be called.

use wathiq_chassis::{MethodRule, UserRule};

const GATEWAY: &[&str] = &["gateway"];
const OWNERS: &[&str] = &["civil-registry-order", "signature"];

const fn rule(path: &'static str, clients: &'static [&'static str], user: UserRule) -> MethodRule {
    MethodRule { path, clients, user }
}

/// The rules of the package's methods.
pub const RULES: &[MethodRule] = &[
    rule(
        "/wathiq.payment.v1.PayableService/OpenPayable",
        OWNERS,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.PayableService/GetPayable",
        OWNERS,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.PayableService/CancelPayable",
        OWNERS,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.PayableService/RequestRefund",
        OWNERS,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.PayableService/ListPayables",
        OWNERS,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.PayableService/ListStatement",
        OWNERS,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.PaymentService/GetPayment",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.payment.v1.PaymentService/StartAttempt",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.payment.v1.PaymentService/DownloadReceipt",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.payment.v1.ProviderService/ReceiveCallback",
        GATEWAY,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.ProviderService/ReceiveReturn",
        GATEWAY,
        UserRule::None,
    ),
    rule(
        "/wathiq.payment.v1.ReconciliationService/ListDifferences",
        GATEWAY,
        UserRule::Required,
    ),
    rule(
        "/wathiq.payment.v1.ReconciliationService/RetryRefunds",
        GATEWAY,
        UserRule::Required,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_package_has_a_rule() {
        let methods = wathiq_chassis::server::method_paths(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut ours: Vec<&str> = methods
            .iter()
            .map(String::as_str)
            .filter(|path| path.starts_with("/wathiq.payment.v1."))
            .collect();
        let mut ruled: Vec<&str> = RULES.iter().map(|rule| rule.path).collect();
        ours.sort_unstable();
        ruled.sort_unstable();
        assert_eq!(ours, ruled);
    }
}
