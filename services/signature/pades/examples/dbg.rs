use wathiq_pades::{certificate::Certificate, cms::*, intake, plan::*, prepare, software::SoftwareKey};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let original = std::fs::read(&a[1]).unwrap();
    let pki = "/tmp/pt/pki";
    match intake::inspect(&original, &Default::default()) {
        Ok(i) => eprintln!(
            "{:?} pages {} objects {}",
            i.policy,
            i.pages.len(),
            i.object_count
        ),
        Err(r) => {
            eprintln!("{r:?}");
        }
    }
    let strokes = MarkAppearance::Strokes(vec![
        vec![(0.05, 0.5), (0.3, 0.1), (0.5, 0.9), (0.95, 0.4)],
        vec![(0.5, 0.5)],
    ]);
    let mut plan = SealPlan {
        mark: None,
        append_pages: None,
        field: FieldPlacement::Invisible { name: "Sceau".into() },
        signing_time: chrono::DateTime::parse_from_rfc3339("2026-11-22T10:30:00+01:00").unwrap(),
        reason: Some("R é".into()),
        location: None,
        signer_name: None,
        id_seed: [7; 16],
        contents_capacity: 16384,
    };
    for o in &a[3..] {
        match o.as_str() {
            "visible" => {
                plan.field = FieldPlacement::Visible {
                    name: "Sceau".into(),
                    page_index: 0,
                    rect: [300., 100., 450., 160.],
                    appearance: strokes.clone(),
                }
            }
            "mark" => {
                plan.mark = Some(Mark {
                    page_index: 0,
                    rect: [300., 300., 450., 360.],
                    appearance: strokes.clone(),
                })
            }
            x => plan.append_pages = Some(std::fs::read(x).unwrap()),
        }
    }
    let p = prepare(&original, &plan).unwrap();
    let cert = Certificate::from_der(&std::fs::read(format!("{pki}/officer-rsa.crt")).unwrap()).unwrap();
    let ca = Certificate::from_der(&std::fs::read(format!("{pki}/issuing.crt")).unwrap()).unwrap();
    let key = SoftwareKey::from_pkcs8(
        &std::fs::read(format!("{pki}/officer-rsa.key")).unwrap(),
        Algorithm::RsaPkcs1Sha256,
    )
    .unwrap();
    let at = SignedAttributes::new(&p.digest, &cert);
    let v = key.sign(at.der()).unwrap();
    let cms = assemble(&at, key.algorithm(), &v, &[cert, ca]).unwrap();
    std::fs::write(
        &a[2],
        finish(&p.bytes, p.contents_offset, p.contents_len, &cms).unwrap(),
    )
    .unwrap();
}
