//! The form that the payer's browser posts to the hosted page.

use super::{CURRENCY, Cmi, STORE_TYPE, hash};
use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::money;
use crate::providers::{Field, Next};

/// The provider's lower bound of a session.
const SHORTEST_SESSION: i64 = 30;

pub(super) fn next(cmi: &Cmi, book: &Book, attempt: &Attempt) -> Next {
    let config = &cmi.config;
    let payer = &book.payable.payer;
    let session = (attempt.expires_at - cmi.ambient.now())
        .num_seconds()
        .max(SHORTEST_SESSION);
    let rnd = data_encoding::HEXLOWER.encode(&cmi.ambient.bytes::<10>());
    let mut fields: Vec<Field> = [
        ("clientid", config.client_id.as_str()),
        ("storetype", STORE_TYPE),
        ("TranType", "PreAuth"),
        ("amount", &money::text(book.payable.amount)),
        ("currency", CURRENCY),
        ("oid", &attempt.order_id),
        ("okUrl", &config.ok_url),
        ("failUrl", &config.fail_url),
        ("shopurl", &config.shop_url),
        ("callbackUrl", &config.callback_url),
        ("CallbackResponse", "true"),
        ("lang", &attempt.language),
        ("email", &payer.email),
        ("BillToName", &payer.name),
        ("BillToCountry", CURRENCY),
        ("tel", &payer.phone),
        ("rnd", &rnd),
        ("hashAlgorithm", "ver3"),
        ("encoding", "UTF-8"),
        ("AutoRedirect", "true"),
        ("refreshtime", "5"),
        ("sessiontimeout", &session.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| Field::new(name, hash::trimmed(value)))
    .collect();
    let hash = hash::of(&fields, &cmi.store_key);
    fields.push(Field::new("HASH", hash));
    Next::Form {
        action_url: config.gate_url.clone(),
        fields,
    }
}
