//! Offices: a tree, what each offers, and when.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::refusal::Refusal;
use super::vocabulary::{OfferedService, words};

words! {
    /// Kinds of office, highest first.
    OfficeKind {
        Region = "region",
        Prefecture = "prefecture",
        Commune = "commune",
        Annexe = "annexe",
        Consulate = "consulate",
    }
}

impl OfficeKind {
    /// Whether an office of this kind may stand directly or indirectly below one of the other. Since a parent always stands
    /// higher, the tree has no cycle.
    pub fn may_stand_below(self, parent: Self) -> bool {
        parent < self && !matches!(parent, Self::Annexe | Self::Consulate) && self != Self::Consulate
    }
}

/// What an office is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeDetails {
    pub code: OfficeCode,
    pub kind: OfficeKind,
    pub name_ar: String,
    pub name_fr: String,
    /// HCP geographic code; may be empty.
    pub hcp_code: String,
}

/// A short unique code such as `ANF-CITE-AIR`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfficeCode(String);

/// Why a field of an office or an administration is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfficeError {
    #[error("the value is missing")]
    Missing,
    #[error("the value is longer than {MAX_NAME} characters")]
    TooLong,
    #[error("a code is 2 to 32 capital letters, digits and single hyphens between them")]
    CodeForm,
    #[error("the name is not in Arabic script")]
    NotArabic,
    #[error("the name is not in Latin script")]
    NotLatin,
    #[error("an HCP code is digits, in groups separated by dots")]
    HcpForm,
}

impl OfficeError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "REQUIRED",
            Self::TooLong => "TOO_LONG",
            Self::CodeForm => "OFFICE_CODE_FORM",
            Self::NotArabic => "NOT_ARABIC_SCRIPT",
            Self::NotLatin => "NOT_LATIN_SCRIPT",
            Self::HcpForm => "HCP_CODE_FORM",
        }
    }
}

const MAX_NAME: usize = 200;

impl OfficeCode {
    /// # Errors
    /// [`OfficeError`].
    pub fn parse(text: &str) -> Result<Self, OfficeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(OfficeError::Missing);
        }
        let well_formed = (2..=32).contains(&text.len())
            && text.split('-').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            });
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(OfficeError::CodeForm)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An Arabic name of an institution: at least one Arabic letter, no Latin one.
///
/// # Errors
/// [`OfficeError`].
pub fn arabic_name(text: &str) -> Result<String, OfficeError> {
    let text = tidy(text)?;
    let has_arabic = text
        .chars()
        .any(|c| matches!(c, '\u{0600}'..='\u{06ff}' | '\u{0750}'..='\u{077f}'));
    if has_arabic && !text.chars().any(|c| c.is_ascii_alphabetic()) {
        Ok(text)
    } else {
        Err(OfficeError::NotArabic)
    }
}

/// A French name of an institution: at least one Latin letter, no Arabic one.
///
/// # Errors
/// [`OfficeError`].
pub fn french_name(text: &str) -> Result<String, OfficeError> {
    let text = tidy(text)?;
    let has_arabic = text
        .chars()
        .any(|c| matches!(c, '\u{0600}'..='\u{06ff}' | '\u{0750}'..='\u{077f}'));
    if text.chars().any(|c| c.is_ascii_alphabetic()) && !has_arabic {
        Ok(text)
    } else {
        Err(OfficeError::NotLatin)
    }
}

/// An HCP code such as `06.141.01.03`; empty is allowed.
///
/// # Errors
/// [`OfficeError`].
pub fn hcp_code(text: &str) -> Result<String, OfficeError> {
    let text = text.trim().trim_end_matches('.');
    let well_formed = text.len() <= 20
        && text
            .split('.')
            .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    if text.is_empty() || well_formed {
        Ok(text.to_owned())
    } else {
        Err(OfficeError::HcpForm)
    }
}

fn tidy(text: &str) -> Result<String, OfficeError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        0 => Err(OfficeError::Missing),
        count if count > MAX_NAME => Err(OfficeError::TooLong),
        _ => Ok(text),
    }
}

/// A period of civil dates, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    from: NaiveDate,
    to: Option<NaiveDate>,
}

