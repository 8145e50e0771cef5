//! Senders and addressees.

use serde::{Deserialize, Serialize};
pub use wathiq_postal_address::name::PartyName;
pub use wathiq_postal_address::party::{
    Address, AddressLines, Fault, RawAddress, RawLines, address, name, phone,
};

use super::countries::MOROCCO;
use super::vocabulary::Product;

/// Sender or addressee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub name: PartyName,
    pub address: Address,
    /// E.164.
    pub phone: Option<String>,
}

/// Whether a product carries to this country.
///
/// # Errors
/// The fault.
pub fn destination(product: Product, address: &Address) -> Result<(), Fault> {
    let home = address.country == MOROCCO;
    match product {
        Product::RegisteredDomestic if !home => Err(Fault::new(
            "PRODUCT_DESTINATION",
            "the domestic product goes to Morocco only",
        )),
        Product::RegisteredInternational if home => Err(Fault::new(
            "PRODUCT_DESTINATION",
            "the international product goes abroad only",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_goes_home_or_abroad() {
        let to = |country: &'static str| {
            let latin = RawLines {
                locality: "Lyon",
                street: "1, rue de la République",
                ..RawLines::default()
            };
            let raw = RawAddress {
                country,
                postal_code: "69001",
                latin,
                ..RawAddress::default()
            };
            address(&raw).unwrap()
        };
        let refused = destination(Product::RegisteredDomestic, &to("FR")).unwrap_err();
        assert_eq!(refused.reason, "PRODUCT_DESTINATION");
        assert!(destination(Product::RegisteredInternational, &to("FR")).is_ok());
        assert!(destination(Product::RegisteredInternational, &to("MA")).is_err());
        assert!(destination(Product::RegisteredDomestic, &to("MA")).is_ok());
    }
}
