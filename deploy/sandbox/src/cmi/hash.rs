//! HASH ver3 of the hosted page: Base64 of SHA-512 over the values in the natural order of their names, and the store key.

use std::cmp::Ordering;

use aws_lc_rs::digest::{SHA512, digest};
use data_encoding::BASE64;

/// The hash of a form, over every field but `hash` and `encoding`.
pub(super) fn ver3(fields: &[(String, String)], store_key: &str) -> String {
    let mut hashed: Vec<_> = fields
        .iter()
        .filter(|(name, _)| !["hash", "encoding"].contains(&name.to_lowercase().as_str()))
        .collect();
    hashed.sort_by(|(one, _), (other, _)| natural(one, other));
    let values = hashed.into_iter().map(|(_, value)| escaped(value.trim()));
    let plain: Vec<_> = values.chain([escaped(store_key)]).collect();
    BASE64.encode(digest(&SHA512, plain.join("|").as_bytes()).as_ref())
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('|', "\\|")
}

/// Without regard to case, runs of digits by the numbers that they write.
fn natural(one: &str, other: &str) -> Ordering {
    let (one, other) = (pieces(one), pieces(other));
    one.cmp(&other)
}

/// Characters, and a digit with the number where one stands.
fn pieces(name: &str) -> Vec<(char, u128)> {
    let mut pieces: Vec<(char, u128)> = Vec::new();
    let mut within = false;
    for character in name.to_uppercase().chars() {
        let digit = character.to_digit(10).map(u128::from);
        match (digit, pieces.last_mut()) {
            (Some(digit), Some((_, number))) if within => {
                *number = number.saturating_mul(10).saturating_add(digit);
            }
            (Some(digit), _) => pieces.push(('0', digit)),
            (None, _) => pieces.push((character, 0)),
        }
        within = digit.is_some();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{natural, ver3};

    fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fields.iter().map(own).collect()
    }

    const REQUEST: [(&str, &str); 21] = [
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
        ("BillToName", "Amina El Idrissi"),
        ("BillToCountry", "504"),
        ("tel", "+212600000000"),
        ("rnd", "0.10000000 1700000000"),
        ("hashAlgorithm", "ver3"),
        ("encoding", "UTF-8"),
        ("AutoRedirect", "true"),
        ("refreshtime", "5"),
    ];

    #[test]
    fn a_request_has_the_published_hash() {
        assert_eq!(
            ver3(&form(&REQUEST), "TEST1234"),
            "5sI7b3GXn/LMVoME09ouEUPFgT9qy5zfEiB6boxZX/eWOrNHRIfwWYW+Hwbvak3ZtxykzNumYb9j5Zd2MIqduw=="
        );
    }

    #[test]
    fn bars_and_backslashes_are_escaped() {
        let mut fields = form(&REQUEST);
        fields[13].1 = "A|B\\C".to_owned();
        assert_eq!(
            ver3(&fields, "k|e\\y"),
            "qqpoU7FD7jbQGXLVNVDM7IUtrrl4FW9TJ3rVfF51BY7DVMJP+84+MviaEzO2FkMdnKU91lEYAc1DX61zkn9+VQ=="
        );
    }

    #[test]
    fn a_callback_has_the_published_hash() {
        let fields = form(&[
            ("TranType", "PreAuth"),
            ("TransId", "26001ABCD00001"),
            ("storetype", "3D_PAY_HOSTING"),
            ("rnd", "abc"),
            ("Response", "Approved"),
            ("ProcReturnCode", "00"),
            ("oid", "WTQ-2026-000001"),
            ("mdStatus", "1"),
            ("maskedCreditCard", "4000 00** **** 0010"),
            ("HostRefNum", "600112345678"),
            ("hashAlgorithm", "ver3"),
            ("EXTRA.CARDBRAND", "VISA"),
            ("ErrMsg", ""),
            ("currency", "504"),
            ("clientid", "600000001"),
            ("AuthCode", "123456"),
            ("amount", "20.00"),
            ("HASH", "of something else"),
        ]);
        assert_eq!(
            ver3(&fields, "TEST1234"),
            "UHvaTOOETWlQVPGUUWC8UTHzpEko1SLYjSH2n2y/WVMOy5H7uwm8Hd+/cq8+XdioaFU7jtiCxHmtqIo9lqs74g=="
        );
    }

    #[test]
    fn the_vectors_of_other_kits_hold() {
        let urls = [
            ("okUrl", "https://domain.com/success"),
            ("failUrl", "https://domain.com/fail_url"),
            ("clientid", "190100000"),
            ("amount", "100.25"),
            ("oid", "order222"),
            ("lang", "tr"),
            ("currency", "949"),
            ("taksit", ""),
            ("islemtipi", "Auth"),
            ("hashAlgorithm", "ver3"),
        ];
        let with = |more: &[(&str, &str)]| ver3(&form(&[&urls, more].concat()), "123456");
        assert_eq!(
            with(&[
                ("storetype", "3d_pay"),
                ("rnd", "rand"),
                ("firmaadi", "siparis veren"),
                ("Email", "test@test.com"),
            ]),
            "/uPxhEKWCEGi3NsDOOQ4u8Hu5g71v5GWspOid70WehTWEz97PqxG3IN1Jv5jsbOXOw3Z3Rr/0UtywzEgbqFfdA=="
        );
        assert_eq!(
            with(&[("storetype", "3d"), ("rnd", "12345")]),
            "4aUsG5hqlIFLc9s8PKc5rWb2OLhmxDDewNgKa2XrwoYCIxlyVq8Fjl4IVaZzoqL983CfTseicmnTA0PjZr74xg=="
        );
    }

    #[test]
    fn names_are_ordered_naturally_and_without_regard_to_case() {
        let mut names = [
            "Item10",
            "amount",
            "item2",
            "AutoRedirect",
            "items",
            "item",
            "Zone",
            "EXTRA.B",
        ];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(
            names,
            [
                "amount",
                "AutoRedirect",
                "EXTRA.B",
                "item",
                "item2",
                "Item10",
                "items",
                "Zone"
            ]
        );
    }
}
