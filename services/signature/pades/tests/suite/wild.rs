//! Oddities of files as programs and people really make them.

use wathiq_pades::intake::{Reason, leading_junk};
use wathiq_pades::syntax::Document;

use crate::build::{self, Builder};
use crate::intake::{inspected, refused};
use crate::support::{Desk, assert_qpdf_clean, plan, run, seal, text, trust};

/// What LibreOffice writes when it keeps the source of a document in the PDF; it opens that source again, not the pages.
#[test]
fn a_source_document_behind_the_trailer() {
    let hybrid = |trailer: &str| {
        let plain = Builder::new().stream(4, "", b"PK").finish();
        let text = format!("/Root 1 0 R {trailer}");
        let at = plain
            .windows(11)
            .rposition(|run| run == b"/Root 1 0 R")
            .expect("a trailer");
        [&plain[..at], text.as_bytes(), &plain[at + 11..]].concat()
    };
    inspected(&hybrid("")).expect("a stream that nothing names is no file");
    let named = hybrid("/AdditionalStreams [/application#2Fvnd.oasis.opendocument.text 4 0 R]");
    refused(&named, Reason::EmbeddedFile);
    // An update may hide the trailer, not the file.
    let updated = build::append(
        &named,
        &[(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>")],
        5,
    );
    refused(&updated, Reason::EmbeddedFile);
}

/// As pdfunite of poppler 22 writes `/Size`: the number of objects.
#[test]
fn a_size_that_counts_objects_is_mended_by_the_seal() {
    let desk = Desk::new();
    let gap = Builder::new()
        .object(1, "<< /Type /Catalog /Pages 9 0 R >>")
        .object(9, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
        .object(3, "<< /Type /Page /Parent 9 0 R /MediaBox [0 0 595 842] >>")
        .finish();
    let united = replaced(&gap, b"/Size 10", b"/Size 5 ");
    inspected(&united).expect("readers go by the entries");
    let sealed = seal(&united, &plan());
    let document = Document::open(&sealed).expect("our own file");
    let size = document.trailer().get(b"Size").expect("a size").integer();
    let highest = document.object_ids().map(|id| id.number).max();
    assert_eq!(size, highest.map(|number| i64::from(number) + 1));
    let checked = run("qpdf", &["--check", text(&desk.write("united.pdf", &sealed))]);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
    // What only a seal's own objects could fill stays a refusal.
    let dangling = Builder::new()
        .object(4, "<< /A 10 0 R >>")
        .object(9, "null")
        .finish();
    let refusal = refused(
        &replaced(&dangling, b"/Size 10", b"/Size 5 "),
        Reason::DamagedCrossReference,
    );
    assert_eq!(refusal.data["reference"], "10");
    refused(
        &replaced(&gap, b"/Size 10", b"/Size -1"),
        Reason::DamagedCrossReference,
    );
}

#[test]
fn what_stands_before_the_header_can_be_left_out() {
    let plain = Builder::new().finish();
    for junk in [
        b"\xef\xbb\xbf".as_slice(),
        b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        &[b'x'; 1024],
    ] {
        let found = [junk, &plain].concat();
        refused(&found, Reason::NotAPdf);
        assert_eq!(leading_junk(&found), junk.len());
        inspected(&found[leading_junk(&found)..]).expect("the rest is plain");
    }
    assert_eq!(leading_junk(&plain), 0);
    assert_eq!(leading_junk(&[&[b'x'; 1025], plain.as_slice()].concat()), 0);
    assert_eq!(leading_junk(b"%PDF"), 0);
}

/// What jsPDF makes of form fields: streams, whose `/F` are the flags of an annotation.
#[test]
fn fields_written_as_streams() {
    let field = |entries: &str| {
        Builder::new()
            .object(
                1,
                "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
            )
            .object(
                3,
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [4 0 R] >>",
            )
            .stream(
                4,
                &format!("/Type /Annot /Subtype /Widget /FT /Tx /T (n) /Rect [50 50 200 70] {entries}"),
                b"",
            )
            .finish()
    };
    sealed(&field("/F 4"));
    for file in ["(other.bin)", "<< /Type /Filespec /F (other.bin) >>", "4 0 R"] {
        refused(&field(&format!("/F {file}")), Reason::ExternalContent);
    }
}

/// What TCPDF writes into the catalogue of a document with bookmarks.
#[test]
fn a_pane_that_is_named_twice() {
    let file = |entries: &str| {
        Builder::new()
            .object(1, &format!("<< /Type /Catalog /Pages 2 0 R {entries} >>"))
            .object(4, "<< /Fields [] >>")
            .finish()
    };
    let twice = "/PageMode /UseNone /PageMode /UseOutlines";
    for form in ["", "/AcroForm 4 0 R", "/AcroForm << /Fields [] >>"] {
        let sealed = sealed(&file(&format!("{twice} {form}")));
        let document = Document::open(&sealed).expect("our own file");
        let catalogue = document.catalogue().expect("a catalogue").value;
        let catalogue = catalogue.dictionary().expect("a dictionary");
        assert_eq!(catalogue.duplicate_key(), None, "{form}");
        assert_eq!(
            catalogue.name(b"PageMode"),
            Some(b"UseOutlines".as_slice()),
            "{form}"
        );
    }
    refused(&file("/Lang (ar) /Lang (fr)"), Reason::DuplicateKey);
    refused(
        &file(&format!("{twice} /ViewerPreferences << {twice} >>")),
        Reason::DuplicateKey,
    );
    let signed = "/AcroForm << /Fields [<< /FT /Sig /T (S) /V << /Type /Sig >> >>] >>";
    inspected(&file(signed)).expect("a signed file");
    refused(&file(&format!("{twice} {signed}")), Reason::DuplicateKey);
}

/// Programs that take a form out leave the reference to it behind.
#[test]
fn a_form_that_is_gone() {
    let file = |form: &str| {
        Builder::new()
            .object(1, "<< /Type /Catalog /Pages 2 0 R /AcroForm 4 0 R >>")
            .object(
                if form.is_empty() { 5 } else { 4 },
                if form.is_empty() { "null" } else { form },
            )
            .finish()
    };
    for form in ["", "null", "[]"] {
        sealed(&file(form));
    }
}

/// Takes a file in and seals it; pyHanko and qpdf find no fault with the result.
#[track_caller]
fn sealed(original: &[u8]) -> Vec<u8> {
    inspected(original).expect("it is plain");
    let sealed = seal(original, &plan());
    let desk = Desk::new();
    let file = desk.write("sealed.pdf", &sealed);
    assert_qpdf_clean(&file);
    let status = trust().validate(&file);
    assert_eq!(status[0]["bottom_line"], true, "{}", status[0]);
    sealed
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(old.len())
        .rposition(|run| run == old)
        .expect("it stands there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}
