//! A new kind is data alone: its form, the office that makes it, who may order it, its fee, and who issues it.

use std::io::Write;
use std::process::{Command, Stdio};

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::digitised::digitise;
use crate::harness::{
    CLOSED, OFFICE, OTHER, World, date, line, order_request, profile, reason, request_id, violations,
};

const FICHE: &str = include_str!("forms/fiche.typ");
const KIND: &str = "fiche-individuelle";

fn version(source: &str) -> pb::PutTemplateVersionRequest {
    pb::PutTemplateVersionRequest {
        request_id: request_id(),
        template: "fiche".to_owned(),
        law_fr: "Décret n° 2-26-100 relatif aux fiches d’état civil".to_owned(),
        law_ar: "المرسوم رقم 2.26.100 المتعلق ببطائق الحالة المدنية".to_owned(),
        valid_from: Some(date(2026, 11, 23)),
        valid_to: None,
        source: source.to_owned(),
        register_kind: pb::RegisterKind::Birth.into(),
        form: "EXTRACT".to_owned(),
        bilingual: false,
    }
}

fn kind() -> pb::DocumentKind {
    pb::DocumentKind {
        code: KIND.to_owned(),
        name_ar: "بطاقة فردية للحالة المدنية".to_owned(),
        name_fr: "Fiche individuelle d’état civil".to_owned(),
        name_en: "Individual civil-status record".to_owned(),
        routing: "CHOSEN_OFFICE".to_owned(),
        languages: vec![
            pb::DocumentLanguage::French.into(),
            pb::DocumentLanguage::Arabic.into(),
        ],
        template: "fiche".to_owned(),
        issuing_administration_ar: "وزارة العدل".to_owned(),
        issuing_administration_fr: "Ministère de la Justice".to_owned(),
        ..crate::catalogue::kind()
    }
}

async fn put_form(world: &World, request: pb::PutTemplateVersionRequest) -> Result<(), tonic::Status> {
    let answer = world
        .administration()
        .put_template_version(world.platform(request))
        .await;
    answer.map(|_| ())
}

/// Form, kind and fee.
async fn offer(world: &World) {
    put_form(world, version(FICHE)).await.unwrap();
    let mut administration = world.administration();
    let request = pb::PutDocumentKindRequest {
        request_id: request_id(),
        document_kind: Some(kind()),
    };
    administration
        .put_document_kind(world.platform(request))
        .await
        .unwrap();
    let fee = pb::SetFeeRequest {
        request_id: request_id(),
        document_kind: KIND.to_owned(),
        zone: "MOROCCO".to_owned(),
        from_copies: 1,
        price: Some(pb::Price {
            amount_centimes: 1_200,
            office_centimes: 200,
            post_centimes: 900,
            tax_centimes: 100,
        }),
        valid_from: Some(date(2026, 11, 23)),
        ..Default::default()
    };
    administration.set_fee(world.platform(fee)).await.unwrap();
    let administrator = world.official_at(OTHER, "administrator");
    let request = pb::SetOfficeProfileRequest {
        request_id: request_id(),
        profile: Some(pb::OfficeProfile {
            bureau_fr: "Bureau d’état civil de Salé".to_owned(),
            ..profile(OTHER)
        }),
    };
    administration
        .set_office_profile(world.staff(administrator, request))
        .await
        .unwrap();
}

fn fiche(number: &str, office: &str) -> pb::PlaceOrderRequest {
    let line = pb::LineRequest {
        document_kind: KIND.to_owned(),
        language: pb::DocumentLanguage::French.into(),
        producing_office_id: office.to_owned(),
        ..line(number)
    };
    pb::PlaceOrderRequest {
        expected_total_centimes: 1_200,
        ..order_request(vec![line])
    }
}

fn printed(pdf: &[u8]) -> String {
    let mut tool = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_new_kind_is_data_only() {
    let world = World::start().await;
    offer(&world).await;
    digitise(&world, "12").await;
    let citizen = world.citizen();
    let request = fiche("12", &OTHER.to_string());
    let placed = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await;
    let order = placed.unwrap().into_inner().order.unwrap();
    assert_eq!(order.total_centimes, 1_200);
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Acts);
    world.pay(&order).await;
    // The register moves: what another office makes stays there.
    let custody = pb::SetRegisterCustodyRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        from_year: 1980,
        to_year: 1999,
        held_by_office_id: OTHER.to_string(),
        valid_from: Some(date(2026, 11, 24)),
    };
    let mut administration = world.administration();
    administration
        .set_register_custody(world.platform(custody))
        .await
        .unwrap();
    let line = world.get(citizen, &order).await.lines.remove(0);
    assert_eq!(line.office_id, OTHER.to_string());
    let officer = world.official_at(OTHER, "officer");
    let request = pb::GetLineRequest {
        key: Some(pb::get_line_request::Key::LineId(line.line_id.clone())),
    };
    let shown = world.office().get_line(world.staff(officer, request)).await;
    let candidates = shown.unwrap().into_inner().candidates;
    assert_eq!(candidates.len(), 1, "the act is found by its own office");
    let request = pb::PrepareDocumentsRequest {
        request_id: request_id(),
        line_ids: vec![line.line_id.clone()],
    };
    let answer = world
        .office()
        .prepare_documents(world.staff(officer, request))
        .await;
    assert_eq!(answer.unwrap().into_inner().problems, []);
    world.drive().await;
    let files = world.peers.files.lock().unwrap().clone();
    let text = printed(files.values().next().unwrap());
    for expected in [
        "Fiche individuelle d’état civil",
        "MINISTÈRE DE LA JUSTICE",
        "Décret n° 2-26-100",
        "Amina El Idrissi",
        "Né(e) à Rabat",
        "Acte n° 12 / 1990, Bureau d’état civil",
        "Bureau d’état civil de Salé",
    ] {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
    world.seal(&line.line_id).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::Produced);
}

