//! The journey of a legalisation through the gateway, as its people play it: the demonstration and the end-to-end tests
//! share these steps.

pub mod account;
pub mod api;
pub mod authenticator;
pub mod batch;
pub mod checks;
pub mod inbox;
pub mod legalisation;
pub mod office;
pub mod pen;
pub mod people;
pub mod record;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::description::Description;
use account::{Account, Person};
use api::Api;
use inbox::Inbox;
use legalisation::Spot;
use office::Office;
use record::Recorder;

/// The contract of the demonstration, and where its tenant signs.
pub const CONTRACT: &[u8] = include_bytes!("../assets/contract.pdf");
pub const CONTRACT_SPOT: Spot = Spot {
    page_number: 1,
    x: 330.0,
    y: 608.0,
    width: 190.0,
    height: 62.0,
};

/// Everybody who takes part, signed in where they act.
pub struct Cast {
    pub anyone: Api,
    pub inbox: Inbox,
    pub office: Office,
    pub citizen: Account,
    pub citizen_session: Api,
    pub agent_session: Api,
    pub officer_session: Api,
    pub officer_pin: String,
    /// Further citizens with their sessions, until it is their turn.
    pub waiting: Vec<(Account, Api)>,
}

/// A sealed document and what was seen on the way.
pub struct Sealed {
    pub request: Value,
    pub review: Value,
    pub document: Vec<u8>,
    /// Only for a document that carried signatures before.
    pub legalisation_page: Option<Vec<u8>>,
    pub verification: Value,
}

/// Opens the office and brings everybody in: staff with proved identities, a citizen with a proved specimen.
///
/// # Errors
/// When a step is refused.
pub async fn gather(
    base: &str,
    description: &Description,
    mut administrator: Account,
    today: &str,
    recorder: &mut Recorder,
) -> Result<Cast> {
    let anyone = Api::new(base)?;
    let inbox = Inbox::new(&description.mail, &description.sms)?;
    let token = description
        .softhsm
        .tokens
        .first()
        .context("the token store is empty")?;
    let staff = people::staff();
    let office = recorder
        .step(
            "the annexe opens: offices imported, staff proved and appointed, the officer's key registered",
            async {
                office::open(
                    &anyone,
                    &inbox,
                    &mut administrator,
                    &staff,
                    (token, &description.trust.issuing),
                    today,
                )
                .await
            },
        )
        .await?;
    recorder.account(&administrator);
    let person = people::citizen();
    let (citizen, first_session) = recorder
        .step(
            "a citizen signs up, proves e-mail and phone, enrols an authenticator",
            account::sign_up(&anyone, &inbox, &person),
        )
        .await?;
    let (office, citizen) = recorder
        .step(
            "the citizen deposits a specimen; the agent, card in hand, proves identity and specimen",
            at_the_counter(&anyone, office, citizen, &first_session, &person),
        )
        .await?;
    let cast = Cast::sign_in(anyone, inbox, office, citizen, &token.pin, recorder).await?;
    for account in [&cast.office.agent, &cast.office.officer, &cast.citizen] {
        recorder.account(account);
    }
    Ok(cast)
}

async fn at_the_counter(
    anyone: &Api,
    mut office: Office,
    citizen: Account,
    citizen_session: &Api,
    person: &Person,
) -> Result<(Office, Account)> {
    let agent = account::sign_in(anyone, &mut office.agent, "staff").await?;
    account::prove_at_the_counter(&agent, &office.office_id, citizen_session, person).await?;
    Ok((office, citizen))
}

impl Cast {
    /// Signs everybody in.
    ///
    /// # Errors
    /// When a sign-in is refused.
    pub async fn sign_in(
        anyone: Api,
        inbox: Inbox,
        mut office: Office,
        mut citizen: Account,
        officer_pin: &str,
        recorder: &mut Recorder,
    ) -> Result<Self> {
        let (citizen_session, agent_session, officer_session) = recorder
            .step("citizen, agent and officer sign in with a second factor", async {
                Ok((
                    account::sign_in(&anyone, &mut citizen, "citizen").await?,
                    account::sign_in(&anyone, &mut office.agent, "staff").await?,
                    account::sign_in(&anyone, &mut office.officer, "staff").await?,
                ))
            })
            .await?;
        let officer_pin = officer_pin.to_owned();
        Ok(Self {
            anyone,
            inbox,
            office,
            citizen,
            citizen_session,
            agent_session,
            officer_session,
            officer_pin,
            waiting: Vec::new(),
        })
    }

