//! Tells the merchant what the payer has answered.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use axum::http::header::CONTENT_TYPE;
use chrono::SecondsFormat;
use data_encoding::HEXLOWER;
use serde_json::json;
use tokio::sync::oneshot;

use super::Provider;
use super::payment::{Callback, News, Status};
use crate::courier::Answer;
use crate::faults::strikes;

impl Provider {
    /// Begins to tell, as often as is asked for, and answers when the first tries are over, or at once when they are to
    /// come later.
    pub(super) async fn tell(&self, id: &str, news: &News) {
        let (copies, delay) = self.mischief(id, |mischief| (mischief.copies(), mischief.delay()));
        let mut firsts = Vec::new();
        for _ in 0..copies {
            let (over, first) = oneshot::channel();
            let (provider, id, news) = (self.clone(), id.to_owned(), news.clone());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                provider.bring(&id, &news, over).await;
            });
            firsts.push(first);
        }
        if delay.is_zero() {
            for first in firsts {
                // One that broke off is over too.
                let _over = first.await;
            }
        }
    }

    async fn bring(&self, id: &str, news: &News, over: oneshot::Sender<()>) {
        let Some(asked) = self.payments().get(id).map(|payment| payment.request.clone()) else {
            return;
        };
        let key = Key::new(HMAC_SHA256, self.0.account.callback_secret.as_bytes());
        let request = |client: &reqwest::Client| {
            let body = json!({
                "id": id, "status": news.status, "transaction": news.transaction, "code": news.code,
                "amount": asked.amount, "currency": asked.currency,
                "time": crate::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            })
            .to_string();
            let signature = HEXLOWER.encode(sign(&key, body.as_bytes()).as_ref());
            client
                .post(&asked.callback_url)
                .header(CONTENT_TYPE, "application/json")
                .header("x-signature", format!("sha256={signature}"))
                .body(body)
        };
        let done = self
            .0
            .courier
            .bring(Some(over), request, |answer| self.take(id, answer))
            .await;
        if !done {
            tracing::warn!(id, "a callback is given up");
        }
    }

    /// What the merchant answered; whether it has heard.
    fn take(&self, id: &str, answer: Option<Answer>) -> bool {
        let lost = self.mischief(id, |mischief| strikes(&mut mischief.answers_lost));
        let answer = answer.filter(|_| !lost);
        let heard = answer
            .as_ref()
            .is_some_and(|answer| answer.status == 200 && answer.text.trim() == "OK");
        self.with(id, |payment| {
            payment.callbacks.push(Callback {
                at: crate::now(),
                answer: answer.map(|answer| answer.text),
            });
        });
        heard
    }

    /// Lets a payment that nobody answers end when its time has come.
    pub(super) fn watch(&self, id: &str) {
        let (provider, id) = (self.clone(), id.to_owned());
        let Some(ends) = self.payments().get(&id).map(|payment| payment.request.expires_at) else {
            return;
        };
        tokio::spawn(async move {
            tokio::time::sleep((ends - crate::now()).to_std().unwrap_or_default()).await;
            let ended = provider.with(&id, |payment| {
                (payment.status == Status::Pending).then(|| payment.answer(Status::Expired))
            });
            if let Some(news) = ended.flatten() {
                provider.tell(&id, &news).await;
            }
        });
    }
}
