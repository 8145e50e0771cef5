//! Hash ver3 of NestPay: Base64 of SHA-512 over the values of all fields in the natural order of their names, and the store's key.

use std::cmp::Ordering;

use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;

use super::entities;
use crate::providers::Field;

/// The hash of what is posted by us, or of a message whose values went through [`received`].
pub(super) fn of(fields: &[Field], store_key: &SecretString) -> String {
    let counts = |field: &&Field| !["hash", "encoding"].contains(&field.name.to_ascii_lowercase().as_str());
    let mut counted: Vec<&Field> = fields.iter().filter(counts).collect();
    counted.sort_by(|one, other| natural(&one.name, &other.name));
    let mut hash = Sha512::new();
    for field in counted {
        hash.update(escaped(trimmed(&field.value)));
        hash.update("|");
    }
    hash.update(escaped(store_key.expose_secret().trim()));
    BASE64.encode(&hash.finalize())
}

/// Whether the hash is the one of these fields, in constant time.
pub(super) fn holds(hash: &str, fields: &[Field], store_key: &SecretString) -> bool {
    of(fields, store_key).as_bytes().ct_eq(hash.as_bytes()).into()
}

/// A value as the provider's own callback kit reads it: without a newline at the end, HTML entities decoded.
pub(super) fn received(value: &str) -> String {
    entities::decode(value.strip_suffix('\n').unwrap_or(value))
}

/// Without what PHP's `trim` takes away, as the provider's kits do: no other white space.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t', '\n', '\r', '\0', '\u{b}'])
}

/// The backslash first: otherwise the one that escapes a bar would be escaped again.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('|', "\\|")
}

