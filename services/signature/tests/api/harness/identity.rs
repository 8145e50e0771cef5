//! Identity, as each test wants it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use data_encoding::BASE64URL_NOPAD;
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::{CallContext, Clock, ErrorDomain, Grant, ManualClock, status};
use wathiq_signature::clients::identity::{
    AdministrationStatus, Authorization, ConfirmationRecord, Identity, IdentityError, Membership, Office,
    Purpose, Redemption, Specimen,
};
use wathiq_signature::domain::comparison::SpecimenProof;
use wathiq_signature::domain::destination::Administration;
use wathiq_signature::domain::person::{IdentityDocumentKind, Signer};

const DOMAIN: ErrorDomain = ErrorDomain("identity.wathiq");

/// What identity knows in this test.
#[derive(Default)]
struct Known {
    offices: HashMap<Uuid, Office>,
    administrations: HashMap<Uuid, AdministrationStatus>,
    people: HashMap<Uuid, Signer>,
    specimens: HashMap<Uuid, Vec<i32>>,
    grants: HashMap<Uuid, Vec<Grant>>,
    ended_for: HashSet<Uuid>,
    unproved: HashSet<Uuid>,
    platform_administrators: HashSet<Uuid>,
    confirmations: HashMap<Uuid, Confirmation>,
}

#[derive(Clone)]
struct Confirmation {
    person_id: Uuid,
    purpose: Purpose,
    hashes: Vec<[u8; 32]>,
    redeemed: Option<(Uuid, ConfirmationRecord)>,
}

/// A double whose answers are set by the test.
pub(crate) struct FakeIdentity {
    clock: Arc<ManualClock>,
    known: Mutex<Known>,
    down: AtomicBool,
    redemptions: AtomicUsize,
}

impl FakeIdentity {
    pub(super) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            known: Mutex::default(),
            down: AtomicBool::new(false),
            redemptions: AtomicUsize::new(0),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers nothing any more, or again.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// How many confirmations were really used up.
    pub(crate) fn redemptions(&self) -> usize {
        self.redemptions.load(Ordering::SeqCst)
    }

