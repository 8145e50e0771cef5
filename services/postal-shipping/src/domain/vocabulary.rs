//! Closed sets of words: one spelling each, in the database, in files and on the wire of the carrier.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The value of a word.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// Where a shipment is: the fold of its events in order of event time, under a claim or a withdrawal.
    State {
        LabelPrinted = "LABEL_PRINTED",
        HandedOver = "HANDED_OVER",
        InTransit = "IN_TRANSIT",
        Customs = "CUSTOMS",
        AtDeliveryOffice = "AT_DELIVERY_OFFICE",
        Attempted = "ATTEMPTED",
        HeldForCollection = "HELD_FOR_COLLECTION",
        Delivered = "DELIVERED",
        Returning = "RETURNING",
        Returned = "RETURNED",
        Claimed = "CLAIMED",
        Lost = "LOST",
        Cancelled = "CANCELLED",
    }
}

impl State {
    /// No event of the carrier is expected any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Returned | Self::Lost | Self::Cancelled
        )
    }

    /// Somebody holds it in the end: what the carrier says afterwards contradicts itself.
    pub const fn has_arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned)
    }

    /// The post holds it, and should say something within a time.
    pub const fn is_on_its_way(self) -> bool {
        matches!(
            self,
            Self::HandedOver
                | Self::InTransit
                | Self::Customs
                | Self::AtDeliveryOffice
                | Self::Attempted
                | Self::HeldForCollection
                | Self::Returning
        )
    }
}

words! {
    /// Products of the carrier.
    Product {
        RegisteredDomestic = "REGISTERED_DOMESTIC",
        RegisteredInternational = "REGISTERED_INTERNATIONAL",
    }
}

words! {
    /// Kinds of identity document shown at delivery.
    DocumentKind {
        Cin = "CIN",
        Passport = "PASSPORT",
        ResidenceCard = "RESIDENCE_CARD",
    }
}

words! {
    /// Who received it.
    Relation {
        Addressee = "ADDRESSEE",
        Mandatary = "MANDATARY",
        Other = "OTHER",
    }
}

words! {
    /// What is wrong with a shipment; the first that applies is shown.
    Exception {
        DeliveredToOther = "DELIVERED_TO_OTHER",
        DeliveredWithoutDocument = "DELIVERED_WITHOUT_DOCUMENT",
        ContradictoryEvents = "CONTRADICTORY_EVENTS",
        Silent = "SILENT",
    }
}

words! {
    /// How an event came.
    Source {
        Webhook = "webhook",
        Csv = "csv",
        Scan = "scan",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(*state));
        }
        assert_eq!(State::parse("delivered"), None);
    }
}