/// Natural order without regard to case, as PHP's `strnatcasecmp`: letters as upper case, runs of digits as numbers.
fn natural(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.to_ascii_uppercase(), other.to_ascii_uppercase());
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some(a), Some(b)) = (one.first(), other.first()) else {
            return one.len().cmp(&other.len());
        };
        let order = if a.is_ascii_digit() && b.is_ascii_digit() {
            let (x, y) = (digits(&mut one), digits(&mut other));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            let order = a.cmp(b);
            (one, other) = (&one[1..], &other[1..]);
            order
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes a run of digits; without its leading zeros.
fn digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    let zeros = run.iter().take_while(|byte| **byte == b'0').count();
    &run[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
        pairs
            .iter()
            .map(|(name, value)| Field::new(*name, *value))
            .collect()
    }

    fn key(text: &str) -> SecretString {
        SecretString::from(text)
    }

    /// TV1 of the reference, in an order that is not the hash's.
    fn request(name: &str) -> Vec<Field> {
        fields(&[
            ("clientid", "600000001"),
            ("storetype", "3D_PAY_HOSTING"),
            ("TranType", "PreAuth"),
            ("amount", "20.00"),
            ("currency", "504"),
            ("oid", "WTQ-2026-000001"),
            ("okUrl", "https://portail.example.ma/paiement/ok"),
            ("failUrl", "https://portail.example.ma/paiement/ko"),
            ("shopurl", "https://portail.example.ma/"),
            ("callbackUrl", "https://portail.example.ma/paiement/cmi"),
            ("CallbackResponse", "true"),
            ("lang", "fr"),
            ("email", "amina@example.ma"),
            ("BillToName", name),
            ("BillToCountry", "504"),
            ("tel", "+212600000000"),
            ("rnd", "0.10000000 1700000000"),
            ("hashAlgorithm", "ver3"),
            ("encoding", "UTF-8"),
            ("AutoRedirect", "true"),
            ("refreshtime", "5"),
        ])
    }

    #[test]
    fn tv1_a_request() {
        let hash = "5sI7b3GXn/LMVoME09ouEUPFgT9qy5zfEiB6boxZX/eWOrNHRIfwWYW+Hwbvak3ZtxykzNumYb9j5Zd2MIqduw==";
        let mut posted = request("Amina El Idrissi");
        assert_eq!(of(&posted, &key("TEST1234")), hash);
        posted.push(Field::new("HASH", "anything"));
        assert!(holds(hash, &posted, &key("TEST1234")));
        assert!(!holds(hash, &posted, &key("TEST1235")));
        posted[3].value = "2.00".to_owned();
        assert!(!holds(hash, &posted, &key("TEST1234")));
    }

    #[test]
    fn tv2_backslashes_and_bars() {
        let hash = "qqpoU7FD7jbQGXLVNVDM7IUtrrl4FW9TJ3rVfF51BY7DVMJP+84+MviaEzO2FkMdnKU91lEYAc1DX61zkn9+VQ==";
        assert_eq!(of(&request("A|B\\C"), &key("k|e\\y")), hash);
    }

    #[test]
    fn tv3_a_callback_with_an_empty_field() {
        let hash = "UHvaTOOETWlQVPGUUWC8UTHzpEko1SLYjSH2n2y/WVMOy5H7uwm8Hd+/cq8+XdioaFU7jtiCxHmtqIo9lqs74g==";
        let posted = fields(&[
            ("TransId", "26001ABCD00001"),
            ("TranType", "PreAuth"),
            ("amount", "20.00"),
            ("AuthCode", "123456"),
            ("clientid", "600000001"),
            ("currency", "504"),
            ("ErrMsg", ""),
            ("EXTRA.CARDBRAND", "VISA"),
            ("hashAlgorithm", "ver3"),
            ("HostRefNum", "600112345678"),
            ("maskedCreditCard", "4000 00** **** 0010"),
            ("mdStatus", "1"),
            ("oid", "WTQ-2026-000001"),
            ("ProcReturnCode", "00"),
            ("Response", "Approved"),
            ("rnd", "abc"),
            ("storetype", "3D_PAY_HOSTING"),
        ]);
        assert_eq!(of(&posted, &key("TEST1234")), hash);
    }

    fn third_party(extra: &[(&str, &str)]) -> Vec<Field> {
        let mut posted = fields(&[
            ("clientid", "190100000"),
            ("amount", "100.25"),
            ("oid", "order222"),
            ("okUrl", "https://domain.com/success"),
            ("failUrl", "https://domain.com/fail_url"),
            ("lang", "tr"),
            ("currency", "949"),
            ("taksit", ""),
            ("islemtipi", "Auth"),
            ("hashAlgorithm", "ver3"),
        ]);
        posted.extend(fields(extra));
        posted
    }

    #[test]
    fn third_party_vectors() {
        let one = third_party(&[
            ("storetype", "3d_pay"),
            ("rnd", "rand"),
            ("firmaadi", "siparis veren"),
            ("Email", "test@test.com"),
        ]);
        assert_eq!(
            of(&one, &key("123456")),
            "/uPxhEKWCEGi3NsDOOQ4u8Hu5g71v5GWspOid70WehTWEz97PqxG3IN1Jv5jsbOXOw3Z3Rr/0UtywzEgbqFfdA=="
        );
        let two = third_party(&[("storetype", "3d"), ("rnd", "12345")]);
        assert_eq!(
            of(&two, &key("123456")),
            "4aUsG5hqlIFLc9s8PKc5rWb2OLhmxDDewNgKa2XrwoYCIxlyVq8Fjl4IVaZzoqL983CfTseicmnTA0PjZr74xg=="
        );
    }

    #[test]
    fn names_sort_naturally_and_values_as_the_kit_reads_them() {
        let mut names = [
            "BillToStreet10",
            "billToStreet2",
            "BillToStreet1",
            "rnd",
            "EXTRA.A",
            "Email",
            "TransId",
        ];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(
            names,
            [
                "BillToStreet1",
                "billToStreet2",
                "BillToStreet10",
                "Email",
                "EXTRA.A",
                "rnd",
                "TransId"
            ]
        );
        assert_eq!(
            received("Caf&eacute; &amp; &#1575;&#x644; &unknown; &\n"),
            "Café & ال &unknown; &"
        );
        assert_eq!(received("two\n\n"), "two\n");
        // As PHP's `trim`: neither the no-break space nor the form feed goes.
        assert_eq!(trimmed("\0\u{b} \t\r\nx\u{a0}\u{c} \0"), "x\u{a0}\u{c}");
        let of_name = |name: &str| of(&request(name), &key("TEST1234"));
        assert_eq!(of_name(" Amina\u{b}"), of_name("Amina"));
        assert_ne!(of_name("Amina\u{a0}"), of_name("Amina"));
    }
}
