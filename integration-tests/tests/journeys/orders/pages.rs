//! A browser, a printer and a barcode gun: a citizen pays and an office works, each on pages without a script.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use reqwest::header::COOKIE;
use serde_json::Value;
use wathiq_local::journey::api::{Api, text};
use wathiq_local::journey::order;
use wathiq_local::layout::find_root;
use wathiq_local::stack::Options;

use super::all;
use super::delivery::barcodes;
use crate::browser::Browser;
use crate::pages::{SESSION, words};
use crate::stage::{self, Stage};

/// What the office writes to the citizen.
const ANSWER: &str = "لا يوجد هذا الرسم في السجل.";

/// Somebody's browser.
struct Desk {
    browser: Browser,
    base: String,
    session: String,
    /// Pictures of the pages, for people to look at.
    pictures: PathBuf,
}

impl Desk {
    fn of(stage: &Stage, person: &Api) -> Result<Self> {
        let mut browser = Browser::open()?;
        let base = stage.stack.url()?;
        let session = person.session().context("nobody is signed in")?.to_owned();
        browser.enter(&base, Some((SESSION, &session)))?;
        let pictures = find_root()?.join("target/pages");
        std::fs::create_dir_all(&pictures)?;
        Ok(Self {
            browser,
            base,
            session,
            pictures,
        })
    }

    /// Opens a page in Arabic and in French, and has each judged. It stays open in Arabic.
    fn look(&mut self, name: &str, path: &str) -> Result<()> {
        for language in ["fr", "ar"] {
            self.browser
                .visit(&format!("{}{path}?lang={language}", self.base))?;
            let status = "performance.getEntriesByType('navigation')[0].responseStatus";
            let status = self.browser.evaluate(status)?;
            ensure!(status == 200, "{path} answers {status}: {}", self.browser.text()?);
            self.seen(&format!("{name}-{language}"))?;
        }
        Ok(())
    }

    /// Has the page that is open judged.
    fn seen(&mut self, name: &str) -> Result<()> {
        self.browser.judge()?;
        self.browser.picture(&self.pictures.join(format!("{name}.png")))
    }

    /// Whether the open page says the texts of these keys, in Arabic.
    fn says(&mut self, keys: &[&str]) -> Result<()> {
        let (shown, words) = (self.browser.text()?, words("ar"));
        for key in keys {
            ensure!(shown.contains(&words(key)), "{key} is not on the page: {shown}");
        }
        Ok(())
    }

    fn has(&mut self, what: &str) -> Result<bool> {
        let script = format!("!!document.querySelector({})", Value::from(what));
        Ok(self.browser.evaluate(&script)? == true)
    }

