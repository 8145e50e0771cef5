//! Orders, addresses and profiles to begin with, and short ways to read a refusal.

use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::OFFICE;

/// A name in Latin script.
pub(crate) fn name(given: &str, family: &str) -> pb::FullName {
    pb::FullName {
        given_latin: given.to_owned(),
        family_latin: family.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

pub(crate) fn address() -> pb::DeliveryAddress {
    pb::DeliveryAddress {
        country_code: "MA".to_owned(),
        postal_code: "10000".to_owned(),
        locality_latin: "Rabat".to_owned(),
        street_latin: "12 rue Oukaimeden".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn profile(office: Uuid) -> pb::OfficeProfile {
    pb::OfficeProfile {
        office_id: office.to_string(),
        province_ar: "عمالة مقاطعة الحي الحسني".to_owned(),
        province_fr: "Préfecture de Hay Hassani".to_owned(),
        commune_ar: "جماعة الدار البيضاء".to_owned(),
        commune_fr: "Commune de Casablanca".to_owned(),
        bureau_ar: "مكتب الحالة المدنية".to_owned(),
        bureau_fr: "Bureau d’état civil".to_owned(),
        email: "bec@example.ma".to_owned(),
        language: "fr".to_owned(),
        address: Some(address()),
        ..Default::default()
    }
}

/// A PDF of one object.
pub(crate) fn pdf() -> Vec<u8> {
    let mut file = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec();
    let at = file.len();
    file.extend_from_slice(b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R >>\n");
    file.extend_from_slice(format!("startxref\n{at}\n%%EOF\n").as_bytes());
    file
}

/// A line for oneself: the extract of the act with this number, of 1990.
pub(crate) fn line(number: &str) -> pb::LineRequest {
    pb::LineRequest {
        document_kind: "birth-extract".to_owned(),
        language: pb::DocumentLanguage::Bilingual.into(),
        copies: 1,
        act: Some(pb::ActClue {
            office_id: OFFICE.to_string(),
            kind: pb::RegisterKind::Birth.into(),
            year: 1990,
            number: number.to_owned(),
            person: Some(name("Amina", "El Idrissi")),
            birth_date: Some(date(1990, 3, 15)),
            ..Default::default()
        }),
        relation: pb::Relation::Oneself.into(),
        ..Default::default()
    }
}

/// An order of these lines, at 20 dirhams a copy.
pub(crate) fn order_request(lines: Vec<pb::LineRequest>) -> pb::PlaceOrderRequest {
    let copies: i64 = lines.iter().map(|line| i64::from(line.copies)).sum();
    pb::PlaceOrderRequest {
        request_id: request_id(),
        lines,
        addressee: Some(name("Amina", "El Idrissi")),
        address: Some(address()),
        expected_total_centimes: 2_000 * copies,
        ..Default::default()
    }
}

/// The code and the reason of a refusal.
pub(crate) fn reason<T>(result: Result<T, Status>) -> (Code, String) {
    let status = result.err().unwrap();
    (
        status.code(),
        wathiq_chassis::status::reason(&status).unwrap_or_default(),
    )
}

/// Field and reason of each violation of a refusal.
pub(crate) fn violations<T>(result: Result<T, Status>) -> Vec<(String, String)> {
    let status = result.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    wathiq_chassis::status::violations(&status)
        .into_iter()
        .map(|found| (found.field, found.reason))
        .collect()
}

/// A request id.
pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}
