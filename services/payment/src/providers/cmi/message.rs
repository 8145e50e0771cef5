//! What the provider posts to us, and browsers that come back from it. Nothing is read before the hash holds.

use std::collections::BTreeMap;

use super::{CURRENCY, Cmi, STORE_TYPE, hash};
use crate::domain::money;
use crate::domain::provider::Success;
use crate::providers::{Field, Message, Told, Unproven};

/// Longest transaction, code or hash that is kept.
const LONGEST: usize = 100;

/// The fields of a message under their names in lower case.
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, Unproven> {
        match self.get(name) {
            Some(value) if is_kept(value) => Ok(value),
            _ => Err(Unproven::Malformed),
        }
    }

    /// What a field says; nothing where it is empty or left out.
    fn said(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// Whether a value can be kept: short, and without the characters that no identifier has.
fn is_kept(value: &str) -> bool {
    !value.is_empty() && value.len() <= LONGEST && !value.contains(char::is_control)
}

pub(super) fn verify(cmi: &Cmi, posted: &[Field]) -> Result<Message, Unproven> {
    let posted: Vec<Field> = posted
        .iter()
        .map(|field| Field::new(&field.name, hash::received(&field.value)))
        .collect();
    let mut fields = BTreeMap::new();
    for field in &posted {
        let value = hash::trimmed(&field.value).to_owned();
        if fields.insert(field.name.to_ascii_lowercase(), value).is_some() {
            return Err(Unproven::Doubled);
        }
    }
    let fields = Fields(fields);
    let given = fields.required("hash")?;
    if !hash::holds(given, &posted, &cmi.store_key) {
        return Err(Unproven::Forged);
    }
    if fields.get("clientid") != Some(cmi.config.client_id.as_str()) {
        return Err(Unproven::Foreign);
    }
    let order_id = fields.required("oid")?.to_owned();
    if fields.get("procreturncode").is_none_or(str::is_empty) {
        // Who gives up on the page comes back without a word of a try, and with few of the fields.
        return Ok(Message {
            order_id,
            key: given.to_owned(),
            amount: None,
            outcome: Told::Over,
        });
    }
    // Not every answer repeats the kind of the store.
    let other_store = fields
        .said("storetype")
        .is_some_and(|kind| !kind.eq_ignore_ascii_case(STORE_TYPE));
    if fields.get("currency") != Some(CURRENCY) || other_store {
        return Err(Unproven::Foreign);
    }
    let amount = money::parse(fields.required("amount")?).ok_or(Unproven::Malformed)?;
    let outcome = told(cmi, &fields, amount)?;
    let key = match fields.get("transid") {
        Some(transaction) if is_kept(transaction) => transaction,
        // A decline may have no transaction, or none that can be kept: then its hash tells it from the next.
        _ => given,
    };
    Ok(Message {
        order_id,
        key: key.to_owned(),
        amount: Some(amount),
        outcome,
    })
}

/// A success is one in the return code and in every other field that is there: response, and the card holder's authentication.
fn told(cmi: &Cmi, fields: &Fields, amount: i64) -> Result<Told, Unproven> {
    let code = fields.required("procreturncode")?;
    let approved = fields
        .said("response")
        .is_none_or(|response| response.eq_ignore_ascii_case("approved"));
    if code != "00" || !approved {
        return Ok(Told::Declined {
            code: code.to_owned(),
        });
    }
    Ok(Told::Success(Success {
        transaction: fields.required("transid")?.to_owned(),
        amount,
        international: international(
            &cmi.config.international_mark,
            ["extra.cardissuer", "extra.cardbrand"].map(|name| fields.get(name).unwrap_or_default()),
        ),
        authentic: authentic(fields.get("mdstatus")),
    }))
}

/// 1 to 4: the card holder was authenticated, or the issuer answers for it; not told is not refused.
pub(super) fn authentic(md_status: Option<&str>) -> bool {
    md_status.is_none_or(|status| matches!(status, "" | "1" | "2" | "3" | "4"))
}

/// Whether a card was issued abroad, by the names of its issuer and brand: the mark may stand in either, and without an issuer its absence
/// says nothing.
pub(super) fn international(mark: &str, [issuer, brand]: [&str; 2]) -> Option<bool> {
    let mark = mark.to_uppercase();
    let marked = |name: &str| name.to_uppercase().contains(&mark);
    match marked(issuer) || marked(brand) {
        true => Some(true),
        false => (!issuer.is_empty()).then_some(false),
    }
}
