//! The recorded decision behind an institution's electronic seal: which kinds of documents of which offices it may seal, and when.

use chrono::NaiveDate;
use uuid::Uuid;

/// A decision; never changed. A new one is a new credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealAuthority {
    /// The decision's own number.
    pub decision_reference: String,
    pub decision_date: NaiveDate,
    /// Who decided.
    pub authority_name: String,
    /// Codes of the kinds of documents.
    pub document_kinds: Vec<String>,
    /// Offices; none: the credential's office and all below it.
    pub office_ids: Vec<Uuid>,
    /// Civil dates in Africa/Casablanca, both included.
    pub valid_from: NaiveDate,
    pub valid_to: NaiveDate,
}

/// Why an electronic seal is not for an office or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityFault {
    #[error("the electronic seal's decision is not in force today")]
    NotInForce,
    #[error("the electronic seal's decision does not cover this office")]
    Office,
}

impl SealAuthority {
    /// Whether the decision covers a kind of document.
    pub fn covers_kind(&self, kind: &str) -> bool {
        self.document_kinds.iter().any(|covered| covered == kind)
    }

    /// Whether the decision is for an office on a day. `lineage` is the office and those it belongs to; `own` is the credential's.
    ///
    /// # Errors
    /// [`AuthorityFault`].
    pub fn check(&self, lineage: &[Uuid], own: Uuid, day: NaiveDate) -> Result<(), AuthorityFault> {
        if day < self.valid_from || self.valid_to < day {
            return Err(AuthorityFault::NotInForce);
        }
        let covered = if self.office_ids.is_empty() {
            lineage.contains(&own)
        } else {
            lineage
                .first()
                .is_some_and(|office| self.office_ids.contains(office))
        };
        if covered {
            Ok(())
        } else {
            Err(AuthorityFault::Office)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    fn authority(office_ids: Vec<Uuid>) -> SealAuthority {
        SealAuthority {
            decision_reference: "2026-12".to_owned(),
            decision_date: day(1),
            authority_name: "Ministère de l'Intérieur".to_owned(),
            document_kinds: vec!["birth_extract".to_owned()],
            office_ids,
            valid_from: day(10),
            valid_to: day(20),
        }
    }

    #[test]
    fn outside_its_days_offices_and_kinds_it_covers_nothing() {
        let (office, region, other) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let lineage = [office, region];
        let all = authority(Vec::new());
        assert_eq!(all.check(&lineage, region, day(10)), Ok(()));
        assert_eq!(all.check(&lineage, office, day(20)), Ok(()));
        assert_eq!(
            all.check(&lineage, region, day(9)),
            Err(AuthorityFault::NotInForce)
        );
        assert_eq!(
            all.check(&lineage, region, day(21)),
            Err(AuthorityFault::NotInForce)
        );
        assert_eq!(all.check(&lineage, other, day(15)), Err(AuthorityFault::Office));
        let named = authority(vec![office]);
        assert_eq!(
            named.check(&lineage, other, day(15)),
            Ok(()),
            "an office that is named"
        );
        let above = authority(vec![region]);
        assert_eq!(
            above.check(&lineage, region, day(15)),
            Err(AuthorityFault::Office),
            "a named office stands for itself alone"
        );
        assert!(all.covers_kind("birth_extract") && !all.covers_kind("death_extract"));
    }
}
