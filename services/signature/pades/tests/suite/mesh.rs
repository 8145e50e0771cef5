//! Certificates that certify each other in every direction: the search for a chain ends.

use std::time::{Duration, Instant};

use serde_json::json;
use wathiq_pades::certificate::Certificate;
use wathiq_pades::cms::{self, Algorithm, SignedAttributes};
use wathiq_pades::prepare;
use wathiq_pades::software::SoftwareKey;
use wathiq_pades::verify::{SubIndication, verify};

use crate::judge::{ask, contract};
use crate::support::{decode, plan};
use crate::verify::{assert_sub, known, only};

/// Verifies a signature that carries such a mesh.
fn assert_ends(keys: usize, certificates: usize) {
    let mesh = ask("mesh", json!({"keys": keys, "certificates": certificates}));
    let list = mesh["certificates"].as_array().expect("a list");
    let certificates: Vec<Certificate> = list
        .iter()
        .map(|der| Certificate::from_der(&decode(der)).expect("a certificate"))
        .collect();
    let key = SoftwareKey::from_pkcs8(&decode(&mesh["key"]), Algorithm::EcdsaP256Sha256).expect("a key");
    let mut plan = plan();
    plan.contents_capacity = 64 * 1024;
    let prepared = prepare(&contract().finish(), &plan).expect("it can be prepared");
    let attributes = SignedAttributes::new(&prepared.digest, &certificates[0]);
    let value = key.sign(attributes.der()).expect("signing works");
    let cms = cms::assemble(&attributes, key.algorithm(), &value, &certificates).expect("it fits");
    let file = cms::finish(
        &prepared.bytes,
        prepared.contents_offset,
        prepared.contents_len,
        &cms,
    )
    .expect("it fits");
    let context = known();
    let start = Instant::now();
    let report = only(verify(&file, &context).expect("it can be read"));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_sub(&report, SubIndication::NoCertificateChainFound);
}

#[test]
fn twelve_certificates_of_one_name_and_key() {
    assert_ends(1, 12);
}

#[test]
fn twelve_keys_of_one_name_that_certify_each_other() {
    assert_ends(12, 1);
}
