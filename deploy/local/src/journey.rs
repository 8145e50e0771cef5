//! The journeys of a legalisation and of an order of civil-status documents through the gateway, as their people play them:
//! the demonstration and the end-to-end tests share these steps.

pub mod account;
pub mod api;
pub mod authenticator;
pub mod batch;
pub mod checks;
pub mod inbox;
pub mod legalisation;
pub mod notes;
pub mod office;
pub mod order;
pub mod pen;
pub mod people;
pub mod record;

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::description::Description;
use account::{Account, Person};
use api::Api;
use inbox::Inbox;
use legalisation::Spot;
use notes::Notes;
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
    pub registrar_session: Api,
    pub registrar_pin: String,
    /// Further citizens with their sessions, until it is their turn.
    pub waiting: Vec<(Account, Api)>,
    /// Further citizens of earlier runs, who are not signed in.
    pub resting: Vec<Account>,
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
    administrator: Account,
    today: &str,
    recorder: &mut Recorder,
) -> Result<Cast> {
    let mut notes = Notes::of_one_run(today);
    gather_noted(base, description, administrator, &mut notes, recorder).await
}

/// As [`gather`]; with the same notes, a run that was cut off is taken up.
///
/// # Errors
/// When a step is refused.
pub async fn gather_noted(
    base: &str,
    description: &Description,
    mut administrator: Account,
    notes: &mut Notes,
    recorder: &mut Recorder,
) -> Result<Cast> {
    let anyone = Api::new(base)?;
    let inbox = Inbox::new(&description.mail, &description.sms)?;
    let [officer_token, registrar_token, ..] = description.softhsm.tokens.as_slice() else {
        bail!("the token store lacks the officers' tokens");
    };
    let keys = (
        [officer_token, registrar_token],
        description.trust.issuing.as_path(),
    );
    let office = recorder
        .step(
            "the annexe opens: offices imported, staff proved and appointed, the officers' keys registered",
            office::open(&anyone, &inbox, &mut administrator, notes, keys),
        )
        .await?;
    notes.keep(&administrator)?;
    recorder.account(&administrator);
    let (person, citizen, first_session) = recorder
        .step(
            "a citizen signs up, proves e-mail and phone, enrols an authenticator",
            account::bring_in(&anyone, &inbox, notes, "citizen"),
        )
        .await?;
    let seed = notes.seed();
    let (office, citizen) = recorder
        .step(
            "the citizen deposits a specimen; the agent, card in hand, proves identity and specimen",
            at_the_counter(&anyone, office, citizen, &first_session.once(seed), &person, seed),
        )
        .await?;
    let pins = [officer_token.pin.as_str(), &registrar_token.pin];
    let cast = Cast::sign_in(anyone, inbox, office, citizen, pins, recorder).await?;
    notes.complete(&cast)?;
    let office = &cast.office;
    for account in [&office.agent, &office.officer, &office.registrar, &cast.citizen] {
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
    seed: &str,
) -> Result<(Office, Account)> {
    let agent = account::sign_in(anyone, &mut office.agent, "staff")
        .await?
        .once(seed);
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
        office: Office,
        citizen: Account,
        pins: [&str; 2],
        recorder: &mut Recorder,
    ) -> Result<Self> {
        let nobody = Notes::of_one_run("");
        Self::come_back(anyone, inbox, office, citizen, pins, &nobody, recorder).await
    }

    /// Signs in whose noted session has ended.
    ///
    /// # Errors
    /// When a sign-in is refused.
    pub async fn come_back(
        anyone: Api,
        inbox: Inbox,
        mut office: Office,
        mut citizen: Account,
        pins: [&str; 2],
        notes: &Notes,
        recorder: &mut Recorder,
    ) -> Result<Self> {
        let step = "citizen, agent and officers sign in with a second factor";
        let (citizen_session, agent_session, officer_session, registrar_session) = recorder
            .step(step, async {
                Ok((
                    account::come_back(&anyone, &mut citizen, "citizen", notes).await?,
                    account::come_back(&anyone, &mut office.agent, "staff", notes).await?,
                    account::come_back(&anyone, &mut office.officer, "staff", notes).await?,
                    account::come_back(&anyone, &mut office.registrar, "staff", notes).await?,
                ))
            })
            .await?;
        let [officer_pin, registrar_pin] = pins.map(str::to_owned);
        Ok(Self {
            anyone,
            inbox,
            office,
            citizen,
            citizen_session,
            agent_session,
            officer_session,
            officer_pin,
            registrar_session,
            registrar_pin,
            waiting: Vec::new(),
            resting: Vec::new(),
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
