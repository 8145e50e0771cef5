//! Operations of the API with bodies that are well formed, so that what refuses them is a rule about people.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::api::Api;
use wathiq_local::journey::pen;

use crate::calls::{Answer, call};

/// One operation of `/openapi.json`.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    body: Option<Value>,
}

/// What stands for the parameters of an address, and for ids in bodies.
#[derive(Clone)]
pub(crate) struct Ids {
    pub(crate) request: String,
    pub(crate) document: String,
    pub(crate) intent: String,
    pub(crate) office: String,
    pub(crate) person: String,
}

impl Operation {
    /// Calls it, without a word of a query.
    pub(crate) async fn call(&self, api: &Api, ids: &Ids) -> Answer {
        let path = [
            ("{legalisation_request_id}", ids.request.as_str()),
            ("{document_id}", &ids.document),
            ("{intent_id}", &ids.intent),
            ("{office_id}", &ids.office),
            ("{person_id}", &ids.person),
            ("{document_kind}", "contract"),
            ("{kind}", "document"),
            ("{page_number}", "1"),
            ("{version}", "1"),
            ("{service}", "legalisation"),
        ]
        .into_iter()
        .fold(self.template.to_owned(), |path, (name, value)| {
            path.replace(name, value)
        });
        let path = match self.template {
            "/v1/offices/{office_id}/register" => format!("{path}?year=2026"),
            "/v1/office/queue" | "/v1/office/seal-intents" if self.method == Method::GET => {
                format!("{path}?office_id={}", ids.office)
            }
            "/v1/messages" => format!("{path}?aggregate_id={}", ids.request),
            _ => path,
        };
        call(api, self.method.clone(), &path, self.body.as_ref()).await
    }

