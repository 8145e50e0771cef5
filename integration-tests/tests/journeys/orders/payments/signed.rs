//! What the provider's key has signed, and what is still no payment; and the least that is one.

use data_encoding::BASE64;
use serde_json::Value;
use sha2::{Digest, Sha512};
use wathiq_local::journey::order::payer::{self, MOROCCAN};

use super::{Provider, oid, open_page};
use crate::orders::{all, told};
use crate::stage::Stage;

type Fields = Vec<(String, String)>;

pub(super) async fn what_is_signed(stage: &mut Stage, provider: &Provider) {
    another_amount(stage, provider).await;
    the_least(stage, provider).await;
    anothers_transaction(stage, provider).await;
}

/// An approval of this order with another amount, as if the provider had been made to sign it: nothing is paid. The genuine one still is.
async fn another_amount(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("121").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    for (amount, currency) in [("1.00", "504"), ("2000.00", "504"), ("20.00", "978")] {
        let mut told = least(stage, &oid, "26326ALTR00001");
        for (name, value) in [("amount", amount), ("currency", currency)] {
            set(&mut told, name, value);
        }
        told.push(("Response".into(), "Approved".into()));
        told.push(("storetype".into(), "3D_PAY_HOSTING".into()));
        assert_eq!(tell(stage, told).await, "FAILURE", "{amount} {currency}");
        is_open(stage, &payable).await;
    }
    // Right in every field, and yet of another store.
    let mut told = least(stage, &oid, "26326ALTR00001");
    set(&mut told, "clientid", "600000999");
    assert_eq!(tell(stage, told).await, "FAILURE");
    is_open(stage, &payable).await;

    payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    paid_once(stage, &order).await;
    provider.stands(&oid, &["C"]).await.unwrap();
}

/// The provider says no more than it must.
async fn the_least(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("122").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    provider
        .faults(&oid, &serde_json::json!({"callback_copies": 0}))
        .await;
    payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    is_open(stage, &payable).await;
    let told = least(stage, &oid, &transaction(provider, &oid).await);
    let mut forged = told.clone();
    forged.push(("HASH".into(), BASE64.encode(&[0; 64])));
    assert_eq!(send(stage, &forged).await, "FAILURE", "the hash still counts");
    assert_eq!(tell(stage, told.clone()).await, "ACTION=POSTAUTH");
    assert_eq!(
        tell(stage, told).await,
        "ACTION=POSTAUTH",
        "a repeat gets the answer it got before"
    );
    paid_once(stage, &order).await;
}

/// The transaction that has paid an order, told under the oid of another one: it pays nothing more, is given back to nobody, and is noted.
async fn anothers_transaction(stage: &mut Stage, provider: &Provider) {
    let (first, payable) = stage.payable("123").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let paying = oid(&page);
    payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    paid_once(stage, &first).await;
    let repeated = transaction(provider, &paying).await;

    let (order, payable) = stage.payable("124").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let other = oid(&page);
    for _ in 0..2 {
        assert_eq!(tell(stage, least(stage, &other, &repeated)).await, "FAILURE");
        is_open(stage, &payable).await;
    }
    provider.stands(&paying, &["C"]).await.unwrap();
    let head = stage.administrator().await.unwrap();
    let noted = head.get("/v1/payment-differences?page_size=100").await.unwrap();
    assert!(noted.to_string().contains("TRANSACTION_DOUBLED"), "{noted}");

    payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    paid_once(stage, &order).await;
    paid_once(stage, &first).await;
    provider.stands(&paying, &["C"]).await.unwrap();
    provider.stands(&other, &["C"]).await.unwrap();
}

/// The fields without which nothing is proven, for an order of one act.
fn least(stage: &Stage, oid: &str, transaction: &str) -> Fields {
    let fields = [
        ("clientid", stage.stack.description.cmi.client_id.as_str()),
        ("oid", oid),
        ("amount", "20.00"),
        ("currency", "504"),
        ("ProcReturnCode", "00"),
        ("TransId", transaction),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn set(fields: &mut Fields, name: &str, value: &str) {
    for field in fields.iter_mut().filter(|field| field.0 == name) {
        value.clone_into(&mut field.1);
    }
}

/// The provider's name for what has paid.
async fn transaction(provider: &Provider, oid: &str) -> String {
    let order = provider.order(oid).await.unwrap();
    order["transactions"][0]["id"].as_str().unwrap().to_owned()
}

/// Tells it with the right hash, and answers what the platform says.
async fn tell(stage: &Stage, mut fields: Fields) -> String {
    let key = std::fs::read_to_string(&stage.stack.description.cmi.store_key_file).unwrap();
    fields.push(("HASH".into(), ver3(&fields, key.trim())));
    send(stage, &fields).await
}

async fn send(stage: &Stage, fields: &Fields) -> String {
    let client = wathiq_local::http::client().unwrap();
    let callback = format!("{}/callbacks/payments/cmi", stage.cast.anyone.base());
    let answer = client.post(callback).form(fields).send().await.unwrap();
    answer.text().await.unwrap()
}

/// Hash ver3 of NestPay, for names without digits and values without bars and backslashes.
fn ver3(fields: &Fields, key: &str) -> String {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|field| field.0.to_ascii_uppercase());
    let values = sorted.into_iter().map(|field| field.1.as_str());
    let plain: Vec<&str> = values.chain([key]).collect();
    BASE64.encode(&Sha512::digest(plain.join("|")))
}

async fn is_open(stage: &Stage, payable: &str) {
    let path = format!("/v1/payments/{payable}");
    let payment = stage.cast.citizen_session.get(&path).await.unwrap();
    assert_eq!(payment["payable"]["state"], "open", "{payment}");
}

async fn paid_once(stage: &Stage, order: &Value) {
    let order = stage
        .order_until(order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
    assert_eq!(told(&order, "OrderPaid"), 1, "{order}");
}

#[test]
fn the_hash_is_the_provider_s() {
    let fields = [
        ("TransId", "26001ABCD00001"),
        ("TranType", "PreAuth"),
        ("amount", "20.00"),
        ("AuthCode", "123456"),
        ("clientid", "600000001"),
        ("currency", "504"),
        ("ErrMsg", ""),
        ("EXTRA.CARDBRAND", "VISA"),
        ("hashAlgorithm", "ver3"),
        ("HostRefNum", "600112345678"),
        ("maskedCreditCard", "4000 00** **** 0010"),
        ("mdStatus", "1"),
        ("oid", "WTQ-2026-000001"),
        ("ProcReturnCode", "00"),
        ("Response", "Approved"),
        ("rnd", "abc"),
        ("storetype", "3D_PAY_HOSTING"),
    ];
    let fields: Fields = fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(
        ver3(&fields, "TEST1234"),
        "UHvaTOOETWlQVPGUUWC8UTHzpEko1SLYjSH2n2y/WVMOy5H7uwm8Hd+/cq8+XdioaFU7jtiCxHmtqIo9lqs74g=="
    );
}
