//! The way in: all faults of a message at once.

use chrono::{DateTime, TimeDelta, Utc};
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::app::AppError;
use crate::app::open_payable::NewPayable;
use crate::app::request_refund::RequestRefund;
use crate::app::start_attempt::StartAttempt;
use crate::domain::money;
use crate::domain::payable::{Item, Payer};
use crate::domain::provider::Provider;
use crate::grpc::fields::Fields;
use crate::grpc::page::{self, Sizes};
use crate::providers::Field;
use crate::store::books::Span;

/// Positions of a payable.
const MAX_ITEMS: usize = 50;
/// Fields of a posted form.
const MAX_FIELDS: usize = 200;
/// Bytes of a posted form or body.
const MAX_POSTED: usize = 64 * 1024;

pub(super) fn new_payable(
    owner: &str,
    message: &pb::OpenPayableRequest,
    now: DateTime<Utc>,
) -> Result<NewPayable, AppError> {
    let mut fields = Fields::default();
    let owner_reference = fields.text("owner_reference", &message.owner_reference, 1..=64);
    let display_reference = fields.reference("display_reference", &message.display_reference);
    let items = items(&mut fields, &message.items);
    let payer = payer(&mut fields, message);
    let expires_at = match fields.optional_instant("expire_time", message.expire_time.as_ref()) {
        Some(Some(at)) if at >= now + TimeDelta::minutes(5) && at <= now + TimeDelta::days(30) => Some(at),
        Some(Some(_)) => fields.fault(
            "expire_time",
            "OUT_OF_RANGE",
            "must be 5 minutes to 30 days ahead",
        ),
        Some(None) => fields.fault("expire_time", "REQUIRED", "must be 5 minutes to 30 days ahead"),
        None => None,
    };
    let (Some(owner_reference), Some(display_reference), Some(items), Some(payer), Some(expires_at)) =
        (owner_reference, display_reference, items, payer, expires_at)
    else {
        return Err(fields.error());
    };
    Ok(NewPayable {
        owner: owner.to_owned(),
        owner_reference,
        display_reference,
        items,
        payer,
        expires_at,
    })
}

fn items(fields: &mut Fields, items: &[pb::PayableItem]) -> Option<Vec<Item>> {
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return fields.fault("items", "COUNT", "must be 1 to 50");
    }
    // Every position is read, also after a fault, so that all faults are told.
    let read: Vec<Option<Item>> = items
        .iter()
        .enumerate()
        .map(|(place, one)| item(fields, &format!("items[{place}]"), one))
        .collect();
    let read: Option<Vec<Item>> = read.into_iter().collect();
    let read = read?;
    let sum: i64 = read.iter().map(|item| item.amount).sum();
    if !(1..=money::LARGEST).contains(&sum) {
        let description = format!("must add up to 1 to {} centimes", money::LARGEST);
        return fields.fault("items", "OUT_OF_RANGE", description);
    }
    Some(read)
}

fn item(fields: &mut Fields, at: &str, item: &pb::PayableItem) -> Option<Item> {
    let reference = fields.text(&format!("{at}.reference"), &item.reference, 1..=64);
    let label_ar = fields.text(&format!("{at}.label_ar"), &item.label_ar, 1..=200);
    let label_fr = fields.text(&format!("{at}.label_fr"), &item.label_fr, 1..=200);
    let amount = fields.amount(&format!("{at}.amount_centimes"), item.amount_centimes, 0);
    Some(Item {
        reference: reference?,
        label_ar: label_ar?,
        label_fr: label_fr?,
        amount: amount?,
    })
}