    /// `POST /v1/documents`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

fn of(method: Method, template: &'static str, body: Option<Value>) -> Operation {
    Operation {
        method,
        template,
        body,
    }
}

/// What a citizen does with a request of theirs.
pub(crate) fn on_own_request(confirmation: &str) -> Vec<Operation> {
    let placement = json!({
        "page_number": 1,
        "rectangle": {"x": 100.0, "y": 100.0, "width": 100.0, "height": 40.0},
        "drawn": pen::drawn(&pen::signature(0.1)),
    });
    vec![
        of(
            Method::GET,
            "/v1/legalisation-requests/{legalisation_request_id}",
            None,
        ),
        of(
            Method::PUT,
            "/v1/legalisation-requests/{legalisation_request_id}/placement",
            Some(placement),
        ),
        of(
            Method::GET,
            "/v1/legalisation-requests/{legalisation_request_id}/confirmation-subject",
            None,
        ),
        of(
            Method::POST,
            "/v1/legalisation-requests/{legalisation_request_id}/confirm",
            Some(json!({"confirmation_id": confirmation})),
        ),
        of(
            Method::POST,
            "/v1/legalisation-requests/{legalisation_request_id}/cancel",
            None,
        ),
        of(
            Method::POST,
            "/v1/legalisation-requests/{legalisation_request_id}/resubmit",
            Some(json!({"document_id": null})),
        ),
        of(
            Method::GET,
            "/v1/legalisation-requests/{legalisation_request_id}/files/{kind}",
            None,
        ),
        of(
            Method::HEAD,
            "/v1/legalisation-requests/{legalisation_request_id}/files/{kind}",
            None,
        ),
        of(
            Method::GET,
            "/v1/legalisation-requests/{legalisation_request_id}/commitments",
            None,
        ),
    ]
}

/// What a citizen does with a document of theirs.
pub(crate) fn on_own_document() -> Vec<Operation> {
    vec![
        of(Method::GET, "/v1/documents/{document_id}", None),
        of(Method::GET, "/v1/documents/{document_id}/content", None),
        of(Method::HEAD, "/v1/documents/{document_id}/content", None),
        of(
            Method::GET,
            "/v1/documents/{document_id}/pages/{page_number}/image.png",
            None,
        ),
    ]
}

/// What agents and officers do with one request.
pub(crate) fn on_request_of_office() -> Vec<Operation> {
    let comparison = json!({
        "result": "matches",
        "note": "",
        "specimen_version": 1,
        "region_sha256": "00".repeat(32),
        "specimen_sha256": "00".repeat(32),
    });
    let refusal = json!({"reason_code": "other", "text": "Le document est illisible.", "comparison": null});
    vec![
        of(
            Method::PUT,
            "/v1/office/requests/{legalisation_request_id}/claim",
            None,
        ),
        of(
            Method::DELETE,
            "/v1/office/requests/{legalisation_request_id}/claim",
            None,
        ),
        of(
            Method::GET,
            "/v1/office/requests/{legalisation_request_id}/review",
            None,
        ),
        of(
            Method::GET,
            "/v1/office/requests/{legalisation_request_id}/pages/{page_number}/image.png",
            None,
        ),
        of(
            Method::POST,
            "/v1/office/requests/{legalisation_request_id}/accept",
            Some(json!({"comparison": comparison})),
        ),
        of(
            Method::POST,
            "/v1/office/requests/{legalisation_request_id}/refuse",
            Some(refusal),
        ),
        of(
            Method::POST,
            "/v1/office/requests/{legalisation_request_id}/return",
            Some(json!({"note": "Merci de vérifier la page 2."})),
        ),
    ]
}

/// What agents and officers do beside single requests: lists, seals, people at the counter.
pub(crate) fn of_office(ids: &Ids, confirmation: &str) -> Vec<Operation> {
    let document = json!({"kind": "cin", "number": "BX123456"});
    let name = json!({"given": "Salma", "family": "Salma"});
    let card = json!({
        "office_id": ids.office, "identity_document": document, "name_latin": name,
        "name_arabic": {"given": "سلمى", "family": "سلمى"}, "birth_date": "1990-01-01",
    });
    vec![
        of(Method::GET, "/v1/office/queue", None),
        of(Method::GET, "/v1/office/seal-intents", None),
        of(
            Method::POST,
            "/v1/office/seal-intents",
            Some(json!({"legalisation_request_ids": [ids.request], "credential_id": null})),
        ),
        of(
            Method::POST,
            "/v1/office/seal-intents/{intent_id}/annul",
            Some(json!({"reason": "L'officier est empêché."})),
        ),
        of(
            Method::POST,
            "/v1/office/seals",
            Some(json!({"intent_ids": [ids.intent], "confirmation_id": confirmation, "pin": "123456"})),
        ),
        of(Method::GET, "/v1/offices/{office_id}/register", None),
        of(Method::GET, "/v1/offices/{office_id}/credentials", None),
        of(
            Method::POST,
            "/v1/offices/{office_id}/claim-searches",
            Some(json!({"identity_document": document})),
        ),
        of(Method::POST, "/v1/people/{person_id}/identity-proofs", Some(card)),
        of(
            Method::POST,
            "/v1/people/{person_id}/specimens/{version}/proof",
            Some(json!({"office_id": ids.office})),
        ),
    ]
}

/// What administrators do.
pub(crate) fn of_administration(ids: &Ids) -> Vec<Operation> {
    let today = crate::stage::today();
    let from_time = wathiq_chassis::Ambient::system().now() + chrono::TimeDelta::days(7);
    let period = json!({"from": today, "to": null});
    let membership = json!({
        "person_id": ids.person, "role": "agent", "deputy_for_membership_id": null, "from": today, "to": null,
    });
    let office = json!({
        "code": "CASA-HH-X", "parent_office_id": ids.office, "kind": "annexe", "name_ar": "ملحقة", "name_fr": "Annexe",
        "hcp_code": null,
    });
    vec![
        of(Method::GET, "/v1/offices/{office_id}/memberships", None),
        of(
            Method::POST,
            "/v1/offices/{office_id}/memberships",
            Some(membership),
        ),
        of(
            Method::PUT,
            "/v1/offices/{office_id}/services/{service}",
            Some(period),
        ),
        of(Method::POST, "/v1/offices", Some(office)),
        of(
            Method::POST,
            "/v1/administrations",
            Some(
                json!({"name_ar": "إدارة", "name_fr": "Administration", "enrolled_from": today, "enrolled_to": null}),
            ),
        ),
        of(
            Method::PUT,
            "/v1/offices/{office_id}/fees/{document_kind}",
            Some(json!({"fee_centimes": 100, "from_time": from_time})),
        ),
        of(
            Method::POST,
            "/v1/offices/{office_id}/credentials",
            Some(json!({
                "officer_person_id": ids.person, "token_label": "officer-1", "key_label": "seal",
                "certificate_chain_pem": "-----BEGIN CERTIFICATE-----",
            })),
        ),
        of(Method::GET, "/v1/messages", None),
    ]
}

/// The operations that the API describes below an address, apart from that address itself.
pub(crate) async fn described(api: &Api, below: &str) -> BTreeSet<String> {
    let document = api.get("/openapi.json").await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .filter(|(path, _)| path.starts_with(below))
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

/// The names of these operations.
pub(crate) fn names(operations: &[Operation]) -> BTreeSet<String> {
    operations.iter().map(Operation::name).collect()
}
