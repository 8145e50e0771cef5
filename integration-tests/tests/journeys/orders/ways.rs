//! The other ways through an order: no account, payment by text message, the institution's seal, a signature by hand; and the fee
//! of a legalisation, which is paid the same way.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wathiq_local::description::TextPayment;
use wathiq_local::journey::account::confirm;
use wathiq_local::journey::api::{Api, text};
use wathiq_local::journey::order::payer::MOROCCAN;
use wathiq_local::journey::order::{self, desk, payer};
use wathiq_local::journey::{legalisation, people};
use wathiq_local::stack::Options;
use wathiq_local::wait;

use super::{BOUND, all};
use crate::calls::said;
use crate::stage::{self, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_way_leads_to_the_end() {
    let mut stage = stage::open(Options {
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    stage.digitise().await.unwrap();
    paid_by_text_message(&stage).await.unwrap();
    without_an_account(&stage).await.unwrap();
    let head = stage.administrator().await.unwrap();
    sealed_by_the_institution(&mut stage, &head).await.unwrap();
    signed_by_hand(&mut stage, &head).await.unwrap();
    a_legalisation_s_fee(&mut stage, &head).await.unwrap();
    stage.balanced().await.unwrap();
}

/// The phones of the payers.
struct Phones {
    client: reqwest::Client,
    control: String,
}

impl Phones {
    fn of(account: &TextPayment) -> Result<Self> {
        Ok(Self {
            client: wathiq_local::http::client()?,
            control: account.control.clone(),
        })
    }

    /// The payer presses a button below the newest open request to this number.
    async fn answer(&self, phone: &str, answer: &str) -> Result<()> {
        let address = wait::until("the request on the phone", BOUND, async || {
            let page = self
                .client
                .get(format!("{}/text-payments", self.control))
                .send()
                .await?;
            let page = page.text().await?;
            let request = page
                .split("<article>")
                .find(|request| request.contains(phone) && request.contains("<form"));
            let (_, address) = request
                .and_then(|request| request.split_once("action=\""))
                .context("nothing is asked")?;
            Ok(address.split('"').next().unwrap_or_default().to_owned())
        })
        .await?;
        let pressed = self
            .client
            .post(format!("{}{address}", self.control))
            .form(&[("answer", answer)])
            .send()
            .await?;
        ensure!(
            pressed.status().is_success() || pressed.status().is_redirection(),
            "{}",
            pressed.status()
        );
        Ok(())
    }
}

/// Asks for payment on a phone.
async fn ask(payer: &Api, payable: &str, phone: &str) -> Result<()> {
    let body = json!({"provider": "text-message", "phone": phone});
    let begun = payer
        .post(&format!("/v1/payments/{payable}/attempts"), &body)
        .await?;
    let masked = text(&begun, "/next/text_message/masked_phone")?;
    ensure!(
        !masked.contains(&phone[4..8]) && masked.ends_with(&phone[11..]),
        "the number is shown as {masked}"
    );
    Ok(())
}

/// Declined on the phone, then confirmed after all.
async fn paid_by_text_message(stage: &Stage) -> Result<()> {
    let (order, payable) = stage.payable("501").await?;
    let (citizen, phone) = (&stage.cast.citizen_session, people::citizen().phone);
    let phones = Phones::of(&stage.stack.description.text_payment)?;
    ask(citizen, &payable, &phone).await?;
    phones.answer(&phone, "declined").await?;
    wait::until("the decline", BOUND, async || {
        let payment = citizen.get(&format!("/v1/payments/{payable}")).await?;
        ensure!(
            payment["payable"]["attempts"][0]["decline_code"].is_string(),
            "{payment}"
        );
        ensure!(payment["payable"]["state"] == "open", "{payment}");
        Ok(())
    })
    .await?;
    // Whoever declined may be asked again; while that is open, nobody is asked twice.
    ask(citizen, &payable, &phone).await?;
    let twice = said(ask(citizen, &payable, &phone).await);
    ensure!(twice == "422 TEXT_MESSAGE_PENDING", "{twice}");
    phones.answer(&phone, "confirmed").await?;
    stage
        .order_until(&order, "its payment", |order| all(order, "paid"))
        .await?;
    let receipt = citizen
        .get_bytes(&format!("/v1/payments/{payable}/receipt"))
        .await?;
    ensure!(receipt.starts_with(b"%PDF-"), "the receipt is no file");
    Ok(())
}

/// An e-mail address and a phone, both proved, are enough to order, to pay and to follow the order, and show nobody else's.
async fn without_an_account(stage: &Stage) -> Result<()> {
    let person = people::citizen();
    let contacts = [person.email.as_str(), &person.phone];
    let (session, codes) = contact(stage, contacts, &Default::default()).await?;
    let line = order::line(
        "birth-extract",
        "bilingual",
        &stage.cast.office.office_id,
        (1991, "502"),
        order::addressee(),
    );
    let body = json!({
        "lines": [line], "addressee": order::addressee(), "address": order::address(),
        "applicant": order::addressee(), "applicant_birth_date": person.birth_date,
        "applicant_identity_document": person.cin, "expected_total_centimes": 2_000,
    });
    let placed = session.post("/v1/civil-status/orders", &body).await?;
    let id = text(&placed, "/order_id")?;
    order::pay_order(&session, id, MOROCCAN).await?;
    let (inbox, reference) = (&stage.cast.inbox, text(&placed, "/reference")?);
    inbox.mail_with(&person.email, reference).await?;
    // The payment is told on the phone as well, in the language that was chosen with it.
    let told = inbox.text_with(&person.phone, reference).await?;
    ensure!(told.contains("أداء"), "the payment is told as {told}");
    // The same contacts, proved again, are the same person.
    let (again, _) = contact(stage, contacts, &codes).await?;
    ensure!(
        again.get(&format!("/v1/civil-status/orders/{id}")).await?["order_id"] == id,
        "{id} is lost"
    );
    let other = people::citizen();
    let (stranger, _) = contact(stage, [&other.email, &other.phone], &Default::default()).await?;
    let hidden = stranger.get(&format!("/v1/civil-status/orders/{id}")).await;
    ensure!(said(hidden).starts_with("404 "), "a stranger sees {id}");
    Ok(())
}

/// A session of somebody without an account, and the codes that opened it, which are not those of before.
async fn contact(
    stage: &Stage,
    [email, phone]: [&str; 2],
    before: &[String; 2],
) -> Result<(Api, [String; 2])> {
    let (anyone, inbox) = (&stage.cast.anyone, &stage.cast.inbox);
    let body = json!({"email": email, "phone": phone, "language": "ar"});
    let begun = anyone.post("/v1/contact-sessions", &body).await?;
    let codes = [
        inbox.mailed_code(email, Some(&before[0])).await?,
        inbox.texted_code(phone, Some(&before[1])).await?,
    ];
    let path = format!(
        "/v1/contact-sessions/{}/completion",
        text(&begun, "/contact_session_id")?
    );
    let body = json!({"email_code": codes[0], "phone_code": codes[1]});
    let opened = anyone.post(&path, &body).await.context("proving both contacts")?;
    Ok((
        anyone.with_session(text(&opened, "/session/session_secret")?),
        codes,
    ))
}

/// Changes the office's profile.
async fn change_profile(stage: &Stage, head: &Api, changes: Value) -> Result<()> {
    let path = format!("/v1/offices/{}/civil-status-profile", stage.cast.office.office_id);
    let mut profile = head.get(&path).await?;
    for (name, value) in changes.as_object().into_iter().flatten() {
        profile[name] = value.clone();
    }
    head.put(&path, Some(&profile))
        .await
        .context("changing the office's profile")
        .map(|_| ())
}

/// An order of the citizen's digitised act, paid, with its document asked for. Answers the order and the line's id.
async fn prepared_order(stage: &Stage, kind: &str, language: &str) -> Result<(Value, String)> {
    let placed = stage.order_digitised_as(kind, language).await?;
    let order = order::pay_order(&stage.cast.citizen_session, text(&placed, "/order_id")?, MOROCCAN).await?;
    let line = text(&order, "/lines/0/line_id")?.to_owned();
    let body = json!({"line_ids": [line]});
    let answer = stage
        .cast
        .registrar_session
        .post("/v1/office/prepared-documents", &body)
        .await?;
    ensure!(answer["problems"] == json!([]), "{answer}");
    Ok((order, line))
}

fn next_year() -> Result<u32> {
    Ok(stage::today()[..4].parse::<u32>()? + 1)
}

/// The officer authorises, and the institution's key seals: its authority is a decision on record.
async fn sealed_by_the_institution(stage: &mut Stage, head: &Api) -> Result<()> {
    let description = &stage.stack.description;
    let token = description
        .softhsm
        .tokens
        .iter()
        .find(|token| token.label == "eseal-1");
    let token = token.context("the institution has no token")?;
    let chain = [&token.certificate, &description.trust.issuing].map(std::fs::read_to_string);
    let chain = chain.into_iter().collect::<std::io::Result<String>>()?;
    let credential = json!({
        "token_label": token.label, "key_label": token.key_label, "certificate_chain_pem": chain,
        "kind": "electronic_seal",
        "authority": {
            "decision_reference": "2026/17", "decision_date": stage::today(),
            "authority_name": "Ministère de l'Intérieur", "document_kinds": ["birth-extract"], "office_ids": [],
            "valid_from": stage::today(), "valid_to": format!("{}-12-31", next_year()?),
        },
    });
    let office = stage.cast.office.office_id.clone();
    head.post(&format!("/v1/offices/{office}/credentials"), &credential)
        .await
        .context("registering the seal")?;
    change_profile(stage, head, json!({"electronic_seal_kinds": ["birth-extract"]})).await?;

    let (order, line) = prepared_order(stage, "birth-extract", "bilingual").await?;
    let registrar = stage.cast.registrar_session.clone();
    let prepared = desk::prepared(&registrar, &office, &[&line]).await?;
    stage.codes_again().await?;
    let account = &mut stage.cast.office.registrar;
    let confirmation = confirm(&registrar, account, "seal", &[prepared[0]["digest"].clone()]).await?;
    let body = json!({
        "issued_document_ids": [prepared[0]["issued_document_id"]],
        "confirmation_id": confirmation, "pin": null,
    });
    let sealed = registrar
        .post("/v1/office/issued-document-seals", &body)
        .await
        .context("sealing")?;
    ensure!(sealed["problems"] == json!([]), "{sealed}");
    stage
        .order_until(&order, "the seal", |order| all(order, "produced"))
        .await?;
    let path = format!(
        "/v1/civil-status/orders/{}/lines/{line}/document",
        text(&order, "/order_id")?
    );
    let document = stage.cast.citizen_session.get_bytes(&path).await?;
    let verified = legalisation::verify(&stage.cast.anyone, document).await?;
    ensure!(
        verified["indication"] == "total_passed" && verified["issued"] == "as_issued",
        "{verified}"
    );
    change_profile(stage, head, json!({"electronic_seal_kinds": []})).await
}

/// The office has no key: it prints the document, the officer signs it, and its barcode is scanned.
async fn signed_by_hand(stage: &mut Stage, head: &Api) -> Result<()> {
    change_profile(stage, head, json!({"signs_by_hand": true})).await?;
    let (order, line) = prepared_order(stage, "birth-full-copy", "french").await?;
    let waits = |order: &Value| order["lines"][0]["progress_code"] == "WAITING_FOR_SIGNATURE_BY_HAND";
    let order = stage.order_until(&order, "the document", waits).await?;
    let path = format!("/v1/office/order-lines/{line}/document");
    let printed = stage
        .cast
        .agent_session
        .get_bytes(&path)
        .await
        .context("printing the document")?;
    ensure!(printed.starts_with(b"%PDF-"), "the document is no file");
    let officer = stage.officer_id().await?;
    let barcode = text(&order, "/lines/0/line_reference")?;
    desk::produce(&stage.cast.agent_session, barcode, &officer).await?;
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    stage.order_until(&order, "its number", numbered).await?;
    change_profile(stage, head, json!({"signs_by_hand": false})).await
}

/// A legalisation with a fee waits for its payment, and goes on by itself.
async fn a_legalisation_s_fee(stage: &mut Stage, head: &Api) -> Result<()> {
    let office = stage.cast.office.office_id.clone();
    let soon = wathiq_chassis::Ambient::system().now() + chrono::TimeDelta::seconds(2);
    let fee = json!({"fee_centimes": 1_500, "from_time": soon});
    head.put(&format!("/v1/offices/{office}/fees/contract"), Some(&fee))
        .await
        .context("setting the fee")?;
    let citizen = stage.cast.citizen_session.clone();
    wait::until("the fee", BOUND, async || {
        let catalogue = citizen.get(&format!("/v1/catalogue?office_id={office}")).await?;
        ensure!(
            catalogue.to_string().contains("\"fee_centimes\":1500"),
            "{catalogue}"
        );
        Ok(())
    })
    .await?;
    let id = stage.submitted().await?;
    let waiting = wait::until("the payable", BOUND, async || {
        let request = stage.request(&id).await?;
        ensure!(request["payable_id"].is_string(), "{request}");
        Ok(request)
    })
    .await?;
    ensure!(
        waiting["state"] == "awaiting_payment" && waiting["fee_centimes"] == 1_500,
        "{waiting}"
    );
    payer::pay(&citizen, text(&waiting, "/payable_id")?, MOROCCAN).await?;
    wait::until("the payment", BOUND, async || {
        let request = stage.request(&id).await?;
        ensure!(request["state"] == "submitted", "{request}");
        Ok(())
    })
    .await?;
    legalisation::accept(&stage.cast.agent_session, &office, &id)
        .await
        .map(|_| ())
}