    /// Has one file legalised, from upload to verification. A refused upload is an [`api::Refused`].
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn legalise(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        spot: Option<Spot>,
        recorder: &mut Recorder,
    ) -> Result<Sealed> {
        let document = recorder
            .step(
                &format!("{name}: upload and intake"),
                legalisation::upload(&self.citizen_session, name, bytes),
            )
            .await?;
        let (id, review) = self.bring(&document, spot, recorder).await?;
        let intents = recorder
            .step(
                "the officer authorises: register number taken, bytes prepared",
                async { legalisation::authorise(&self.officer_session, &[&id]).await },
            )
            .await?;
        recorder
            .step(
                "the officer confirms the hash and seals with the key's PIN",
                async {
                    legalisation::seal(
                        &self.officer_session,
                        &mut self.office.officer,
                        &intents,
                        &self.officer_pin,
                    )
                    .await
                },
            )
            .await?;
        self.seal_page(&id, recorder).await?;
        self.receive(&self.citizen_session, &id, review, recorder).await
    }

    /// From the placing of the signature on an uploaded document to the agent's acceptance. Answers the request's id and
    /// what the agent saw.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn bring(
        &mut self,
        document: &Value,
        spot: Option<Spot>,
        recorder: &mut Recorder,
    ) -> Result<(String, Value)> {
        let spot = spot.map_or_else(|| Spot::near_the_foot(document), Ok)?;
        let office = self.office.office_id.clone();
        let administration = self.office.administration_id.clone();
        let placed = recorder
            .step("the citizen opens a request and places the signature", async {
                legalisation::place(&self.citizen_session, document, &office, &administration, spot).await
            })
            .await?;
        let id = api::text(&placed, "/legalisation_request_id")?.to_owned();
        recorder
            .step(
                "the citizen confirms with a second factor; the request is submitted",
                async { legalisation::submit(&self.citizen_session, &mut self.citizen, &id).await },
            )
            .await?;
        let review = recorder
            .step("the agent compares with the specimen and accepts", async {
                legalisation::accept(&self.agent_session, &office, &id).await
            })
            .await?;
        Ok((id, review))
    }

    /// Downloads what was sealed for a citizen and verifies it.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn receive(
        &self,
        citizen: &Api,
        id: &str,
        review: Value,
        recorder: &mut Recorder,
    ) -> Result<Sealed> {
        let (request, document, legalisation_page) = recorder
            .step("the citizen downloads the sealed document", async {
                let request = citizen.get(&format!("/v1/legalisation-requests/{id}")).await?;
                let document = legalisation::download(citizen, id, "document").await?;
                let has_page = request["files"].as_array().is_some_and(|files| files.len() > 1);
                let page = match has_page {
                    true => Some(legalisation::download(citizen, id, "legalisation_page").await?),
                    false => None,
                };
                Ok((request, document, page))
            })
            .await?;
        let verification = recorder
            .step(
                "anyone verifies it by upload",
                legalisation::verify(&self.anyone, document.clone()),
            )
            .await?;
        Ok(Sealed {
            request,
            review,
            document,
            legalisation_page,
            verification,
        })
    }

    /// The mail that tells the citizen about a sealed request.
    ///
    /// # Errors
    /// When it does not arrive.
    pub async fn delivery_mail(&self, sealed: &Sealed) -> Result<Value> {
        let code = api::text(&sealed.request, "/verification_code")?;
        self.inbox.mail_with(&self.citizen.email, code).await
    }
}

/// Writes a value as readable JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(path: &Path, value: &Value) -> Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(value)?)
        .with_context(|| format!("cannot write {}", path.display()))
}
