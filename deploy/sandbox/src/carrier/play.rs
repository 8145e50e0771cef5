//! Which events make up what happens to an item.

use chrono::{DateTime, Days, TimeDelta, Utc};
use serde::Deserialize;

use super::item::{Event, Item};

/// What happens to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Happening {
    Posted,
    InTransit,
    Customs,
    AtDeliveryOffice,
    Attempted,
    Held,
    Delivered,
    DeliveredWithoutDocument,
    Refused,
    Returning,
    Returned,
    Lost,
    UnknownCode,
}

/// Details that a test may choose.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Details {
    pub(super) place: Option<String>,
    pub(super) held_until: Option<chrono::NaiveDate>,
    /// The addressee where nothing is said.
    pub(super) recipient_name: Option<String>,
    pub(super) document_kind: Option<String>,
    pub(super) document_last_four: Option<String>,
}

/// Days that an item is kept at the counter.
const KEPT: Days = Days::new(15);

/// The events that have not been played yet, each a second after the one before, the last of them now or, where the item
/// has newer ones, after those.
pub(super) fn events(item: &Item, happening: Happening, details: &Details, now: DateTime<Utc>) -> Vec<Event> {
    let travelled = |code: &&str| !item.events.iter().any(|event| event.code == **code);
    let way: Vec<&str> = way(item, happening).iter().copied().filter(travelled).collect();
    let ends = ends(item, happening, details, now);
    let count = i32::try_from(way.len() + ends.len()).unwrap_or(i32::MAX);
    let mut time = now - TimeDelta::seconds(1) * (count - 1);
    if let Some(newest) = item.events.iter().map(|event| event.event_time).max() {
        time = time.max(newest + TimeDelta::seconds(1));
    }
    let travel = way.into_iter().map(|code| Event {
        code: code.to_owned(),
        ..Event::default()
    });
    let mut events: Vec<Event> = travel.chain(ends).collect();
    for event in &mut events {
        event.tracking_id.clone_from(&item.tracking_id);
        event.place = event.place.take().or_else(|| details.place.clone());
        event.event_time = time;
        time += TimeDelta::seconds(1);
    }
    events
}

/// The codes of the way there (EMSEVT), each of which comes once.
fn way(item: &Item, happening: Happening) -> &'static [&'static str] {
    let abroad = item.product == "REGISTERED_INTERNATIONAL";
    match happening {
        Happening::Posted => &["EMA"],
        Happening::InTransit | Happening::Lost | Happening::Customs if abroad => {
            &["EMA", "EMB", "EMC", "EMD"]
        }
        Happening::InTransit | Happening::Lost | Happening::Customs => &["EMA", "EMD"],
        Happening::UnknownCode => &[],
        _ if abroad => &["EMA", "EMB", "EMC", "EMD", "EMF", "EMG"],
        _ => &["EMA", "EMD", "EMG"],
    }
}

/// What happens there.
fn ends(item: &Item, happening: Happening, details: &Details, now: DateTime<Utc>) -> Vec<Event> {
    let event = |code: &str| Event {
        code: code.to_owned(),
        ..Event::default()
    };
    let unsuccessful = |reason: &str, action: &str| Event {
        reason_code: Some(reason.to_owned()),
        action_code: Some(action.to_owned()),
        ..event("EMH")
    };
    let addressee = [&item.addressee_latin, &item.addressee_arabic]
        .into_iter()
        .find(|name| !name.is_empty());
    let delivered = Event {
        recipient_name: details.recipient_name.clone().or_else(|| addressee.cloned()),
        ..event("EMI")
    };
    match happening {
        Happening::Posted | Happening::InTransit | Happening::AtDeliveryOffice => Vec::new(),
        Happening::Customs => vec![event("EME")],
        Happening::Attempted => vec![unsuccessful("ABSENT", "RETRY")],
        Happening::Held => vec![Event {
            held_until: details
                .held_until
                .or_else(|| now.date_naive().checked_add_days(KEPT)),
            ..event("XHC")
        }],
        Happening::Delivered => vec![Event {
            document_kind: details.document_kind.clone().or(Some("CIN".to_owned())),
            document_last_four: details.document_last_four.clone().or(Some("3456".to_owned())),
            ..delivered
        }],
        Happening::DeliveredWithoutDocument => vec![delivered],
        Happening::Refused => vec![unsuccessful("REFUSED", "RETURN")],
        Happening::Returning => vec![event("XRS")],
        Happening::Returned => vec![event("XRS"), event("XRD")],
        Happening::Lost => vec![event("XLO")],
        Happening::UnknownCode => vec![event("ZZ9")],
    }
}

#[cfg(test)]
mod tests {
    use super::{Details, Happening, events};
    use crate::carrier::item::Item;

    fn item(product: &str) -> Item {
        Item {
            tracking_id: "RR123456785MA".to_owned(),
            product: product.to_owned(),
            office: String::new(),
            addressee_latin: "Salma El Idrissi".to_owned(),
            addressee_arabic: String::new(),
            events: Vec::new(),
        }
    }

    fn play(item: &mut Item, happening: Happening) -> Vec<String> {
        let events = events(
            item,
            happening,
            &Details::default(),
            "2026-11-22T10:00:00Z".parse().unwrap(),
        );
        item.events.extend(events.clone());
        assert!(
            item.events
                .is_sorted_by(|one, next| one.event_time < next.event_time)
        );
        events.into_iter().map(|event| event.code).collect()
    }

    #[test]
    fn the_way_is_travelled_once_and_time_goes_on() {
        let mut domestic = item("REGISTERED_DOMESTIC");
        assert_eq!(
            play(&mut domestic, Happening::Attempted),
            ["EMA", "EMD", "EMG", "EMH"]
        );
        assert_eq!(play(&mut domestic, Happening::Attempted), ["EMH"]);
        assert_eq!(play(&mut domestic, Happening::Delivered), ["EMI"]);
        assert_eq!(
            domestic.events[5].recipient_name.as_deref(),
            Some("Salma El Idrissi")
        );
        let mut abroad = item("REGISTERED_INTERNATIONAL");
        assert_eq!(
            play(&mut abroad, Happening::Customs),
            ["EMA", "EMB", "EMC", "EMD", "EME"]
        );
        assert_eq!(
            play(&mut abroad, Happening::Returned),
            ["EMF", "EMG", "XRS", "XRD"]
        );
    }
}
