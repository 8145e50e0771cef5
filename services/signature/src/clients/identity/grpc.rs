//! [`Identity`] over gRPC.

use futures::FutureExt;
use futures::future::BoxFuture;
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::{BoxError, VerificationKey};
use wathiq_proto::wathiq::identity::v1 as pb;
use wathiq_proto::wathiq::identity::v1::confirmation_service_client::ConfirmationServiceClient;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;
use wathiq_proto::wathiq::identity::v1::office_service_client::OfficeServiceClient;
use wathiq_proto::wathiq::identity::v1::specimen_service_client::SpecimenServiceClient;

use super::{
    AdministrationStatus, Authorization, ConfirmationRecord, Identity, IdentityError, Membership, Office,
    Purpose, Redemption, Specimen, convert,
};
use crate::domain::person::Signer;

/// Largest page identity gives of a person's specimens.
const SPECIMEN_PAGE: i32 = 100;
/// Largest page identity gives of an office's memberships.
const MEMBERSHIP_PAGE: i32 = 100;

/// Identity behind a channel.
#[derive(Clone)]
pub struct GrpcIdentity {
    offices: OfficeServiceClient<Channel>,
    directory: DirectoryServiceClient<Channel>,
    specimens: SpecimenServiceClient<Channel>,
    confirmations: ConfirmationServiceClient<Channel>,
}

impl GrpcIdentity {
    /// Identity behind this channel.
    pub fn new(channel: Channel) -> Self {
        Self {
            offices: OfficeServiceClient::new(channel.clone()),
            directory: DirectoryServiceClient::new(channel.clone()),
            specimens: SpecimenServiceClient::new(channel.clone()),
            confirmations: ConfirmationServiceClient::new(channel),
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

/// The error for a call about `resource`.
fn failure(resource: &'static str) -> impl FnOnce(Status) -> IdentityError {
    move |status| match status.code() {
        Code::NotFound => IdentityError::NotFound(resource),
        Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::AlreadyExists
        | Code::Aborted
        | Code::ResourceExhausted => IdentityError::Refused(Box::new(status)),
        _ => IdentityError::Unavailable(Box::new(status)),
    }
}

impl Identity for GrpcIdentity {
    fn office(&self, id: Uuid) -> BoxFuture<'_, Result<Office, IdentityError>> {
        let mut client = self.offices.clone();
        async move {
            let request = pb::GetOfficeRequest {
                office_id: id.to_string(),
            };
            let answer = client.get_office(request).await.map_err(failure("office"))?;
            convert::office(answer.into_inner().office)
        }
        .boxed()
    }

    fn administration(&self, id: Uuid) -> BoxFuture<'_, Result<AdministrationStatus, IdentityError>> {
        let mut client = self.directory.clone();
        async move {
            let request = pb::GetAdministrationRequest {
                administration_id: id.to_string(),
            };
            let answer = client
                .get_administration(request)
                .await
                .map_err(failure("administration"))?;
            convert::administration(answer.into_inner())
        }
        .boxed()
    }

    fn authorization(
        &self,
        person_id: Uuid,
        session_id: Uuid,
    ) -> BoxFuture<'_, Result<Authorization, IdentityError>> {
        let mut client = self.directory.clone();
        async move {
            let request = pb::GetAuthorizationRequest {
                person_id: person_id.to_string(),
                session_id: session_id.to_string(),
            };
            let answer = client
                .get_authorization(request)
                .await
                .map_err(failure("session"))?;
            convert::authorization(answer.into_inner())
        }
        .boxed()
    }

    fn memberships(&self, office_id: Uuid) -> BoxFuture<'_, Result<Vec<Membership>, IdentityError>> {
        let mut client = self.offices.clone();
        async move {
            let (mut memberships, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = pb::ListMembershipsRequest {
                    office_id: office_id.to_string(),
                    page_size: MEMBERSHIP_PAGE,
                    page_token,
                };
                let answer = client
                    .list_memberships(request)
                    .await
                    .map_err(failure("office"))?
                    .into_inner();
                for membership in &answer.memberships {
                    memberships.push(convert::membership(membership)?);
                }
                if answer.next_page_token.is_empty() {
                    return Ok(memberships);
                }
                page_token = answer.next_page_token;
            }
        }
        .boxed()
    }

    fn person(&self, id: Uuid) -> BoxFuture<'_, Result<Signer, IdentityError>> {
        let mut client = self.directory.clone();
        async move {
            let request = pb::GetPersonForServiceRequest {
                person_id: id.to_string(),
            };
            let answer = client
                .get_person_for_service(request)
                .await
                .map_err(failure("person"))?;
            convert::signer(answer.into_inner().person)
        }
        .boxed()
    }

    fn counting_specimen(&self) -> BoxFuture<'_, Result<Option<i32>, IdentityError>> {
        let mut client = self.specimens.clone();
        async move {
            let mut page_token = String::new();
            loop {
                let request = pb::ListSpecimensRequest {
                    page_size: SPECIMEN_PAGE,
                    page_token,
                };
                let answer = client
                    .list_specimens(request)
                    .await
                    .map_err(failure("specimen"))?
                    .into_inner();
                // Newest first: the first one with a proof is the one that counts.
                let counting = answer.specimens.iter().find(|specimen| specimen.proof.is_some());
                match counting {
                    Some(specimen) => return Ok(Some(specimen.version)),
                    None if answer.next_page_token.is_empty() => return Ok(None),
                    None => page_token = answer.next_page_token,
                }
            }
        }
        .boxed()
    }

    fn specimen_for_review(
        &self,
        person_id: Uuid,
        version: Option<i32>,
    ) -> BoxFuture<'_, Result<Specimen, IdentityError>> {
        let mut client = self.specimens.clone();
        async move {
            let request = pb::GetSpecimenForReviewRequest {
                person_id: person_id.to_string(),
                version: version.unwrap_or_default(),
            };
            let answer = client
                .get_specimen_for_review(request)
                .await
                .map_err(failure("specimen"))?;
            convert::specimen(answer.into_inner())
        }
        .boxed()
    }

    fn redeem(&self, redemption: Redemption) -> BoxFuture<'_, Result<ConfirmationRecord, IdentityError>> {
        let mut client = self.confirmations.clone();
        async move {
            let purpose = match redemption.purpose {
                Purpose::Legalise => pb::ConfirmationPurpose::Legalise,
                Purpose::Seal => pb::ConfirmationPurpose::Seal,
            };
            let request = pb::RedeemConfirmationRequest {
                request_id: redemption.request_id.to_string(),
                confirmation_id: redemption.confirmation_id.to_string(),
                person_id: redemption.person_id.to_string(),
                purpose: purpose.into(),
                hashes: redemption.hashes.iter().map(|hash| hash.to_vec()).collect(),
            };
            let answer = client
                .redeem_confirmation(request)
                .await
                .map_err(failure("confirmation"))?;
            convert::confirmation_record(answer.into_inner().record)
        }
        .boxed()
    }
}
