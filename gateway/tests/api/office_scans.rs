//! What is scanned at an office, and what is handed to the post.

use http::StatusCode;
use prost::Message;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use crate::office_pages::{MEMBERSHIPS, OFFICE, OFFICER, ORDERS, PRODUCE, entry, form, look, office};

const HAND_OVER: &str = "/wathiq.civil_registry_order.v1.OfficeService/HandOverParcels";
const PARCELS: &str = "/wathiq.civil_registry_order.v1.OfficeService/ListParcels";
const TRACK: &str = "/wathiq.postal_shipping.v1.TrackingService/Track";

#[tokio::test]
async fn a_scanned_parcel_is_put_on_the_tray_or_shown_and_never_posted() {
    let edge = office().await;
    let at = |state: postal::ShipmentState| postal::TrackResponse {
        state: state as i32,
        ..Default::default()
    };
    edge.stub.answers(TRACK, &at(postal::ShipmentState::LabelPrinted));
    let body = |tray: &str, code: &str| format!("request_id=k&office_id={OFFICE}&tray={tray}&code={code}");
    let page = form(&edge, "/office/scan?lang=en", &body("", "rr123456785ma"))
        .await
        .text();
    assert!(page.contains("outcome good"), "{page}");
    assert!(page.contains("name=\"tray\" value=\"RR123456785MA\""), "{page}");
    let two = body("RR123456785MA", "rr000000015ma");
    let page = form(&edge, "/office/scan?lang=en", &two).await.text();
    let leads = format!("/office/hand-over?office_id={OFFICE}&#38;tray=RR123456785MA%2CRR000000015MA");
    assert!(page.contains(&leads), "{page}");
    edge.stub.answers(TRACK, &at(postal::ShipmentState::InTransit));
    let shown = form(&edge, "/office/scan?lang=en", &body("", "rr123456785ma")).await;
    let page = shown.text();
    assert!(
        shown.status.is_success() && page.contains("on its way") && page.contains("name=\"tray\" value=\"\""),
        "{page}"
    );
    let unknown = wathiq_chassis::status::not_found(ORDERS, "shipment", "RR");
    edge.stub.refuses(TRACK, unknown);
    let refused = form(&edge, "/office/scan?lang=en", &body("", "rr123456785ma")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let page = refused.text();
    assert!(
        page.contains("outcome bad") && page.contains("This code is not known."),
        "{page}"
    );
    assert!(edge.stub.calls(HAND_OVER).is_empty(), "a look posts nothing");
}

#[tokio::test]
async fn who_looked_in_the_register_is_chosen_among_the_members_of_every_page() {
    let edge = office().await;
    let member = |person_id: &str, name: &str, role: identity::OfficeRole| identity::Membership {
        person_id: person_id.to_owned(),
        role: role as i32,
        display_name: name.to_owned(),
        ..Default::default()
    };
    edge.stub.on(MEMBERSHIPS, move |call| {
        use identity::OfficeRole as R;
        let asked: identity::ListMembershipsRequest = call.message();
        let page = match asked.page_token.as_str() {
            "" => identity::ListMembershipsResponse {
                memberships: vec![
                    member("person", "Myself", R::Agent),
                    member("administrator", "C. Tazi", R::Administrator),
                ],
                next_page_token: "2".to_owned(),
            },
            _ => identity::ListMembershipsResponse {
                memberships: vec![
                    member(OFFICER, "A. Benali", R::Officer),
                    member("agent", "B. Alami", R::Agent),
                ],
                next_page_token: String::new(),
            },
        };
        Ok(vec![page.encode_to_vec()])
    });
    let produced = pb::RecordProductionResponse {
        entry: Some(entry(pb::LineState::Produced)),
        ..Default::default()
    };
    edge.stub.answers(PRODUCE, &produced);
    let page = look(&edge, "/office/scan?lang=en").await.text();
    assert!(
        page.contains("<option value=\"agent\">B. Alami</option>"),
        "{page}"
    );
    assert!(
        !page.contains("C. Tazi") && !page.contains("value=\"person\""),
        "{page}"
    );
    let body = format!(
        "request_id=k&office_id={OFFICE}&officer_person_id={OFFICER}&looked_by_person_id=agent&code=W4K7-M2PX-93-1"
    );
    let page = form(&edge, "/office/scan?lang=en", &body).await.text();
    assert!(
        page.contains("value=\"agent\" selected"),
        "the next scan is theirs too: {page}"
    );
    let asked: pb::RecordProductionRequest = edge.stub.calls(PRODUCE)[0].message();
    assert_eq!(asked.looked_by_person_id, "agent");
}

#[tokio::test]
async fn waiting_parcels_are_handed_over_in_one_go() {
    let edge = office().await;
    let parcel = |number: &str, shipment: &str| pb::Parcel {
        tracking_number: number.to_owned(),
        shipment_id: shipment.to_owned(),
        line_ids: vec!["l1".to_owned(), "l2".to_owned()],
        ..Default::default()
    };
    let first = pb::ListParcelsResponse {
        parcels: vec![parcel("RR123456785MA", "s1"), pb::Parcel::default()],
        next_page_token: "2".to_owned(),
    };
    let second = pb::ListParcelsResponse {
        parcels: vec![parcel("RR000000015MA", "s2")],
        next_page_token: String::new(),
    };
    edge.stub.on(PARCELS, move |call| {
        let asked: pb::ListParcelsRequest = call.message();
        let page = if asked.page_token.is_empty() {
            &first
        } else {
            &second
        };
        Ok(vec![page.encode_to_vec()])
    });
    let page = look(&edge, "/office/hand-over?lang=en").await.text();
    assert!(page.contains("shipment_ids=s1%2Cs2\""), "{page}");
    for number in ["RR123456785MA", "RR000000015MA"] {
        assert!(page.contains(&format!("value=\"{number}\" checked")), "{page}");
    }
    assert!(page.contains("value=\"\" disabled"), "{page}");
    // What was scanned is what is handed over; the rest can be added.
    let scanned = "/office/hand-over?lang=en&tray=RR000000015MA&scanned=rr+999999999+ma";
    let page = look(&edge, scanned).await.text();
    assert!(page.contains("value=\"RR000000015MA\" checked"), "{page}");
    assert!(page.contains("value=\"RR123456785MA\">"), "{page}");
    assert!(page.contains("not among the parcels that wait here"), "{page}");
    assert!(
        page.contains("name=\"tray\" value=\"RR000000015MA,RR999999999MA\""),
        "{page}"
    );
    let wrong = look(&edge, "/office/hand-over?lang=en&scanned=W4K7").await;
    assert!(
        wrong.text().contains("This code is not known."),
        "{}",
        wrong.text()
    );
    assert!(
        edge.stub.calls(HAND_OVER).is_empty(),
        "nothing is posted by looking"
    );
    let body = format!(
        "request_id=k&office_id={OFFICE}&number=RR123456785MA&number=rr+123456785+ma&number=RR000000015MA"
    );
    form(&edge, "/office/hand-over?lang=en", &body).await;
    let asked: pb::HandOverParcelsRequest = edge.stub.calls(HAND_OVER)[0].message();
    assert_eq!(asked.tracking_numbers, ["RR123456785MA", "RR000000015MA"]);
}

#[tokio::test]
async fn more_parcels_than_one_hand_over_takes_are_said_to_be_cut() {
    let edge = office().await;
    edge.stub.on(PARCELS, |call| {
        let asked: pb::ListParcelsRequest = call.message();
        let page: u64 = asked.page_token.parse().unwrap_or_default();
        let parcel = |number: u64| pb::Parcel {
            tracking_number: format!("RR{:09}MA", page * 100 + number),
            ..Default::default()
        };
        let page = pb::ListParcelsResponse {
            parcels: (0..100).map(parcel).collect(),
            next_page_token: if page < 2 {
                (page + 1).to_string()
            } else {
                String::new()
            },
        };
        Ok(vec![page.encode_to_vec()])
    });
    let page = look(&edge, "/office/hand-over?lang=en").await.text();
    assert_eq!(page.matches("name=\"number\"").count(), 200);
    assert!(page.contains("Only the first parcels are shown"), "{page}");
}
