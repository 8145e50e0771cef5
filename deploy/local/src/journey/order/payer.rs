//! A payer's browser on the provider's hosted page: it fills forms in and posts them.

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::journey::api::{Api, text};

/// Test cards of the sandbox.
pub const MOROCCAN: &str = "4000 0000 0000 0010";
pub const INTERNATIONAL: &str = "5453 0100 0006 6100";
pub const DECLINED: &str = "4000 0000 0000 0051";
/// Its bank asks for [`CODE`].
pub const THREE_D_SECURE: &str = "5191 6301 0000 4896";
pub const CODE: &str = "123";
/// Its bank does not answer.
pub const TIMED_OUT: &str = "4000 0000 0000 0099";

/// A form of a page, with the hidden fields it comes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

/// A browser that keeps no cookies and follows no redirect by itself.
pub struct Browser(reqwest::Client);

impl Browser {
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new() -> Result<Self> {
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none());
        Ok(Self(client.timeout(std::time::Duration::from_secs(60)).build()?))
    }

    /// Posts a form with these values filled in. Answers the page, or where the browser is sent.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, form: &Form, filled: &[(&str, &str)]) -> Result<Page> {
        let mut fields = form.fields.clone();
        fields.extend(
            filled
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let answer = self.0.post(&form.action).form(&fields).send().await?;
        let (status, url) = (answer.status(), answer.url().clone());
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            return Ok(Page::SentTo(to.unwrap_or_default().to_owned()));
        }
        let html = answer.text().await?;
        ensure!(status.is_success(), "{} answered {status}: {html}", url.path());
        let forms = forms(&html).into_iter().map(|form| {
            let action = url.join(&form.action)?;
            Ok(Form {
                action: action.into(),
                ..form
            })
        });
        Ok(Page::Shown(forms.collect::<Result<Vec<_>>>()?))
    }
}

/// What a browser gets for a form.
#[derive(Debug)]
pub enum Page {
    /// The forms on it.
    Shown(Vec<Form>),
    SentTo(String),
}

impl Page {
    /// The first form.
    ///
    /// # Errors
    /// When there is none.
    pub fn form(self) -> Result<Form> {
        match self {
            Self::Shown(forms) => forms.into_iter().next().context("the page has no form"),
            Self::SentTo(to) => bail!("the browser is sent to {to}"),
        }
    }
}

/// Opens the provider's page for a payable: the form that takes a card.
///
/// # Errors
/// When a step is refused.
pub async fn open(citizen: &Api, browser: &Browser, payable_id: &str) -> Result<Form> {
    let path = format!("/v1/payments/{payable_id}/attempts");
    let begun = citizen
        .post(&path, &json!({"provider": "cmi"}))
        .await
        .context("starting a payment")?;
    let hosted = &begun["next"]["hosted_form"];
    let fields = hosted["fields"].as_array().context("there is no hosted form")?;
    let field = |field: &Value| {
        Ok((
            text(field, "/name")?.to_owned(),
            text(field, "/value")?.to_owned(),
        ))
    };
    let form = Form {
        action: text(hosted, "/action_url")?.to_owned(),
        fields: fields.iter().map(field).collect::<Result<_>>()?,
    };
    browser
        .post(&form, &[])
        .await?
        .form()
        .context("the provider's page")
}

/// Gives a card. Answers the form that the page shows then: that of the way back after a success, that of the card after a decline.
///
/// # Errors
/// When the page refuses the form.
pub async fn give_card(browser: &Browser, page: &Form, card: &str) -> Result<Form> {
    let filled = [("pan", card), ("expiry", "12/30"), ("cvc", "000")];
    browser
        .post(page, &filled)
        .await?
        .form()
        .context("giving the card")
}

/// Gives the code that the card's bank asks for. Answers as [`give_card`].
///
/// # Errors
/// When the page refuses the form.
pub async fn give_code(browser: &Browser, page: &Form, code: &str) -> Result<Form> {
    browser
        .post(page, &[("code", code)])
        .await?
        .form()
        .context("giving the code")
}

/// Pays with a card that is approved, and comes back. Answers where the browser is sent.
///
/// # Errors
/// When a step is refused.
pub async fn pay(citizen: &Api, payable_id: &str, card: &str) -> Result<String> {
    let browser = Browser::new()?;
    let page = open(citizen, &browser, payable_id).await?;
    let back = give_card(&browser, &page, card).await?;
    match browser.post(&back, &[]).await.context("coming back")? {
        Page::SentTo(to) => Ok(to),
        Page::Shown(_) => bail!("the platform does not know what was paid"),
    }
}

/// The forms of a page whose attributes are all in double quotes.
fn forms(html: &str) -> Vec<Form> {
    let pieces = html.split("<form ").skip(1);
    pieces
        .map(|piece| {
            let (form, _) = piece.split_once("</form>").unwrap_or((piece, ""));
            let inputs = form
                .split("<input ")
                .skip(1)
                .map(|input| input.split('>').next().unwrap_or(input));
            let fields =
                inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
            Form {
                action: attribute(form, "action").unwrap_or_default(),
                fields: fields.collect(),
            }
        })
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let entities = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    let plain = entities.iter().fold(value.to_owned(), |value, (entity, plain)| {
        value.replace(entity, plain)
    });
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::forms;

    #[test]
    fn forms_are_read_with_their_hidden_fields() {
        let html = r#"<form method="post" action="/a"><input type="hidden" name="x" value="1 &#38; &#34;2&#34;">
            <input name="pan" required></form><form method="post" action="/b"></form>"#;
        let found = forms(html);
        assert_eq!(found[0].action, "/a");
        assert_eq!(found[0].fields, [("x".to_owned(), "1 & \"2\"".to_owned())]);
        assert_eq!((found[1].action.as_str(), found.len()), ("/b", 2));
    }
}
