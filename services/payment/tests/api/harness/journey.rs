//! The steps that most tests take.

use chrono::{DateTime, TimeDelta, Utc};
use tonic::Status;
use uuid::Uuid;
use wathiq_payment::app::expire_payables::expire_payables;
use wathiq_payment::app::work::work_off;
use wathiq_proto::wathiq::payment::v1 as pb;

use super::cmi::{callback, value};
use super::{World, request_id};

/// A payable of 20 dirhams in two positions.
pub(crate) fn new_payable(payer: Uuid, reference: &str, now: DateTime<Utc>) -> pb::OpenPayableRequest {
    let item = |reference: &str, amount_centimes| pb::PayableItem {
        reference: reference.to_owned(),
        label_ar: "نسخة موجزة من رسم الولادة".to_owned(),
        label_fr: "Extrait d’acte de naissance".to_owned(),
        amount_centimes,
    };
    let expire = now + TimeDelta::days(2);
    pb::OpenPayableRequest {
        request_id: request_id(),
        owner_reference: reference.to_owned(),
        display_reference: "W4K7-M2PX-93".to_owned(),
        items: vec![item("line-1", 1_200), item("line-2", 800)],
        payer_person_id: payer.to_string(),
        payer_name: "Amina El Idrissi".to_owned(),
        payer_email: "amina@example.ma".to_owned(),
        payer_phone: "+212600000000".to_owned(),
        expire_time: Some(prost_types::Timestamp {
            seconds: expire.timestamp(),
            nanos: 0,
        }),
    }
}

/// An attempt by card under way.
#[derive(Clone)]
pub(crate) struct Card {
    pub(crate) attempt: pb::Attempt,
    pub(crate) form: pb::HostedForm,
}

impl Card {
    pub(crate) fn oid(&self) -> String {
        value(&self.form, "oid")
    }
}

impl World {
    /// Opens a payable for this payer.
    pub(crate) async fn open(&self, payer: Uuid) -> pb::Payable {
        let message = new_payable(payer, &Uuid::new_v4().to_string(), self.now());
        self.try_open(message).await.unwrap()
    }

    pub(crate) async fn try_open(&self, message: pb::OpenPayableRequest) -> Result<pb::Payable, Status> {
        let opened = self.payables().open_payable(message).await?;
        Ok(opened.into_inner().payable.unwrap())
    }

    /// The payable as its owner sees it.
    pub(crate) async fn payable(&self, id: &str) -> pb::Payable {
        let key = Some(pb::get_payable_request::Key::PayableId(id.to_owned()));
        let found = self.payables().get_payable(pb::GetPayableRequest { key }).await;
        found.unwrap().into_inner().payable.unwrap()
    }

    /// Sets out to the card page.
    pub(crate) async fn card(&self, payer: Uuid, payable_id: &str) -> Card {
        self.try_card(payer, payable_id).await.unwrap()
    }

    pub(crate) async fn try_card(&self, payer: Uuid, payable_id: &str) -> Result<Card, Status> {
        let started = self.try_start(payer, payable_id, "cmi", "").await?;
        let Some(pb::start_attempt_response::Next::HostedForm(form)) = started.next else {
            panic!("no form");
        };
        Ok(Card {
            attempt: started.attempt.unwrap(),
            form,
        })
    }

    pub(crate) async fn try_start(
        &self,
        payer: Uuid,
        payable_id: &str,
        provider: &str,
        phone: &str,
    ) -> Result<pb::StartAttemptResponse, Status> {
        let message = pb::StartAttemptRequest {
            request_id: request_id(),
            payable_id: payable_id.to_owned(),
            provider: provider.to_owned(),
            language: "fr".to_owned(),
            phone: phone.to_owned(),
        };
        let started = self.payments().start_attempt(self.by(payer, message)).await?;
        // No two attempts of a payable are begun in the same instant: their order is that of their beginnings.
        self.advance(TimeDelta::microseconds(1));
        Ok(started.into_inner())
    }

    /// Posts fields as the provider; gives the answer.
    pub(crate) async fn post(&self, fields: &[(String, String)]) -> String {
        self.try_post(fields).await.unwrap()
    }

    pub(crate) async fn try_post(&self, fields: &[(String, String)]) -> Result<String, Status> {
        let message = pb::ReceiveCallbackRequest {
            provider: "cmi".to_owned(),
            fields: form_fields(fields),
            ..Default::default()
        };
        let received = self.providers().receive_callback(message).await?;
        Ok(received.into_inner().answer)
    }

    /// The browser comes back.
    pub(crate) async fn try_return(
        &self,
        fields: &[(String, String)],
    ) -> Result<pb::ReceiveReturnResponse, Status> {
        let message = pb::ReceiveReturnRequest {
            provider: "cmi".to_owned(),
            fields: form_fields(fields),
        };
        Ok(self.providers().receive_return(message).await?.into_inner())
    }

    /// The payer pays on the page, and the provider tells: the transaction and the answer, which the provider follows.
    pub(crate) async fn pay(&self, card: &Card) -> (String, String) {
        let transaction = self.cmi.authorise(&card.oid(), 2_000);
        let answer = self.post(&callback(&card.form, &transaction, "00")).await;
        self.cmi.answered(&card.oid(), &transaction, &answer);
        (transaction, answer)
    }

    /// A payable that is paid by card.
    pub(crate) async fn paid(&self, payer: Uuid) -> (pb::Payable, Card) {
        let payable = self.open(payer).await;
        let card = self.card(payer, &payable.payable_id).await;
        let (_, answer) = self.pay(&card).await;
        assert_eq!(answer, "ACTION=POSTAUTH");
        (self.payable(&payable.payable_id).await, card)
    }

    /// One that is captured too.
    pub(crate) async fn captured(&self, payer: Uuid) -> (pb::Payable, Card) {
        let (payable, card) = self.paid(payer).await;
        self.settle(TimeDelta::minutes(5)).await;
        let payable = self.payable(&payable.payable_id).await;
        assert_eq!(payable.attempts[0].state(), pb::AttemptState::Captured);
        (payable, card)
    }

    /// Lets so much time pass in small steps, with the work that falls due in it.
    pub(crate) async fn settle(&self, time: TimeDelta) {
        let end = self.now() + time;
        let step = (time / 40).max(TimeDelta::seconds(20));
        while self.now() < end {
            self.advance(step.min(end - self.now()));
            expire_payables(&self.app).await.unwrap();
            work_off(&self.app).await.unwrap();
        }
    }

    pub(crate) async fn try_cancel(&self, payable_id: &str) -> Result<pb::Payable, Status> {
        let message = pb::CancelPayableRequest {
            request_id: request_id(),
            payable_id: payable_id.to_owned(),
        };
        let cancelled = self.payables().cancel_payable(message).await?;
        Ok(cancelled.into_inner().payable.unwrap())
    }

    pub(crate) async fn try_refund(
        &self,
        payable_id: &str,
        reference: &str,
        amount: i64,
    ) -> Result<pb::Refund, Status> {
        let message = pb::RequestRefundRequest {
            request_id: request_id(),
            payable_id: payable_id.to_owned(),
            owner_reference: reference.to_owned(),
            amount_centimes: amount,
            reason_code: "LINE_REFUSED".to_owned(),
        };
        let refund = self.payables().request_refund(message).await?;
        Ok(refund.into_inner().refund.unwrap())
    }
}

pub(crate) fn form_fields(fields: &[(String, String)]) -> Vec<pb::FormField> {
    fields
        .iter()
        .map(|(name, value)| pb::FormField {
            name: name.clone(),
            value: value.clone(),
        })
        .collect()
}
