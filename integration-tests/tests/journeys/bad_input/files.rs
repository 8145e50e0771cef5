//! Files that are not taken in.

use wathiq_local::journey::CONTRACT;
use wathiq_local::journey::api::new_key;

use super::{Table, count, upload};
use crate::files::File;
use crate::stage::Stage;

pub(super) async fn refused(stage: &Stage) {
    let process = stage.stack.process("signature").unwrap().pid;
    let plain = || File::plain();
    let whole = plain().bytes();
    let page = |entries: &str| {
        plain()
            .object(
                3,
                &format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {entries} >>"),
            )
            .bytes()
    };
    let catalogue = |entries: &str| {
        plain()
            .object(1, &format!("<< /Type /Catalog /Pages 2 0 R {entries} >>"))
            .bytes()
    };
    let deep = format!("/Deep {}{}", "[".repeat(200), "]".repeat(200));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"Bonjour".to_vec(), "422 NOT_A_PDF"),
        (CONTRACT[..CONTRACT.len() / 2].to_vec(), "422 TRUNCATED"),
        (whole[..whole.len() - 30].to_vec(), "422 TRUNCATED"),
        (
            plain().trailer("/Encrypt << /Filter /Standard /V 4 >>").bytes(),
            "422 ENCRYPTED",
        ),
        (plain().trailer("/Prev 9").bytes(), "422 DAMAGED_CROSS_REFERENCE"),
        (
            catalogue("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"),
            "422 SCRIPT",
        ),
        (catalogue("/AcroForm << /Fields [] /XFA [] >>"), "422 XFA"),
        (catalogue("/Collection << /View /T >>"), "422 EMBEDDED_FILE"),
        (page("/A << /S /Launch /F (calc.exe) >>"), "422 LAUNCH_ACTION"),
        (page(&deep), "422 NESTED_TOO_DEEP"),
        (
            plain()
                .object(2, "<< /Type /Pages /Kids [2 0 R] /Count 1 >>")
                .bytes(),
            "422 PAGE_TREE_CYCLE",
        ),
        (
            plain()
                .object(2, "<< /Type /Pages /Kids [3 0 R] /Count 7 >>")
                .bytes(),
            "422 PAGE_COUNT_MISMATCH",
        ),
        (plain().object(4, "<< /A 1 ]]").bytes(), "422 DAMAGED_OBJECT"),
        (plain().zeros(4, 300 << 20).bytes(), "422 TOO_LARGE_DECODED"),
        (Vec::new(), "400 INVALID_ARGUMENT /chunk FILE_EMPTY"),
        (vec![b'%'; (20 << 20) + 1], "413 FILE_TOO_LARGE"),
    ];
    let mut table = Table::default();
    for (bytes, expected) in cases {
        let answer = upload(&stage.cast.citizen_session, &new_key(), "application/pdf", bytes).await;
        table.add(answer.said(), expected, &answer.body);
    }
    table.holds();
    let answer = upload(&stage.cast.citizen_session, &new_key(), "image/png", whole).await;
    assert_eq!(answer.said(), "415 UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(
        count(
            stage,
            "signature",
            "SELECT count(*) FROM document WHERE object_key IS NOT NULL"
        )
        .await,
        0
    );
    assert_eq!(
        stage.stack.process("signature").unwrap().pid,
        process,
        "the service has not ended over any of them"
    );
}
