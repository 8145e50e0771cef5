//! How the services' messages look in JSON: hashes in hexadecimal, pictures in base64, civil dates, instants, and
//! enumerations as lower-case words.

use chrono::{DateTime, NaiveDate, Utc};
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};
use wathiq_proto::google::r#type::Date;

mod partial_date;

pub(crate) use partial_date::PartialDate;

/// A protobuf value as it is shown in JSON.
pub(crate) trait Show<T> {
    fn show(self) -> T;
}

/// A word of an enumeration as a service's number.
pub(crate) trait Word {
    fn number(self) -> i32;
}

/// A JSON value as a protobuf one, the other way round.
pub(crate) trait Tell<T> {
    fn tell(self) -> T;
}

/// Bytes in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hex(pub(crate) Vec<u8>);

/// Bytes in base64 (RFC 4648, section 4, padded).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

/// A civil date, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CivilDate(pub(crate) NaiveDate);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        bytes
            .map(Hex)
            .map_err(|_| D::Error::custom("expected an even number of hexadecimal digits"))
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes());
        bytes
            .map(Base64)
            .map_err(|_| D::Error::custom("expected base64 with padding"))
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d");
        date.map(CivilDate)
            .map_err(|_| D::Error::custom("expected a date such as 2026-11-22"))
    }
}

impl Tell<Date> for CivilDate {
    fn tell(self) -> Date {
        self.message()
    }
}

impl CivilDate {
    #[must_use]
    pub(crate) fn message(self) -> Date {
        use chrono::Datelike;
        let small = |value: u32| i32::try_from(value).unwrap_or_default();
        Date {
            year: self.0.year(),
            month: small(self.0.month()),
            day: small(self.0.day()),
        }
    }
}

/// The protobuf form of an instant.
#[must_use]
pub(crate) fn timestamp(instant: DateTime<Utc>) -> prost_types::Timestamp {
    let nanos = i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or(999_999_999);
    prost_types::Timestamp {
        seconds: instant.timestamp(),
        nanos,
    }
}

pub(crate) fn string_schema(format: Option<&str>, description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(format.map(|name| SchemaFormat::Custom(name.to_owned())))
        .description(Some(description))
        .build()
}

