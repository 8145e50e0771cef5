//! What this service asks identity, and nothing else of it.

mod convert;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::{Ambient, BoxError, Grant, VerificationKey};
use wathiq_proto::wathiq::identity::v1 as pb;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;
use wathiq_proto::wathiq::identity::v1::office_service_client::OfficeServiceClient;

use crate::clients::{ClientError, failure};

const SERVICE: &str = "identity";
/// Largest page identity gives.
const PAGE: i32 = 100;

/// An office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    pub id: Uuid,
    /// Short unique code.
    pub code: String,
    pub parent_id: Option<Uuid>,
    pub name_ar: String,
    pub name_fr: String,
    /// It takes orders of civil-status documents today.
    pub open: bool,
    /// It is of a kind that keeps civil status: a commune, an annexe or a consulate.
    pub holds_registers: bool,
}

/// What a person may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub session_live: bool,
    /// Roles held today, by the names of the access token.
    pub grants: Vec<Grant>,
}

/// A role that somebody holds at an office, as member or as deputy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub person_id: Uuid,
    /// By the name of the access token.
    pub role: String,
    /// Civil dates, ends included.
    pub from: NaiveDate,
    pub to: Option<NaiveDate>,
}

impl Membership {
    /// Whether the person holds the role on this civil date.
    pub fn holds(&self, person_id: Uuid, role: &str, day: NaiveDate) -> bool {
        self.person_id == person_id
            && self.role == role
            && self.from <= day
            && self.to.is_none_or(|to| day <= to)
    }
}

/// Who somebody is, as identity knows them. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub given_latin: String,
    pub family_latin: String,
    pub given_arabic: String,
    pub family_arabic: String,
    pub birth_date: Option<NaiveDate>,
    /// Number of the identity document, normalised.
    pub identity_document: String,
    pub email: String,
    pub phone: String,
    /// An official, or a national identity provider, vouched for the person.
    pub proved: bool,
}

/// Offices by id, as read at a moment.
type Offices = (DateTime<Utc>, Arc<HashMap<Uuid, Office>>);

/// Officers by id, each as read at a moment.
type Officers = HashMap<Uuid, (DateTime<Utc>, Arc<Person>)>;

/// Identity behind a channel.
#[derive(Clone)]
pub struct Identity {
    offices: OfficeServiceClient<Channel>,
    directory: DirectoryServiceClient<Channel>,
    ambient: Ambient,
    keep: Duration,
    kept: Arc<Mutex<Option<Offices>>>,
    officers: Arc<Mutex<Officers>>,
}

impl Identity {
    /// Identity behind this channel; its offices are kept for `keep`.
    pub fn new(channel: Channel, ambient: Ambient, keep: Duration) -> Self {
        Self {
            offices: OfficeServiceClient::new(channel.clone()),
            directory: DirectoryServiceClient::new(channel),
            ambient,
            keep,
            kept: Arc::default(),
            officers: Arc::default(),
        }
    }

    /// The keys that verify access tokens.
    ///
    /// # Errors
    /// Whatever identity answered.
    pub async fn verification_keys(&self) -> Result<Vec<VerificationKey>, BoxError> {
        let answer = self
            .directory
            .clone()
            .list_verification_keys(pb::ListVerificationKeysRequest {})
            .await?;
        answer
            .into_inner()
            .keys
            .into_iter()
            .map(|key| {
                let public_key =
                    <[u8; 32]>::try_from(key.public_key).map_err(|_| "a key is not 32 bytes long")?;
                Ok(VerificationKey {
                    kid: key.key_id,
                    public_key,
                })
            })
            .collect()
    }

    /// All offices, by id. Kept for a while, so that placing an order asks nobody most of the time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn offices(&self) -> Result<Arc<HashMap<Uuid, Office>>, ClientError> {
        let now = self.ambient.now();
        if let Some(kept) = self.kept_offices(now) {
            return Ok(kept);
        }
        let today = wathiq_chassis::civil_date(now);
        let (mut offices, mut page_token) = (HashMap::new(), String::new());
        loop {
            let request = pb::ListOfficesRequest {
                page_size: PAGE,
                page_token,
                ..Default::default()
            };
            let answer = self
                .offices
                .clone()
                .list_offices(request)
                .await
                .map_err(failure(SERVICE, "offices"))?
                .into_inner();
            for office in answer.offices {
                let office = convert::office(office, today)?;
                offices.insert(office.id, office);
            }
            if answer.next_page_token.is_empty() {
                break;
            }
            page_token = answer.next_page_token;
        }
        let offices = Arc::new(offices);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&offices)));
        Ok(offices)
    }

    fn kept_offices(&self, now: DateTime<Utc>) -> Option<Arc<HashMap<Uuid, Office>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, offices) = kept.as_ref()?;
        let age = (now - *at).to_std().ok()?;
        (age < self.keep).then(|| Arc::clone(offices))
    }

    /// Whether the session is live, and what the person holds now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn authorization(
        &self,
        person_id: Uuid,
        session_id: Uuid,
    ) -> Result<Authorization, ClientError> {
        let request = pb::GetAuthorizationRequest {
            person_id: person_id.to_string(),
            session_id: session_id.to_string(),
        };
        let answer = self.directory.clone().get_authorization(request).await;
        convert::authorization(answer.map_err(failure(SERVICE, "session"))?.into_inner())
    }

    /// Who holds or has held which role at an office.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn memberships(&self, office_id: Uuid) -> Result<Vec<Membership>, ClientError> {
        let (mut memberships, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListMembershipsRequest {
                office_id: office_id.to_string(),
                page_size: PAGE,
                page_token,
            };
            let answer = self.offices.clone().list_memberships(request).await;
            let answer = answer.map_err(failure(SERVICE, "office"))?.into_inner();
            for membership in &answer.memberships {
                memberships.push(convert::membership(membership)?);
            }
            if answer.next_page_token.is_empty() {
                return Ok(memberships);
            }
            page_token = answer.next_page_token;
        }
    }

    /// An officer whom documents name. Kept for a while: batches name the same one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn officer(&self, id: Uuid) -> Result<Arc<Person>, ClientError> {
        let now = self.ambient.now();
        let fresh = |at: &DateTime<Utc>| (now - *at).to_std().is_ok_and(|age| age < self.keep);
        {
            let mut officers = self.officers.lock().unwrap_or_else(PoisonError::into_inner);
            officers.retain(|_, (at, _)| fresh(at));
            if let Some((_, officer)) = officers.get(&id) {
                return Ok(Arc::clone(officer));
            }
        }
        let officer = Arc::new(self.person(id).await?);
        let mut officers = self.officers.lock().unwrap_or_else(PoisonError::into_inner);
        officers.insert(id, (now, Arc::clone(&officer)));
        Ok(officer)
    }

    /// Names, birth date, identity document and contacts of a person.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn person(&self, id: Uuid) -> Result<Person, ClientError> {
        let request = pb::GetPersonForServiceRequest {
            person_id: id.to_string(),
        };
        let answer = self.directory.clone().get_person_for_service(request).await;
        convert::person(answer.map_err(failure(SERVICE, "person"))?.into_inner().person)
    }
}