fn payer(fields: &mut Fields, message: &pb::OpenPayableRequest) -> Option<Payer> {
    let person_id = fields.id("payer_person_id", &message.payer_person_id);
    let name = fields.text("payer_name", &message.payer_name, 1..=200);
    let email = match message.payer_email.as_str() {
        "" => Some(String::new()),
        email if email.contains('@') => fields.text("payer_email", email, 3..=254),
        _ => fields.fault("payer_email", "MALFORMED", "must be an e-mail address, or empty"),
    };
    let phone = match message.payer_phone.as_str() {
        "" => Some(String::new()),
        phone => fields.phone("payer_phone", phone),
    };
    Some(Payer {
        person_id: person_id?,
        name: name?,
        email: email?,
        phone: phone?,
    })
}

pub(super) fn refund(owner: &str, message: &pb::RequestRefundRequest) -> Result<RequestRefund, AppError> {
    let mut fields = Fields::default();
    let payable_id = fields.id("payable_id", &message.payable_id);
    let owner_reference = fields.text("owner_reference", &message.owner_reference, 1..=64);
    let amount = fields.amount("amount_centimes", message.amount_centimes, 1);
    let reason_code = fields.code("reason_code", &message.reason_code);
    let (Some(payable_id), Some(owner_reference), Some(amount), Some(reason_code)) =
        (payable_id, owner_reference, amount, reason_code)
    else {
        return Err(fields.error());
    };
    Ok(RequestRefund {
        owner: owner.to_owned(),
        payable_id,
        owner_reference,
        amount,
        reason_code,
    })
}

pub(super) fn start_attempt(message: &pb::StartAttemptRequest) -> Result<StartAttempt, AppError> {
    let mut fields = Fields::default();
    let payable_id = fields.id("payable_id", &message.payable_id);
    let provider = fields.provider("provider", &message.provider);
    let language = match message.language.as_str() {
        language @ ("ar" | "fr" | "en") => Some(language.to_owned()),
        _ => fields.fault("language", "UNKNOWN", "must be \"ar\", \"fr\" or \"en\""),
    };
    let phone = match provider {
        Some(Provider::TextMessage) => fields.phone("phone", &message.phone),
        _ => Some(String::new()),
    };
    let (Some(payable_id), Some(provider), Some(language), Some(phone)) =
        (payable_id, provider, language, phone)
    else {
        return Err(fields.error());
    };
    Ok(StartAttempt {
        payable_id,
        provider,
        language,
        phone,
    })
}

/// A page of a span: the size, and what the store is asked.
pub(super) fn span(
    sizes: Sizes,
    page_size: i32,
    page_token: &str,
    from: Option<&prost_types::Timestamp>,
    before: Option<&prost_types::Timestamp>,
) -> Result<(u16, Span), AppError> {
    let mut fields = Fields::default();
    let size = sizes.size(&mut fields, page_size);
    let after = page::id_of_token(&mut fields, page_token);
    let from = fields.optional_instant("opened_from", from);
    let before = fields.optional_instant("opened_before", before);
    let (Some(size), Some(after), Some(from), Some(before)) = (size, after, from, before) else {
        return Err(fields.error());
    };
    let span = Span {
        from,
        before,
        after,
        limit: i64::from(size) + 1,
    };
    Ok((size, span))
}

/// What was posted, within bounds. Anything may stand in it.
pub(super) fn posted(
    provider: &str,
    posted: Vec<pb::FormField>,
    body: &[u8],
) -> Result<(Provider, Vec<Field>), AppError> {
    let mut fields = Fields::default();
    let provider = fields.provider("provider", provider);
    let bytes: usize = posted
        .iter()
        .map(|field| field.name.len() + field.value.len())
        .sum();
    if posted.len() > MAX_FIELDS || bytes > MAX_POSTED {
        fields.fault::<()>("fields", "TOO_LONG", "must be 200 fields and 64 KiB at most");
    }
    if body.len() > MAX_POSTED {
        fields.fault::<()>("body", "TOO_LONG", "must be 64 KiB at most");
    }
    let Some(provider) = provider else {
        return Err(fields.error());
    };
    fields.check()?;
    let posted = posted
        .into_iter()
        .map(|field| Field::new(field.name, field.value));
    Ok((provider, posted.collect()))
}
