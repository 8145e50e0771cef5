//! People: sign-up, proof of contacts, second factor, sign-in.

use anyhow::{Context, Result};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::api::{Api, Refused, text};
use super::authenticator::Authenticator;
use super::inbox::Inbox;
use super::notes::Notes;
use super::pen;

/// What a person says at sign-up.
#[derive(Clone, Debug)]
pub struct Person {
    pub role: &'static str,
    pub email: String,
    pub phone: String,
    pub name_latin: [&'static str; 2],
    pub name_arabic: [&'static str; 2],
    pub birth_date: &'static str,
    pub cin: String,
    pub password: String,
}

/// An account with its second factor.
pub struct Account {
    pub role: String,
    pub email: String,
    pub password: String,
    pub authenticator: Authenticator,
}

impl Person {
    fn sign_up(&self) -> Value {
        let name = |[given, family]: [&str; 2]| json!({"given": given, "family": family});
        json!({
            "name_latin": name(self.name_latin),
            "name_arabic": name(self.name_arabic),
            "birth_date": self.birth_date,
            "identity_document": {"kind": "cin", "number": self.cin},
            "email": self.email,
            "phone": self.phone,
            "language": "fr",
            "password": self.password,
        })
    }

    /// Arguments of the command that makes the first administrator.
    #[must_use]
    pub fn bootstrap(&self, password_file: &std::path::Path) -> Vec<String> {
        let password_file = password_file.display().to_string();
        [
            "bootstrap-administrator",
            "--email",
            &self.email,
            "--phone",
            &self.phone,
            "--password-file",
            &password_file,
            "--given-name-latin",
            self.name_latin[0],
            "--family-name-latin",
            self.name_latin[1],
            "--given-name-arabic",
            self.name_arabic[0],
            "--family-name-arabic",
            self.name_arabic[1],
            "--birth-date",
            self.birth_date,
            "--document-kind",
            "cin",
            "--document-number",
            &self.cin,
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// What an official copies from the card in hand.
    #[must_use]
    pub fn card(&self, office_id: &str) -> Value {
        let mut card = self.sign_up();
        let members = ["name_latin", "name_arabic", "birth_date", "identity_document"];
        let mut seen: serde_json::Map<String, Value> = members
            .into_iter()
            .map(|member| (member.to_owned(), card[member].take()))
            .collect();
        seen.insert("office_id".into(), office_id.into());
        Value::Object(seen)
    }
}

/// Signs a person up, proves both contacts by the codes that arrive, and enrols an authenticator. Answers the account and
/// the session in which this was done.
///
/// # Errors
/// When a step is refused or a code does not arrive.
pub async fn sign_up(api: &Api, inbox: &Inbox, person: &Person) -> Result<(Account, Api)> {
    open_account(api, inbox, person).await?;
    let session = sign_in_without_second_factor(api, &person.email, &person.password).await?;
    let account = enrol(&session, person, &mut Notes::of_one_run("")).await?;
    Ok((account, session))
}

/// As [`sign_up`], for the person noted under a role, from where an earlier run was cut off.
///
/// # Errors
/// When a step is refused or a code does not arrive.
pub async fn bring_in(
    api: &Api,
    inbox: &Inbox,
    notes: &mut Notes,
    role: &str,
) -> Result<(Person, Account, Api)> {
    let (mut person, known) = notes.person(role)?;
    let mut standing = None;
    if known {
        standing = first_factor(api, &person.email, &person.password).await?;
        if standing.is_none() {
            person = notes.another(role)?;
        }
    }
    if standing.is_none() {
        open_account(api, inbox, &person).await?;
        standing = first_factor(api, &person.email, &person.password).await?;
    }
    let standing = standing.context("an account that was just opened is not found")?;
    if standing.pointer("/challenge/challenge").is_some() {
        let mut account = notes
            .account(role)?
            .with_context(|| format!("nobody noted the second factor of the {role}"))?;
        let session = sign_in(api, &mut account, "citizen").await?;
        return Ok((person, account, session));
    }
    let session = api.with_session(text(&standing, "/session/session_secret")?);
    let account = enrol(&session, &person, notes).await?;
    Ok((person, account, session))
}

/// What the platform answers to a password; None where it knows no such account.
async fn first_factor(api: &Api, email: &str, password: &str) -> Result<Option<Value>> {
    let body = json!({"login": email, "password": password, "surface": "citizen", "cookie": false});
    match api.post("/v1/sessions", &body).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.status == 401 => Ok(None),
            _ => Err(error.context("first sign-in")),
        },
    }
}

async fn open_account(api: &Api, inbox: &Inbox, person: &Person) -> Result<()> {
    let opened = api
        .post("/v1/sign-ups", &person.sign_up())
        .await
        .context("sign-up")?;
    let proofs = format!("/v1/sign-ups/{}/contact-proofs", text(&opened, "/sign_up_id")?);
    let code = inbox.mailed_code(&person.email, None).await?;
    api.post(&proofs, &json!({"channel": "email", "code": code}))
        .await
        .context("proof of the e-mail address")?;
    let code = inbox.texted_code(&person.phone, None).await?;
    api.post(&proofs, &json!({"channel": "phone", "code": code}))
        .await
        .context("proof of the phone")?;
    Ok(())
}

/// Enrols an authenticator, whose secret is noted before it counts.
async fn enrol(session: &Api, person: &Person, notes: &mut Notes) -> Result<Account> {
    let begun = session
        .post("/v1/me/totp", &json!({"password": person.password}))
        .await
        .context("enrolment")?;
    let mut account = Account {
        role: person.role.to_owned(),
        email: person.email.clone(),
        password: person.password.clone(),
        authenticator: notes.authenticator(&person.email, text(&begun, "/secret")?, 0)?,
    };
    notes.keep(&account)?;
    let code = account.authenticator.code().await;
    session
        .post("/v1/me/totp/completion", &json!({"code": code}))
        .await
        .context("end of the enrolment")?;
    Ok(account)
}

async fn sign_in_without_second_factor(api: &Api, email: &str, password: &str) -> Result<Api> {
    let answer = first_factor(api, email, password)
        .await?
        .context("the account is not found")?;
    Ok(api.with_session(text(&answer, "/session/session_secret")?))
}

/// Signs in with both factors.
///
/// # Errors
/// When a step is refused.
pub async fn sign_in(api: &Api, account: &mut Account, surface: &str) -> Result<Api> {
    let body =
        json!({"login": account.email, "password": account.password, "surface": surface, "cookie": false});
    let answer = api
        .post("/v1/sessions", &body)
        .await
        .with_context(|| format!("sign-in as {}", account.role))?;
    let challenge = text(&answer, "/challenge/challenge")?;
    let code = account.authenticator.code().await;
    let body = json!({"challenge": challenge, "code": code, "cookie": false});
    let answer = api
        .post("/v1/sessions/second-factor", &body)
        .await
        .context("second factor")?;
    Ok(api.with_session(text(&answer, "/session/session_secret")?))
}

/// The noted session of an account while it lasts, a new one otherwise.
///
/// # Errors
/// When a step is refused.
pub async fn come_back(api: &Api, account: &mut Account, surface: &str, notes: &Notes) -> Result<Api> {
    if let Some(secret) = notes.session(&account.role) {
        let session = api.with_session(secret);
        if session.get("/v1/me").await.is_ok() {
            return Ok(session);
        }
    }
    sign_in(api, account, surface).await
}

/// Confirms hashes for a purpose and answers the confirmation's id.
///
/// # Errors
/// When a step is refused.
pub async fn confirm(
    session: &Api,
    account: &mut Account,
    purpose: &str,
    hashes: &[Value],
) -> Result<String> {
    let body = json!({"purpose": purpose, "hashes": hashes});
    let opened = session
        .post("/v1/confirmations", &body)
        .await
        .context("opening a confirmation")?;
    let id = text(&opened, "/confirmation_id")?.to_owned();
    let code = account.authenticator.code().await;
    session
        .post(&format!("/v1/confirmations/{id}/totp"), &json!({"code": code}))
        .await
        .context("confirming with a code")?;
    Ok(id)
}

/// The citizen deposits a specimen; the agent, card in hand, proves identity and specimen.
///
/// # Errors
/// When a step is refused.
pub async fn prove_at_the_counter(
    agent: &Api,
    office_id: &str,
    citizen_session: &Api,
    person: &Person,
) -> Result<()> {
    let version = deposit_specimen(citizen_session).await?;
    let id = super::office::prove(agent, person, office_id).await?;
    let body = json!({"office_id": office_id});
    agent
        .post(&format!("/v1/people/{id}/specimens/{version}/proof"), &body)
        .await
        .context("proof of the specimen")?;
    Ok(())
}

/// Deposits a specimen of the signature and answers its version.
///
/// # Errors
/// When it is refused.
pub async fn deposit_specimen(session: &Api) -> Result<i64> {
    let strokes = pen::signature(0.0);
    let body = json!({
        "image_png": BASE64.encode(&pen::picture(&strokes)?),
        "strokes": pen::specimen_strokes(&strokes),
    });
    let specimen = session
        .post("/v1/specimens", &body)
        .await
        .context("depositing a specimen")?;
    specimen["version"]
        .as_i64()
        .context("the specimen has no version")
}
