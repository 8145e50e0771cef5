//! An act to begin with, and short ways to send it.

use futures::future::BoxFuture;
use uuid::Uuid;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, Person, World, request_id};

pub(crate) fn text(arabic: &str, latin: &str) -> Option<pb::BilingualText> {
    Some(pb::BilingualText {
        arabic: arabic.to_owned(),
        latin: latin.to_owned(),
    })
}

pub(crate) fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

pub(crate) fn key(number: &str) -> pb::ActKey {
    pb::ActKey {
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        year: 1984,
        part: "2".to_owned(),
        number: number.to_owned(),
    }
}

/// What the register says of Amina El Idrissi.
pub(crate) fn content() -> pb::ActContent {
    pb::ActContent {
        origin: pb::ActOrigin::Declaration.into(),
        hijri_year: 1404,
        given_name: text("أمينة", "Amina"),
        family_name: text("الإدريسي", "El Idrissi"),
        sex: pb::Sex::Female.into(),
        nationality: text("مغربية", "marocaine"),
        birth_date: Some(pb::WrittenDate {
            gregorian: date(1984, 3, 2),
            hijri_latin: "vingt-huit joumada I 1404".to_owned(),
            ..Default::default()
        }),
        birth_place: text("الرباط", "Rabat"),
        hour: 14,
        minute: -1,
        father: Some(pb::ActParent {
            given_name: text("أحمد", "Ahmed"),
            family_name: text("الإدريسي", "El Idrissi"),
            ..Default::default()
        }),
        mother: Some(pb::ActParent {
            given_name: text("فاطمة", "Fatima"),
            family_name: text("العلوي", "Alaoui"),
            birth_place: text("فاس", "Fès"),
            ..Default::default()
        }),
        declarant: Some(pb::ActDeclarant {
            name: text("أحمد الإدريسي", "Ahmed El Idrissi"),
            relationship: text("الأب", "père"),
            age: 34,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The smallest scans that are whole files; `page` tells one from another.
pub(crate) fn jpeg(page: u8) -> Vec<u8> {
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0];
    let data = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, page, 0xff, 0xd9];
    [&[0xff, 0xd8][..], &frame, &data].concat()
}

/// A PDF with so many bytes of content.
pub(crate) fn pdf(content: usize) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%".to_vec();
    file.extend(std::iter::repeat_n(b'7', content));
    let at = file.len() + 1;
    file.extend_from_slice(b"\nxref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R >>\n");
    file.extend_from_slice(format!("startxref\n{at}\n%%EOF\n").as_bytes());
    file
}

/// Keying the sample under a number.
pub(crate) fn keying(number: &str) -> pb::KeyActRequest {
    pb::KeyActRequest {
        request_id: request_id(),
        key: Some(key(number)),
        content: Some(content()),
        ..Default::default()
    }
}

impl World {
    /// Keys as this person.
    pub(crate) fn key(
        &self,
        person: Person,
        request: pb::KeyActRequest,
    ) -> BoxFuture<'_, Result<pb::KeyActResponse, tonic::Status>> {
        Box::pin(async move {
            let answer = self.acts().key_act(self.of(person, request)).await?;
            Ok(answer.into_inner())
        })
    }

    /// An act keyed by two people who agree.
    pub(crate) fn registered(&self, request: pb::KeyActRequest) -> BoxFuture<'_, Uuid> {
        Box::pin(async move {
            let mut again = request.clone();
            again.request_id = request_id();
            self.key(self.agent(), request).await.unwrap();
            let answer = self.key(self.agent(), again).await.unwrap();
            assert_eq!(answer.state(), pb::KeyingState::Registered);
            Uuid::try_parse(&answer.act_id).unwrap()
        })
    }

    pub(crate) async fn act(&self, person: Person, act_id: Uuid) -> Result<pb::Act, tonic::Status> {
        let request = pb::GetActRequest {
            act_id: act_id.to_string(),
        };
        let answer = self.acts().get_act(self.of(person, request)).await?;
        Ok(answer.into_inner().act.unwrap())
    }
}
