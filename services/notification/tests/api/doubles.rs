//! Identity, signature and civil-registry-order as a test wants them.

pub(crate) mod orders;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;
use wathiq_notification::clients::ClientError;
use wathiq_notification::clients::identity::{self, Delivery, Recipient};
use wathiq_notification::clients::signature::{self, Attachment, Facts, FileKind, SealedFile};
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::Template;

/// A delivery that identity holds.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) template: Template,
    pub(crate) channel: Channel,
    pub(crate) address: String,
    pub(crate) language: Language,
    pub(crate) code: String,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A person whom identity knows.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) language: Language,
    pub(crate) wants_attachments: bool,
}

#[derive(Default)]
pub(crate) struct IdentityState {
    pub(crate) deliveries: HashMap<Uuid, Held>,
    pub(crate) people: HashMap<Uuid, Known>,
    pub(crate) down: bool,
    /// Who asked for which delivery.
    pub(crate) takes: Vec<(Uuid, Uuid)>,
    taken_by: HashMap<Uuid, Uuid>,
}

#[derive(Default)]
pub(crate) struct Identity(Mutex<IdentityState>);

impl Identity {
    pub(crate) fn state(&self) -> MutexGuard<'_, IdentityState> {
        self.0.lock().unwrap()
    }
}

fn gone(reason: &str) -> ClientError {
    ClientError::Gone {
        reason: reason.into(),
    }
}

fn down() -> ClientError {
    ClientError::Unavailable("the double is down".into())
}

impl identity::Identity for Identity {
    fn take_delivery(&self, request_id: Uuid, id: Uuid) -> BoxFuture<'_, Result<Delivery, ClientError>> {
        let mut state = self.state();
        state.takes.push((request_id, id));
        let answer = if state.down {
            Err(down())
        } else if *state.taken_by.entry(id).or_insert(request_id) != request_id {
            Err(gone("DELIVERY_TAKEN"))
        } else {
            state
                .deliveries
                .get(&id)
                .cloned()
                .ok_or_else(|| gone("DELIVERY_EXPIRED"))
        };
        let answer = answer.map(|held| Delivery {
            template: held.template,
            channel: held.channel,
            address: held.address.into(),
            language: held.language,
            code: held.code.into(),
            expires_at: held.expires_at,
        });
        async move { answer }.boxed()
    }

    fn recipient(&self, id: Uuid) -> BoxFuture<'_, Result<Recipient, ClientError>> {
        let state = self.state();
        let answer = if state.down {
            Err(down())
        } else {
            state
                .people
                .get(&id)
                .cloned()
                .ok_or_else(|| gone("PERSON_NOT_FOUND"))
        };
        let answer = answer.map(|known| Recipient {
            email: known.email.into(),
            phone: known.phone.into(),
            language: known.language,
            name_arabic: "أمينة الإدريسي".into(),
            name_latin: "Amina El Idrissi".into(),
            wants_attachments: known.wants_attachments,
        });
        async move { answer }.boxed()
    }
}

#[derive(Default)]
pub(crate) struct SignatureState {
    pub(crate) applicants: HashMap<Uuid, Uuid>,
    /// File name and bytes by kind, for every request.
    pub(crate) files: Vec<(FileKind, String, Vec<u8>)>,
    pub(crate) down: bool,
    /// No question is answered, ever.
    pub(crate) silent: bool,
    pub(crate) downloads: usize,
}

#[derive(Default)]
pub(crate) struct Signature(Mutex<SignatureState>);

impl Signature {
    pub(crate) fn state(&self) -> MutexGuard<'_, SignatureState> {
        self.0.lock().unwrap()
    }
}

/// Facts with a value in every place.
pub(crate) fn facts(applicant_id: Uuid) -> Facts {
    let at = |text: &str| text.parse().unwrap();
    Facts {
        applicant_id,
        document_name: "عقد كراء.pdf".into(),
        office_name_ar: "الملحقة الإدارية المعاريف".into(),
        office_name_fr: "Annexe administrative Maârif".into(),
        receipt_number: Some("L-2026-000042".into()),
        submitted_at: Some(at("2026-11-20T23:30:00Z")),
        expected_on: Some("2026-11-24".parse().unwrap()),
        refusal_reason: Some(signature::ReasonText {
            ar: "الإمضاء لا يطابق النموذج المودع.".into(),
            fr: "La signature ne correspond pas au spécimen déposé.".into(),
            en: "The signature does not match the specimen on deposit.".into(),
        }),
        refusal_text: Some("Merci de signer comme sur le spécimen <script>".into()),
        register: Some((2026, 17)),
        verification_code: Some("7K2M-9QXF-4TRB".into()),
        fee_centimes: 2050,
        expires_at: Some(at("2026-11-29T12:00:00Z")),
        files: Vec::new(),
        link_token: Some("token-of-256-bits".to_owned().into()),
    }
}

impl signature::Signature for Signature {
    fn facts(&self, request_id: Uuid) -> BoxFuture<'_, Result<Facts, ClientError>> {
        let state = self.state();
        if state.silent {
            return std::future::pending().boxed();
        }
        let answer = match state.applicants.get(&request_id) {
            _ if state.down => Err(down()),
            None => Err(gone("REQUEST_NOT_FOUND")),
            Some(applicant) => Ok(Facts {
                files: state
                    .files
                    .iter()
                    .map(|(kind, _, bytes)| SealedFile {
                        kind: *kind,
                        size_bytes: bytes.len() as u64,
                    })
                    .collect(),
                ..facts(*applicant)
            }),
        };
        async move { answer }.boxed()
    }

    fn download(
        &self,
        _: Uuid,
        kind: FileKind,
        limit: u64,
    ) -> BoxFuture<'_, Result<Attachment, ClientError>> {
        let mut state = self.state();
        state.downloads += 1;
        let file = state
            .files
            .iter()
            .find(|file| file.0 == kind && file.2.len() as u64 <= limit)
            .cloned();
        let answer = file
            .map(|(_, file_name, bytes)| Attachment { file_name, bytes })
            .ok_or_else(down);
        async move { answer }.boxed()
    }
}
