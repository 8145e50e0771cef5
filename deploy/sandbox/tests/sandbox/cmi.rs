//! The hosted page, the callback and the way back.

use aws_lc_rs::digest::{SHA512, digest};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::platform::{STORE_KEY, World};

pub(crate) const MOROCCAN: &str = "4000 0000 0000 0010";
pub(crate) const ABROAD: &str = "5453010000066100";
const PROVED: &str = "5191630100004896";

/// A page with its forms, read as a browser does.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) html: String,
}

impl Page {
    async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            html: response.text().await.unwrap(),
        }
    }

    fn hidden(&self) -> Vec<(String, String)> {
        let plain = |text: &str| {
            let entities = [
                ("&#38;", "&"),
                ("&#34;", "\""),
                ("&#39;", "'"),
                ("&#60;", "<"),
                ("&#62;", ">"),
            ];
            let replace = |text: String, (entity, plain): (&str, &str)| text.replace(entity, plain);
            entities.into_iter().rev().fold(text.to_owned(), replace)
        };
        let mut inputs = self.html.split("<input type=\"hidden\" name=\"").skip(1);
        std::iter::from_fn(|| {
            let (name, rest) = inputs.next()?.split_once("\" value=\"")?;
            Some((plain(name), plain(rest.split_once('"')?.0)))
        })
        .collect()
    }

    pub(crate) fn action(&self) -> &str {
        let (_, rest) = self.html.split_once("action=\"").unwrap();
        rest.split_once('"').unwrap().0
    }
}

/// HASH ver3 by the letter of the kit, independent of the sandbox's own.
fn hash(fields: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = fields
        .iter()
        .map(|(name, value)| {
            (
                name.to_lowercase(),
                value.trim().replace('\\', "\\\\").replace('|', "\\|"),
            )
        })
        .filter(|(name, _)| name != "hash" && name != "encoding")
        .collect();
    sorted.sort();
    let values: Vec<_> = sorted.into_iter().map(|(_, value)| value).collect();
    let plain = format!("{}|{}", values.join("|"), STORE_KEY.replace('|', "\\|"));
    BASE64.encode(digest(&SHA512, plain.as_bytes()).as_ref())
}

pub(crate) fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(own, _)| own == name);
    &found.unwrap_or_else(|| panic!("no {name} in {fields:?}")).1
}