impl Period {
    /// `None` when it would end before it begins.
    pub fn new(from: NaiveDate, to: Option<NaiveDate>) -> Option<Self> {
        to.is_none_or(|to| from <= to).then_some(Self { from, to })
    }

    pub fn from(self) -> NaiveDate {
        self.from
    }

    pub fn to(self) -> Option<NaiveDate> {
        self.to
    }

    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    pub fn overlaps(self, other: Self) -> bool {
        other.to.is_none_or(|to| self.from <= to) && self.to.is_none_or(|to| other.from <= to)
    }
}

/// A period in which an office offers a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicePeriod {
    pub service: OfferedService,
    pub period: Period,
}

/// An office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    pub id: Uuid,
    /// Counts the office's events.
    pub version: i64,
    pub parent_id: Option<Uuid>,
    pub details: OfficeDetails,
    pub active: Period,
    /// In order of service and beginning; periods of one service never overlap.
    pub services: Vec<ServicePeriod>,
}

/// What happened to an office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfficeFact {
    Opened,
    ServiceChanged(ServicePeriod),
}

impl Office {
    pub fn open(
        id: Uuid,
        parent_id: Option<Uuid>,
        details: OfficeDetails,
        today: NaiveDate,
    ) -> (Self, OfficeFact) {
        let active = Period {
            from: today,
            to: None,
        };
        (
            Self {
                id,
                version: 1,
                parent_id,
                details,
                active,
                services: Vec::new(),
            },
            OfficeFact::Opened,
        )
    }

    pub fn offers(&self, service: OfferedService, day: NaiveDate) -> bool {
        self.active.contains(day)
            && self
                .services
                .iter()
                .any(|offer| offer.service == service && offer.period.contains(day))
    }

    /// # Errors
    /// [`Refusal::ServiceNotOffered`] when it does not on that day.
    pub fn require_offers(&self, service: OfferedService, day: NaiveDate) -> Result<(), Refusal> {
        if self.offers(service, day) {
            Ok(())
        } else {
            Err(Refusal::ServiceNotOffered)
        }
    }

