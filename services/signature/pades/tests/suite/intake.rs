use std::collections::BTreeSet;

use wathiq_pades::intake::{Intake, Limits, Reason, Refusal, SealPolicy, inspect};
use wathiq_pades::syntax::Document;

use crate::build::{self, Builder};
use crate::support::{Desk, plan, run, seal, text};

pub(crate) fn inspected(bytes: &[u8]) -> Result<Intake, Refusal> {
    inspect(bytes, &Limits::default())
}

#[track_caller]
pub(crate) fn refused(bytes: &[u8], reason: Reason) -> Refusal {
    let refusal = inspected(bytes).expect_err("the file is refused");
    assert_eq!(refusal.reason, reason, "{refusal:?}");
    refusal
}

fn page(entries: &str) -> Vec<u8> {
    Builder::new()
        .object(
            3,
            &format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {entries} >>"),
        )
        .finish()
}

fn catalogue(entries: &str) -> Vec<u8> {
    Builder::new()
        .object(1, &format!("<< /Type /Catalog /Pages 2 0 R {entries} >>"))
        .finish()
}

#[test]
fn a_plain_file_is_taken_in() {
    let intake = inspected(&Builder::new().finish()).expect("it is plain");
    assert_eq!(
        (intake.version, intake.object_count, intake.policy),
        ((1, 4), 3, SealPolicy::Unsigned)
    );
    assert_eq!(intake.pages[0].shown_size(), (595.0, 842.0));
}

/// The objects and pages that qpdf sees are the ones we see.
#[test]
fn objects_and_pages_agree_with_qpdf() {
    let desk = Desk::new();
    let form = desk.reportlab("form", 5);
    for (name, bytes) in [
        ("plain", desk.reportlab("plain", 3)),
        ("rotated", desk.reportlab("rotated", 2)),
        ("streams", desk.qpdf(&form, &["--object-streams=generate"])),
        (
            "linearised",
            desk.qpdf(&form, &["--linearize", "--object-streams=generate"]),
        ),
        ("linearised table", desk.qpdf(&form, &["--linearize"])),
        (
            "old",
            desk.qpdf(&form, &["--force-version=1.3", "--object-streams=disable"]),
        ),
        ("new", desk.qpdf(&form, &["--min-version=2.0"])),
        ("split", desk.qpdf(&form, &["--pages", ".", "2-4", "--"])),
        ("by hand", Builder::new().finish()),
        ("appendix", include_bytes!("../fixtures/typst-page.pdf").to_vec()),
    ] {
        let file = desk.write("compared.pdf", &bytes);
        let intake = inspected(&bytes).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let pages = run("qpdf", &["--show-npages", text(&file)]);
        assert_eq!(
            String::from_utf8_lossy(&pages.stdout).trim(),
            intake.pages.len().to_string(),
            "{name}"
        );
        let shown = run("qpdf", &["--show-xref", text(&file)]);
        let theirs: BTreeSet<u32> = String::from_utf8_lossy(&shown.stdout)
            .lines()
            .filter_map(|line| line.split('/').next()?.parse().ok())
            .collect();
        let document = Document::open(&bytes).expect("it was taken in");
        let ours: BTreeSet<u32> = document.object_ids().map(|id| id.number).collect();
        assert_eq!(ours, theirs, "{name}");
        assert_eq!(ours.len(), intake.object_count, "{name}");
    }
}

#[test]
fn what_is_no_pdf_or_not_whole() {
    refused(b"", Reason::NotAPdf);
    refused(b"PK\x03\x04", Reason::NotAPdf);
    refused(b"\n%PDF-1.4\n", Reason::NotAPdf);
    let whole = Builder::new().finish();
    refused(&whole[..whole.len() - 30], Reason::Truncated);
    let mut wrong = whole.clone();
    let at = whole
        .windows(9)
        .rposition(|run| run == b"startxref")
        .expect("an end")
        + 10;
    wrong[at..at + 3].copy_from_slice(b"012");
    refused(&wrong, Reason::DamagedCrossReference);
}

