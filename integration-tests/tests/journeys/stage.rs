//! A stack of one test's own, with everybody signed in.

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::account::{self, Account};
use wathiq_local::journey::api::{Api, text};
use wathiq_local::journey::authenticator::Authenticator;
use wathiq_local::journey::record::Recorder;
use wathiq_local::journey::{CONTRACT, CONTRACT_SPOT, Cast, gather, legalisation, office, people};
use wathiq_local::services::{SERVICES, Service};
use wathiq_local::stack::{Options, Stack};

/// The running services and the people.
pub(crate) struct Stage {
    pub(crate) stack: Stack,
    pub(crate) cast: Cast,
    pub(crate) recorder: Recorder,
}

/// Starts the services and brings everybody in.
pub(crate) async fn open(options: Options) -> Result<Stage> {
    let stack = Stack::start(options).await?;
    let mut recorder = Recorder::new("legalisation", |_| ());
    let administrator = first_administrator(&stack).await?;
    let url = stack.url()?;
    let cast = gather(&url, &stack.description, administrator, &today(), &mut recorder)
        .await
        .map_err(|error| with_logs(error, &stack))?;
    Ok(Stage {
        stack,
        cast,
        recorder,
    })
}

impl Stage {
    /// Uploads the contract and opens a request for it, without a signature. Answers the request's id.
    pub(crate) async fn draft(&self) -> Result<String> {
        let request = self
            .cast
            .citizen_session
            .post("/v1/legalisation-requests", &self.opening().await?)
            .await?;
        Ok(text(&request, "/legalisation_request_id")?.to_owned())
    }

    /// The body that opens a request for a contract uploaded just now.
    pub(crate) async fn opening(&self) -> Result<Value> {
        let document =
            legalisation::upload(&self.cast.citizen_session, "contract.pdf", CONTRACT.to_vec()).await?;
        Ok(serde_json::json!({
            "document_id": document["document_id"],
            "office_id": self.cast.office.office_id,
            "document_kind": "contract",
            "capacity": "oneself",
            "destination": {"kind": "private_party", "administration_id": null, "name": "Société Atlas"},
            "mandatary": null,
        }))
    }

    /// Plays up to the placed signature and answers the request's id.
    pub(crate) async fn placed(&self, session: &Api) -> Result<String> {
        let document = legalisation::upload(session, "contract.pdf", CONTRACT.to_vec()).await?;
        let office = &self.cast.office;
        let placed = legalisation::place(
            session,
            &document,
            &office.office_id,
            &office.administration_id,
            CONTRACT_SPOT,
        )
        .await?;
        Ok(text(&placed, "/legalisation_request_id")?.to_owned())
    }

    /// Plays up to the citizen's confirmation and answers the request's id.
    pub(crate) async fn submitted(&mut self) -> Result<String> {
        let id = self.placed(&self.cast.citizen_session).await?;
        self.codes_again().await?;
        legalisation::submit(&self.cast.citizen_session, &mut self.cast.citizen, &id).await?;
        Ok(id)
    }

    /// Plays up to the agent's acceptance and answers the request's id.
    pub(crate) async fn accepted(&mut self) -> Result<String> {
        let id = self.submitted().await?;
        legalisation::accept(&self.cast.agent_session, &self.cast.office.office_id, &id).await?;
        Ok(id)
    }

    /// The officer confirms the digests and seals with the PIN.
    pub(crate) async fn seal(&mut self, intents: &[Value]) -> Result<Vec<Value>> {
        self.codes_again().await?;
        let cast = &mut self.cast;
        legalisation::seal(
            &cast.officer_session,
            &mut cast.office.officer,
            intents,
            &cast.officer_pin,
        )
        .await
    }

    /// A request as its citizen sees it.
    pub(crate) async fn request(&self, id: &str) -> Result<Value> {
        self.cast
            .citizen_session
            .get(&format!("/v1/legalisation-requests/{id}"))
            .await
    }

    /// The entries of this year's register.
    pub(crate) async fn register(&self) -> Result<Vec<Value>> {
        let (office, year) = (&self.cast.office.office_id, &today()[..4]);
        let path = format!("/v1/offices/{office}/register?year={year}&page_size=100");
        let register = self.cast.officer_session.get(&path).await?;
        Ok(register["items"].as_array().cloned().unwrap_or_default())
    }

