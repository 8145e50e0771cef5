//! What may follow a signature, and what may not although it looks like it.

use wathiq_pades::cms::Algorithm;
use wathiq_pades::plan::FieldPlacement;
use wathiq_pades::prepare;
use wathiq_pades::syntax::Document;
use wathiq_pades::verify::{Change, Coverage, LaterChanges, verify};

use crate::build::{self, Builder};
use crate::judge::{EVIL, GOOD, PAGE, Signed, assert_judged, contract, cover, first, line, stream, word};
use crate::support::{plan, sign, strokes};
use crate::verify::known;

/// A page tree with other words, at these numbers.
fn other_pages(at: u32) -> [(u32, String); 3] {
    let page = PAGE
        .replace("/Parent 2 0 R", &format!("/Parent {at} 0 R"))
        .replace("5 0 R", &format!("{} 0 R", at + 2));
    [
        (at, format!("<< /Type /Pages /Kids [{} 0 R] /Count 1 >>", at + 1)),
        (at + 1, page),
        (at + 2, stream("", &line(EVIL))),
    ]
}

/// The catalogue led to other pages.
fn exchanged(signed: &Signed, trailer: &str) -> Vec<u8> {
    let catalogue = signed
        .body(1)
        .replace("/Pages 2 0 R", &format!("/Pages {} 0 R", signed.next));
    let pages = other_pages(signed.next);
    let mut objects = vec![(1, catalogue.as_str())];
    objects.extend(pages.iter().map(|(number, body)| (*number, body.as_str())));
    signed.append(&objects, trailer)
}

/// A file whose trailer says this too.
fn with_information(builder: &Builder, information: &str) -> Vec<u8> {
    let bytes = builder.finish();
    let at = bytes
        .windows(11)
        .rposition(|run| run == b"/Root 1 0 R")
        .expect("a trailer");
    [&bytes[..at], information.as_bytes(), b" ", &bytes[at..]].concat()
}

#[test]
fn the_catalogue_is_not_freed_as_document_information() {
    let signed = Signed::new(&with_information(&contract(), "/Info 1 0 R"));
    assert_judged(&exchanged(&signed, "/Info 1 0 R"), "other", "OTHER");
}

#[test]
fn the_catalogue_is_not_freed_as_its_own_security_store() {
    let original = contract().object(1, "<< /Type /Catalog /Pages 2 0 R /DSS 1 0 R >>");
    assert_judged(&exchanged(&Signed::new(&original.finish()), ""), "other", "OTHER");
}