#[tokio::test]
async fn the_office_is_chosen_where_the_kind_says_so_and_there_alone() {
    let world = World::start().await;
    offer(&world).await;
    let citizen = world.citizen();
    let place = async |request: pb::PlaceOrderRequest| {
        world
            .orders()
            .place_order(world.as_citizen(citizen, request))
            .await
    };
    for (office, reason) in [
        (String::new(), "REQUIRED"),
        (CLOSED.to_string(), "OFFICE_NOT_OPEN"),
        (uuid::Uuid::from_u128(7).to_string(), "OFFICE_UNKNOWN"),
        ("Salé".to_owned(), "OFFICE_UNKNOWN"),
    ] {
        let refused = place(fiche("12", &office)).await;
        let expected = vec![("lines[0].producing_office_id".to_owned(), reason.to_owned())];
        assert_eq!(violations(refused), expected, "{office}");
    }
    let mut asked = line("12");
    asked.producing_office_id = OTHER.to_string();
    let refused = place(order_request(vec![asked])).await;
    let expected = vec![(
        "lines[0].producing_office_id".to_owned(),
        "OFFICE_NOT_TO_CHOOSE".to_owned(),
    )];
    assert_eq!(violations(refused), expected);
}

#[tokio::test]
async fn a_form_is_tried_out_before_it_is_taken() {
    let world = World::start().await;
    let data = "#let data = json(\"data.json\")\n";
    let set = "#set document(title: \"Fiche\")\n#set text(lang: \"fr\", font: \"Noto Sans\")\n";
    let panics = "#if data.language == \"FRENCH\" { panic(\"no French\") }";
    let whole = "#range(100000000000).len()";
    let busy = "#for i in range(100000) { for j in range(100000) { let x = i * j } }";
    for (rest, reason, described) in [
        ("#unheard-of", "TEMPLATE_NOT_DRAWN", "line 4: unknown variable"),
        (
            "#read(\"/etc/passwd\")",
            "TEMPLATE_NOT_DRAWN",
            "line 4: file not found",
        ),
        (panics, "TEMPLATE_NOT_DRAWN", "FRENCH: line 4"),
        // A document that is signed by hand names no officer.
        ("#data.officer.name.fr", "TEMPLATE_NOT_DRAWN", "line 4"),
        (whole, "TEMPLATE_TOO_COSTLY", "memory"),
        (busy, "TEMPLATE_TOO_COSTLY", "time"),
        (&"x".repeat(64 * 1024), "LENGTH", "bytes"),
    ] {
        let refused = put_form(&world, version(&format!("{data}{set}{rest}"))).await;
        let status = refused.unwrap_err();
        let found = wathiq_chassis::status::violations(&status);
        assert_eq!(found.len(), 1, "{status:?}");
        assert_eq!(
            (found[0].field.as_str(), found[0].reason.as_str()),
            ("source", reason),
            "{status:?}"
        );
        assert!(
            found[0].description.contains(described),
            "{}",
            found[0].description
        );
    }
    let nameless = pb::PutTemplateVersionRequest {
        register_kind: 0,
        form: "PORTRAIT".to_owned(),
        ..version(FICHE)
    };
    let expected = [("register_kind", "REQUIRED"), ("form", "UNKNOWN")];
    let expected = expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()));
    assert_eq!(violations(put_form(&world, nameless).await), expected);
    put_form(&world, version(FICHE)).await.unwrap();
    // Kinds that name a template fit all its versions.
    let other = pb::PutTemplateVersionRequest {
        bilingual: true,
        valid_from: Some(date(2026, 11, 30)),
        ..version(FICHE)
    };
    let refused = put_form(&world, other).await;
    assert_eq!(reason(refused).1, "TEMPLATE_DRAWS_OTHER");
    let brought = pb::PutTemplateVersionRequest {
        template: "birth-extract".to_owned(),
        ..version(FICHE)
    };
    let refused = put_form(&world, brought).await;
    assert_eq!(reason(refused).1, "TEMPLATE_DRAWS_OTHER");
}