macro_rules! string_schemas {
    ($($name:ident: $format:expr, $description:literal;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                string_schema($format, $description).into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

string_schemas! {
    Hex: Some("hex"), "Bytes in lower-case hexadecimal.";
    Base64: Some("byte"), "Bytes in base64.";
    CivilDate: Some("date"), "A civil date in Morocco.";
}

macro_rules! shown_as_they_are {
    ($($type:ty),*) => {$(
        impl Show<$type> for $type {
            fn show(self) -> $type {
                self
            }
        }
    )*};
}

shown_as_they_are!(String, bool, i32, i64, u32, u64, f32, f64);

macro_rules! told_as_they_are {
    ($($type:ty),*) => {$(
        impl Tell<$type> for $type {
            fn tell(self) -> $type {
                self
            }
        }
    )*};
}

told_as_they_are!(String, bool, i32, i64);

impl Tell<String> for Option<String> {
    fn tell(self) -> String {
        self.unwrap_or_default()
    }
}

/// A number that is not there is 0.
impl Tell<i32> for Option<i32> {
    fn tell(self) -> i32 {
        self.unwrap_or_default()
    }
}

impl Show<Option<i32>> for i32 {
    fn show(self) -> Option<i32> {
        (self != 0).then_some(self)
    }
}

impl<T: Tell<U>, U> Tell<Option<U>> for Option<T> {
    fn tell(self) -> Option<U> {
        self.map(Tell::tell)
    }
}

impl<T: Tell<U>, U> Tell<Vec<U>> for Vec<T> {
    fn tell(self) -> Vec<U> {
        self.into_iter().map(Tell::tell).collect()
    }
}

/// An empty text is a text that is not there.
impl Show<Option<String>> for String {
    fn show(self) -> Option<String> {
        (!self.is_empty()).then_some(self)
    }
}

impl Show<Hex> for Vec<u8> {
    fn show(self) -> Hex {
        Hex(self)
    }
}

impl Show<Option<Hex>> for Vec<u8> {
    fn show(self) -> Option<Hex> {
        (!self.is_empty()).then_some(Hex(self))
    }
}

impl Show<Base64> for Vec<u8> {
    fn show(self) -> Base64 {
        Base64(self)
    }
}

impl Show<DateTime<Utc>> for prost_types::Timestamp {
    fn show(self) -> DateTime<Utc> {
        let nanos = u32::try_from(self.nanos).unwrap_or_default();
        DateTime::from_timestamp(self.seconds, nanos).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Show<CivilDate> for Date {
    fn show(self) -> CivilDate {
        let small = |value: i32| u32::try_from(value).unwrap_or_default();
        let date = NaiveDate::from_ymd_opt(self.year, small(self.month), small(self.day));
        CivilDate(date.unwrap_or(NaiveDate::MAX))
    }
}

impl<T: Show<U>, U> Show<Option<U>> for Option<T> {
    fn show(self) -> Option<U> {
        self.map(Show::show)
    }
}

impl<T: Show<U>, U> Show<Vec<U>> for Vec<T> {
    fn show(self) -> Vec<U> {
        self.into_iter().map(Show::show).collect()
    }
}

/// Declares the JSON form of a protobuf message, field by field under the same names.
macro_rules! view {
    ($($(#[$meta:meta])* $name:ident from $proto:ty { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        impl $crate::api::wire::Show<$name> for $proto {
            fn show(self) -> $name {
                $name { $($field: $crate::api::wire::Show::show(self.$field),)* }
            }
        }
    )*};
}

/// Declares the JSON form of a request body, read strictly.
macro_rules! body {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }
    )*};
}

/// Declares the JSON form of a protobuf message that is both read, strictly, and shown. What is left out is empty.
macro_rules! both {
    ($($(#[$meta:meta])* $name:ident from $proto:ty { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        impl $crate::api::wire::Show<$name> for $proto {
            fn show(self) -> $name {
                $name { $($field: $crate::api::wire::Show::show(self.$field),)* }
            }
        }

        impl $crate::api::wire::Tell<$proto> for $name {
            fn tell(self) -> $proto {
                let mut message = <$proto>::default();
                $(message.$field = $crate::api::wire::Tell::tell(self.$field);)*
                message
            }
        }
    )*};
}

/// Declares an enumeration as lower-case words; `unrecognised` stands for a value newer than this process and is never read.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident from $proto:ty { $($variant:ident),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($variant,)*
            #[serde(skip_deserializing)]
            Unrecognised,
        }

        impl $crate::api::wire::Word for $name {
            fn number(self) -> i32 {
                match self {
                    $(Self::$variant => <$proto>::$variant as i32,)*
                    Self::Unrecognised => 0,
                }
            }
        }

        impl $crate::api::wire::Tell<i32> for $name {
            fn tell(self) -> i32 {
                $crate::api::wire::Word::number(self)
            }
        }

        impl $crate::api::wire::Tell<i32> for Option<$name> {
            fn tell(self) -> i32 {
                self.map_or(0, $crate::api::wire::Tell::tell)
            }
        }

        impl $crate::api::wire::Show<Option<$name>> for i32 {
            fn show(self) -> Option<$name> {
                (self != 0).then(|| $crate::api::wire::Show::show(self))
            }
        }

        impl $crate::api::wire::Show<$name> for i32 {
            fn show(self) -> $name {
                match <$proto>::try_from(self) {
                    $(Ok(<$proto>::$variant) => $name::$variant,)*
                    _ => $name::Unrecognised,
                }
            }
        }
    )*};
}

pub(crate) use {body, both, view, words};
