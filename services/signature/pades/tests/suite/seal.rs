use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wathiq_pades::cms::{
    self, Algorithm, CmsError, SignedAttributes, TimestampError, ecdsa_der, parse_timestamp_response,
    timestamp_request,
};
use wathiq_pades::plan::FieldPlacement;
use wathiq_pades::prepare;

use crate::support::{
    Desk, assert_qpdf_clean, decode, mark, plan, run, seal, sign, signature, strokes, text, tool, trust,
};

const APPENDIX: &[u8] = include_bytes!("../fixtures/typst-page.pdf");

fn assert_trusted(status: &Value) {
    assert_eq!(status["bottom_line"], true, "{status}");
    assert_eq!(status["subfilter"], "/ETSI.CAdES.detached", "{status}");
    assert_eq!(status["coverage"], "ENTIRE_FILE", "{status}");
}

#[test]
fn a_sealed_contract_satisfies_qpdf_pdfsig_and_pyhanko() {
    let desk = Desk::new();
    let original = desk.reportlab("plain", 2);
    for (name, original) in [
        ("table", original.clone()),
        ("streams", desk.qpdf(&original, &["--object-streams=generate"])),
        ("linearised", desk.qpdf(&original, &["--linearize"])),
    ] {
        let mut plan = plan();
        plan.mark = Some(mark());
        plan.append_pages = Some(APPENDIX.to_vec());
        let sealed = seal(&original, &plan);
        assert!(
            sealed.starts_with(&original),
            "{name}: an incremental update keeps every byte"
        );
        let file = desk.write(&format!("{name}-sealed.pdf"), &sealed);
        assert_qpdf_clean(&file);
        let status = trust().validate(&file);
        assert_eq!(status.len(), 1);
        assert_trusted(&status[0]);
        assert_eq!(status[0]["stamp"], true, "{name}");
        assert_eq!(status[0]["pages"], 3, "{name}");
        let pdfsig = run("pdfsig", &["-nocert", text(&file)]);
        let printed = String::from_utf8_lossy(&pdfsig.stdout).into_owned();
        assert!(printed.contains("Signature is Valid."), "{name}: {printed}");
        assert!(printed.contains("Total document signed"), "{name}: {printed}");
    }
}

#[test]
fn every_algorithm_makes_a_signature_others_accept() {
    let desk = Desk::new();
    let original = desk.reportlab("plain", 1);
    let prepared = prepare(&original, &plan()).expect("it can be prepared");
    for (name, algorithm) in [
        ("officer-rsa", Algorithm::RsaPkcs1Sha256),
        ("officer-rsa", Algorithm::RsaPssSha256),
        ("officer-p256", Algorithm::EcdsaP256Sha256),
    ] {
        let file = desk.write("algorithm.pdf", &sign(&prepared, name, algorithm));
        assert_trusted(&trust().validate(&file)[0]);
    }
}

#[test]
fn preparing_again_gives_the_same_bytes() {
    let desk = Desk::new();
    let original = desk.reportlab("form", 2);
    let mut plan = plan();
    plan.mark = Some(mark());
    plan.append_pages = Some(APPENDIX.to_vec());
    let first = prepare(&original, &plan).expect("it can be prepared");
    let again = prepare(&original, &plan).expect("it can be prepared");
    assert_eq!(first, again);
    plan.id_seed = [8; 16];
    assert_ne!(
        first.digest,
        prepare(&original, &plan).expect("it can be prepared").digest
    );
}

#[test]
fn a_visible_field_carries_the_strokes() {
    let desk = Desk::new();
    let original = desk.reportlab("form", 2);
    let mut plan = plan();
    plan.field = FieldPlacement::Visible {
        name: "Sceau".to_owned(),
        page_index: 1,
        rect: [100.0, 100.0, 250.0, 160.0],
        appearance: strokes(),
    };
    let file = desk.write("visible.pdf", &seal(&original, &plan));
    assert_qpdf_clean(&file);
    assert_trusted(&trust().validate(&file)[0]);
}

