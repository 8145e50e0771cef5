//! The ways that an order can go, step by step, each of which can be taken again where its answer was lost.

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::IF_MATCH;
use serde_json::{Value, json};
use wathiq_local::journey::api::{Api, new_key, text};
use wathiq_local::journey::order::payer::{self, Browser, MOROCCAN};
use wathiq_local::journey::order::{self, desk, registry};
use wathiq_local::journey::people;

use super::Field;
use crate::orders::{all, carrier_says};
use crate::stage::Stage;

/// How an order goes on once it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Two digitised acts, sealed and delivered in one parcel.
    Together,
    /// From paper; it comes back to the office.
    SentBack,
    /// From paper; the carrier loses it, and the office claims it.
    Lost,
    /// The office does not find the act.
    Refused,
    /// The citizen cancels once it is paid.
    Cancelled,
    /// The citizen corrects what the office did not find; from paper, delivered.
    Corrected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Place,
    Pay,
    Prepare,
    Seal,
    Sheet,
    Scan,
    HandOver,
    Deliver,
    SendBack,
    Lose,
    Claim,
    AdmitLoss,
    Refuse,
    Cancel,
    AskToCorrect,
    Correct,
}

impl Way {
    pub(super) const ALL: [Self; 6] = [
        Self::Together,
        Self::SentBack,
        Self::Lost,
        Self::Refused,
        Self::Cancelled,
        Self::Corrected,
    ];

    pub(super) fn steps(self) -> &'static [Step] {
        use Step as S;
        match self {
            Self::Together => &[S::Place, S::Pay, S::Prepare, S::Seal, S::HandOver, S::Deliver],
            Self::SentBack => &[S::Place, S::Pay, S::Sheet, S::Scan, S::HandOver, S::SendBack],
            Self::Lost => &[
                S::Place,
                S::Pay,
                S::Sheet,
                S::Scan,
                S::HandOver,
                S::Lose,
                S::Claim,
                S::AdmitLoss,
            ],
            Self::Refused => &[S::Place, S::Pay, S::Refuse],
            Self::Cancelled => &[S::Place, S::Pay, S::Cancel],
            Self::Corrected => &[
                S::Place,
                S::Pay,
                S::AskToCorrect,
                S::Correct,
                S::Sheet,
                S::Scan,
                S::HandOver,
                S::Deliver,
            ],
        }
    }

    /// The state in which its lines end.
    pub(super) fn end(self) -> &'static str {
        match self {
            Self::Together | Self::Corrected => "delivered",
            Self::SentBack => "returned",
            Self::Lost | Self::Refused | Self::Cancelled => "refunded",
        }
    }

    /// What happens once, by its event in the history, besides the placing and the payment.
    pub(super) fn events(self) -> &'static [&'static str] {
        match self {
            Self::Together | Self::Corrected => &["LinesHandedOver", "LinesDelivered"],
            Self::SentBack => &["LinesHandedOver", "LinesReturned"],
            Self::Lost => &["LinesHandedOver", "LinesRefunding", "LineRefunded"],
            Self::Refused => &["LineRefused", "LineRefunded"],
            Self::Cancelled => &["LinesCancelled", "LineRefunded"],
        }
    }

    /// The mail that tells how it ended.
    pub(super) fn last_mail(self) -> &'static str {
        match self.end() {
            "delivered" => "order.delivered",
            "returned" => "order.returned",
            _ => "order.refunded",
        }
    }

    /// Whether its lines are posted.
    pub(super) fn is_posted(self) -> bool {
        self.steps().contains(&Step::HandOver)
    }
}

/// An order on its way.
pub(super) struct Flight {
    pub(super) way: Way,
    /// The step that it takes now; none once it has arrived.
    pub(super) step: Option<Step>,
    /// The step is asked for, and was answered.
    pub(super) acted: bool,
    /// As the citizen saw it last; null before it is placed.
    pub(super) order: Value,
    /// The provider's name for its payment.
    pub(super) oid: String,
    /// Number of its act.
    number: String,
    /// What all of its calls have in common: repeated, a call is known again.
    seed: String,
    /// Documents to be sealed, and the confirmation of their digests.
    documents: Vec<Value>,
    confirmation: Option<String>,
    /// What the carrier says in this step; told again, it is the same.
    said: Option<Value>,
}

impl Flight {
    pub(super) fn of(way: Way, place: usize) -> Self {
        Self {
            way,
            step: None,
            acted: false,
            order: Value::Null,
            oid: String::new(),
            number: (900 + place).to_string(),
            seed: new_key(),
            documents: Vec::new(),
            confirmation: None,
            said: None,
        }
    }

