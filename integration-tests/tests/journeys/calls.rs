//! Calls with an idempotency key of the test's choice, and answers in the form that tests compare.

use std::fmt::Debug;

use anyhow::Result;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use wathiq_local::journey::api::{Api, Refused, new_key};

/// The status and the body of an answer, whatever it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// `422 PIN_INCORRECT`, or `400 INVALID_ARGUMENT /office_id OFFICE_UNKNOWN` with each wrong field. A success is its
    /// status, and the reasons of what was not done of a batch: `200 FOUR_EYES`.
    pub(crate) fn said(&self) -> String {
        if self.status < 300 {
            let problems = self.body["problems"].as_array().into_iter().flatten();
            let reasons = problems.filter_map(|problem| problem["reason"].as_str());
            return reasons.fold(self.status.to_string(), |said, reason| format!("{said} {reason}"));
        }
        problem(self.status, &self.body)
    }
}

/// Sends a call under a key.
pub(crate) async fn keyed(api: &Api, method: Method, path: &str, key: &str, body: Option<&Value>) -> Answer {
    let request = api.request(method, path).header("idempotency-key", key);
    receive(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

/// Sends a call under a key of its own.
pub(crate) async fn call(api: &Api, method: Method, path: &str, body: Option<&Value>) -> Answer {
    keyed(api, method, path, &new_key(), body).await
}

/// Reads a resource.
pub(crate) async fn get(api: &Api, path: &str) -> Answer {
    receive(api.request(Method::GET, path)).await
}

/// Sends a request as it stands. What is no JSON is answered as text.
pub(crate) async fn receive(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
    Answer { status, body }
}

/// What a step of the journey was refused with, in the form of [`Answer::said`]; another failure as it reads.
pub(crate) fn said<T: Debug>(result: Result<T>) -> String {
    match result {
        Ok(value) => format!("done: {value:?}"),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) => problem(refused.status, &refused.problem),
            None => format!("{error:#}"),
        },
    }
}

fn problem(status: u16, problem: &Value) -> String {
    let mut said = format!(
        "{status} {}",
        problem["reason"].as_str().unwrap_or("without a reason")
    );
    for error in problem["errors"].as_array().into_iter().flatten() {
        let word = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        said.push_str(&format!(" {} {}", word("pointer"), word("reason")));
    }
    said
}
