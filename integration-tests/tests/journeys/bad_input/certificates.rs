//! Certificates of officers that have expired.

use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::legalisation;

use super::change;
use crate::calls::call;
use crate::stage::Stage;

pub(super) async fn expired(stage: &mut Stage) {
    // Of officers: one that has expired is not registered, one that expires later authorises nothing.
    let head = stage.administrator().await.unwrap();
    let office = stage.cast.office.office_id.clone();
    let members = head
        .get(&format!("/v1/offices/{office}/memberships"))
        .await
        .unwrap();
    let officer = members["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["role"] == "officer")
        .unwrap();
    let tokens = &stage.stack.description.softhsm.tokens;
    let token = tokens.iter().find(|token| token.standing == "expired").unwrap();
    let chain = [&token.certificate, &stage.stack.description.trust.issuing]
        .map(|path| std::fs::read_to_string(path).unwrap())
        .concat();
    let body = json!({
        "officer_person_id": officer["person_id"], "token_label": token.label, "key_label": token.key_label,
        "certificate_chain_pem": chain,
    });
    let path = format!("/v1/offices/{office}/credentials");
    assert_eq!(
        call(&head, Method::POST, &path, Some(&body)).await.said(),
        "422 CREDENTIAL_EXPIRED"
    );
    let known = head.get(&path).await.unwrap();
    assert_eq!(
        known["items"].as_array().map(Vec::len),
        Some(2),
        "those of the two officers"
    );

    let id = stage.accepted().await.unwrap();
    let session = stage.cast.officer_session.clone();
    assert_eq!(
        call(
            &session,
            Method::PUT,
            &format!("/v1/office/requests/{id}/claim"),
            None
        )
        .await
        .said(),
        "200"
    );
    let authorise = json!({"legalisation_request_ids": [id], "credential_id": null});
    let before = stage.request(&id).await.unwrap();
    change(
        stage,
        "signature",
        "UPDATE signing_credential SET not_after = now() - interval '1 second'",
    )
    .await;
    let answer = call(
        &session,
        Method::POST,
        "/v1/office/seal-intents",
        Some(&authorise),
    )
    .await;
    assert_eq!(answer.said(), "422 CREDENTIAL_EXPIRED");
    assert_eq!(stage.request(&id).await.unwrap(), before);
    assert_eq!(
        stage.register().await.unwrap(),
        Vec::<Value>::new(),
        "no register number is taken"
    );
    change(
        stage,
        "signature",
        "UPDATE signing_credential SET not_after = now() + interval '1 year'",
    )
    .await;
    let intents = legalisation::authorise(&session, &[&id]).await.unwrap();
    let sealed = stage.seal(&intents).await.unwrap();
    assert_eq!(sealed[0]["state"], "delivered");
}