/// As a PKCS#11 module gives it: r and s side by side.
#[test]
fn a_value_from_a_module_is_put_into_der() {
    let desk = Desk::new();
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    for (name, expected) in [
        ("officer-p256", Algorithm::EcdsaP256Sha256),
        ("officer-p384", Algorithm::EcdsaP384Sha256),
    ] {
        let chain = trust().chain(name);
        let algorithm = Algorithm::for_certificate(&chain[0]).expect("a usual key");
        assert_eq!(algorithm, expected);
        let attributes = SignedAttributes::new(&prepared.digest, &chain[0]);
        let message = BASE64.encode(attributes.der());
        let value = decode(
            &tool(
                "raw_sign",
                json!({"folder": trust().path(), "name": name, "message": message}),
            )["value"],
        );
        assert_eq!(
            cms::verify_signature_value(&chain[0], &attributes, algorithm, &value),
            Err(CmsError::WrongSignature)
        );
        let value = ecdsa_der(&value).expect("two halves");
        let cms = cms::assemble(&attributes, algorithm, &value, &chain).expect("the value fits");
        let sealed = cms::finish(
            &prepared.bytes,
            prepared.contents_offset,
            prepared.contents_len,
            &cms,
        )
        .expect("it fits");
        assert_trusted(&trust().validate(&desk.write("module.pdf", &sealed))[0]);
    }
    assert_eq!(ecdsa_der(&[1; 63]), Err(CmsError::BadEcdsaValue));
    // Leading zeros go, a high bit gets one.
    assert_eq!(
        ecdsa_der(&[0, 1, 0x80, 0]),
        Ok(vec![0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0])
    );
}

#[test]
fn the_digest_is_that_of_the_byte_range() {
    let desk = Desk::new();
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    let [start, before, after, rest] = prepared.byte_range.map(|number| number as usize);
    let digest = Sha256::new()
        .chain_update(&prepared.bytes[start..before])
        .chain_update(&prepared.bytes[after..]);
    assert_eq!(digest.finalize()[..], prepared.digest);
    assert_eq!(
        (after - before, after + rest),
        (prepared.contents_len + 2, prepared.bytes.len())
    );
    let written = format!("/ByteRange [{start} {before} {after} {rest}]");
    assert!(
        prepared
            .bytes
            .windows(written.len())
            .any(|run| run == written.as_bytes())
    );
}

#[test]
fn time_stamps_that_do_not_answer_the_request_are_refused() {
    let imprint = [3; 32];
    let request = timestamp_request(&imprint, 0x0102_0304);
    let response = trust().stamp(&request, "tsa");
    let parse = |response: &[u8], imprint: &[u8; 32], nonce| {
        parse_timestamp_response(response, imprint, nonce).map(|token| token.authority().common_name())
    };
    assert_eq!(
        parse(&response, &imprint, 0x0102_0304),
        Ok("Horodatage d'essai".to_owned())
    );
    assert_eq!(parse(&response, &imprint, 5), Err(TimestampError::WrongNonce));
    assert_eq!(
        parse(&response, &[4; 32], 0x0102_0304),
        Err(TimestampError::WrongImprint)
    );
    assert_eq!(
        parse(&response[..response.len() - 1], &imprint, 0x0102_0304),
        Err(TimestampError::Malformed)
    );
    let refusal = [0x30, 5, 0x30, 3, 2, 1, 2];
    assert_eq!(parse(&refusal, &imprint, 5), Err(TimestampError::NotGranted(2)));
    let mut forged = response.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(
        parse(&forged, &imprint, 0x0102_0304),
        Err(TimestampError::WrongSignature)
    );
    let plain = trust().stamp(&request, "plain");
    assert_eq!(
        parse(&plain, &imprint, 0x0102_0304),
        Err(TimestampError::WrongUsage)
    );
}

#[test]
fn an_intermediate_result_is_not_sealed_twice() {
    let desk = Desk::new();
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    let cms = signature(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
    let (offset, length) = (prepared.contents_offset, prepared.contents_len);
    let finished = cms::finish(&prepared.bytes, offset, length, &cms).expect("it fits");
    assert_eq!(
        cms::finish(&finished, offset, length, &cms),
        Err(CmsError::NoHole)
    );
    assert_eq!(
        cms::finish(&prepared.bytes, offset - 1, length, &cms),
        Err(CmsError::NoHole)
    );
    assert_eq!(
        cms::finish(&prepared.bytes, offset, usize::MAX, &cms),
        Err(CmsError::NoHole)
    );
}
