//! The catalogue is data: kinds, fees, the ceiling.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{World, date, line, order_request, reason, request_id, violations};

fn fee(kind: &str, amount: i64, from: (i32, i32, i32)) -> pb::SetFeeRequest {
    pb::SetFeeRequest {
        request_id: request_id(),
        document_kind: kind.to_owned(),
        zone: "MOROCCO".to_owned(),
        from_copies: 1,
        price: Some(pb::Price {
            amount_centimes: amount,
            office_centimes: amount,
            ..Default::default()
        }),
        valid_from: Some(date(from.0, from.1, from.2)),
        ..Default::default()
    }
}

/// Another kind of the form that extracts of births have, from today on.
pub(crate) fn kind() -> pb::DocumentKind {
    pb::DocumentKind {
        code: "birth-certificate-short".to_owned(),
        register_kind: pb::RegisterKind::Birth.into(),
        name_ar: "شهادة موجزة".to_owned(),
        name_fr: "Certificat court".to_owned(),
        name_en: "Short certificate".to_owned(),
        form: "EXTRACT".to_owned(),
        routing: "OFFICE_OF_REGISTRATION".to_owned(),
        relations: vec![pb::Relation::Oneself.into()],
        languages: vec![pb::DocumentLanguage::Bilingual.into()],
        template: "birth-extract".to_owned(),
        issuing_administration_ar: "وزارة الداخلية".to_owned(),
        issuing_administration_fr: "Ministère de l’Intérieur".to_owned(),
        seal_mode: "OFFICER_KEY".to_owned(),
        production_working_days: 2,
        valid_from: Some(date(2026, 11, 23)),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_kind_fits_its_template() {
    let world = World::start().await;
    let put = async |kind: pb::DocumentKind| {
        let request = pb::PutDocumentKindRequest {
            request_id: request_id(),
            document_kind: Some(kind),
        };
        world
            .administration()
            .put_document_kind(world.platform(request))
            .await
    };
    // A template draws one register in one form, and a full copy in one language.
    for (template, form, field, reason) in [
        ("death-extract", "EXTRACT", "template", "TEMPLATE_UNKNOWN"),
        ("no-template", "EXTRACT", "template", "TEMPLATE_UNKNOWN"),
        (
            "birth-full-copy",
            "FULL_COPY",
            "languages",
            "LANGUAGE_NOT_OFFERED",
        ),
    ] {
        let refused = put(pb::DocumentKind {
            template: template.to_owned(),
            form: form.to_owned(),
            ..kind()
        })
        .await;
        let expected = vec![(format!("document_kind.{field}"), reason.to_owned())];
        assert_eq!(violations(refused), expected);
    }
    put(kind()).await.unwrap();
    world
        .administration()
        .set_fee(world.platform(fee("birth-certificate-short", 1_000, (2026, 11, 23))))
        .await
        .unwrap();
    let catalogue = world
        .orders()
        .get_catalogue(pb::GetCatalogueRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(catalogue.entries.len(), 5);
    let codes = |reasons: &[pb::OfficeReason]| -> Vec<String> {
        reasons.iter().map(|reason| reason.code.clone()).collect()
    };
    assert_eq!(codes(&catalogue.refusal_reasons).len(), 7);
    assert_eq!(
        codes(&catalogue.correction_reasons),
        ["ACT_NOT_FOUND", "ACT_DIFFERS", "EVIDENCE_NEEDED"]
    );
    let mut asked = line("1");
    asked.document_kind = "birth-certificate-short".to_owned();
    let mut request = order_request(vec![asked]);
    request.expected_total_centimes = 1_000;
    let placed = world
        .orders()
        .place_order(world.as_citizen(world.citizen(), request))
        .await
        .unwrap();
    assert_eq!(placed.into_inner().order.unwrap().total_centimes, 1_000);
}

#[tokio::test]
async fn inside_morocco_only_a_dated_change_lifts_the_ceiling() {
    let world = World::start().await;
    let mut administration = world.administration();
    let refused = administration
        .set_fee(world.platform(fee("birth-extract", 2_001, (2026, 12, 1))))
        .await;
    assert_eq!(
        reason(refused),
        (tonic::Code::FailedPrecondition, "FEE_ABOVE_CEILING".to_owned())
    );
    let ceiling = |day| pb::SetFeeCeilingRequest {
        request_id: request_id(),
        ceiling_centimes: 3_000,
        valid_from: Some(date(2026, 11, day)),
        legal_reference: "Arrêté n° 1234-26".to_owned(),
    };
    let today = administration.set_fee_ceiling(world.platform(ceiling(23))).await;
    assert_eq!(today.err().unwrap().code(), tonic::Code::InvalidArgument);
    administration
        .set_fee_ceiling(world.platform(ceiling(30)))
        .await
        .unwrap();
    let early = administration
        .set_fee(world.platform(fee("birth-extract", 2_500, (2026, 11, 29))))
        .await;
    assert_eq!(reason(early).1, "FEE_ABOVE_CEILING");
    administration
        .set_fee(world.platform(fee("birth-extract", 2_500, (2026, 11, 30))))
        .await
        .unwrap();
    // The database says the same to whoever writes there directly.
    let mut conn = world.database.connect().await;
    let direct = sqlx::query(
        "WITH schedule AS (
             INSERT INTO fee_schedule (id, document_kind, zone, valid_from)
             VALUES (gen_random_uuid(), 'birth-extract', 'MOROCCO', '2026-12-01') RETURNING id)
         INSERT INTO fee_step (schedule_id, from_copies, amount, office, post, tax) SELECT id, 2, 3001, 3001, 0, 0 FROM schedule",
    )
    .execute(&mut conn)
    .await
    .unwrap_err();
    assert_eq!(
        direct.as_database_error().unwrap().constraint(),
        Some("fee_below_ceiling")
    );
}

#[tokio::test]
async fn abroad_costs_more_and_is_quoted_before() {
    let world = World::start().await;
    let quote = |country: &str| pb::QuoteOrderRequest {
        lines: vec![line("1")],
        country_code: country.to_owned(),
    };
    let mut orders = world.orders();
    let mut total = async |country: &str| {
        orders
            .quote_order(quote(country))
            .await
            .unwrap()
            .into_inner()
            .total_centimes
    };
    assert_eq!(
        (total("MA").await, total("FR").await, total("CA").await),
        (2_000, 7_500, 11_000)
    );
}
