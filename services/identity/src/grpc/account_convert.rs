//! Reads what people say about themselves.

use chrono::NaiveDate;
use wathiq_chassis::{FieldViolation, civil_date};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1 as proto;

use super::convert::{read_document_kind, read_language};
use super::fields::Fields;
use crate::app::App;
use crate::domain::contact::{Contact, Email, Phone};
use crate::domain::identity_document::IdentityDocument;
use crate::domain::name::{PersonName, Script};
use crate::domain::password::NewPassword;
use crate::domain::person::CivilIdentity;
use crate::domain::sign_up::NewAccount;
use crate::domain::vocabulary::Channel;

/// Earliest birth date taken: nobody alive was born before.
const EARLIEST_BIRTH: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// The parts of a civil identity as several requests have them.
pub(super) struct CivilMessage {
    pub(super) name_arabic: Option<proto::PersonName>,
    pub(super) name_latin: Option<proto::PersonName>,
    pub(super) birth_date: Option<Date>,
    pub(super) identity_document: Option<proto::IdentityDocument>,
}

pub(super) fn account(fields: &mut Fields, app: &App, request: &proto::SignUpRequest) -> Option<NewAccount> {
    let civil = civil(
        fields,
        app,
        CivilMessage {
            name_arabic: request.name_arabic.clone(),
            name_latin: request.name_latin.clone(),
            birth_date: request.birth_date,
            identity_document: request.identity_document.clone(),
        },
    );
    let email = email(fields, "email", &request.email);
    let phone = phone(fields, "phone", &request.phone);
    let language = fields.word("language", request.language, read_language);
    Some(NewAccount {
        civil: civil?,
        email: email?,
        phone: phone?,
        language: language?,
    })
}

pub(super) fn civil(fields: &mut Fields, app: &App, message: CivilMessage) -> Option<CivilIdentity> {
    let name_arabic = name(fields, "name_arabic", Script::Arabic, message.name_arabic);
    let name_latin = name(fields, "name_latin", Script::Latin, message.name_latin);
    let birth_date = birth_date(fields, app, message.birth_date);
    let document = document(fields, message.identity_document);
    Some(CivilIdentity {
        name_arabic: name_arabic?,
        name_latin: name_latin?,
        birth_date: birth_date?,
        document: document?,
    })
}

fn name(
    fields: &mut Fields,
    field: &str,
    script: Script,
    message: Option<proto::PersonName>,
) -> Option<PersonName> {
    let message = message.unwrap_or_default();
    match PersonName::parse(script, &message.given, &message.family) {
        Ok(name) => Some(name),
        Err(errors) => {
            fields.extend(errors.into_iter().map(|(part, error)| {
                FieldViolation::new(part, error.reason(), error.to_string()).scope(field)
            }));
            None
        }
    }
}

fn birth_date(fields: &mut Fields, app: &App, date: Option<Date>) -> Option<NaiveDate> {
    let date = fields.date("birth_date", date)?;
    let today = civil_date(app.ambient.now());
    if (EARLIEST_BIRTH..=today).contains(&date) {
        return Some(date);
    }
    fields.note("birth_date", "OUT_OF_RANGE", "nobody alive was born on this day");
    None
}

pub(super) fn document(
    fields: &mut Fields,
    message: Option<proto::IdentityDocument>,
) -> Option<IdentityDocument> {
    let message = message.unwrap_or_default();
    let kind = fields.word("identity_document.kind", message.kind, read_document_kind)?;
    fields.take(
        IdentityDocument::parse(kind, &message.number).map_err(|error| {
            FieldViolation::new("identity_document.number", error.reason(), error.to_string())
        }),
    )
}

pub(super) fn email(fields: &mut Fields, field: &str, text: &str) -> Option<Email> {
    fields.take(
        Email::parse(text).map_err(|error| FieldViolation::new(field, error.reason(), error.to_string())),
    )
}

pub(super) fn phone(fields: &mut Fields, field: &str, text: &str) -> Option<Phone> {
    fields.take(
        Phone::parse(text).map_err(|error| FieldViolation::new(field, error.reason(), error.to_string())),
    )
}

pub(super) fn contact(fields: &mut Fields, field: &str, channel: Channel, text: &str) -> Option<Contact> {
    fields.take(
        Contact::parse(channel, text)
            .map_err(|error| FieldViolation::new(field, error.reason(), error.to_string())),
    )
}

pub(super) fn new_password(fields: &mut Fields, field: &str, text: &str) -> Option<NewPassword> {
    fields.take(
        NewPassword::parse(text)
            .map_err(|error| FieldViolation::new(field, error.reason(), error.to_string())),
    )
}

/// The version of an etag; `None` where the caller names none.
pub(super) fn seen_version(fields: &mut Fields, etag: &str) -> Option<Option<i64>> {
    if etag.is_empty() {
        return Some(None);
    }
    let version = etag.strip_prefix('v').and_then(|digits| digits.parse().ok());
    if version.is_none() {
        fields.note("etag", "MALFORMED", "not an etag of this resource");
    }
    version.map(Some)
}
