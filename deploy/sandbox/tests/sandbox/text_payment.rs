//! Payment by text message.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::platform::{Message, World};

fn now() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now())
}

fn asked(world: &World, id: &str) -> Value {
    json!({
        "id": id, "phone": "+212600000001", "amount": 2000, "currency": "MAD", "language": "fr",
        "text": "Payer 20,00 DH ?", "expires_at": now() + TimeDelta::minutes(10),
        "callback_url": format!("{}/text", world.platform_url),
    })
}

async fn call(world: &World, method: Method, path: &str, body: Option<&Value>) -> Response {
    let request = world
        .client
        .request(method, format!("{}/text-payment/payments{path}", world.url));
    let request = request.bearer_auth("key");
    match body {
        Some(body) => request.json(body).send().await.unwrap(),
        None => request.send().await.unwrap(),
    }
}

async fn status(world: &World, id: &str) -> Value {
    let answer = call(world, Method::GET, &format!("/{id}"), None).await;
    answer.json().await.unwrap()
}

fn verified(message: &Message) -> Value {
    let tag = sign(&Key::new(HMAC_SHA256, b"secret"), &message.body);
    let expected = format!("sha256={}", HEXLOWER.encode(tag.as_ref()));
    assert_eq!(message.headers["x-signature"], expected.as_str());
    message.json()
}

#[tokio::test]
async fn a_payer_declines_then_confirms_on_the_page() {
    let world = World::new().await;
    world.platform.answers(&[(200, "FAILURE")], (200, "OK"));
    let request = asked(&world, "P1");
    for _ in 0..2 {
        let answer = call(&world, Method::POST, "", Some(&request)).await;
        assert_eq!(answer.status(), 202);
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({"id": "P1", "status": "pending"})
        );
    }
    let page = world.get("/text-payments").await.text().await.unwrap();
    assert!(
        page.contains("Payer 20,00 DH ?") && page.contains("value=\"confirmed\""),
        "{page}"
    );
    let answer = |text: &str| [("answer".to_owned(), text.to_owned())];
    world.form("/text-payments/P1", &answer("declined")).await;
    let heard = world.platform.hears(2).await;
    let (first, again) = (verified(&heard[0]), verified(&heard[1]));
    assert_eq!(
        (&first["status"], &first["transaction"]),
        (&json!("declined"), &again["transaction"])
    );
    assert_eq!(first["code"], "declined_by_payer");
    world.form("/text-payments/P1", &answer("confirmed")).await;
    let confirmed = verified(&world.platform.hears(3).await[2]);
    assert_eq!(
        (&confirmed["status"], &confirmed["amount"]),
        (&json!("confirmed"), &json!(2000))
    );
    assert_ne!(confirmed["transaction"], first["transaction"]);
    let known = status(&world, "P1").await;
    assert_eq!(known["status"], "confirmed");
    assert_eq!(known["transactions"][1]["transaction"], confirmed["transaction"]);
    // The phone asks nothing any more; a test can still have it answer.
    assert_eq!(
        world
            .form("/text-payments/P1", &answer("confirmed"))
            .await
            .status(),
        409
    );
    world
        .post(
            "/control/text-payments/P1/answer",
            &json!({"answer": "confirmed"}),
        )
        .await;
    assert_ne!(
        verified(&world.platform.hears(4).await[3])["transaction"],
        confirmed["transaction"]
    );
}

#[tokio::test]
async fn money_goes_back_once_and_never_more_than_came() {
    let world = World::new().await;
    world.platform.answers(&[], (200, "OK"));
    call(&world, Method::POST, "", Some(&asked(&world, "P1"))).await;
    let back = async |id: &str, amount: i64| {
        let body = json!({"id": id, "amount": amount});
        let answer = call(&world, Method::POST, "/P1/reversals", Some(&body)).await;
        answer.status().as_u16()
    };
    assert_eq!(back("r0", 1).await, 422);
    world
        .post(
            "/control/text-payments/P1/answer",
            &json!({"answer": "confirmed"}),
        )
        .await;
    assert_eq!((back("r1", 1500).await, back("r1", 1500).await), (200, 200));
    assert_eq!((back("r2", 501).await, back("r3", 500).await), (422, 200));
    assert_eq!(
        status(&world, "P1").await["reversals"].as_array().unwrap().len(),
        2
    );

    call(&world, Method::POST, "", Some(&asked(&world, "P2"))).await;
    world
        .post(
            "/control/text-payments/P2/answer",
            &json!({"answer": "confirmed"}),
        )
        .await;
    let transaction = status(&world, "P2").await["transactions"][0]["transaction"].clone();
    let body = json!({"id": "r", "amount": 2000, "transaction": transaction});
    assert_eq!(
        call(&world, Method::POST, "/P2/reversals", Some(&body))
            .await
            .status(),
        200
    );
    assert_eq!(
        status(&world, "P2").await["transactions"][0]["status"],
        "reversed"
    );
}

#[tokio::test]
async fn a_payment_that_nobody_answers_ends() {
    let world = World::new().await;
    world.platform.answers(&[], (200, "OK"));
    let mut request = asked(&world, "P1");
    request["expires_at"] = json!(now() + TimeDelta::milliseconds(100));
    call(&world, Method::POST, "", Some(&request)).await;
    assert_eq!(verified(&world.platform.hears(1).await[0])["status"], "expired");
    assert_eq!(status(&world, "P1").await["status"], "expired");
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let world = World::new().await;
    let path = format!("{}/text-payment/payments", world.url);
    let request = asked(&world, "P1");
    let answer = world
        .client
        .post(path)
        .bearer_auth("wrong")
        .json(&request)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let code = async |request: &Value| {
        let answer = call(&world, Method::POST, "", Some(request)).await;
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap()["code"].clone(),
        )
    };
    let mut wrong = request.clone();
    wrong["phone"] = json!("0600000001");
    assert_eq!(code(&wrong).await, (422, json!("invalid_phone")));
    call(&world, Method::POST, "", Some(&request)).await;
    let mut other = request.clone();
    other["amount"] = json!(1);
    assert_eq!(code(&other).await, (409, json!("id_taken")));
    world
        .put("/control/text-payments/faults", &json!({"down_seconds": 60}))
        .await;
    assert_eq!(code(&request).await.0, 503);
    world.put("/control/text-payments/faults", &json!({})).await;
    assert_eq!(call(&world, Method::GET, "/P2", None).await.status(), 404);
}
