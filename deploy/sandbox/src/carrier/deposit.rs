//! `POST /carrier/deposit-lists`: the platform announces what it hands over.

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::json;

use super::item::{self, Item};
use super::play::{Details, Happening};
use super::{Carrier, LIST, List, signing};
use crate::faults::strikes;

/// A row of the list; the address is for people.
#[derive(Debug, Deserialize)]
struct Row {
    tracking_id: String,
    product: String,
    addressee_latin: String,
    addressee_arabic: String,
}

pub(super) async fn take(State(carrier): State<Carrier>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let office = text("wathiq-office").to_owned();
    let (down, unheard) = carrier.mischief(&office, |mischief| {
        (mischief.is_down(), strikes(&mut mischief.lists_unanswered))
    });
    if down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let now = crate::now();
    let Some(webhook_id) = signing::verified(&carrier.0.account.outbound, &headers, &body, now) else {
        return refuse(StatusCode::UNAUTHORIZED, "the signature does not fit");
    };
    let rows = match rows(&body) {
        Ok(rows) => rows,
        Err(fault) => return refuse(StatusCode::BAD_REQUEST, &fault),
    };
    let list = List {
        webhook_id,
        number: text("wathiq-deposit-list").to_owned(),
        office,
        taken_at: now,
        items: rows.iter().map(|row| row.tracking_id.clone()).collect(),
        digest: HEXLOWER.encode(digest(&SHA256, &body).as_ref()),
    };
    match carrier.keep(&list, rows) {
        Kept::Other => return refuse(StatusCode::CONFLICT, "another list has this id"),
        Kept::Again => {}
        Kept::Now => carrier.play_by_itself(&list),
    }
    if unheard {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    (
        StatusCode::ACCEPTED,
        Json(json!({"deposit_list": list.number, "items": list.items.len()})),
    )
        .into_response()
}

enum Kept {
    Now,
    /// It had come before.
    Again,
    /// Another one had come with its id.
    Other,
}

impl Carrier {
    fn keep(&self, list: &List, rows: Vec<Row>) -> Kept {
        let mut books = self.books();
        if let Some(known) = books.lists.get(&list.webhook_id) {
            return if known.digest == list.digest {
                Kept::Again
            } else {
                Kept::Other
            };
        }
        for row in rows {
            let item = Item {
                tracking_id: row.tracking_id,
                product: row.product,
                office: list.office.clone(),
                addressee_latin: row.addressee_latin,
                addressee_arabic: row.addressee_arabic,
                events: Vec::new(),
            };
            self.0.journal.write(item::KIND, &item);
            books.items.insert(item.tracking_id.clone(), item);
        }
        self.0.journal.write(LIST, list);
        books.lists.insert(list.webhook_id.clone(), list.clone());
        Kept::Now
    }

    /// Plays what was set up for every item of an office's lists.
    fn play_by_itself(&self, list: &List) {
        let (happening, url) = self.mischief(&list.office, |mischief| mischief.by_itself());
        if let Some(happening) = happening {
            let (carrier, items) = (self.clone(), list.items.clone());
            tokio::spawn(async move { carrier.play_all(&items, happening, url).await });
        }
    }

    async fn play_all(&self, items: &[String], happening: Happening, url: Option<String>) {
        let details = Details::default();
        for tracking_id in items {
            let events = self.play(tracking_id, happening, &details).unwrap_or_default();
            self.tell(self.message(&events, url.clone())).await;
        }
    }
}

/// The rows, or what is wrong with them.
fn rows(body: &[u8]) -> Result<Vec<Row>, String> {
    let mut reader = csv::Reader::from_reader(body);
    let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>();
    let rows = rows.map_err(|error| error.to_string())?;
    if rows.is_empty() || rows.len() > 500 {
        return Err(format!("{} rows, not 1 to 500", rows.len()));
    }
    match rows.iter().find(|row| !is_s10(&row.tracking_id)) {
        Some(row) => Err(format!("{} is not an S10 number", row.tracking_id)),
        None => Ok(rows),
    }
}

/// UPU S10: two letters, eight digits, their check digit, two letters.
fn is_s10(text: &str) -> bool {
    const WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];
    let bytes = text.as_bytes();
    let letters = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_uppercase);
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    if bytes.len() != 13 || !letters(&bytes[..2]) || !digits(&bytes[2..11]) || !letters(&bytes[11..]) {
        return false;
    }
    let digit = |byte: u8| u32::from(byte - b'0');
    let sum: u32 = bytes[2..10]
        .iter()
        .zip(WEIGHTS)
        .map(|(byte, weight)| digit(*byte) * weight)
        .sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        check => check,
    };
    check == digit(bytes[10])
}

fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::is_s10;

    #[test]
    fn a_wrong_check_digit_is_seen() {
        for right in [
            "RR473124829MA",
            "RR123456785MA",
            "RR000000005MA",
            "RR000000080MA",
            "RR000000155MA",
        ] {
            assert!(is_s10(right), "{right}");
        }
        for wrong in [
            "RR123456784MA",
            "R1123456785MA",
            "RR12345678MA",
            "rr123456785ma",
            "",
        ] {
            assert!(!is_s10(wrong), "{wrong}");
        }
    }
}