#[test]
fn page_content_is_not_freed_as_metadata() {
    let kind = "/Type /Metadata /Subtype /XML";
    let mut original = contract().object(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R >>");
    original = original.object(5, &stream(kind, &line(GOOD)));
    let signed = Signed::new(&original.finish());
    let changed = signed.append(&[(5, &stream(kind, &line(EVIL)))], "");
    assert_judged(&changed, "other", "OTHER");
}

#[test]
fn content_that_calls_itself_a_container_is_not_freed() {
    for kind in ["/Type /ObjStm", "/Type /XRef"] {
        let original = contract().object(5, &stream(kind, &line(GOOD)));
        let signed = Signed::new(&original.finish());
        let changed = signed.append(&[(5, &stream(kind, &line(EVIL)))], "");
        assert_judged(&changed, "other", "OTHER");
    }
}

#[test]
fn only_pages_get_annotations() {
    let form = "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >>";
    let page = PAGE.replace("/F1 4 0 R >> >>", "/F1 4 0 R >> /XObject 6 0 R >>");
    let original = contract()
        .object(3, &page)
        .object(5, &stream("", b"/Annots Do"))
        .object(6, "<< /Annots 7 0 R >>")
        .object(7, &stream(form, &line(GOOD)));
    let signed = Signed::new(&original.finish());
    let list = format!("<< /Annots {} 0 R >>", signed.next);
    let changed = signed.append(&[(6, &list), (signed.next, &stream(form, &line(EVIL)))], "");
    assert_judged(&changed, "other", "OTHER");
}

#[test]
fn an_array_of_content_streams_does_not_grow() {
    let original = contract()
        .object(3, &PAGE.replace("/Contents 5 0 R", "/Contents 6 0 R"))
        .object(6, "[5 0 R]");
    let signed = Signed::new(&original.finish());
    let field = signed.next;
    let (form, fields) = signed.form_with(field);
    let painted = [b"1 g 0 0 595 842 re f 0 g ".as_slice(), &line(EVIL)].concat();
    let objects = [
        (6, format!("[5 0 R {field} 0 R]")),
        (form, fields),
        (field, stream("/FT /Sig /T (x)", &painted)),
    ];
    let objects = objects.each_ref().map(|(number, body)| (*number, body.as_str()));
    assert_judged(&signed.append(&objects, ""), "other", "OTHER");
}

/// A widget over the page, its value and its appearance.
fn widget(signed: &Signed, entries: &str, value: &str) -> Vec<u8> {
    let at = signed.next;
    let (form, fields) = signed.form_with(at);
    let field = format!(
        "<< /Type /Annot /Subtype /Widget /FT /Sig /T (x) /F 132 {entries} /V {} 0 R >>",
        at + 1
    );
    let field = field.replace("APPEARANCE", &format!("{} 0 R", at + 2));
    let (page, cover) = (signed.page_with(at), cover());
    let objects = [
        (3, page.as_str()),
        (form, &fields),
        (at, &field),
        (at + 1, value),
        (at + 2, &cover),
    ];
    signed.append(&objects, "")
}

const VALUE: &str = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached >>";

/// pyHanko does not read a file with such a value.
#[test]
fn a_field_over_the_page_without_a_signature_is_seen() {
    let signed = Signed::new(&contract().finish());
    let covered = widget(&signed, "/Rect [0 0 595 842] /AP << /N APPEARANCE >>", VALUE);
    assert_judged(&covered, "other", "REFUSED");
}

/// The appearance is clipped to its box, not to the rectangle that a reader may take for missing.
#[test]
fn a_field_without_extent_shows_nothing() {
    let signed = Signed::new(&contract().finish());
    for entries in [
        "/Rect [0 0 0 0] /AP << /N APPEARANCE >>",
        "/AP << /N APPEARANCE >>",
        "/Rect [0 0 0 0 ] /AP << /N << /On APPEARANCE >> >> /AS /On",
        "/Rect [0 0 0 0] /A << /S /URI /URI (http://example.org) >>",
        "/Rect [0 0 0 0] /Rect [0 0 595 842]",
        "/Rect (0)",
    ] {
        let report = first(&widget(&signed, entries, VALUE));
        assert_eq!(word(&report.later), "other", "{entries}");
    }
    let report = first(&widget(&signed, "/Rect [0 0 0 0]", VALUE));
    assert_eq!(word(&report.later), "harmless", "{:?}", report.later);
}

#[test]
fn a_value_is_a_new_dictionary() {
    let signed = Signed::new(&contract().finish());
    let as_stream = stream("/Type /Sig /SubFilter /ETSI.CAdES.detached", b"x");
    let report = first(&widget(&signed, "/Rect [0 0 0 0]", &as_stream));
    assert_eq!(word(&report.later), "other");
}

/// A signature of somebody else that covers the contract: the signature stands, the file is not as issued.
#[test]
fn a_proper_signature_over_the_page_is_a_state_of_its_own() {
    let signed = Signed::new(&contract().finish());
    let mut plan = plan();
    plan.field = FieldPlacement::Visible {
        name: "Dessus".to_owned(),
        page_index: 0,
        rect: [0.0, 0.0, 595.0, 842.0],
        appearance: strokes(),
    };
    let prepared = prepare(&signed.file, &plan).expect("it can be prepared");
    let covered = sign(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
    assert_judged(&covered, "visible", "FORM_FILLING");
}

/// An empty field prepared over the text before we sign, and filled later.
#[test]
fn an_empty_field_over_the_text_is_seen_when_filled() {
    let original = contract()
        .object(
            1,
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>",
        )
        .object(3, &PAGE.replace("/Contents", "/Annots [6 0 R] /Contents"))
        .object(
            6,
            "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Vide) /Rect [0 0 595 842] /P 3 0 R >>",
        );
    let signed = Signed::new(&original.finish());
    for (appearance, expected) in [(Some(strokes()), "visible"), (None, "harmless")] {
        let mut plan = plan();
        plan.field = FieldPlacement::Existing {
            name: "Vide".to_owned(),
            appearance,
        };
        let prepared = prepare(&signed.file, &plan).expect("it can be prepared");
        let filled = sign(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
        assert_judged(&filled, expected, "FORM_FILLING");
    }
}

/// Readers differ in which of two equal keys they take; pyHanko does not read such a file.
#[test]
fn a_page_with_a_key_twice_is_another_page() {
    let signed = Signed::new(&contract().finish());
    let twice = signed.body(3).replacen(
        "/Contents",
        &format!("/Contents {} 0 R /Contents", signed.next),
        1,
    );
    let changed = signed.append(&[(3, &twice), (signed.next, &stream("", &line(EVIL)))], "");
    assert_judged(&changed, "other", "REFUSED");
}

#[test]
fn what_a_later_revision_takes_back_is_not_forgotten() {
    let signed = Signed::new(&contract().finish());
    let changed = Signed::of(signed.append(&[(5, &stream("", &line(EVIL)))], ""));
    let mut plan = plan();
    plan.field = FieldPlacement::Invisible {
        name: "Second".to_owned(),
    };
    let prepared = prepare(&changed.file, &plan).expect("it can be prepared");
    let second = Signed::of(sign(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256));
    let restored = second.append(&[(5, &stream("", &line(GOOD)))], "");
    assert_judged(&restored, "other", "OTHER");
}

#[test]
fn information_is_text() {
    let original = with_information(&contract().object(6, "<< /Title (Bail) >>"), "/Info 6 0 R");
    let signed = Signed::new(&original);
    let renamed = signed.append(&[(6, "<< /Title (Contrat) /Trapped /False >>")], "/Info 6 0 R");
    assert_judged(&renamed, "harmless", "LTA_UPDATES");
    for odd in ["<< /Title 5 0 R >>", "<< /Title [(Contrat)] >>"] {
        let report = first(&signed.append(&[(6, odd)], "/Info 6 0 R"));
        assert_eq!(report.later, LaterChanges::Other { objects: vec![6] }, "{odd}");
    }
    let report = first(&signed.append(&[(6, &stream("", b"x"))], "/Info 6 0 R"));
    assert_eq!(report.later, LaterChanges::Other { objects: vec![6] });
}

#[test]
fn a_security_store_has_its_shape() {
    let signed = Signed::new(&contract().finish());
    let with = |store: &str| {
        let catalogue = signed.body(1).replacen("<<", &format!("<< /DSS {store}"), 1);
        let certificate = stream("", b"x");
        signed.append(&[(1, &catalogue), (signed.next, &certificate)], "")
    };
    let certificates = format!("[{} 0 R]", signed.next);
    let name = "0123456789ABCDEF0123456789ABCDEF01234567";
    for well in [
        format!("<< /Certs {certificates} >>"),
        format!("<< /Certs {certificates} /VRI << /{name} << /Cert {certificates} /TU (D:2026) >> >> >>"),
    ] {
        assert_judged(&with(&well), "harmless", "LTA_UPDATES");
    }
    for odd in [
        format!("<< /Certs {certificates} /Pages 2 0 R >>"),
        "<< /Certs [3 0 R] >>".to_owned(),
        "<< /Certs [(x)] >>".to_owned(),
        format!("<< /VRI << /short << /Cert {certificates} >> >> >>"),
        format!("<< /VRI << /{name} << /Other {certificates} >> >> >>"),
    ] {
        assert_judged(&with(&odd), "other", "OTHER");
    }
}

#[test]
fn a_freed_object_is_a_change() {
    let signed = Signed::new(&contract().finish());
    let document = Document::open(&signed.file).expect("it can be read");
    let mut freed = signed.file.clone();
    let update = format!(
        "xref\n5 1\n0000000000 00001 f \ntrailer\n<< /Size {} /Root 1 0 R /Prev {} >>\nstartxref\n{}\n%%EOF\n",
        signed.next,
        document.startxref(),
        freed.len()
    );
    freed.extend_from_slice(update.as_bytes());
    assert_judged(&freed, "other", "OTHER");
}

/// pyHanko counts nothing that no object changes; whoever asks for the bytes as issued must know.
#[test]
fn bytes_behind_the_revision_leave_the_length_of_the_revision() {
    let signed = Signed::new(&contract().finish());
    let mut longer = signed.file.clone();
    longer.extend_from_slice(b"%hidden\n");
    let report = first(&longer);
    assert_eq!(report.later, LaterChanges::None);
    assert_eq!(report.coverage, Coverage::WholeRevision);
    assert_eq!(report.revision_length, signed.file.len() as u64);
    let report = first(&build::append(
        &signed.file,
        &[(signed.next, "(orphan)")],
        signed.next + 1,
    ));
    assert_eq!(report.later, LaterChanges::None);
}

#[test]
fn an_invisible_seal_is_harmless_to_the_one_before() {
    let signed = Signed::new(&contract().finish());
    let mut plan = plan();
    plan.field = FieldPlacement::Invisible {
        name: "Second".to_owned(),
    };
    let prepared = prepare(&signed.file, &plan).expect("it can be prepared");
    let twice = sign(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
    assert_judged(&twice, "harmless", "FORM_FILLING");
    let reports = verify(&twice, &known()).expect("it can be read");
    let changes = vec![Change::Signature];
    assert_eq!(reports[0].later, LaterChanges::Harmless { changes });
    assert_eq!(reports[1].later, LaterChanges::None);
}
