//! What becomes of the money: callbacks that go astray, and the XML interface.

use serde_json::json;

use crate::cmi::{MOROCCAN, field, open, order, pay, transactions};
use crate::platform::{World, wait_until};

async fn api(world: &World, xml: &str) -> (u16, String) {
    let request = world.client.post(format!("{}/fim/api", world.url));
    let account = "<Name>api</Name><Password>p&lt;&amp;&gt;w</Password><ClientId>600000001</ClientId>";
    let body =
        format!("<?xml version=\"1.0\"?>\n<CC5Request>{account}<OrderId>WTQ1</OrderId>{xml}</CC5Request>");
    let response = request.body(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0
}

const STATUS: &str = "<Extra><ORDERSTATUS>QUERY</ORDERSTATUS></Extra>";
const HISTORY: &str = "<Extra><ORDERHISTORY>QUERY</ORDERHISTORY></Extra>";
const CAPTURE: &str = "<Type>PostAuth</Type><Total>20.00</Total><Currency>504</Currency>";
/// The card whose bank does not answer for a while.
const SILENT: &str = "4000000000000099";
const VOID: &str = "<Type>Void</Type>";

fn credit(total: &str) -> String {
    format!("<Type>Credit</Type><Total>{total}</Total><Currency>504</Currency>")
}

async fn paid(world: &World) {
    let page = open(world, "WTQ1").await;
    pay(world, &page, MOROCCAN).await;
}

#[tokio::test]
async fn what_is_not_acknowledged_is_told_again_the_same() {
    let world = World::new().await;
    world.platform.answers(
        &[(200, "FAILURE"), (500, "ACTION=POSTAUTH")],
        (200, "ACTION=POSTAUTH"),
    );
    paid(&world).await;
    let heard = world.platform.hears(3).await;
    assert_eq!(heard[0].fields(), heard[2].fields());
    wait_until("it is captured", async || {
        transactions(&order(&world, "WTQ1").await) == [("C", "00")]
    })
    .await;
}

#[tokio::test]
async fn a_silent_bank_keeps_the_transaction_pending_until_it_has_decided() {
    for (late, status, code) in [(true, "C", "00"), (false, "ERR", "99")] {
        let world = World::new().await;
        world.platform.answers(&[], (200, "ACTION=POSTAUTH"));
        let faults = json!({"bank_delay_ms": 500, "bank_approves_late": late});
        world.put("/control/cmi/orders/WTQ1/faults", &faults).await;
        let page = open(&world, "WTQ1").await;
        let meanwhile = async {
            wait_until("the bank is asked", async || {
                transactions(&order(&world, "WTQ1").await) == [("PN", "")]
            })
            .await;
            let (_, told) = api(&world, STATUS).await;
            assert_eq!(element(&told, "TRANS_STAT"), "PN");
            assert!(api(&world, HISTORY).await.1.contains("S\tPN\t2000"));
            assert!(world.platform.heard().is_empty());
        };
        let (back, ()) = tokio::join!(pay(&world, &page, SILENT), meanwhile);
        let heard = world.platform.hears(1).await;
        assert_eq!(field(&heard[0].fields(), "ProcReturnCode"), code);
        assert_eq!(back.action().ends_with("/ok"), late);
        wait_until("it is over", async || {
            transactions(&order(&world, "WTQ1").await) == [(status, code)]
        })
        .await;
    }
}

#[tokio::test]
async fn a_store_that_never_acknowledges_keeps_what_is_authorised() {
    let world = World::new().await;
    world
        .put("/control/cmi/orders/WTQ1/faults", &json!({"answers_lost": 9}))
        .await;
    world.platform.answers(&[], (200, "ACTION=POSTAUTH"));
    paid(&world).await;
    world.platform.hears(4).await;
    wait_until("all answers were lost", async || {
        order(&world, "WTQ1").await["callbacks"].as_array().unwrap().len() == 4
    })
    .await;
    assert_eq!(transactions(&order(&world, "WTQ1").await), [("A", "00")]);
}

#[tokio::test]
async fn callbacks_come_twice_late_or_never_as_asked() {
    let world = World::new().await;
    world
        .put("/control/cmi/faults", &json!({"callback_copies": 2}))
        .await;
    paid(&world).await;
    let heard = world.platform.hears(2).await;
    assert_eq!(heard[0].fields(), heard[1].fields());

    let world = World::new().await;
    world
        .put("/control/cmi/faults", &json!({"callback_copies": 0}))
        .await;
    paid(&world).await;
    assert_eq!(world.platform.heard().len(), 0);
    // One order's own faults count before everybody's.
    world
        .put(
            "/control/cmi/orders/WTQ1/faults",
            &json!({"callback_delay_ms": 100}),
        )
        .await;
    world
        .post("/control/cmi/orders/WTQ1/second-success", &json!({}))
        .await;
    assert_eq!(
        world.platform.heard().len(),
        0,
        "the browser does not wait for what comes late"
    );
    let late = world.platform.hears(1).await[0].fields();
    world.post("/control/cmi/orders/WTQ1/callback", &json!({})).await;
    let again = world.platform.hears(2).await[1].fields();
    assert_eq!(late, again);
    let second = order(&world, "WTQ1").await;
    assert_eq!(transactions(&second), [("A", "00"), ("A", "00")]);
    assert_eq!(second["transactions"][1]["id"], field(&late, "TransId"));
}

#[tokio::test]
async fn money_is_captured_credited_and_voided_within_its_bounds() {
    let world = World::new().await;
    let (_, unknown) = api(&world, STATUS).await;
    assert_eq!(element(&unknown, "ErrMsg"), "No record found for WTQ1");
    paid(&world).await;
    let said = async |xml: &str| element(&api(&world, xml).await.1, "Response").to_owned();
    assert_eq!(said(&credit("1.00")).await, "Declined", "nothing is captured yet");
    let (_, status) = api(&world, STATUS).await;
    assert_eq!(
        (element(&status, "TRANS_STAT"), element(&status, "CAPTURE_AMT")),
        ("A", "")
    );
    assert_eq!(said(CAPTURE).await, "Approved");
    assert_eq!(said(CAPTURE).await, "Declined");
    let (_, status) = api(&world, STATUS).await;
    assert_eq!(
        (element(&status, "TRANS_STAT"), element(&status, "CAPTURE_AMT")),
        ("C", "2000")
    );
    assert!(
        element(&status, "ORDERSTATUS").contains("CHARGE_TYPE_CD:S\tORIG_TRANS_AMT:2000\tCAPTURE_AMT:2000")
    );
    assert_eq!(said(&credit("12.50")).await, "Approved");
    assert_eq!(said(&credit("7.51")).await, "Declined");
    assert_eq!(said(&credit("7.50")).await, "Approved");
    assert_eq!(
        said(VOID).await,
        "Declined",
        "what was credited is not voided as well"
    );
    let (_, history) = api(&world, HISTORY).await;
    assert_eq!(element(&history, "TRXCOUNT"), "3");
    let columns: Vec<&str> = element(&history, "TRX2").split('\t').collect();
    assert_eq!(
        (columns.len(), &columns[..4]),
        (12, &["C", "C", "1250", "1250"][..])
    );
}

#[tokio::test]
async fn a_void_names_its_transaction() {
    let world = World::new().await;
    paid(&world).await;
    world
        .post("/control/cmi/orders/WTQ1/second-success", &json!({}))
        .await;
    let first = order(&world, "WTQ1").await["transactions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let void = format!("{VOID}<TransId>{first}</TransId>");
    let (_, answer) = api(&world, &void).await;
    assert_eq!(
        (element(&answer, "Response"), element(&answer, "TransId")),
        ("Approved", first.as_str())
    );
    assert_eq!(element(&api(&world, &void).await.1, "ProcReturnCode"), "99");
    assert_eq!(
        transactions(&order(&world, "WTQ1").await),
        [("V", "00"), ("A", "00")]
    );
}

#[tokio::test]
async fn the_interface_fails_as_asked() {
    let world = World::new().await;
    paid(&world).await;
    let faults = json!({"voids_refused": 1, "api_errors": 1, "api_silences": 1, "silent_acts_done": true});
    world.put("/control/cmi/orders/WTQ1/faults", &faults).await;
    assert_eq!(api(&world, CAPTURE).await.0, 500);
    assert_eq!(transactions(&order(&world, "WTQ1").await), [("A", "00")]);
    assert_eq!(api(&world, CAPTURE).await.0, 504);
    assert_eq!(
        transactions(&order(&world, "WTQ1").await),
        [("C", "00")],
        "done, and nobody was told"
    );
    assert_eq!(element(&api(&world, VOID).await.1, "Response"), "Declined");
    assert_eq!(element(&api(&world, VOID).await.1, "Response"), "Approved");
    world
        .put("/control/cmi/orders/WTQ1/faults", &json!({"down_seconds": 60}))
        .await;
    assert_eq!(api(&world, STATUS).await.0, 503);
    world.put("/control/cmi/orders/WTQ1/faults", &json!({})).await;
    assert_eq!(api(&world, STATUS).await.0, 200);

    let body =
        "<CC5Request><Name>api</Name><Password>wrong</Password><ClientId>600000001</ClientId></CC5Request>";
    let answer = world
        .client
        .post(format!("{}/fim/api", world.url))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(element(&answer.text().await.unwrap(), "Response"), "Error");
}

#[tokio::test]
async fn a_restart_forgets_no_money() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let world = World::with(Some(&journal)).await;
    paid(&world).await;
    let before = order(&world, "WTQ1").await;
    let world = World::with(Some(&journal)).await;
    assert_eq!(order(&world, "WTQ1").await, before);
    assert_eq!(element(&api(&world, CAPTURE).await.1, "Response"), "Approved");
}