    /// An office that offers legalisation since the first of the year.
    pub(crate) fn open_office(&self, id: Uuid, code: &str) {
        let office = Office {
            id,
            code: code.to_owned(),
            parent_id: None,
            name_ar: "الملحقة الإدارية سيتي دلير".to_owned(),
            name_fr: "Annexe administrative Cité de l'air".to_owned(),
            legalisation: vec![(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), None)],
            active_from: NaiveDate::from_ymd_opt(2020, 1, 1),
            active_to: None,
        };
        self.known().offices.insert(id, office);
    }

    /// The office offers legalisation until this day, included.
    pub(crate) fn close_office(&self, id: Uuid, last: NaiveDate) {
        if let Some(office) = self.known().offices.get_mut(&id) {
            for period in &mut office.legalisation {
                period.1 = Some(last);
            }
        }
    }

    pub(crate) fn add_administration(&self, id: Uuid, enrolled_today: bool) {
        let administration = Administration {
            id,
            name_ar: "وزارة العدل".to_owned(),
            name_fr: "Ministère de la Justice".to_owned(),
        };
        self.known().administrations.insert(
            id,
            AdministrationStatus {
                administration,
                enrolled_today,
            },
        );
    }

    pub(crate) fn add_person(&self, id: Uuid) {
        let signer = Signer {
            given_name_arabic: "سعاد".to_owned(),
            family_name_arabic: "العلمي".to_owned(),
            given_name_latin: "Souad".to_owned(),
            family_name_latin: "Alami".to_owned(),
            document_kind: IdentityDocumentKind::Cin,
            document_number: "AB123456".to_owned(),
        };
        self.known().people.insert(id, signer);
    }

    /// Gives a person another name in Latin script: the first word is the given name.
    pub(crate) fn rename(&self, id: Uuid, name: &str) {
        let (given, family) = name.split_once(' ').unwrap();
        let mut known = self.known();
        let person = known.people.get_mut(&id).unwrap();
        given.clone_into(&mut person.given_name_latin);
        family.clone_into(&mut person.family_name_latin);
    }

    pub(crate) fn add_specimen(&self, person_id: Uuid, version: i32) {
        self.known().specimens.entry(person_id).or_default().push(version);
    }

    pub(crate) fn remove_specimens(&self, person_id: Uuid) {
        self.known().specimens.remove(&person_id);
    }

    pub(crate) fn grant(&self, person_id: Uuid, office_id: Uuid, role: &str) {
        self.known().grants.entry(person_id).or_default().push(Grant {
            office_id,
            role: role.to_owned(),
        });
    }

    /// Takes all roles away. Tokens made before still name them.
    pub(crate) fn revoke(&self, person_id: Uuid) {
        self.known().grants.remove(&person_id);
    }

    pub(crate) fn grants(&self, person_id: Uuid) -> Vec<Grant> {
        self.known().grants.get(&person_id).cloned().unwrap_or_default()
    }

    /// Whether identity has been proved.
    pub(crate) fn set_proved(&self, person_id: Uuid, proved: bool) {
        let mut known = self.known();
        if proved {
            known.unproved.remove(&person_id);
        } else {
            known.unproved.insert(person_id);
        }
    }

    /// Makes a person an administrator of the platform, or no longer.
    pub(crate) fn set_platform_administrator(&self, person_id: Uuid, is: bool) {
        let mut known = self.known();
        if is {
            known.platform_administrators.insert(person_id);
        } else {
            known.platform_administrators.remove(&person_id);
        }
    }

    /// Ends the sessions of a person.
    pub(crate) fn end_sessions(&self, person_id: Uuid) {
        self.known().ended_for.insert(person_id);
    }

    /// A given confirmation of exactly these hashes.
    pub(crate) fn confirm(&self, person_id: Uuid, purpose: Purpose, hashes: Vec<[u8; 32]>) -> Uuid {
        let id = Uuid::new_v4();
        self.known().confirmations.insert(
            id,
            Confirmation {
                person_id,
                purpose,
                hashes,
                redeemed: None,
            },
        );
        id
    }

    fn check_up(&self) -> Result<(), IdentityError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(IdentityError::Unavailable(Box::new(Status::unavailable("down"))));
        }
        Ok(())
    }

    fn record(&self, redemption: &Redemption) -> Result<ConfirmationRecord, IdentityError> {
        let refused = |reason, text| {
            IdentityError::Refused(Box::new(status::failed_precondition(
                DOMAIN,
                reason,
                "confirmation",
                text,
            )))
        };
        let mut known = self.known();
        let confirmation = known
            .confirmations
            .get_mut(&redemption.confirmation_id)
            .ok_or(IdentityError::NotFound("confirmation"))?;
        if let Some((request_id, record)) = &confirmation.redeemed {
            if *request_id == redemption.request_id {
                return Ok(record.clone());
            }
            return Err(refused("CONFIRMATION_USED", "the confirmation was used"));
        }
        let wanted: HashSet<_> = redemption.hashes.iter().collect();
        let given: HashSet<_> = confirmation.hashes.iter().collect();
        if confirmation.person_id != redemption.person_id
            || confirmation.purpose != redemption.purpose
            || wanted != given
        {
            return Err(refused(
                "CONFIRMATION_MISMATCH",
                "the confirmation is for something else",
            ));
        }
        let record = ConfirmationRecord {
            confirmation_id: redemption.confirmation_id,
            person_id: redemption.person_id,
            method: "totp".to_owned(),
            confirmed_at: self.clock.now(),
            jws: "header.payload.signature".to_owned(),
        };
        confirmation.redeemed = Some((redemption.request_id, record.clone()));
        self.redemptions.fetch_add(1, Ordering::SeqCst);
        Ok(record)
    }
}

