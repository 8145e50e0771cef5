//! Brings a partner's messages to the platform, again when they are not acknowledged.

use std::time::Duration;

use anyhow::Result;
use reqwest::RequestBuilder;
use tokio::sync::oneshot;

/// How long and how often a message is tried.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Waited for an answer.
    pub answer: Duration,
    /// Waited before each further try.
    pub pauses: Vec<Duration>,
    /// How long a silent interface holds a connection.
    pub silence: Duration,
}

impl Default for Patience {
    /// Ten seconds for an answer; again after 1, 5 and 25 seconds.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            pauses: [1, 5, 25].map(Duration::from_secs).to_vec(),
            silence: Duration::from_secs(60),
        }
    }
}

/// An answer of the platform.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

#[derive(Clone)]
pub(crate) struct Courier {
    pub(crate) client: reqwest::Client,
    pub(crate) patience: Patience,
}

impl Courier {
    pub(crate) fn new(patience: Patience) -> Result<Self> {
        // Someone else in this process may have installed the same provider before.
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(patience.answer)
            .build()?;
        Ok(Self { client, patience })
    }

    /// Sends what `request` makes, until `acknowledged` says that the answer is one. `first` is told when the first try
    /// is over. Answers whether it was acknowledged.
    pub(crate) async fn bring(
        &self,
        first: Option<oneshot::Sender<()>>,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
        mut acknowledged: impl FnMut(Option<Answer>) -> bool,
    ) -> bool {
        let mut first = first;
        let mut pauses = self.patience.pauses.iter();
        loop {
            let done = acknowledged(answer(request(&self.client)).await);
            if let Some(first) = first.take() {
                // Nobody may be waiting for it any more.
                let _gone = first.send(());
            }
            match pauses.next() {
                _ if done => return true,
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return false,
            }
        }
    }
}

/// The answer, or nothing when there is none in time.
async fn answer(request: RequestBuilder) -> Option<Answer> {
    let response = request
        .send()
        .await
        .inspect_err(|error| tracing::warn!(%error, "no answer"))
        .ok()?;
    Some(Answer {
        status: response.status().as_u16(),
        text: response.text().await.ok()?,
    })
}
