//! Many documents at once: the officer authorises and seals them with one code and one PIN.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::account::{self, Account};
use super::api::{Api, Refused, text};
use super::record::Recorder;
use super::{Cast, legalisation, people};

/// Longest wait for what the platform does by itself: preparing, time-stamping.
const BOUND: Duration = Duration::from_secs(120);
/// For how long the platform may say that a file cannot be prepared before it is believed.
const PREPARED_AGAIN: Duration = Duration::from_secs(15);
/// Citizens who take turns; the platform takes each code of an authenticator once.
const CITIZENS: usize = 8;

/// What the platform says of a file that it cannot make into a legalised document.
const PREPARATION_FAILED: &str = "PREPARATION_FAILED";

/// What hindered requests of a batch, by their ids.
pub type Hindered = BTreeMap<String, Refused>;

impl Cast {
    /// Makes every client wait where a limit is reached, and read people's texts in a language.
    pub fn settle_in(&mut self, language: &'static str) {
        let sessions = [
            &mut self.anyone,
            &mut self.citizen_session,
            &mut self.agent_session,
            &mut self.officer_session,
            &mut self.registrar_session,
        ];
        for session in sessions {
            *session = session.patient().in_language(language);
        }
    }

    /// Lets a citizen act whose authenticator has a code to give; another one signs up while there are few.
    ///
    /// # Errors
    /// When a sign-up or the proof at the counter is refused.
    pub async fn take_turns(&mut self) -> Result<()> {
        if self.citizen.authenticator.is_ready() {
            return Ok(());
        }
        let ready = |account: &Account| account.authenticator.is_ready();
        let signed_in = self.waiting.iter().position(|(account, _)| ready(account));
        let at_rest = self.resting.iter().position(ready);
        let (citizen, session) = match (signed_in, at_rest) {
            (Some(index), _) => self.waiting.swap_remove(index),
            (None, Some(index)) => {
                let mut account = self.resting.swap_remove(index);
                let session = account::sign_in(&self.anyone, &mut account, "citizen").await?;
                (account, session)
            }
            (None, None) if self.waiting.len() + self.resting.len() + 1 < CITIZENS => self.newcomer().await?,
            (None, None) => return Ok(()),
        };
        let before = std::mem::replace(&mut self.citizen, citizen);
        let session = std::mem::replace(&mut self.citizen_session, session);
        self.waiting.push((before, session));
        Ok(())
    }

    async fn newcomer(&self) -> Result<(Account, Api)> {
        let person = people::citizen();
        let (mut account, first) = account::sign_up(&self.anyone, &self.inbox, &person).await?;
        let office = &self.office.office_id;
        account::prove_at_the_counter(&self.agent_session, office, &first, &person).await?;
        let session = account::sign_in(&self.anyone, &mut account, "citizen").await?;
        Ok((account, session))
    }