/// The person of the token that an outgoing call of this service would carry.
fn calling_person() -> Uuid {
    let context = CallContext::current().expect("identity is asked within a call");
    let token = context.bearer.expect("the user's token is carried on");
    let payload = token
        .expose_secret()
        .split('.')
        .nth(1)
        .expect("a token has three parts")
        .to_owned();
    let claims: wathiq_chassis::TokenClaims =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap();
    claims.sub
}

/// The picture of a specimen: any bytes that differ by person and version.
pub(crate) fn picture(person_id: Uuid, version: i32) -> Vec<u8> {
    format!("picture of specimen {version} of {person_id}").into_bytes()
}

impl Identity for FakeIdentity {
    fn office(&self, id: Uuid) -> BoxFuture<'_, Result<Office, IdentityError>> {
        async move {
            self.check_up()?;
            self.known()
                .offices
                .get(&id)
                .cloned()
                .ok_or(IdentityError::NotFound("office"))
        }
        .boxed()
    }

    fn administration(&self, id: Uuid) -> BoxFuture<'_, Result<AdministrationStatus, IdentityError>> {
        async move {
            self.check_up()?;
            self.known()
                .administrations
                .get(&id)
                .cloned()
                .ok_or(IdentityError::NotFound("administration"))
        }
        .boxed()
    }

    fn authorization(
        &self,
        person_id: Uuid,
        _session_id: Uuid,
    ) -> BoxFuture<'_, Result<Authorization, IdentityError>> {
        async move {
            self.check_up()?;
            let session_live = !self.known().ended_for.contains(&person_id);
            let proved = !self.known().unproved.contains(&person_id);
            Ok(Authorization {
                session_live,
                proved,
                grants: self.grants(person_id),
                platform_administrator: self.known().platform_administrators.contains(&person_id),
            })
        }
        .boxed()
    }

    fn memberships(&self, office_id: Uuid) -> BoxFuture<'_, Result<Vec<Membership>, IdentityError>> {
        async move {
            self.check_up()?;
            let known = self.known();
            let all = known
                .grants
                .iter()
                .flat_map(|(person, grants)| grants.iter().map(|grant| (*person, grant)));
            let here = all.filter(|(_, grant)| grant.office_id == office_id);
            Ok(here
                .map(|(person_id, grant)| Membership {
                    person_id,
                    role: grant.role.clone(),
                    from: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
                    to: None,
                })
                .collect())
        }
        .boxed()
    }

    fn person(&self, id: Uuid) -> BoxFuture<'_, Result<Signer, IdentityError>> {
        async move {
            self.check_up()?;
            self.known()
                .people
                .get(&id)
                .cloned()
                .ok_or(IdentityError::NotFound("person"))
        }
        .boxed()
    }

    fn counting_specimen(&self) -> BoxFuture<'_, Result<Option<i32>, IdentityError>> {
        async move {
            self.check_up()?;
            Ok(self
                .known()
                .specimens
                .get(&calling_person())
                .and_then(|versions| versions.iter().max().copied()))
        }
        .boxed()
    }

    fn specimen_for_review(
        &self,
        person_id: Uuid,
        version: Option<i32>,
    ) -> BoxFuture<'_, Result<Specimen, IdentityError>> {
        async move {
            self.check_up()?;
            let known = self
                .known()
                .specimens
                .get(&person_id)
                .cloned()
                .unwrap_or_default();
            let version = match version {
                Some(wanted) => known.into_iter().find(|version| *version == wanted),
                None => known.into_iter().max(),
            };
            let version = version.ok_or(IdentityError::NotFound("specimen"))?;
            let proof = SpecimenProof {
                method: "IN_PERSON".to_owned(),
                office_id: Some(super::OFFICE),
                at: self.clock.now(),
            };
            Ok(Specimen {
                version,
                proof,
                image_png: picture(person_id, version),
            })
        }
        .boxed()
    }

    fn redeem(&self, redemption: Redemption) -> BoxFuture<'_, Result<ConfirmationRecord, IdentityError>> {
        async move {
            self.check_up()?;
            self.record(&redemption)
        }
        .boxed()
    }
}
