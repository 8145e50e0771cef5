//! What a citizen confirms: the document, where the signature is, and at which office.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::placement::Placement;

/// Everything the citizen's confirmation covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationSubject {
    pub request_id: Uuid,
    pub document_sha256: [u8; 32],
    pub placement: Placement,
    /// Version of the specimen that counts at the time of confirming.
    pub specimen_version: i32,
    pub office_id: Uuid,
}

impl ConfirmationSubject {
    /// SHA-256 of [`ConfirmationSubject::encode`].
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    /// The protobuf encoding of `wathiq.signature.v1.ConfirmationSubject`, fields in order of number. It is written out
    /// here because the hash outlives every library version: protobuf itself promises no canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, self.request_id.to_string().as_bytes());
        put_bytes(&mut out, 2, &self.document_sha256);
        put_integer(&mut out, 3, i64::from(self.placement.page_number));
        let rectangle = self.placement.rectangle;
        let mut packed = Vec::new();
        for value in [rectangle.x, rectangle.y, rectangle.width, rectangle.height] {
            put_varint(&mut packed, value.cast_unsigned());
        }
        put_bytes(&mut out, 4, &packed);
        put_bytes(
            &mut out,
            5,
            self.placement
                .mark_digest()
                .as_ref()
                .map_or(&[][..], |digest| &digest[..]),
        );
        put_integer(&mut out, 6, i64::from(self.specimen_version));
        put_bytes(&mut out, 7, self.office_id.to_string().as_bytes());
        out
    }
}

/// A length-delimited field; an empty one is left out, as proto3 does with implicit presence.
fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_varint(out, field << 3 | 2);
        put_varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

/// A varint field; zero is left out.
fn put_integer(out: &mut Vec<u8>, field: u64, value: i64) {
    if value != 0 {
        put_varint(out, field << 3);
        put_varint(out, value.cast_unsigned());
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
