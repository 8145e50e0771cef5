//! The catchers of e-mail and text messages, read as the people of the journey read their phones.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::description::{Mail, Sms};
use crate::{http, wait};

/// How long a message may take to arrive.
const BOUND: Duration = Duration::from_secs(90);

/// Both catchers.
#[derive(Clone)]
pub struct Inbox {
    http: reqwest::Client,
    mail: String,
    texts: String,
}

impl Inbox {
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(mail: &Mail, sms: &Sms) -> Result<Self> {
        Ok(Self {
            http: http::client()?,
            mail: mail.api.clone(),
            texts: sms.url.clone(),
        })
    }

    /// The newest six-digit code mailed to an address, other than `not`.
    ///
    /// # Errors
    /// When none arrives in time.
    pub async fn mailed_code(&self, address: &str, not: Option<&str>) -> Result<String> {
        wait::until(&format!("a code for {address}"), BOUND, async || {
            let mails = self.mails(address).await?;
            let codes = mails
                .iter()
                .rev()
                .filter_map(|mail| code_in(mail["text"].as_str()?));
            codes
                .into_iter()
                .find(|code| Some(code.as_str()) != not)
                .context("no mail with a code")
        })
        .await
    }

    /// The newest six-digit code texted to a number, other than `not`.
    ///
    /// # Errors
    /// When none arrives in time.
    pub async fn texted_code(&self, number: &str, not: Option<&str>) -> Result<String> {
        wait::until(&format!("a code for {number}"), BOUND, async || {
            let messages = self.texts(number).await?;
            let codes = messages
                .iter()
                .filter_map(|message| code_in(message["text"].as_str()?));
            codes
                .into_iter()
                .find(|code| Some(code.as_str()) != not)
                .context("no text message with a code")
        })
        .await
    }

    /// A text message to a number that has these words.
    ///
    /// # Errors
    /// When none arrives in time.
    pub async fn text_with(&self, number: &str, words: &str) -> Result<String> {
        wait::until(
            &format!("a text message to {number} with {words}"),
            BOUND,
            async || {
                let messages = self.texts(number).await?;
                let mut texts = messages.iter().filter_map(|message| message["text"].as_str());
                let found = texts.find(|text| text.contains(words));
                found.map(str::to_owned).context("no such text message")
            },
        )
        .await
    }

    /// All text messages to a number.
    async fn texts(&self, number: &str) -> Result<Vec<Value>> {
        let url = format!("{}/v1/messages?to={}", self.texts, number.replace('+', "%2B"));
        let answer: Value = self
            .http
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let messages = answer.as_array().or_else(|| answer["messages"].as_array());
        Ok(messages.cloned().unwrap_or_default())
    }

    /// The first mail to an address that has a text in its body or subject.
    ///
    /// # Errors
    /// When none arrives in time.
    pub async fn mail_with(&self, address: &str, text: &str) -> Result<Value> {
        wait::until(&format!("a mail to {address} with {text}"), BOUND, async || {
            let mails = self.mails_with(address, text).await?;
            mails.into_iter().next_back().context("no such mail")
        })
        .await
    }

    /// All mails to an address that have a text in their body or subject, oldest first.
    ///
    /// # Errors
    /// When the catcher does not answer.
    pub async fn mails_with(&self, address: &str, text: &str) -> Result<Vec<Value>> {
        let mut mails = self.mails(address).await?;
        mails.retain(|mail| has(mail, text));
        Ok(mails)
    }

    /// The bytes of a mail's attachment with this file name.
    ///
    /// # Errors
    /// When the mail has none.
    pub async fn attachment(&self, mail: &Value, suffix: &str) -> Result<Vec<u8>> {
        let id = super::api::text(mail, "/id")?;
        let attachments = mail["attachments"].as_array().cloned().unwrap_or_default();
        let Some(name) = attachments
            .iter()
            .filter_map(|attachment| {
                attachment["generatedFileName"]
                    .as_str()
                    .or(attachment["fileName"].as_str())
            })
            .find(|name| name.ends_with(suffix))
        else {
            bail!("the mail has no attachment ending in {suffix}");
        };
        let mut url: reqwest::Url = format!("{}/email/{id}/attachment/", self.mail).parse()?;
        url.path_segments_mut()
            .ok()
            .context("the inbox has no address")?
            .pop_if_empty()
            .push(name);
        Ok(self
            .http
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?
            .to_vec())
    }

    /// All mails to an address, oldest first.
    async fn mails(&self, address: &str) -> Result<Vec<Value>> {
        let all: Vec<Value> = self
            .http
            .get(format!("{}/email", self.mail))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let to = |mail: &Value| {
            let recipients = mail["to"].as_array().cloned().unwrap_or_default();
            recipients.iter().any(|to| {
                to["address"]
                    .as_str()
                    .is_some_and(|text| text.eq_ignore_ascii_case(address))
            })
        };
        Ok(all.into_iter().filter(to).collect())
    }
}

fn has(mail: &Value, text: &str) -> bool {
    let mut members = ["text", "subject"].into_iter();
    members.any(|member| mail[member].as_str().is_some_and(|said| said.contains(text)))
}

/// A run of exactly six digits.
fn code_in(text: &str) -> Option<String> {
    text.split(|character: char| !character.is_ascii_digit())
        .find(|run| run.len() == 6)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::code_in;

    #[test]
    fn a_code_is_a_run_of_exactly_six_digits() {
        assert_eq!(
            code_in("Votre code est 123456. Aide : 0802006060"),
            Some("123456".into())
        );
        assert_eq!(code_in("call 0802006060"), None);
    }
}