    /// Opens a service in a period, or, where a period begins on the same day, moves its end. What lies before today stays:
    /// a new period begins today at the earliest, and an end moves to yesterday at the earliest.
    ///
    /// # Errors
    /// [`Refusal::OfficeClosed`], [`Refusal::ServicePeriodPast`], [`Refusal::ServicePeriodOverlaps`].
    pub fn set_service(
        mut self,
        wanted: ServicePeriod,
        today: NaiveDate,
    ) -> Result<(Self, OfficeFact), Refusal> {
        if !self.active.contains(today) {
            return Err(Refusal::OfficeClosed);
        }
        let same = |offer: &ServicePeriod| {
            offer.service == wanted.service && offer.period.from() == wanted.period.from()
        };
        let known = self.services.iter().position(same);
        let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let ends_in_past = |period: Period| period.to().is_some_and(|to| to < yesterday);
        match known.map(|index| self.services[index].period) {
            Some(before) if ends_in_past(before) || ends_in_past(wanted.period) => {
                return Err(Refusal::ServicePeriodPast);
            }
            None if wanted.period.from() < today => return Err(Refusal::ServicePeriodPast),
            _ => {}
        }
        let clash = self.services.iter().any(|offer| {
            !same(offer) && offer.service == wanted.service && offer.period.overlaps(wanted.period)
        });
        if clash {
            return Err(Refusal::ServicePeriodOverlaps);
        }
        match known {
            Some(index) => self.services[index] = wanted,
            None => self.services.push(wanted),
        }
        self.services
            .sort_by_key(|offer| (offer.service, offer.period.from()));
        self.version += 1;
        Ok((self, OfficeFact::ServiceChanged(wanted)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(offset: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 1).unwrap() + Days::new(offset)
    }

    fn office() -> Office {
        let details = OfficeDetails {
            code: OfficeCode::parse("ANF-1").unwrap(),
            kind: OfficeKind::Annexe,
            name_ar: "ملحقة".to_owned(),
            name_fr: "Annexe".to_owned(),
            hcp_code: String::new(),
        };
        Office::open(Uuid::nil(), None, details, day(0)).0
    }

    fn legalisation(from: u64, to: Option<u64>) -> ServicePeriod {
        ServicePeriod {
            service: OfferedService::Legalisation,
            period: Period::new(day(from), to.map(day)).unwrap(),
        }
    }

    #[test]
    fn both_ends_of_a_period_are_included() {
        let (office, _) = office().set_service(legalisation(3, Some(5)), day(0)).unwrap();
        let offered: Vec<bool> = (2..=6)
            .map(|d| office.offers(OfferedService::Legalisation, day(d)))
            .collect();
        assert_eq!(offered, [false, true, true, true, false]);
        assert!(!office.offers(OfferedService::IdentityProof, day(4)));
        assert_eq!(Period::new(day(5), Some(day(4))), None);
    }

    #[test]
    fn a_period_that_begins_on_the_same_day_moves_its_end() {
        let (office, _) = office().set_service(legalisation(0, None), day(0)).unwrap();
        let (office, fact) = office.set_service(legalisation(0, Some(8)), day(9)).unwrap();
        assert_eq!(fact, OfficeFact::ServiceChanged(legalisation(0, Some(8))));
        assert_eq!((office.version, office.services.len()), (3, 1));
        let (office, _) = office.set_service(legalisation(9, None), day(9)).unwrap();
        assert_eq!(office.services.len(), 2);
    }

    #[test]
    fn the_past_stays_and_periods_do_not_overlap() {
        let (office, _) = office().set_service(legalisation(0, None), day(0)).unwrap();
        let past = office.clone().set_service(legalisation(0, Some(7)), day(9));
        assert_eq!(past.err(), Some(Refusal::ServicePeriodPast));
        let begun = office.clone().set_service(legalisation(1, None), day(9));
        assert_eq!(begun.err(), Some(Refusal::ServicePeriodPast));
        let clash = office.set_service(legalisation(20, None), day(9));
        assert_eq!(clash.err(), Some(Refusal::ServicePeriodOverlaps));
    }

    #[test]
    fn codes_and_names() {
        assert_eq!(
            OfficeCode::parse(" ANF-CITE-AIR ").unwrap().as_str(),
            "ANF-CITE-AIR"
        );
        for text in ["a1", "A", "A--B", "-AB", "AB-", "A B", "ÀB"] {
            assert_eq!(OfficeCode::parse(text), Err(OfficeError::CodeForm), "{text}");
        }
        assert_eq!(
            arabic_name("ملحقة  حي السلام 2").as_deref(),
            Ok("ملحقة حي السلام 2")
        );
        assert_eq!(arabic_name("Annexe"), Err(OfficeError::NotArabic));
        assert_eq!(french_name("Annexe n° 2").as_deref(), Ok("Annexe n° 2"));
        assert_eq!(french_name("ملحقة"), Err(OfficeError::NotLatin));
        assert_eq!(hcp_code("06.141.01.03."), Ok("06.141.01.03".to_owned()));
        assert_eq!(hcp_code("06..1"), Err(OfficeError::HcpForm));
    }

    #[test]
    fn what_stands_below_what() {
        use OfficeKind::{Annexe, Commune, Consulate, Prefecture, Region};
        for (child, parent) in [
            (Prefecture, Region),
            (Commune, Prefecture),
            (Annexe, Commune),
            (Annexe, Region),
        ] {
            assert!(child.may_stand_below(parent), "{child:?} below {parent:?}");
        }
        for (child, parent) in [
            (Region, Region),
            (Region, Commune),
            (Annexe, Annexe),
            (Consulate, Region),
            (Annexe, Consulate),
        ] {
            assert!(!child.may_stand_below(parent), "{child:?} below {parent:?}");
        }
    }

    proptest! {
        #[test]
        fn overlap_is_a_common_day(a in 0u64..40, b in 0u64..40, c in 0u64..40, d in 0u64..40, open in any::<(bool, bool)>()) {
            let make = |from: u64, to: u64, open: bool| Period::new(day(from.min(to)), (!open).then(|| day(from.max(to)))).unwrap();
            let (first, second) = (make(a, b, open.0), make(c, d, open.1));
            let common = (0..60).any(|d| first.contains(day(d)) && second.contains(day(d)));
            prop_assert_eq!(first.overlaps(second), common);
            prop_assert_eq!(second.overlaps(first), common);
        }
    }
}