    /// Has the platform forget which codes were used, so that no test waits half a minute for the next one.
    pub(crate) async fn codes_again(&mut self) -> Result<()> {
        let cast = &mut self.cast;
        let accounts = [
            &mut cast.citizen,
            &mut cast.office.agent,
            &mut cast.office.officer,
            &mut cast.office.registrar,
        ];
        let mut connection = self.stack.database("identity").connect().await?;
        sqlx::query("UPDATE totp SET last_step = NULL")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        accounts.into_iter().try_for_each(start_again)
    }

    /// The head of the platform, signed in.
    pub(crate) async fn administrator(&mut self) -> Result<Api> {
        let known = self
            .recorder
            .accounts()
            .iter()
            .find(|account| account.role == "administrator");
        let known = known.context("there is no administrator")?.clone();
        let mut account = Account {
            role: known.role,
            email: known.login,
            password: known.password,
            authenticator: Authenticator::new(&known.totp_secret, 0)?,
        };
        self.codes_again().await?;
        account::sign_in(&self.cast.anyone, &mut account, "staff").await
    }

    /// Signs another person up, whose identity the agent proves, and who deposits a specimen. Answers
    /// their session.
    pub(crate) async fn another_citizen(&mut self) -> Result<Api> {
        let mut person = people::citizen();
        // Cards of people beside each other must differ.
        person.cin = format!("BX{}", &uuid::Uuid::new_v4().as_u128().to_string()[..6]);
        let cast = &self.cast;
        let (mut account, first) = account::sign_up(&cast.anyone, &cast.inbox, &person).await?;
        let id = office::prove(&cast.agent_session, &person, &cast.office.office_id).await?;
        let version = account::deposit_specimen(&first).await?;
        let body = serde_json::json!({"office_id": cast.office.office_id});
        cast.agent_session
            .post(&format!("/v1/people/{id}/specimens/{version}/proof"), &body)
            .await?;
        account::sign_in(&cast.anyone, &mut account, "citizen").await
    }
}

/// As after a long pause: every code that the platform takes can be had again.
pub(crate) fn start_again(account: &mut Account) -> Result<()> {
    account.authenticator = Authenticator::new(account.authenticator.secret(), 0)?;
    Ok(())
}

/// Limits that a test with many calls from one address does not reach; each limit has its tests elsewhere.
pub(crate) fn without_limits() -> Vec<(&'static str, String, String)> {
    [
        "http.default",
        "http.sign_in",
        "http.sign_up",
        "http.upload",
        "http.verify",
        "sign_up.address",
    ]
    .into_iter()
    .map(|bucket| {
        let key = format!("WATHIQ__QUOTAS__{}", bucket.to_uppercase());
        (
            "identity",
            key,
            "{ per_minute = 60000.0, burst = 60000 }".to_owned(),
        )
    })
    .collect()
}

/// Today in Morocco.
pub(crate) fn today() -> String {
    wathiq_chassis::civil_date(wathiq_chassis::Ambient::system().now()).to_string()
}

/// Adds the last lines of every log to an error.
pub(crate) fn with_logs(error: anyhow::Error, stack: &Stack) -> anyhow::Error {
    let logs: String = SERVICES
        .iter()
        .map(|&Service { name, .. }| {
            let log = stack.log(name);
            let lines: Vec<&str> = log.lines().rev().take(5).collect();
            format!(
                "\n--- {name}\n{}",
                lines.into_iter().rev().collect::<Vec<_>>().join("\n")
            )
        })
        .collect();
    error.context(logs)
}

async fn first_administrator(stack: &Stack) -> Result<Account> {
    let person = people::administrator();
    let folder = tempfile::tempdir()?;
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, &person.password)?;
    let answer = stack
        .output("identity", &person.bootstrap(&password_file))
        .await?;
    let answer: Value =
        serde_json::from_str(&answer).context("bootstrap-administrator did not answer JSON")?;
    Ok(Account {
        role: person.role.to_owned(),
        email: person.email.clone(),
        password: person.password.clone(),
        authenticator: Authenticator::new(text(&answer, "/totp_secret")?, 0)?,
    })
}
