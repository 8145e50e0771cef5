//! What stands before the first citizen comes: an annexe that is open, its staff, and the officer's key.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::account::{self, Account, Person};
use super::api::{Api, text};
use super::inbox::Inbox;
use super::notes::Notes;
use super::order::registry;
use crate::description::Token;

/// The offices of the demonstration, as an administrator imports them.
const OFFICES: &str = include_str!("../../assets/offices.csv");
/// The annexe that legalises, and that keeps registers of civil status.
pub const ANNEXE: &str = "CASA-HH-AIR";

/// The annexe and its people.
pub struct Office {
    pub office_id: String,
    /// Enrolled administration that documents go to.
    pub administration_id: String,
    pub agent: Account,
    /// Seals legalisations.
    pub officer: Account,
    /// The officer of civil status.
    pub registrar: Account,
}

/// Opens the offices and puts the staff in their places. Repeated with the same notes, it goes on where it was cut off.
///
/// The administrator, the only proved person at first, acts as agent until the agent's own identity is proved.
///
/// # Errors
/// When a step is refused.
pub async fn open(
    api: &Api,
    inbox: &Inbox,
    administrator: &mut Account,
    notes: &mut Notes,
    (tokens, issuing_certificate): ([&Token; 2], &Path),
) -> Result<Office> {
    let seed = notes.seed().to_owned();
    let head = account::sign_in(api, administrator, "staff").await?.once(&seed);
    let office_id = open_services(&head, notes.today()).await?;
    let today = notes.today();
    let administration = head
        .post(
            "/v1/administrations",
            &json!({"name_ar": "الوكالة الوطنية للمحافظة العقارية", "name_fr": "Agence nationale de la conservation foncière",
                    "enrolled_from": today, "enrolled_to": null}),
        )
        .await
        .context("enrolment of an administration")?;
    let [agent, officer, registrar] = employ(api, inbox, &head, administrator, notes, &office_id).await?;
    appoint(
        &head,
        &office_id,
        &administrator.email,
        "administrator",
        notes.today(),
    )
    .await?;
    // A session's token learns of a new role when it is traded anew.
    let head = account::sign_in(api, administrator, "staff").await?.once(&seed);
    for (role, token) in ["officer", "registrar"].into_iter().zip(tokens) {
        let person_id = notes
            .person_id(role)
            .with_context(|| format!("nobody noted who the {role} is"))?;
        register_key(&head, &office_id, person_id, token, issuing_certificate).await?;
    }
    registry::open(&head, &office_id, notes.today(), notes.seed()).await?;
    Ok(Office {
        office_id,
        administration_id: text(&administration, "/administration_id")?.to_owned(),
        agent,
        officer,
        registrar,
    })
}

/// Imports the offices and opens what the annexe offers. Answers the annexe's id.
async fn open_services(head: &Api, today: &str) -> Result<String> {
    let offices = head
        .upload("/v1/offices/import", "text/csv", OFFICES.into())
        .await
        .context("import of offices")?;
    let office_id = offices["offices"]
        .as_array()
        .and_then(|offices| offices.iter().find(|office| office["code"] == ANNEXE))
        .context("the annexe is not among the imported offices")
        .and_then(|office| text(office, "/office_id"))?
        .to_owned();
    for service in ["legalisation", "identity_proof"] {
        let path = format!("/v1/offices/{office_id}/services/{service}");
        head.put(&path, Some(&json!({"from": today, "to": null})))
            .await
            .context("opening a service")?;
    }
    Ok(office_id)
}

async fn employ(
    api: &Api,
    inbox: &Inbox,
    head: &Api,
    administrator: &Account,
    notes: &mut Notes,
    office_id: &str,
) -> Result<[Account; 3]> {
    let stand_in = appoint(head, office_id, &administrator.email, "agent", notes.today()).await?;
    let agent = hire(api, inbox, head, notes, ["agent"; 2], office_id).await?;
    let officer = hire(api, inbox, head, notes, ["officer"; 2], office_id).await?;
    let registrar = hire(api, inbox, head, notes, ["registrar", "officer"], office_id).await?;
    head.send(
        reqwest::Method::POST,
        &format!("/v1/memberships/{stand_in}/end"),
        None,
    )
    .await
    .context("end of the administrator's own membership")?;
    Ok([agent, officer, registrar])
}

/// Appoints the person who plays a role to a post.
async fn hire(
    api: &Api,
    inbox: &Inbox,
    head: &Api,
    notes: &mut Notes,
    [role, post]: [&str; 2],
    office_id: &str,
) -> Result<Account> {
    let (person, account, _) = account::bring_in(api, inbox, notes, role)
        .await
        .with_context(|| format!("sign-up of the {role}"))?;
    // Once the administrator's own membership has ended, nobody searches for claims any more.
    let id = match notes.person_id(role) {
        Some(id) => id.to_owned(),
        None => find_claim(head, &person, office_id).await?,
    };
    notes.note_person_id(role, &id)?;
    bind(head, &person, office_id, &id).await?;
    appoint(head, office_id, &person.email, post, notes.today()).await?;
    Ok(account)
}

async fn appoint(head: &Api, office_id: &str, email: &str, role: &str, today: &str) -> Result<String> {
    let body =
        json!({"email": email, "role": role, "deputy_for_membership_id": null, "from": today, "to": null});
    let membership = head
        .post(&format!("/v1/offices/{office_id}/memberships"), &body)
        .await
        .with_context(|| format!("appointing {role}"))?;
    Ok(text(&membership, "/membership_id")?.to_owned())
}

/// An agent binds the card in hand to the person who claims it. Answers the person's id.
///
/// # Errors
/// When a step is refused.
pub async fn prove(agent: &Api, person: &Person, office_id: &str) -> Result<String> {
    let id = find_claim(agent, person, office_id).await?;
    bind(agent, person, office_id, &id).await?;
    Ok(id)
}

async fn find_claim(agent: &Api, person: &Person, office_id: &str) -> Result<String> {
    let search = json!({"identity_document": person.card(office_id)["identity_document"]});
    let found = agent
        .post(&format!("/v1/offices/{office_id}/claim-searches"), &search)
        .await
        .context("search for the claim")?;
    let birth_date = person.birth_date;
    let claim = found["claims"]
        .as_array()
        .and_then(|claims| claims.iter().find(|claim| claim["birth_date"] == birth_date))
        .context("nobody claims this card")?;
    Ok(text(claim, "/person_id")?.to_owned())
}

async fn bind(agent: &Api, person: &Person, office_id: &str, id: &str) -> Result<()> {
    agent
        .post(
            &format!("/v1/people/{id}/identity-proofs"),
            &person.card(office_id),
        )
        .await
        .with_context(|| format!("proof of the {}'s identity", person.role))?;
    Ok(())
}

async fn register_key(
    head: &Api,
    office_id: &str,
    person_id: &str,
    token: &Token,
    issuing_certificate: &Path,
) -> Result<()> {
    let chain = format!(
        "{}{}",
        std::fs::read_to_string(&token.certificate)?,
        std::fs::read_to_string(issuing_certificate)?
    );
    let body: Value = json!({
        "officer_person_id": person_id,
        "token_label": token.label,
        "key_label": token.key_label,
        "certificate_chain_pem": chain,
    });
    head.post(&format!("/v1/offices/{office_id}/credentials"), &body)
        .await
        .context("registering the officer's key")?;
    Ok(())
}