fn request(world: &World, oid: &str) -> Vec<(String, String)> {
    let platform = &world.platform_url;
    let (ok, fail, callback) = (
        format!("{platform}/ok"),
        format!("{platform}/fail"),
        format!("{platform}/cmi"),
    );
    [
        ("clientid", "600000001"),
        ("storetype", "3D_PAY_HOSTING"),
        ("TranType", "PreAuth"),
        ("amount", "20.00"),
        ("currency", "504"),
        ("oid", oid),
        ("okUrl", &ok),
        ("failUrl", &fail),
        ("shopurl", platform),
        ("callbackUrl", &callback),
        ("CallbackResponse", "true"),
        ("lang", "fr"),
        ("email", "amina@example.ma"),
        ("BillToName", "Amina | \"El\" Idrissi"),
        ("BillToCountry", "504"),
        ("tel", "+212600000000"),
        ("rnd", "abc"),
        ("hashAlgorithm", "ver3"),
        ("encoding", "UTF-8"),
        ("AutoRedirect", "true"),
        ("refreshtime", "5"),
        ("sessiontimeout", "600"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

async fn send(world: &World, mut fields: Vec<(String, String)>) -> Page {
    fields.push(("HASH".to_owned(), hash(&fields)));
    Page::of(world.form("/fim/est3Dgate", &fields).await).await
}

pub(crate) async fn open(world: &World, oid: &str) -> Page {
    let page = send(world, request(world, oid)).await;
    assert_eq!(page.status, 200, "{}", page.html);
    page
}

pub(crate) async fn pay(world: &World, page: &Page, card: &str) -> Page {
    let mut fields = page.hidden();
    fields.truncate(2);
    for (name, value) in [("pan", card), ("expiry", "12/39"), ("cvc", "000")] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    Page::of(world.form("/fim/est3Dgate/card", &fields).await).await
}

pub(crate) async fn order(world: &World, oid: &str) -> Value {
    world
        .get(&format!("/control/cmi/orders/{oid}"))
        .await
        .json()
        .await
        .unwrap()
}

/// Status and code of each transaction.
pub(crate) fn transactions(order: &Value) -> Vec<(&str, &str)> {
    let all = order["transactions"].as_array().unwrap().iter();
    all.map(|one| (one["status"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_moroccan_card_pays_and_the_store_says_when_to_capture() {
    for (answer, status) in [("ACTION=POSTAUTH", "C"), ("APPROVED", "A")] {
        let world = World::new().await;
        world.platform.answers(&[], (200, answer));
        let card = open(&world, "WTQ1").await;
        assert!(card.html.contains("<html lang=\"fr\" dir=\"ltr\">") && card.html.contains("20.00"));
        let back = pay(&world, &card, MOROCCAN).await;
        // The store has heard before the browser goes back.
        let heard = world.platform.heard();
        assert_eq!(heard.len(), 1);
        let told = heard[0].fields();
        assert_eq!(field(&told, "HASH"), hash(&told));
        for (name, value) in [
            ("Response", "Approved"),
            ("ProcReturnCode", "00"),
            ("mdStatus", "1"),
            ("oid", "WTQ1"),
            ("ReturnOid", "WTQ1"),
            ("amount", "20.00"),
            ("currency", "504"),
            ("clientid", "600000001"),
            ("storetype", "3D_PAY_HOSTING"),
            ("BillToName", "Amina | \"El\" Idrissi"),
            ("maskedCreditCard", "4000 00** **** 0010"),
            ("EXTRA.CARDBRAND", "VISA"),
            ("EXTRA.CARDISSUER", "BANQUE DU MAROC"),
            ("ErrMsg", ""),
        ] {
            assert_eq!(field(&told, name), value, "{name}");
        }
        assert!(
            !told
                .iter()
                .any(|(name, _)| ["encoding", "AutoRedirect", "refreshtime"].contains(&name.as_str()))
        );
        assert_eq!(back.action(), format!("{}/ok", world.platform_url));
        assert_eq!(back.hidden(), told);
        assert_eq!(transactions(&order(&world, "WTQ1").await), [(status, "00")]);
    }
}

#[tokio::test]
async fn several_declines_and_then_a_success_are_one_order() {
    let world = World::new().await;
    let card = open(&world, "WTQ1").await;
    for (number, code) in [
        ("4000000000000051", "51"),
        ("4000000000000054", "54"),
        ("4000000000000099", "99"),
    ] {
        let again = pay(&world, &card, number).await;
        assert!(again.html.contains("role=\"alert\""), "{}", again.html);
        let told = world.platform.heard().pop().unwrap().fields();
        assert_eq!(field(&told, "ProcReturnCode"), code);
        assert_eq!(field(&told, "AuthCode"), "");
        assert_eq!(field(&told, "HASH"), hash(&told));
    }
    world.platform.answers(&[], (200, "ACTION=POSTAUTH"));
    let back = pay(&world, &card, ABROAD).await;
    assert_eq!(field(&back.hidden(), "EXTRA.CARDISSUER"), "INTERNATIONAL BANK");
    let order = order(&world, "WTQ1").await;
    assert_eq!(
        transactions(&order),
        [("D", "51"), ("D", "54"), ("ERR", "99"), ("C", "00")]
    );

    // What was paid is not paid again, from the same page or another.
    assert_eq!(pay(&world, &card, MOROCCAN).await.status, 409);
    assert_eq!(send(&world, request(&world, "WTQ1")).await.status, 400);
    assert_eq!(world.platform.heard().len(), 4);
}

#[tokio::test]
async fn three_d_secure_asks_for_the_code() {
    let world = World::new().await;
    let card = open(&world, "WTQ1").await;
    for (code, proved) in [("999", false), ("123", true)] {
        let page = pay(&world, &card, PROVED).await;
        assert_eq!(page.action(), "/fim/est3Dgate/code");
        let mut fields = page.hidden();
        fields.push(("code".to_owned(), code.to_owned()));
        world.form("/fim/est3Dgate/code", &fields).await;
        let told = world.platform.heard().pop().unwrap().fields();
        assert_eq!(field(&told, "mdStatus"), if proved { "1" } else { "0" });
        assert_eq!(
            field(&told, "Response"),
            if proved { "Approved" } else { "Declined" }
        );
    }
}

#[tokio::test]
async fn who_gives_up_goes_back_with_what_was_last_told() {
    let world = World::new().await;
    let card = open(&world, "WTQ1").await;
    let leave = &card.hidden()[..2];
    let back = Page::of(world.form("/fim/est3Dgate/leave", leave).await).await;
    assert_eq!(back.action(), format!("{}/fail", world.platform_url));
    assert_eq!(field(&back.hidden(), "HASH"), hash(&back.hidden()));
    assert_eq!(field(&back.hidden(), "TransId"), "");
    pay(&world, &card, "4000000000000005").await;
    let back = Page::of(world.form("/fim/est3Dgate/leave", leave).await).await;
    assert_eq!(back.hidden(), world.platform.hears(1).await[0].fields());
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_and_nothing_is_told() {
    let world = World::new().await;
    let wrong = async |name: &str, value: &str| {
        let mut fields = request(&world, "WTQ1");
        fields.iter_mut().find(|(own, _)| own == name).unwrap().1 = value.to_owned();
        send(&world, fields).await
    };
    for (name, value, reason) in [
        ("clientid", "1", "clientid"),
        ("currency", "978", "504"),
        ("amount", "20,00", "amount"),
        ("amount", "0.00", "amount"),
        ("oid", "WTQ 1", "oid"),
        ("TranType", "Auth", "TranType"),
        ("callbackUrl", "", "callbackUrl"),
    ] {
        let page = wrong(name, value).await;
        assert_eq!(page.status, 400);
        assert!(page.html.contains(reason), "{name}: {}", page.html);
    }
    let mut fields = request(&world, "WTQ1");
    fields.push(("HASH".to_owned(), hash(&fields)));
    fields[3].1 = "10.00".to_owned();
    let page = Page::of(world.form("/fim/est3Dgate", &fields).await).await;
    assert!(page.status == 400 && page.html.contains("HASH"), "{}", page.html);
    let mut fields = request(&world, "WTQ1");
    fields.push(("AMOUNT".to_owned(), "1.00".to_owned()));
    assert!(send(&world, fields).await.html.contains("twice"));

    let card = open(&world, "WTQ1").await;
    for number in ["4111111111111111", ""] {
        assert!(pay(&world, &card, number).await.html.contains("role=\"alert\""));
    }
    assert_eq!(order(&world, "WTQ1").await["transactions"], json!([]));
    assert_eq!(world.platform.heard().len(), 0);
}

#[tokio::test]
async fn the_page_speaks_the_form_s_language() {
    let world = World::new().await;
    for (language, direction, word) in [("ar", "rtl", "رقم البطاقة"), ("en", "ltr", "Card number")]
    {
        let mut fields = request(&world, "WTQ1");
        fields.iter_mut().find(|(own, _)| own == "lang").unwrap().1 = language.to_owned();
        let page = send(&world, fields).await;
        assert!(
            page.html
                .contains(&format!("<html lang=\"{language}\" dir=\"{direction}\">"))
        );
        assert!(page.html.contains(word));
    }
}
