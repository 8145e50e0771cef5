//! Parcels that were scanned to be handed over together: their numbers, which go along from page to page.

use super::{is_tracking_number, plain};
use crate::api::percent_encode;

/// Most parcels of one hand-over.
pub(super) const MOST: usize = 200;

/// What lies on the table, in the order in which it was scanned.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tray(Vec<String>);

impl Tray {
    /// Numbers with commas between them; what is no number of the post is left out.
    pub(super) fn read(text: &str) -> Self {
        let mut tray = Self::default();
        for number in text.split(',').map(plain) {
            tray.add(number);
        }
        tray
    }

    /// Puts a parcel on it, once; gives `false` for what is no number of the post, or finds no place.
    pub(super) fn add(&mut self, number: String) -> bool {
        if self.0.contains(&number) {
            return true;
        }
        let fits = is_tracking_number(&number) && self.0.len() < MOST;
        if fits {
            self.0.push(number);
        }
        fits
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, number: &str) -> bool {
        self.0.iter().any(|known| known == number)
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// As [`Tray::read`] reads it.
    pub(super) fn text(&self) -> String {
        self.0.join(",")
    }

    /// Where it is handed over.
    pub(super) fn address(&self, office_id: &str) -> String {
        let office = percent_encode(office_id);
        if self.is_empty() {
            return format!("/office/hand-over?office_id={office}");
        }
        format!(
            "/office/hand-over?office_id={office}&tray={}",
            percent_encode(&self.text())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tray_holds_each_number_once_and_nothing_else() {
        let mut tray = Tray::read("rr123456785ma,,W4K7-M2PX-93-1,RR123456785MA");
        assert_eq!(tray.text(), "RR123456785MA");
        assert!(tray.add("RR000000015MA".to_owned()));
        assert!(!tray.add("RR1".to_owned()));
        assert_eq!(Tray::read(&tray.text()), tray);
        assert_eq!(
            tray.address("o"),
            "/office/hand-over?office_id=o&tray=RR123456785MA%2CRR000000015MA"
        );
        for number in 0..300 {
            tray.add(format!("RR{number:09}FR"));
        }
        assert_eq!(tray.len(), MOST);
    }
}
