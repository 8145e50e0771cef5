//! Who received an item, and whether they may.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::carrier_event::CarrierEvent;
use super::name::{Folded, PartyName};
use super::vocabulary::{DocumentKind, Relation};

/// What the carrier recorded at delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub recipient_name: String,
    pub document_kind: DocumentKind,
    pub document_last_four: String,
    pub delivered_at: DateTime<Utc>,
    pub relation: Relation,
}

/// Who may receive a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    pub addressee: PartyName,
    pub mandataries: Vec<PartyName>,
}

impl Recipients {
    /// The proof of a delivery; none without a name, or without kind and last four characters of a document shown:
    /// registered mail is handed over against an identity document.
    pub fn proof(&self, event: &CarrierEvent) -> Option<Proof> {
        let recipient_name = event.recipient_name.clone()?;
        Some(Proof {
            relation: self.relation(&recipient_name),
            recipient_name,
            document_kind: event.document_kind?,
            document_last_four: event.document_last_four.clone()?,
            delivered_at: event.event_time,
        })
    }

    /// Whose name this is.
    pub fn relation(&self, written: &str) -> Relation {
        if self.addressee.matches(written) {
            Relation::Addressee
        } else if self.mandataries.iter().any(|name| name.matches(written)) {
            Relation::Mandatary
        } else {
            Relation::Other
        }
    }

    /// Whether a word of somebody's name stands in this text.
    pub fn are_named_in(&self, text: &str) -> bool {
        let text = Folded::new(text);
        let names = std::iter::once(&self.addressee).chain(&self.mandataries);
        names.flat_map(PartyName::scripts).any(|name| {
            let name = Folded::new(name);
            // Particles of one or two letters name nobody.
            name.words()
                .filter(|word| word.chars().count() > 2)
                .any(|word| text.words().any(|other| other == word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipients() -> Recipients {
        let name = |latin: &str, arabic: &str| PartyName {
            latin: Some(latin.to_owned()),
            arabic: Some(arabic.to_owned()),
        };
        Recipients {
            addressee: name("Mohamed El Alaoui", "محمد العلوي"),
            mandataries: vec![name("Salma Benkirane", "سلمى بنكيران")],
        }
    }

    #[test]
    fn relations_follow_the_names() {
        let relation = |written: &str| recipients().relation(written);
        assert_eq!(relation("EL ALAOUI Mohamed"), Relation::Addressee);
        assert_eq!(relation("محمد العلوى"), Relation::Addressee);
        assert_eq!(relation("Benkirane Salma"), Relation::Mandatary);
        assert_eq!(relation("سلمي بن كيران"), Relation::Mandatary);
        assert_eq!(relation("Karim Alaoui"), Relation::Other);
    }

    #[test]
    fn a_name_in_a_text_is_found() {
        assert!(recipients().are_named_in("chez M. ALAOUI, 2e étage"));
        assert!(recipients().are_named_in("عند سلمى"));
        assert!(!recipients().are_named_in("CASABLANCA EL MAARIF"));
    }
}