#[test]
fn objects_that_are_not_what_the_table_says() {
    let whole = Builder::new().object(4, "<< /A 1 >>").finish();
    let broken = |from: &str, to: &str| {
        let at = whole
            .windows(from.len())
            .position(|run| run == from.as_bytes())
            .expect("it stands there");
        let mut broken = whole.clone();
        broken[at..at + to.len()].copy_from_slice(to.as_bytes());
        broken
    };
    assert_eq!(
        refused(&broken("<< /A 1 >>", "<< /A 1 ]]"), Reason::DamagedObject).object,
        Some(4)
    );
    assert_eq!(
        refused(&broken("4 0 obj", "5 0 obj"), Reason::DamagedObject).object,
        Some(4)
    );
    assert_eq!(
        refused(&broken("/A 1", "/A )"), Reason::DamagedObject).object,
        Some(4)
    );
    let unused = whole
        .windows(8)
        .rposition(|run| run == b"00000 n ")
        .expect("an entry");
    let mut zero = whole.clone();
    zero[unused - 11..unused - 1].copy_from_slice(b"0000000000");
    assert_eq!(refused(&zero, Reason::DamagedObject).object, Some(4));
}

#[test]
fn loops_and_false_counts() {
    let mut looped = Builder::new().finish();
    let start = looped
        .windows(5)
        .position(|run| run == b"xref\n")
        .expect("a table");
    let trailer = format!(
        "xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 4 /Root 1 0 R /Prev {} >>\n",
        looped.len()
    );
    let end = format!("startxref\n{}\n%%EOF\n", looped.len());
    looped.extend_from_slice((trailer + &end).as_bytes());
    refused(&looped, Reason::CrossReferenceLoop);
    assert!(start > 0);
    let tree = |node: &str| Builder::new().object(2, node).finish();
    assert_eq!(
        refused(
            &tree("<< /Type /Pages /Kids [3 0 R] /Count 2 >>"),
            Reason::PageCountMismatch
        )
        .object,
        Some(2)
    );
    refused(
        &tree("<< /Type /Pages /Kids [3 0 R] >>"),
        Reason::PageCountMismatch,
    );
    refused(
        &tree("<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>"),
        Reason::PageTreeCycle,
    );
    refused(
        &tree("<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        Reason::PageTreeCycle,
    );
    refused(&tree("<< /Type /Pages /Kids [] /Count 0 >>"), Reason::NoPages);
    refused(
        &tree("<< /Type /Pages /Kids [9 0 R] /Count 1 >>"),
        Reason::DamagedObject,
    );
}

/// Objects that the table calls free stand in the stream that it names, and only those.
#[test]
fn hybrid_files_are_read_as_qpdf_reads_them() {
    let desk = Desk::new();
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let mut offsets = Vec::new();
    let container = "<< /Type /ObjStm /N 2 /First 9 /Length 36 >>\nstream\n4 0 2 12 << /X 1 >>   (not this one)\nendstream";
    for (number, body) in [
        (1, "<< /Type /Catalog /Pages 2 0 R >>"),
        (2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
        (
            3,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Extra 4 0 R >>",
        ),
        (5, container),
    ] {
        offsets.push((number, bytes.len()));
        bytes.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }
    let stream = bytes.len();
    let rows = [[2, 0, 5, 1], [2, 0, 5, 0]]
        .map(|row: [u8; 4]| [row[0], row[2], row[3]])
        .concat();
    let header = "<< /Type /XRef /W [1 1 1] /Index [2 1 4 1] /Size 7 /Length 6 >>";
    bytes.extend_from_slice(format!("6 0 obj\n{header}\nstream\n").as_bytes());
    bytes.extend_from_slice(&rows);
    bytes.extend_from_slice(b"\nendstream\nendobj\n");
    let start = bytes.len();
    let mut table = "xref\n0 7\n0000000004 65535 f \n".to_owned();
    for number in 1..7 {
        match offsets.iter().find(|(known, _)| *known == number) {
            Some((_, offset)) => table.push_str(&format!("{offset:010} 00000 n \n")),
            None => table.push_str("0000000000 00000 f \n"),
        }
    }
    bytes.extend_from_slice(table.as_bytes());
    let trailer =
        format!("trailer\n<< /Size 7 /Root 1 0 R /XRefStm {stream} >>\nstartxref\n{start}\n%%EOF\n");
    bytes.extend_from_slice(trailer.as_bytes());
    let intake = inspected(&bytes).expect("a hybrid file is plain");
    assert_eq!(intake.object_count, 5);
    let document = Document::open(&bytes).expect("it was taken in");
    let second = document.entry(2);
    assert!(
        matches!(second, Some(wathiq_pades::syntax::Entry::InFile { .. })),
        "the table counts first: {second:?}"
    );
    let file = desk.write("hybrid.pdf", &bytes);
    let shown = run("qpdf", &["--show-xref", text(&file)]);
    assert_eq!(String::from_utf8_lossy(&shown.stdout).lines().count(), 5);
    crate::support::assert_qpdf_clean(&desk.write("sealed.pdf", &seal(&bytes, &plan())));
}

#[test]
fn references_that_a_seal_would_fill() {
    let refusal = refused(&page("/Contents 4 0 R"), Reason::DamagedCrossReference);
    assert_eq!(
        (refusal.object, refusal.data["reference"].as_str()),
        (Some(3), "4")
    );
    let gap = Builder::new().object(
        3,
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Missing 4 0 R >>",
    );
    inspected(&gap.object(5, "null").finish()).expect("below the size nothing can fill it");
}

#[test]
fn pages_of_another_type() {
    refused(
        &Builder::new()
            .object(3, "<< /Type /Font /Parent 2 0 R /MediaBox [0 0 9 9] >>")
            .finish(),
        Reason::DamagedObject,
    );
    inspected(
        &Builder::new()
            .object(3, "<< /Parent 2 0 R /MediaBox [0 0 9 9] >>")
            .finish(),
    )
    .expect("as qpdf has it");
}

#[test]
fn pages_that_readers_show_differently() {
    for entries in [
        "/Contents (q)",
        "/Contents 1 0 R",
        "/Contents [[]]",
        "/Contents [1 0 R]",
        "/Annots (none)",
        "/Annots 1 0 R",
    ] {
        refused(&page(entries), Reason::DamagedObject);
    }
    for entries in ["/Contents null /Annots null", "/Contents []", "/Contents [null]"] {
        inspected(&page(entries)).unwrap_or_else(|refusal| panic!("{entries}: {refusal:?}"));
    }
    let chain = Builder::new().object(4, "5 0 R").object(5, "null").finish();
    assert_eq!(refused(&chain, Reason::DamagedObject).object, Some(4));
}

#[test]
fn pages_without_room_or_bounds() {
    let sized = |entries: &str| {
        Builder::new()
            .object(3, &format!("<< /Type /Page /Parent 2 0 R {entries} >>"))
            .finish()
    };
    for entries in [
        "/MediaBox [0 0 2 842]",
        "/MediaBox [0 0 595 0.001]",
        "/MediaBox [0 0 1000000 842]",
        "/MediaBox [0 0 595 842] /UserUnit 10000",
        "/MediaBox [0 0 595 842] /UserUnit 0.001",
        "/MediaBox [0 0 595 842] /CropBox [0 0 1 1]",
    ] {
        refused(&sized(entries), Reason::DamagedObject);
    }
    for entries in [
        "/MediaBox [0 0 3 3]",
        "/MediaBox [0 0 14400 14400] /UserUnit 10",
        "/MediaBox [0 0 8.4 11.9] /UserUnit 72",
    ] {
        inspected(&sized(entries)).unwrap_or_else(|refusal| panic!("{entries}: {refusal:?}"));
    }
}

#[test]
fn too_much_of_anything() {
    let kids: Vec<String> = (10..2011).map(|number| format!("{number} 0 R")).collect();
    let mut many = Builder::new().object(
        2,
        &format!("<< /Type /Pages /Kids [{}] /Count 2001 >>", kids.join(" ")),
    );
    for number in 10..2011 {
        many = many.object(number, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 10 10] >>");
    }
    assert_eq!(
        refused(&many.finish(), Reason::TooManyPages).data["limit"],
        "2000"
    );
    let deep = "[".repeat(102) + &"]".repeat(102);
    refused(&page(&format!("/Deep {deep}")), Reason::NestedTooDeep);
    let shallow = "[".repeat(90) + &"]".repeat(90);
    inspected(&page(&format!("/Deep {shallow}"))).expect("ninety levels are fine");
}

/// 300 MiB of zeros in less than 300 KiB.
#[test]
fn a_decompression_bomb() {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..300 {
        std::io::Write::write_all(&mut encoder, &vec![0; 1024 * 1024]).expect("memory");
    }
    let bomb = encoder.finish().expect("memory");
    let file = Builder::new().stream(4, "/Filter /FlateDecode", &bomb).finish();
    assert_eq!(refused(&file, Reason::TooLargeDecoded).object, Some(4));
    let twice = Builder::new()
        .stream(4, "/Filter [/FlateDecode /ASCIIHexDecode]", &bomb)
        .finish();
    refused(&twice, Reason::TooLargeDecoded);
}

#[test]
fn encrypted_files() {
    let desk = Desk::new();
    let plain = desk.reportlab("plain", 1);
    let encrypted = desk.qpdf(&plain, &["--encrypt", "", "secret", "256", "--"]);
    refused(&encrypted, Reason::Encrypted);
}

#[test]
fn scripts_wherever_they_stand() {
    refused(
        &catalogue("/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"),
        Reason::Script,
    );
    refused(
        &catalogue("/Names << /JavaScript << /Names [(a) << /S /GoTo /D [3 0 R /Fit] >>] >> >>"),
        Reason::Script,
    );
    refused(
        &page("/AA << /O << /S /JavaScript /JS 4 0 R >> >>"),
        Reason::Script,
    );
    refused(&page("/A << /S /J#61vaScript >>"), Reason::Script);
    // Nothing refers to this object, and its parts are references.
    let hidden = Builder::new()
        .object(4, "<< /S 5 0 R /JS 6 0 R >>")
        .object(5, "/JavaScript")
        .object(6, "(x)")
        .finish();
    assert_eq!(refused(&hidden, Reason::Script).object, Some(4));
    let nested = page("/A << /S /URI /URI (https://example.org) /Next [<< /S /JavaScript >>] >>");
    refused(&nested, Reason::Script);
}

#[test]
fn actions_that_run_by_themselves() {
    for entries in [
        "/OpenAction << /S /Named /N /Print >>",
        "/OpenAction << /S /URI /URI (https://example.org) >>",
        "/OpenAction << /S /GoToR /F (other.pdf) /D [0 /Fit] >>",
        "/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next << /S /URI /URI (https://example.org) >> >>",
        "/AA << /WC << /S /GoTo /D [3 0 R /Fit] >> >>",
    ] {
        refused(&catalogue(entries), Reason::ActiveAction);
    }
    refused(&page("/AA << /O << /S /GoTo >> >>"), Reason::ActiveAction);
    refused(
        &page("/AA << /O << /S /GoToR /F (other.pdf) >> >>"),
        Reason::ActiveAction,
    );
}

#[test]
fn active_content_of_other_kinds() {
    refused(&page("/A << /S /Launch /F (calc.exe) >>"), Reason::LaunchAction);
    for action in [
        "SubmitForm",
        "ImportData",
        "GoToE",
        "Hide",
        "Trans",
        "ResetForm",
        "SetOCGState",
    ] {
        assert_eq!(
            refused(&page(&format!("/A << /S /{action} >>")), Reason::ActiveAction).data["action"],
            action
        );
    }
    for action in ["Rendition", "Movie", "Sound", "GoTo3DView"] {
        refused(&page(&format!("/A << /S /{action} >>")), Reason::RichMedia);
    }
    for subtype in ["RichMedia", "3D", "Movie", "Screen", "Sound"] {
        refused(
            &page(&format!("/Annots [<< /Subtype /{subtype} /Rect [0 0 9 9] >>]")),
            Reason::RichMedia,
        );
    }
    refused(&catalogue("/AcroForm << /Fields [] /XFA [] >>"), Reason::Xfa);
    refused(
        &page("/Annots [<< /Subtype /FileAttachment >>]"),
        Reason::EmbeddedFile,
    );
    refused(
        &catalogue("/Names << /EmbeddedFiles << /Names [(a) 3 0 R] >> >>"),
        Reason::EmbeddedFile,
    );
    refused(
        &page("/FS << /Type /Filespec /EF << /F 3 0 R >> >>"),
        Reason::EmbeddedFile,
    );
    refused(&catalogue("/Collection << /View /T >>"), Reason::EmbeddedFile);
    refused(&catalogue("/AF [3 0 R]"), Reason::EmbeddedFile);
    let external = Builder::new().stream(4, "/F (other.bin)", b"").finish();
    refused(&external, Reason::ExternalContent);
    refused(
        &Builder::new()
            .stream(4, "/Type /XObject /Subtype /PS", b"")
            .finish(),
        Reason::Postscript,
    );
    refused(&page("/A 1 /A 2"), Reason::DuplicateKey);
    refused(
        &Builder::new()
            .stream(4, "/Filter /FlateDecode", b"not zlib")
            .finish(),
        Reason::DamagedStream,
    );
}

#[test]
fn harmless_things_are_let_in() {
    for entries in [
        "/OpenAction [3 0 R /Fit]",
        "/OpenAction << /S /GoTo /D [3 0 R /Fit] >>",
        "/Names << /EmbeddedFiles << /Names [] >> >>",
        "/Dests << /JS [3 0 R /Fit] /AA [3 0 R /Fit] /XFA [3 0 R /Fit] >>",
        "/OCProperties << /OCGs [] /D << /Order [] >> >>",
        "/AcroForm << /Fields [] >>",
    ] {
        inspected(&catalogue(entries)).unwrap_or_else(|refusal| panic!("{entries}: {refusal:?}"));
    }
    for entries in [
        "/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.org) >> >>]",
        "/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /GoTo /D [3 0 R /Fit] >> >>]",
        "/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /GoToR /F (R-exts.pdf) /D (top) >> >>]",
        "/A << /S /Named /N /NextPage >>",
        "/Resources << /Font << /AA << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> /JS << /Type /Font >> >> >>",
        "/Group << /S /Transparency >>",
    ] {
        inspected(&page(entries)).unwrap_or_else(|refusal| panic!("{entries}: {refusal:?}"));
    }
}

#[test]
fn the_catalogue_may_be_replaced_by_an_update() {
    let original = Builder::new().finish();
    let scripted = build::append(
        &original,
        &[(
            1,
            "<< /Type /Catalog /Pages 2 0 R /AA << /WC << /S /JavaScript >> >> >>",
        )],
        4,
    );
    refused(&scripted, Reason::Script);
    let cleaned = build::append(&scripted, &[(1, "<< /Type /Catalog /Pages 2 0 R >>")], 4);
    inspected(&cleaned).expect("the newest catalogue counts");
}