    /// Has accepted requests authorised and sealed, the separate legalisation pages of signed documents included.
    /// Answers what hindered a request, by its id.
    ///
    /// # Errors
    /// When the whole batch cannot be sealed.
    pub async fn seal_all(&mut self, ids: &[String]) -> Result<Hindered> {
        let mut hindered = Hindered::new();
        let mut claimed = Vec::new();
        for id in ids {
            match legalisation::claim(&self.officer_session, id).await {
                Ok(()) => claimed.push(id.as_str()),
                Err(error) => note(&mut hindered, id, error)?,
            }
        }
        if claimed.is_empty() {
            return Ok(hindered);
        }
        let body = json!({"legalisation_request_ids": claimed, "credential_id": null});
        let answer = self
            .officer_session
            .post("/v1/office/seal-intents", &body)
            .await
            .context("authorising the seals")?;
        problems(
            &answer,
            "legalisation_request_id",
            &BTreeMap::new(),
            &mut hindered,
        );
        let begun = Instant::now();
        loop {
            let open = self.open_intents(ids, &hindered).await?;
            if open.is_empty() {
                return Ok(hindered);
            }
            let ready: Vec<Value> = open.iter().filter(|intent| has_digest(intent)).cloned().collect();
            if ready.is_empty() {
                self.give_up(&open, begun.elapsed(), &mut hindered).await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let answer = legalisation::seal_some(
                &self.officer_session,
                &mut self.office.officer,
                &ready,
                &self.officer_pin,
            )
            .await?;
            problems(&answer, "intent_id", &by_intent(&ready), &mut hindered);
        }
    }

    /// Annuls what can never be prepared, which is the file's fault, and gives up what takes too long, which is not.
    async fn give_up(&self, open: &[Value], waited: Duration, hindered: &mut Hindered) -> Result<()> {
        for intent in open {
            let id = text(intent, "/legalisation_request_id")?.to_owned();
            if intent["progress_code"] == PREPARATION_FAILED && waited > PREPARED_AGAIN {
                let path = format!("/v1/office/seal-intents/{}/annul", text(intent, "/intent_id")?);
                let reason = json!({"reason": "the legalised document cannot be made from this file"});
                self.officer_session
                    .post(&path, &reason)
                    .await
                    .context("annulling what cannot be prepared")?;
                let said = "The legalised document cannot be made from this file.";
                hindered.insert(id, Refused::of(PREPARATION_FAILED, said));
            } else if waited > BOUND {
                let said = format!("not finished after {} s: {intent}", BOUND.as_secs());
                hindered.insert(id, Refused::of("SEAL_NOT_FINISHED", &said));
            }
        }
        Ok(())
    }

    /// The officer's open intents among these requests, but for those that something hinders.
    async fn open_intents(&self, ids: &[String], hindered: &Hindered) -> Result<Vec<Value>> {
        let mut open = Vec::new();
        let mut page_token = String::new();
        loop {
            let path = format!(
                "/v1/office/seal-intents?office_id={}&page_size=100&page_token={page_token}",
                self.office.office_id
            );
            let page = self
                .officer_session
                .get(&path)
                .await
                .context("the officer's intents")?;
            for intent in page["items"].as_array().into_iter().flatten() {
                let id = text(intent, "/legalisation_request_id")?;
                if ids.iter().any(|ours| ours == id) && !hindered.contains_key(id) {
                    open.push(intent.clone());
                }
            }
            match page["next_page_token"].as_str() {
                Some(next) if !next.is_empty() => page_token = next.to_owned(),
                _ => return Ok(open),
            }
        }
    }

    /// Finishes the separate legalisation page of a document that carried signatures, which the officer confirms after
    /// the document itself is sealed; nothing is left to do for any other.
    ///
    /// # Errors
    /// When a step is refused.
    pub(super) async fn seal_page(&mut self, id: &str, recorder: &mut Recorder) -> Result<()> {
        let ids = [id.to_owned()];
        let waits = self.open_intents(&ids, &BTreeMap::new()).await?;
        let pages: Vec<Value> = waits.into_iter().filter(has_digest).collect();
        if pages.is_empty() {
            return Ok(());
        }
        recorder
            .step(
                "the officer confirms and seals the legalisation page, a document of its own",
                async {
                    legalisation::seal(
                        &self.officer_session,
                        &mut self.office.officer,
                        &pages,
                        &self.officer_pin,
                    )
                    .await
                },
            )
            .await
            .map(|_| ())
    }
}

fn has_digest(intent: &Value) -> bool {
    intent["digests"]
        .as_array()
        .is_some_and(|digests| !digests.is_empty())
}

/// Requests by the ids of their intents.
fn by_intent(intents: &[Value]) -> BTreeMap<String, String> {
    let member = |intent: &Value, name: &str| intent[name].as_str().unwrap_or_default().to_owned();
    intents
        .iter()
        .map(|intent| {
            (
                member(intent, "intent_id"),
                member(intent, "legalisation_request_id"),
            )
        })
        .collect()
}

/// Collects the problems of a batch's answer by request.
fn problems(answer: &Value, key: &str, requests: &BTreeMap<String, String>, hindered: &mut Hindered) {
    for problem in answer["problems"].as_array().into_iter().flatten() {
        let id = problem[key].as_str().unwrap_or_default();
        let id = requests.get(id).map_or(id, String::as_str);
        let member = |name: &str| problem[name].as_str().unwrap_or_default();
        let refused = Refused::of(member("reason"), member("description"));
        hindered.insert(id.to_owned(), refused);
    }
}

/// Notes a refusal for one request; any other error ends the batch.
fn note(hindered: &mut Hindered, id: &str, error: anyhow::Error) -> Result<()> {
    let refused = error.downcast::<Refused>()?;
    hindered.insert(id.to_owned(), refused);
    Ok(())
}
