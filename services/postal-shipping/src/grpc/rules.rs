//! Who may call what. A method that is not listed is refused to everybody.

use wathiq_chassis::{MethodRule, UserRule};

const GATEWAY: &[&str] = &["gateway"];
/// Services that have things posted.
const OWNERS: &[&str] = &["civil-registry-order"];

macro_rules! rule {
    ($service:literal, $method:literal, $clients:expr, $user:ident) => {
        MethodRule {
            path: concat!("/wathiq.postal_shipping.v1.", $service, "/", $method),
            clients: $clients,
            user: UserRule::$user,
        }
    };
}

/// One rule for each method.
pub const RULES: &[MethodRule] = &[
    rule!("ShipmentService", "CreateShipment", OWNERS, None),
    rule!("ShipmentService", "GetShipment", OWNERS, None),
    rule!("ShipmentService", "CancelShipment", OWNERS, None),
    rule!("ShipmentService", "HandOver", OWNERS, None),
    rule!("ShipmentService", "ListShipments", OWNERS, None),
    rule!("OfficeService", "DownloadLabels", GATEWAY, Required),
    rule!("OfficeService", "DownloadDepositList", GATEWAY, Required),
    rule!("OfficeService", "ListDepositLists", GATEWAY, Required),
    rule!("OfficeService", "ListOfficeShipments", GATEWAY, Required),
    rule!("OfficeService", "RecordScan", GATEWAY, Required),
    rule!("OfficeService", "OpenClaim", GATEWAY, Required),
    rule!("OfficeService", "SettleClaim", GATEWAY, Required),
    rule!("CarrierService", "ReceiveWebhook", GATEWAY, None),
    rule!("CarrierService", "ImportBatch", GATEWAY, None),
    rule!("TrackingService", "Track", GATEWAY, None),
    rule!("RangeService", "AllocateRange", GATEWAY, Required),
    rule!("RangeService", "ListRanges", GATEWAY, Required),
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
            .filter(|path| path.starts_with("/wathiq.postal_shipping."))
            .collect();
        let listed: BTreeSet<&str> = RULES.iter().map(|rule| rule.path).collect();
        assert_eq!(listed, ours);
        assert_eq!(RULES.len(), listed.len());
    }
}
