//! Who a person is to be addressed as, and what stands behind a delivery.

use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretString;
use tonic::Request;
use uuid::Uuid;
use wathiq_chassis::client::Channel as GrpcChannel;
use wathiq_chassis::{BoxError, VerificationKey};
use wathiq_proto::wathiq::identity::v1 as pb;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;

use super::ClientError;
use crate::domain::language::Language;
use crate::domain::message::Channel;
use crate::domain::template::Template;

/// What stands behind a delivery id. It does not print.
pub struct Delivery {
    pub template: Template,
    pub channel: Channel,
    /// E-mail address or E.164 number.
    pub address: SecretString,
    pub language: Language,
    /// Empty for a notice.
    pub code: SecretString,
    pub expires_at: DateTime<Utc>,
}

/// A person as a message needs them. It does not print.
pub struct Recipient {
    pub email: SecretString,
    /// E.164; empty where identity tells none.
    pub phone: SecretString,
    pub language: Language,
    pub name_arabic: String,
    pub name_latin: String,
    /// Whether sealed files come attached; by link otherwise.
    pub wants_attachments: bool,
}

/// What notification asks identity.
pub trait Identity: Send + Sync {
    /// Takes what stands behind a delivery. The same request id may take it again until it expires; no other may.
    fn take_delivery(
        &self,
        request_id: Uuid,
        delivery_id: Uuid,
    ) -> BoxFuture<'_, Result<Delivery, ClientError>>;

    /// Address, language and name of a person.
    fn recipient(&self, person_id: Uuid) -> BoxFuture<'_, Result<Recipient, ClientError>>;
}

/// Identity behind a channel.
#[derive(Clone)]
pub struct GrpcIdentity {
    directory: DirectoryServiceClient<GrpcChannel>,
}

impl GrpcIdentity {
    pub fn new(channel: GrpcChannel) -> Self {
        Self {
            directory: DirectoryServiceClient::new(channel),
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
}

impl Identity for GrpcIdentity {
    fn take_delivery(
        &self,
        request_id: Uuid,
        delivery_id: Uuid,
    ) -> BoxFuture<'_, Result<Delivery, ClientError>> {
        let mut directory = self.directory.clone();
        async move {
            let request = pb::TakeDeliveryRequest {
                request_id: request_id.to_string(),
                delivery_id: delivery_id.to_string(),
            };
            delivery(directory.take_delivery(Request::new(request)).await?.into_inner())
        }
        .boxed()
    }

    fn recipient(&self, person_id: Uuid) -> BoxFuture<'_, Result<Recipient, ClientError>> {
        let mut directory = self.directory.clone();
        async move {
            let request = pb::GetPersonForServiceRequest {
                person_id: person_id.to_string(),
            };
            recipient(
                directory
                    .get_person_for_service(Request::new(request))
                    .await?
                    .into_inner(),
            )
        }
        .boxed()
    }
}

fn delivery(answer: pb::TakeDeliveryResponse) -> Result<Delivery, ClientError> {
    let template = match answer.kind() {
        pb::DeliveryKind::SignUpCode => Template::SignUpCode,
        pb::DeliveryKind::ContactChangeCode => Template::ContactChangeCode,
        pb::DeliveryKind::PasswordResetCode => Template::PasswordResetCode,
        pb::DeliveryKind::ContactSessionCode => Template::ContactSessionCode,
        pb::DeliveryKind::AccountExistsNotice => Template::AccountExistsNotice,
        pb::DeliveryKind::CredentialChangedNotice => Template::CredentialChangedNotice,
        pb::DeliveryKind::Unspecified => {
            return Err(ClientError::unusable("the kind of a delivery is not known"));
        }
    };
    let channel = match answer.channel() {
        pb::ContactChannel::Email => Channel::Email,
        pb::ContactChannel::Phone => Channel::Text,
        pb::ContactChannel::Unspecified => {
            return Err(ClientError::unusable("the channel of a delivery is not known"));
        }
    };
    let expires_at = answer
        .expire_time
        .and_then(|time| DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?));
    Ok(Delivery {
        template,
        channel,
        language: language(answer.language()),
        address: answer.address.into(),
        code: answer.code.into(),
        expires_at: expires_at.ok_or_else(|| ClientError::unusable("a delivery has no end"))?,
    })
}

fn recipient(answer: pb::GetPersonForServiceResponse) -> Result<Recipient, ClientError> {
    let person = answer
        .person
        .ok_or_else(|| ClientError::unusable("the person is missing"))?;
    let language = language(person.language());
    let wants_attachments = person.delivery_preference() != pb::DeliveryPreference::Link;
    Ok(Recipient {
        language,
        wants_attachments,
        email: person.email.into(),
        phone: person.phone.into(),
        name_arabic: full_name(person.name_arabic),
        name_latin: full_name(person.name_latin),
    })
}

fn full_name(name: Option<pb::PersonName>) -> String {
    let name = name.unwrap_or_default();
    format!("{} {}", name.given, name.family).trim().to_owned()
}

/// Arabic where nothing is said.
fn language(language: pb::Language) -> Language {
    match language {
        pb::Language::Fr => Language::French,
        pb::Language::En => Language::English,
        pb::Language::Zgh => Language::Tamazight,
        pb::Language::Ar | pb::Language::Unspecified => Language::Arabic,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// As identity tells this service of a person: without the phone no text message would ever go out.
    #[test]
    fn a_recipient_has_both_addresses_and_a_name() {
        let name = |given: &str, family: &str| pb::PersonName {
            given: given.to_owned(),
            family: family.to_owned(),
        };
        let person = pb::Person {
            name_latin: Some(name("Amina", "El Idrissi")),
            email: "amina@example.ma".to_owned(),
            phone: "+212612345678".to_owned(),
            language: pb::Language::Fr.into(),
            ..Default::default()
        };
        let found = recipient(pb::GetPersonForServiceResponse { person: Some(person) }).unwrap();
        assert_eq!(
            (found.email.expose_secret(), found.phone.expose_secret()),
            ("amina@example.ma", "+212612345678")
        );
        assert_eq!(
            (
                found.name_latin.as_str(),
                found.name_arabic.as_str(),
                found.language
            ),
            ("Amina El Idrissi", "", Language::French)
        );
        assert!(recipient(pb::GetPersonForServiceResponse::default()).is_err());
    }
}