    pub(super) fn begin(&mut self, phase: usize) {
        self.step = self.way.steps().get(phase).copied();
        self.acted = false;
        self.said = None;
    }

    /// Whether it stands where its step leads to.
    pub(super) async fn has_arrived(&mut self, field: &Field) -> Result<bool> {
        let Some(step) = self.step else { return Ok(true) };
        if self.order.is_null() {
            return Ok(false);
        }
        self.order = field.order(text(&self.order, "/order_id")?).await?;
        let order = &self.order;
        let parcel = &order["parcels"][0];
        Ok(match step {
            Step::Place => order["payable_id"].is_string(),
            Step::Pay | Step::Correct => all(order, "paid"),
            Step::Prepare | Step::Sheet => all(order, "in_production"),
            Step::Seal | Step::Scan => all(order, "produced") && parcel["tracking_number"].is_string(),
            Step::HandOver => all(order, "handed_over"),
            Step::Deliver | Step::SendBack | Step::Lose | Step::Refuse | Step::Cancel => {
                all(order, self.way.end())
            }
            Step::Claim => parcel["shipment_state"] == "CLAIMED",
            Step::AdmitLoss => parcel["shipment_state"] == "LOST",
            Step::AskToCorrect => all(order, "to_correct"),
        })
    }

    /// Asks for the step.
    pub(super) async fn act(&mut self, field: &Field) -> Result<()> {
        let citizen = field.citizen.once(&self.seed);
        match self.step {
            None => {}
            Some(Step::Place) => self.order = order::place(&citizen, &self.lines(&field.office_id)).await?,
            Some(Step::Pay) => self.pay(&citizen).await?,
            Some(Step::Cancel) => {
                let body = json!({"line_ids": []});
                self.change(&citizen, Method::POST, "cancellation", &body).await?;
            }
            Some(Step::Correct) => self.correct(&citizen, &field.office_id).await?,
            Some(Step::Seal) => self.seal(field).await?,
            Some(Step::Deliver | Step::SendBack | Step::Lose) => self.told_by_the_carrier(field).await?,
            Some(step) => self.served(field, step).await?,
        }
        self.acted = true;
        Ok(())
    }

    /// What the office does.
    async fn served(&self, field: &Field, step: Step) -> Result<()> {
        let (agent, office) = (field.agent.once(&self.seed), &field.office_id);
        let registrar = field.registrar.once(&self.seed);
        match step {
            Step::Prepare => {
                let lines = order::line_ids(&self.order)?;
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                desk::have_drawn(&registrar, &lines).await
            }
            Step::Sheet => desk::batch_sheet(&agent, office, &[self.line()?])
                .await
                .map(|_| ()),
            Step::Scan => {
                let barcode = text(&self.order, "/lines/0/line_reference")?;
                let produced = desk::produce(&registrar, barcode, &field.officer_id).await;
                produced.map(|_| ())
            }
            Step::HandOver => {
                let number = text(&self.order, "/parcels/0/tracking_number")?;
                desk::hand_over(&agent, office, number).await.map(|_| ())
            }
            Step::Claim => {
                let body = json!({"note": "Le pli est perdu, selon le transporteur."});
                self.claim(&agent, "claim", body).await
            }
            Step::AdmitLoss => {
                let loss = json!({"lost": true, "note": "Le transporteur reconnaît la perte."});
                self.claim(&agent, "claim/settlement", loss).await
            }
            Step::Refuse => desk::refuse(&agent, self.line()?, "ACT_NOT_FOUND").await,
            Step::AskToCorrect => {
                let path = format!("/v1/office/order-lines/{}/correction-request", self.line()?);
                let body = json!({"reason_code": "ACT_NOT_FOUND", "text": "Numéro introuvable."});
                agent.post(&path, &body).await.map(|_| ())
            }
            other => bail!("{other:?} is not the office's"),
        }
    }

    fn line(&self) -> Result<&str> {
        text(&self.order, "/lines/0/line_id")
    }

    fn lines(&self, office: &str) -> Vec<Value> {
        let own = |kind: &str, language: &str| {
            let act = (registry::OWN_YEAR, registry::OWN_NUMBER);
            let mut line = order::line(kind, language, office, act, order::addressee());
            line["act"]["part"] = registry::OWN_PART.into();
            line
        };
        match self.way {
            Way::Together => vec![
                own("birth-extract", "bilingual"),
                own("birth-full-copy", "french"),
            ],
            _ => vec![self.on_paper(office, &self.number)],
        }
    }

    fn on_paper(&self, office: &str, number: &str) -> Value {
        let act = (1991, number);
        order::line("birth-extract", "bilingual", office, act, order::addressee())
    }

