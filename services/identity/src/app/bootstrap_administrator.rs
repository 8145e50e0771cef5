use serde_json::json;
use zeroize::Zeroizing;

use super::work::stream_id;
use super::{App, Error};
use crate::app::second_factor;
use crate::domain::contact::{Email, Phone};
use crate::domain::password::NewPassword;
use crate::domain::person::{CivilIdentity, Person, PersonFact, Proof};
use crate::domain::refusal::Refusal;
use crate::domain::totp::{SECRET_BYTES, TotpSecret};
use crate::domain::vocabulary::{DeliveryPreference, Language, ProofMethod};
use crate::events::publish;
use crate::store::{credentials, people};
use wathiq_outbox::{AuditEntry, NewEvent, audit};

/// Who becomes the first administrator.
pub struct FirstAdministrator {
    pub email: Email,
    pub phone: Phone,
    pub civil: CivilIdentity,
    pub language: Language,
    pub password: NewPassword,
}

/// What the operator hands to the administrator.
pub struct Bootstrapped {
    pub person_id: uuid::Uuid,
    pub totp_secret: Zeroizing<String>,
    pub otpauth: Zeroizing<String>,
}

/// Makes the first administrator of the platform: a proved person with an authenticator. Works once.
///
/// # Errors
/// [`Refusal::BootstrapDone`], [`Refusal::EmailTaken`], [`Refusal::DocumentProvedElsewhere`].
pub async fn bootstrap_administrator(app: &App, first: FirstAdministrator) -> Result<Bootstrapped, Error> {
    let hash = app.hasher.hash(&app.ambient, first.password.expose()).await?;
    let now = app.ambient.now();
    let proof = Proof {
        method: ProofMethod::Bootstrap,
        office_id: None,
        official_id: None,
        at: now,
    };
    let person = Person {
        id: app.ambient.uuid_v7(),
        stream_id: stream_id(&app.ambient),
        // Registered and proved at once: two events.
        version: 2,
        civil: first.civil,
        proof: Some(proof),
        email: first.email,
        phone: first.phone,
        language: first.language,
        delivery_preference: DeliveryPreference::Attachment,
        platform_administrator: true,
        totp_enrolled: true,
        created_at: now,
    };
    let mut transaction = app.pool.begin().await?;
    if people::is_bootstrapped(&mut transaction).await? {
        return Err(Refusal::BootstrapDone.into());
    }
    if let Err(error) = people::insert(&mut transaction, &person, &hash).await {
        return Err(match error.constraint() {
            Some("person_email_folded_key") => Refusal::EmailTaken.into(),
            Some("person_proved_document") => Refusal::DocumentProvedElsewhere.into(),
            _ => error.into(),
        });
    }
    people::keep_proof(&mut transaction, &person).await?;
    if !people::note_bootstrap(&mut transaction, person.id, now).await? {
        return Err(Refusal::BootstrapDone.into());
    }
    let secret = TotpSecret::new(app.ambient.bytes::<SECRET_BYTES>());
    let sealed = second_factor::seal(app, person.id, &secret)?;
    credentials::activate_totp(&mut transaction, person.id, &sealed, None, now).await?;
    let entry = AuditEntry {
        person_id: None,
        principal: "operator",
        action: "platform.bootstrap_administrator",
        aggregate: "person",
        aggregate_id: person.id,
        outcome: "done",
        reason: None,
        details: json!({}),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    for event in events(&person) {
        wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
    }
    transaction.commit().await?;
    let otpauth = secret.uri(&app.policy.totp_issuer, person.email.as_str());
    Ok(Bootstrapped {
        person_id: person.id,
        totp_secret: secret.base32(),
        otpauth,
    })
}

fn events(person: &Person) -> [NewEvent; 2] {
    let registered = Person {
        version: person.version - 1,
        ..person.clone()
    };
    let proved = PersonFact::Proved {
        method: ProofMethod::Bootstrap,
        office_id: None,
    };
    [
        publish::person(&registered, PersonFact::Registered),
        publish::person(person, proved),
    ]
}
