//! The trust service and the officers' tokens, asked with OpenSSL and SoftHSM2's own tool.

use std::path::Path;
use std::process::Command;

use crate::given::stack;

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}: {text}");
    text
}

fn openssl(arguments: &[&str]) -> String {
    run(Command::new("openssl").args(arguments))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn ocsp_tells_a_revoked_certificate_from_the_others() {
    let stack = stack();
    let folder = tempfile::tempdir().unwrap();
    let chain = folder.path().join("chain.pem");
    let root = std::fs::read_to_string(&stack.trust.root).unwrap();
    std::fs::write(
        &chain,
        root + &std::fs::read_to_string(&stack.trust.issuing).unwrap(),
    )
    .unwrap();
    for token in &stack.softhsm.tokens {
        let certificate = text(&token.certificate);
        let answer = openssl(&[
            "ocsp",
            "-issuer",
            text(&stack.trust.issuing),
            "-cert",
            certificate,
            "-url",
            &stack.trust.ocsp_url,
            "-CAfile",
            text(&chain),
        ]);
        assert!(answer.contains("Response verify OK"), "{answer}");
        let expected = if token.standing == "revoked" {
            "revoked"
        } else {
            "good"
        };
        assert!(answer.contains(&format!("{certificate}: {expected}")), "{answer}");
    }
}

#[test]
fn officers_chain_to_the_root_except_the_expired_one() {
    let stack = stack();
    for token in &stack.softhsm.tokens {
        let verified = Command::new("openssl")
            .args([
                "verify",
                "-CAfile",
                text(&stack.trust.root),
                "-untrusted",
                text(&stack.trust.issuing),
            ])
            .arg(&token.certificate)
            .output()
            .unwrap();
        assert_eq!(
            verified.status.success(),
            token.standing != "expired",
            "{}",
            token.label
        );
        let subject = openssl(&[
            "x509",
            "-in",
            text(&token.certificate),
            "-noout",
            "-subject",
            "-nameopt",
            "utf8,sep_comma_plus",
        ]);
        assert!(subject.contains(&token.holder), "{subject}");
    }
}

#[test]
fn a_time_stamp_verifies_against_the_root() {
    let stack = stack();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("data"), "stamped").unwrap();
    openssl(&[
        "ts",
        "-query",
        "-data",
        &path("data"),
        "-sha256",
        "-cert",
        "-out",
        &path("query"),
    ]);
    run(Command::new("curl")
        .args([
            "-sf",
            "-H",
            "Content-Type: application/timestamp-query",
            "-o",
            &path("answer"),
        ])
        .args([
            "--data-binary",
            &format!("@{}", path("query")),
            &stack.trust.tsa_url,
        ]));
    let verified = openssl(&[
        "ts",
        "-verify",
        "-data",
        &path("data"),
        "-in",
        &path("answer"),
        "-CAfile",
        text(&stack.trust.root),
        "-untrusted",
        text(&stack.trust.issuing),
    ]);
    assert!(verified.contains("Verification: OK"), "{verified}");
}

#[test]
fn the_revocation_list_is_signed_by_the_issuing_authority() {
    let stack = stack();
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.crl");
    run(Command::new("curl").args(["-sf", "-o", text(&list), &stack.trust.crl_url]));
    let verified = openssl(&[
        "crl",
        "-inform",
        "DER",
        "-in",
        text(&list),
        "-noout",
        "-text",
        "-CAfile",
        text(&stack.trust.issuing),
    ]);
    assert!(
        verified.contains("verify OK") && verified.contains("Key Compromise"),
        "{verified}"
    );
}

#[test]
fn every_officer_has_a_token_that_opens_with_the_pin_alone() {
    let stack = stack();
    let slots = run(Command::new("softhsm2-util")
        .arg("--show-slots")
        .env("SOFTHSM2_CONF", &stack.softhsm.conf));
    for token in &stack.softhsm.tokens {
        assert!(slots.contains(&token.label), "{slots}");
        let objects = |pin: &str| {
            Command::new("pkcs11-tool")
                .arg("--module")
                .arg(&stack.softhsm.module)
                .args([
                    "--token-label",
                    &token.label,
                    "--login",
                    "--pin",
                    pin,
                    "--list-objects",
                    "--type",
                    "privkey",
                ])
                .env("SOFTHSM2_CONF", &stack.softhsm.conf)
                .output()
                .unwrap()
        };
        let listed = String::from_utf8_lossy(&objects(&token.pin).stdout).into_owned();
        assert!(
            listed.contains(&token.key_label) && listed.contains("sensitive"),
            "{listed}"
        );
        assert!(
            !objects("00000000x").status.success(),
            "{} opens with a wrong PIN",
            token.label
        );
    }
}