    async fn pay(&mut self, citizen: &Api) -> Result<()> {
        let browser = Browser::new()?;
        let page = payer::open(citizen, &browser, text(&self.order, "/payable_id")?).await?;
        let oid = page.fields.iter().find(|(name, _)| name == "oid");
        self.oid = oid.context("the page has no oid")?.1.clone();
        let back = payer::give_card(&browser, &page, MOROCCAN).await?;
        browser.post(&back, &[]).await.map(|_| ())
    }

    /// The officer's documents, once they can be sealed. Some of them may be sealed already.
    pub(super) async fn await_documents(&mut self, field: &Field) -> Result<()> {
        let path = format!(
            "/v1/office/prepared-documents?office_id={}&page_size=100",
            field.office_id
        );
        let lines = order::line_ids(&self.order)?;
        let found = wathiq_local::wait::until("the documents", super::BOUND, async || {
            let page = field.registrar.get(&path).await?;
            let order = field.order(text(&self.order, "/order_id")?).await?;
            let waits = |document: &&Value| {
                document["digest"].is_string() && document["issued_document_id"].is_string()
            };
            let ours = |document: &&Value| lines.iter().any(|line| document["line_id"] == **line);
            let all = page["items"].as_array().into_iter().flatten();
            let found: Vec<Value> = all.filter(ours).filter(waits).cloned().collect();
            let open = order::states(&order)
                .filter(|state| *state == "in_production")
                .count();
            ensure!(
                found.len() == open,
                "{} of {open} documents wait for the seal",
                found.len()
            );
            Ok(found)
        });
        self.documents = found.await?;
        Ok(())
    }

    /// The officer confirms the digests with a code, which nobody else may use meanwhile.
    pub(super) async fn confirm(&mut self, field: &Field, stage: &mut Stage) -> Result<()> {
        if self.documents.is_empty() {
            return Ok(());
        }
        stage.codes_again().await?;
        let account = &mut stage.cast.office.registrar;
        let confirmation = desk::confirm_digests(&field.registrar, account, &self.documents).await?;
        self.confirmation = Some(confirmation);
        Ok(())
    }

    async fn seal(&mut self, field: &Field) -> Result<()> {
        let Some(confirmation) = self.confirmation.take() else {
            return Ok(());
        };
        desk::seal_confirmed(
            &field.registrar,
            &self.documents,
            &confirmation,
            &field.registrar_pin,
        )
        .await
    }

    async fn told_by_the_carrier(&mut self, field: &Field) -> Result<()> {
        let number = text(&self.order, "/parcels/0/tracking_number")?;
        let now: DateTime<Utc> = std::time::SystemTime::now().into();
        let event = |code: &str, seconds: i64| {
            let time = (now + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Secs, true);
            json!({"tracking_id": number, "code": code, "event_time": time})
        };
        let mut delivered = event("EMI", -1);
        delivered["recipient_name"] = people::citizen().name_latin.join(" ").into();
        delivered["document_kind"] = "CIN".into();
        delivered["document_last_four"] = "3456".into();
        let events = match self.step {
            Some(Step::Deliver) => json!([event("EMD", -2), delivered]),
            Some(Step::SendBack) => json!([event("EMD", -3), event("XRS", -2), event("XRD", -1)]),
            _ => json!([event("EMD", -2), event("XLO", -1)]),
        };
        let said = self.said.get_or_insert(events);
        carrier_says(&field.carrier, field.citizen.base(), said).await
    }

    async fn claim(&self, agent: &Api, what: &str, body: Value) -> Result<()> {
        let shipment = text(&self.order, "/parcels/0/shipment_id")?;
        let path = format!("/v1/office/shipments/{shipment}/{what}");
        agent.post(&path, &body).await.map(|_| ())
    }

    async fn correct(&self, citizen: &Api, office: &str) -> Result<()> {
        let mut act = self.on_paper(office, &format!("{}1", self.number))["act"].take();
        act["kind"] = "birth".into();
        let body = json!({"act": act, "evidence_ids": []});
        let path = format!("lines/{}/correction", self.line()?);
        self.change(citizen, Method::PUT, &path, &body).await
    }

    /// A change of the order as it was seen last.
    async fn change(&self, citizen: &Api, method: Method, path: &str, body: &Value) -> Result<()> {
        let path = format!(
            "/v1/civil-status/orders/{}/{path}",
            text(&self.order, "/order_id")?
        );
        let request = citizen
            .request(method, &path)
            .header("idempotency-key", &self.seed)
            .header(IF_MATCH, format!("\"{}\"", text(&self.order, "/etag")?));
        let answer = request.json(body).send().await?;
        let status = answer.status();
        ensure!(
            status.is_success(),
            "{path} answers {status}: {}",
            answer.text().await?
        );
        Ok(())
    }
}
