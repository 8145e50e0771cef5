//! The catalogue is data: a new kind, fees, the ceiling.

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
    }
}

#[tokio::test]
async fn a_new_kind_is_data_only() {
    let world = World::start().await;
    let citizen = world.citizen();
    let kind = pb::DocumentKind {
        code: "birth-certificate-short".to_owned(),
        register_kind: pb::RegisterKind::Birth.into(),
        name_ar: "بطاقة شخصية".to_owned(),
        name_fr: "Fiche individuelle".to_owned(),
        name_en: "Individual record".to_owned(),
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
    };
    let code = kind.code.clone();
    // A template draws one register in one form, and a full copy in one language.
    for (template, form, wrong) in [
        (
            "death-extract",
            "EXTRACT",
            &[("document_kind.template", "TEMPLATE_UNKNOWN")][..],
        ),
        (
            "birth-full-copy",
            "FULL_COPY",
            &[("document_kind.languages", "LANGUAGE_NOT_OFFERED")][..],
        ),
    ] {
        let request = pb::PutDocumentKindRequest {
            request_id: request_id(),
            document_kind: Some(pb::DocumentKind {
                template: template.to_owned(),
                form: form.to_owned(),
                ..kind.clone()
            }),
        };
        let refused = world
            .administration()
            .put_document_kind(world.platform(request))
            .await;
        let expected: Vec<_> = wrong
            .iter()
            .map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned()))
            .collect();
        assert_eq!(violations(refused), expected);
    }
    let request = pb::PutDocumentKindRequest {
        request_id: request_id(),
        document_kind: Some(kind),
    };
    world
        .administration()
        .put_document_kind(world.platform(request))
        .await
        .unwrap();
    world
        .administration()
        .set_fee(world.platform(fee(&code, 1_000, (2026, 11, 23))))
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
    asked.document_kind = code;
    let mut request = order_request(vec![asked]);
    request.expected_total_centimes = 1_000;
    let placed = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
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
        "INSERT INTO fee (id, document_kind, zone, from_copies, amount, office, post, tax, valid_from)
         VALUES (gen_random_uuid(), 'birth-extract', 'MOROCCO', 2, 3001, 3001, 0, 0, '2026-12-01')",
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
