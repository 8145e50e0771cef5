//! Officers' keys behind PKCS#11: a module that hangs, and keys that want their PIN for each signature.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use secrecy::SecretString;
use wathiq_signature::keys::{KeyAlgorithm, KeyError, KeyLocation, Keys, KeysConfig};

use crate::harness::Stack;
use crate::officers::Token;

fn location(token: &str, key: &str, algorithm: KeyAlgorithm) -> KeyLocation {
    KeyLocation {
        token_label: token.to_owned(),
        key_label: key.to_owned(),
        algorithm,
    }
}

/// A module that hangs while a file stands in the folder.
fn hanging_module(folder: &Path) -> PathBuf {
    let module = folder.join("hanging.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/keys/hanging.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&module)
        .arg(format!("-DFOLDER=\"{}\"", folder.display()))
        .arg(source)
        .status()
        .unwrap();
    assert!(status.success());
    module
}

#[tokio::test]
async fn a_token_that_hangs_is_given_up_and_asked_anew_once_it_answers() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::new(&KeysConfig {
        module: hanging_module(folder.path()),
        call_seconds: 1,
    });
    let location = location("any", "any", KeyAlgorithm::EcdsaP256Sha256);
    let sign = || keys.sign(&location, SecretString::from("1234"), vec![b"message".to_vec()]);
    std::fs::write(folder.path().join("hang"), "").unwrap();
    let began = Instant::now();
    // The second waits behind the first, and must not wait for ever either.
    let (first, second) = tokio::join!(sign(), keys.public_key(&location));
    let late = KeyError::Unavailable("the token does not answer in time".to_owned());
    assert_eq!(first, Err(late.clone()));
    assert!(matches!(second, Err(KeyError::Unavailable(_))), "{second:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
    // Threads cannot be ended from outside: only so many are left behind.
    for _ in 0..3 {
        assert_eq!(sign().await, Err(late.clone()));
    }
    // Not "in time": it is not asked at all.
    let refused = KeyError::Unavailable("the token does not answer".to_owned());
    assert_eq!(sign().await, Err(refused));
    std::fs::remove_file(folder.path().join("hang")).unwrap();
    let bound = Instant::now() + Duration::from_secs(30);
    let absent = KeyError::Unavailable("no token of this label is present".to_owned());
    while sign().await != Err(absent.clone()) {
        assert!(Instant::now() < bound, "the token is never asked anew");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Makes a key in an officer's token that wants the PIN for each signature.
fn make_key_that_asks_each_time(token: &Token, label: &str, kind: &str) {
    let made = Command::new("pkcs11-tool")
        .args(["--module", Stack::get().text("/softhsm/module")])
        .args(["--token-label", &token.label, "--login", "--pin", &token.pin])
        .args([
            "--keypairgen",
            "--key-type",
            kind,
            "--label",
            label,
            "--always-auth",
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn a_key_that_wants_its_pin_for_each_signature_gets_it() {
    let token = Token::named("officer-2");
    let label = format!("always-{}", uuid::Uuid::new_v4().simple());
    make_key_that_asks_each_time(&token, &label, "rsa:2048");
    let keys = Keys::new(&Stack::get().section(Stack::get().keys()));
    let rsa = location(&token.label, &label, KeyAlgorithm::RsaSha256);
    let messages = vec![b"first".to_vec(), b"second".to_vec()];
    let pin = || SecretString::from(token.pin.clone());
    let values = keys.sign(&rsa, pin(), messages.clone()).await.unwrap();
    let modulus = keys.public_key(&rsa).await.unwrap().unwrap();
    let public = RsaPublicKeyComponents {
        n: &modulus,
        e: &vec![1, 0, 1],
    };
    assert_eq!(values.len(), 2);
    for (message, value) in messages.iter().zip(&values) {
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, value)
            .unwrap();
    }
    let wrong = keys
        .sign(&rsa, SecretString::from("000000"), messages.clone())
        .await;
    assert_eq!(wrong, Err(KeyError::PinIncorrect));

    let label = format!("always-{}", uuid::Uuid::new_v4().simple());
    make_key_that_asks_each_time(&token, &label, "EC:prime256v1");
    let curve = location(&token.label, &label, KeyAlgorithm::EcdsaP256Sha256);
    // This token's ECDSA signs in one part only, which leaves no moment for the PIN: said clearly instead of a device error.
    let refused = keys.sign(&curve, pin(), messages).await;
    assert_eq!(refused, Err(KeyError::AlgorithmUnsupported));
}
