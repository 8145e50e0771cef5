use super::*;

fn moroccan() -> RawAddress<'static> {
    RawAddress {
        country: "ma",
        postal_code: "20 250",
        latin: RawLines {
            locality: "Casablanca",
            street: "12, rue Tarfaya",
            quarter: "Hay Hassani",
            extra: "",
        },
        arabic: RawLines {
            locality: "الدار البيضاء",
            street: "12 زنقة طرفاية",
            ..RawLines::default()
        },
    }
}

fn reasons(raw: RawAddress<'_>) -> Vec<(String, &'static str)> {
    let faults = address(&raw).err().unwrap_or_default();
    faults
        .into_iter()
        .map(|fault| (fault.field, fault.reason))
        .collect()
}

fn check(raw: RawAddress<'_>, expect: &[(&str, &str)]) {
    let found = reasons(raw);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(field, reason)| (field.as_str(), *reason))
        .collect();
    assert_eq!(found, expect);
}

#[test]
fn a_moroccan_address_is_taken_in_both_scripts_or_one() {
    let taken = address(&moroccan()).unwrap();
    assert_eq!(
        (taken.country.as_str(), taken.postal_code.as_deref()),
        ("MA", Some("20250"))
    );
    assert_eq!(taken.latin.unwrap().extra, None);
    for missing in [
        RawAddress {
            latin: RawLines::default(),
            ..moroccan()
        },
        RawAddress {
            arabic: RawLines::default(),
            ..moroccan()
        },
    ] {
        check(missing, &[]);
    }
}

#[test]
fn what_is_missing_in_morocco_is_named() {
    let nothing = RawAddress {
        country: "MA",
        ..RawAddress::default()
    };
    check(nothing, &[("postal_code", "REQUIRED")]);
    let only_code = RawAddress {
        country: "MA",
        postal_code: "20250",
        ..RawAddress::default()
    };
    check(
        only_code,
        &[("locality_latin", "REQUIRED"), ("street_latin", "REQUIRED")],
    );
    check(
        RawAddress {
            postal_code: "2025",
            ..moroccan()
        },
        &[("postal_code", "POSTAL_CODE")],
    );
    let half = RawLines {
        street: "",
        ..moroccan().latin
    };
    check(
        RawAddress {
            latin: half,
            ..moroccan()
        },
        &[("street_latin", "REQUIRED")],
    );
}

#[test]
fn an_address_abroad_needs_country_locality_and_street() {
    let latin = RawLines {
        locality: "Lyon",
        street: "3 rue de la Paix",
        ..RawLines::default()
    };
    let french = RawAddress {
        country: "FR",
        postal_code: "69001",
        latin,
        ..RawAddress::default()
    };
    check(french, &[]);
    check(
        RawAddress {
            postal_code: "",
            ..french
        },
        &[],
    );
    check(
        RawAddress {
            country: "XX",
            ..french
        },
        &[("country_code", "UNKNOWN_COUNTRY")],
    );
    check(
        RawAddress {
            country: "",
            ..french
        },
        &[("country_code", "REQUIRED")],
    );
    check(
        RawAddress {
            postal_code: "6900/1",
            ..french
        },
        &[("postal_code", "POSTAL_CODE")],
    );
}

#[test]
fn hostile_text_is_refused_field_by_field() {
    let latin = RawLines {
        locality: "Casa\u{202e}blanca",
        street: "=cmd()",
        quarter: &"x".repeat(61),
        extra: "شقة 3",
    };
    check(
        RawAddress { latin, ..moroccan() },
        &[
            ("locality_latin", "UNPRINTABLE"),
            ("street_latin", "MALFORMED"),
            ("quarter_latin", "LENGTH"),
            ("extra_latin", "WRONG_SCRIPT"),
        ],
    );
}

#[test]
fn names_have_letters_in_their_script() {
    assert!(name("Mohamed Alaoui", "").is_ok());
    assert!(name("", "محمد العلوي").is_ok());
    let reason = |latin: &str, arabic: &str| name(latin, arabic).unwrap_err()[0].reason;
    assert_eq!(reason("", " "), "REQUIRED");
    assert_eq!(reason("محمد", ""), "WRONG_SCRIPT");
    assert_eq!(reason("", "Mohamed"), "WRONG_SCRIPT");
    assert_eq!(reason(&"a".repeat(121), ""), "LENGTH");
    assert_eq!(reason("123", ""), "REQUIRED");
}

#[test]
fn phones_are_e164() {
    assert_eq!(
        phone(" +212600000000 ").unwrap().as_deref(),
        Some("+212600000000")
    );
    assert_eq!(phone("").unwrap(), None);
    for wrong in [
        "0600000000",
        "+0600000000",
        "+2126",
        "+21260000000a",
        "+2126000000000000",
    ] {
        assert_eq!(phone(wrong).unwrap_err().reason, "PHONE", "{wrong}");
    }
}

#[test]
fn what_people_write_is_taken_and_what_a_spreadsheet_reckons_is_not() {
    for good in ["'Abd Allah", "(chez M. Alami)", "«Villa Nour»", "№ 5", "12 bis"] {
        assert!(line(good, 60).is_ok(), "{good}");
    }
    for bad in ["=1+1", "+212", "-1", "@SUM(A1)", "＝1"] {
        assert_eq!(line(bad, 60).unwrap_err().reason, "MALFORMED", "{bad}");
    }
}

#[test]
fn an_address_in_the_southern_provinces_is_moroccan() {
    let mut raw = moroccan();
    raw.country = "EH";
    raw.postal_code = "70000";
    raw.latin.locality = "Laâyoune";
    assert_eq!(address(&raw).unwrap().country, "MA");
    raw.postal_code = "";
    check(raw, &[("postal_code", "REQUIRED")]);
}