    /// The value of a field.
    fn value(&mut self, field: &str) -> Result<String> {
        let script = format!("document.querySelector({}).value", Value::from(field));
        Ok(self
            .browser
            .evaluate(&script)?
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// What is printed on the file behind a link of the open page: its barcodes.
    async fn printed(&mut self, link: &str) -> Result<Vec<String>> {
        let script = format!("document.querySelector({}).href", Value::from(link));
        let address = self.browser.evaluate(&script)?;
        let address = address.as_str().with_context(|| format!("no {link}"))?;
        let cookie = format!("{SESSION}={}", self.session);
        let answer = wathiq_local::http::client()?
            .get(address)
            .header(COOKIE, cookie)
            .send()
            .await?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("print.pdf");
        std::fs::write(&file, answer.error_for_status()?.bytes().await?)?;
        Ok(barcodes(&file).lines().map(str::to_owned).collect())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_a_printer_and_a_barcode_gun_are_enough() {
    let stage = stage::open(Options {
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    let order = place(&stage).await.unwrap();
    let mut citizen = Desk::of(&stage, &stage.cast.citizen_session).unwrap();
    let order = pays(&stage, &mut citizen, &order).await.unwrap();
    let mut agent = Desk::of(&stage, &stage.cast.agent_session).unwrap();
    makes(&stage, &mut agent, &order).await.unwrap();
    refuses(&mut agent, &order).unwrap();
    posts(&stage, &mut agent, &order).await.unwrap();
    receives(&stage, &mut citizen, &order).await.unwrap();
}

/// An order of two acts: the register holds one of them.
async fn place(stage: &Stage) -> Result<Value> {
    let office = &stage.cast.office.office_id;
    let line = |number| {
        order::line(
            "birth-extract",
            "bilingual",
            office,
            (1991, number),
            order::addressee(),
        )
    };
    let placed = order::place(&stage.cast.citizen_session, &[line("401"), line("402")]).await?;
    stage
        .order_until(&placed, "its payable", |order| order["payable_id"].is_string())
        .await
}

/// The citizen leaves the provider's page, comes back to the order, and pays at the second try.
async fn pays(stage: &Stage, desk: &mut Desk, order: &Value) -> Result<Value> {
    let page = format!("/orders/{}", text(order, "/order_id")?);
    desk.look("order-to-pay", &page)?;
    desk.says(&["order_name.awaiting_payment", "order.pay"])?;
    to_the_provider(desk)?;
    desk.browser.press("form[action$='/leave'] button", &page)?;
    desk.seen("order-left")?;
    desk.says(&["order.pay_again"])?;

    to_the_provider(desk)?;
    for (field, value) in [("pan", "4000000000000010"), ("expiry", "12/30"), ("cvc", "000")] {
        desk.browser.fill(&format!("input[name={field}]"), value)?;
    }
    desk.browser.press("form[action$='/card'] button", &page)?;
    desk.seen("order-come-back")?;
    // Whoever has paid is not asked to pay again, even where the order has not heard of it yet.
    ensure!(!desk.has("a[href$='/start']")?, "{}", desk.browser.text()?);
    ensure!(desk.has("a[href$='/receipt']")?, "{}", desk.browser.text()?);

    let paid = stage
        .order_until(order, "its payment", |order| all(order, "paid"))
        .await?;
    desk.look("order-paid", &page)?;
    desk.says(&["order_name.in_progress", "line_name.paid", "order.receipt"])?;
    Ok(paid)
}

/// From the order's page by way of ours to the provider's.
fn to_the_provider(desk: &mut Desk) -> Result<()> {
    desk.browser.press("a[href$='/start']", "/start")?;
    desk.seen("payment")?;
    desk.browser
        .press("form:has(input[value=cmi]) button", "/start")?;
    desk.seen("to-the-provider")?;
    desk.browser.press("main form button", "/fim/est3Dgate")
}

/// The agent prints the batch sheet and scans what was made.
async fn makes(stage: &Stage, desk: &mut Desk, order: &Value) -> Result<()> {
    desk.look("office-queue", "/office")?;
    let references = [0, 1].map(|line| text(order, &format!("/lines/{line}/line_reference")));
    let [made, other] = references;
    let (made, other) = (made?, other?);
    let queue = desk.browser.text()?;
    ensure!(queue.contains(made) && queue.contains(other), "{queue}");
    desk.browser.fill("#reference", made)?;
    desk.browser.press("form.filters button", "/office?")?;
    let found = desk.browser.text()?;
    ensure!(found.contains(made) && !found.contains(other), "{found}");

    // Where the office's daily mail leads.
    desk.look("office-batch-sheets", "/office/batch-sheets")?;
    let office = &stage.cast.office.office_id;
    desk.browser
        .visit(&format!("{}/office/batch-sheets?office_id={office}", desk.base))?;
    desk.browser.press(
        "form[action='/office/batch-sheets'] button",
        "/office/batch-sheets/",
    )?;
    desk.look("office-batch-sheets-drawn", "/office/batch-sheets")?;
    desk.says(&["bureau.sheets_drawn", "bureau.sheet_none_waiting"])?;
    desk.browser.press("article h3 a", "/office/batch-sheets/")?;
    desk.seen("office-batch-sheet")?;
    let printed = desk.printed("a[href$='/file']").await?;
    let plain = |code: &str| code.replace(|sign: char| !sign.is_ascii_alphanumeric(), "");
    let barcode = printed.iter().find(|code| plain(code) == plain(made));
    let barcode = barcode.with_context(|| format!("{made} is not on the sheet: {printed:?}"))?;

    desk.look("office-scan", "/office/scan")?;
    let officer = stage.officer_id().await?;
    desk.browser.fill("#officer_person_id", &officer)?;
    desk.browser.scan(barcode)?;
    desk.seen("office-scan-made")?;
    desk.says(&["bureau.scan_produced"])?;
    // The next one is scanned at once: the field has the focus, and the officer is still chosen.
    ensure!(
        desk.value("#officer_person_id")? == officer,
        "another officer is chosen"
    );
    desk.browser.scan(barcode)?;
    desk.says(&["bureau.scan_refused"])?;
    desk.browser.scan("no barcode")?;
    desk.seen("office-scan-refused")?;
    desk.says(&["bureau.scan_refused", "field.REFERENCE_MALFORMED"])
}

/// The agent refuses what the register does not hold.
fn refuses(desk: &mut Desk, order: &Value) -> Result<()> {
    let page = format!("/office/lines/{}", text(order, "/lines/1/line_id")?);
    desk.look("office-line", &page)?;
    desk.browser.press("a[href$='/refusal']", "/refusal")?;
    desk.seen("office-refusal")?;
    desk.browser.choose("input[value=ACT_NOT_FOUND]")?;
    desk.browser.fill("#text", ANSWER)?;
    desk.browser.press("main form button", &page)?;
    desk.seen("office-line-refused")?;
    let words = words("ar");
    let shown = desk.browser.text()?;
    let refused = ["line_name.refunding", "line_name.refunded"]
        .iter()
        .any(|key| shown.contains(&words(key)));
    ensure!(refused && !desk.has("a[href$='/refusal']")?, "{shown}");
    Ok(())
}

/// The agent prints the label, scans it, confirms what lies on the table, and the parcel is the post's.
async fn posts(stage: &Stage, desk: &mut Desk, order: &Value) -> Result<()> {
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    let order = stage.order_until(order, "its number", numbered).await?;
    let number = text(&order, "/parcels/0/tracking_number")?;
    desk.look("office-hand-over", "/office/hand-over")?;
    let printed = desk.printed("a[href*='/office/labels']").await?;
    ensure!(
        printed.iter().any(|code| code == number),
        "{number} is not on the label: {printed:?}"
    );
    desk.browser.visit(&format!("{}/office/scan", desk.base))?;
    desk.browser.scan(number)?;
    desk.seen("office-scan-waits")?;
    desk.says(&["bureau.scan_waits", "bureau.tray"])?;
    desk.browser.press("a[href*='&tray=']", "/office/hand-over?")?;
    desk.seen("office-hand-over-tray")?;
    desk.browser
        .press("form[method=post] fieldset ~ button", "/office/hand-over")?;
    desk.seen("office-handed-over")?;
    desk.says(&["bureau.handed_over"])?;
    // A label that is scanned just to look posts nothing.
    desk.browser.visit(&format!("{}/office/scan", desk.base))?;
    desk.browser.scan(number)?;
    desk.says(&["bureau.scan_parcel"])?;
    desk.look("office-exceptions", "/office/exceptions")
}

/// The citizen sees where everything went.
async fn receives(stage: &Stage, desk: &mut Desk, order: &Value) -> Result<()> {
    let ended = |order: &Value| order::states(order).all(|state| matches!(state, "delivered" | "refunded"));
    let posted = stage
        .order_until(order, "its hand-over", |order| {
            order["lines"][0]["state"] == "handed_over"
        })
        .await?;
    let number = text(&posted, "/parcels/0/tracking_number")?;
    order::deliver(&stage.stack.description.carrier, stage.cast.anyone.base(), number).await?;
    stage.order_until(order, "its end", ended).await?;
    desk.look("order-over", &format!("/orders/{}", text(order, "/order_id")?))?;
    desk.says(&["line_name.delivered", "line_name.refunded"])?;
    let shown = desk.browser.text()?;
    ensure!(
        shown.contains("لم يوجد الرسم في السجل."),
        "the reason is not on the page: {shown}"
    );
    desk.look("tracking", &format!("/t/{number}"))
}
