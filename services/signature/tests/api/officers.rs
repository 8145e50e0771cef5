//! Officers with a key in a token: the steps that seal.

use tonic::Status;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::clients::identity::Purpose;
use wathiq_signature::domain::role::{ADMINISTRATOR, OFFICER};

use crate::harness::{OFFICE, Person, Stack, World, request_id};

/// A key of the test stack.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) label: String,
    pub(crate) key_label: String,
    pub(crate) pin: String,
    pub(crate) chain_pem: String,
    /// Common name in the certificate.
    pub(crate) holder: String,
}

impl Token {
    /// The token with this label: `officer-1` (P-256), `officer-2` (RSA-3072), `officer-expired` or `officer-revoked`.
    pub(crate) fn named(label: &str) -> Self {
        let stack = Stack::get();
        let tokens = stack.at("/softhsm/tokens").as_array().unwrap();
        let token = tokens.iter().find(|token| token["label"] == label).unwrap();
        let text = |key: &str| token[key].as_str().unwrap().to_owned();
        let read = |path: &str| std::fs::read_to_string(path).unwrap();
        let chain_pem = format!(
            "{}{}",
            read(&text("certificate")),
            read(stack.text("/trust/issuing"))
        );
        Self {
            label: text("label"),
            key_label: text("key_label"),
            pin: text("pin"),
            chain_pem,
            holder: text("holder"),
        }
    }
}

impl World {
    pub(crate) async fn try_register(
        &self,
        administrator: Person,
        officer: Person,
        token: &Token,
    ) -> Result<pb::SigningCredential, Status> {
        self.try_register_at(OFFICE, administrator, officer, token).await
    }

    pub(crate) async fn try_register_at(
        &self,
        office: Uuid,
        administrator: Person,
        officer: Person,
        token: &Token,
    ) -> Result<pb::SigningCredential, Status> {
        let message = pb::RegisterCredentialRequest {
            request_id: request_id(),
            office_id: office.to_string(),
            officer_person_id: officer.0.to_string(),
            token_label: token.label.clone(),
            key_label: token.key_label.clone(),
            certificate_chain_pem: token.chain_pem.clone(),
            ..Default::default()
        };
        let answer = self
            .office()
            .register_credential(self.as_staff(administrator, message))
            .await?;
        Ok(answer.into_inner().credential.unwrap())
    }

    /// An official with these roles whose name is that of a token's holder.
    pub(crate) fn holder(&self, token: &Token, roles: &[&str]) -> Person {
        let official = self.official(roles);
        self.identity.rename(official.0, &token.holder);
        official
    }

    /// An officer whose credential is registered.
    pub(crate) async fn officer(&self, token: &Token) -> Person {
        let administrator = self.official(&[ADMINISTRATOR]);
        let officer = self.holder(token, &[OFFICER]);
        self.try_register(administrator, officer, token).await.unwrap();
        officer
    }

    /// AGENT_ACCEPTED
    pub(crate) async fn accepted(&self, citizen: Person, agent: Person) -> String {
        let request = self.submitted(citizen).await;
        self.accept(agent, &request.legalisation_request_id).await;
        request.legalisation_request_id
    }

    pub(crate) async fn try_authorise(
        &self,
        officer: Person,
        ids: &[String],
    ) -> Result<pb::AuthoriseSealsResponse, Status> {
        let message = pb::AuthoriseSealsRequest {
            request_id: request_id(),
            legalisation_request_ids: ids.to_vec(),
            credential_id: String::new(),
        };
        Ok(self
            .office()
            .authorise_seals(self.as_staff(officer, message))
            .await?
            .into_inner())
    }

    /// AWAITING_SIGNATURE
    pub(crate) async fn authorised(&self, officer: Person, ids: &[String]) -> Vec<pb::SealIntent> {
        let answer = self.try_authorise(officer, ids).await.unwrap();
        assert_eq!(answer.problems, []);
        assert_eq!(answer.intents.len(), ids.len());
        answer.intents
    }

    /// What a seal of these intents asks, confirmed.
    pub(crate) fn sealing(&self, officer: Person, intents: &[pb::SealIntent], pin: &str) -> pb::SealRequest {
        let digests = intents.iter().flat_map(|intent| &intent.digests);
        let hashes = digests.map(|digest| digest[..].try_into().unwrap()).collect();
        pb::SealRequest {
            request_id: request_id(),
            intent_ids: intents.iter().map(|intent| intent.intent_id.clone()).collect(),
            confirmation_id: self
                .identity
                .confirm(officer.0, Purpose::Seal, hashes)
                .to_string(),
            pin: pin.to_owned(),
        }
    }

    pub(crate) async fn try_seal(
        &self,
        officer: Person,
        message: pb::SealRequest,
    ) -> Result<pb::SealResponse, Status> {
        Ok(self
            .office()
            .seal(self.as_staff(officer, message))
            .await?
            .into_inner())
    }

    /// DELIVERED, in one act.
    pub(crate) async fn sealed(
        &self,
        officer: Person,
        token: &Token,
        ids: &[String],
    ) -> Vec<pb::LegalisationRequest> {
        let intents = self.authorised(officer, ids).await;
        let answer = self
            .try_seal(officer, self.sealing(officer, &intents, &token.pin))
            .await
            .unwrap();
        assert_eq!(answer.problems, []);
        answer.legalisation_requests
    }

    /// A sealed file as its owner downloads it.
    pub(crate) async fn download(&self, citizen: Person, id: &str, kind: pb::SealedFileKind) -> Vec<u8> {
        let message = pb::DownloadSealedFileRequest {
            legalisation_request_id: id.to_owned(),
            kind: kind.into(),
            offset: 0,
            length: 0,
        };
        let mut parts = self
            .legalisation()
            .download_sealed_file(self.as_citizen(citizen, message))
            .await
            .unwrap()
            .into_inner();
        let mut file = Vec::new();
        while let Some(part) = parts.message().await.unwrap() {
            file.extend(part.chunk);
        }
        file
    }

    /// The officer's open intents.
    pub(crate) async fn intents(&self, officer: Person) -> Vec<pb::SealIntent> {
        let message = pb::ListIntentsRequest {
            office_id: OFFICE.to_string(),
            ..Default::default()
        };
        self.office()
            .list_intents(self.as_staff(officer, message))
            .await
            .unwrap()
            .into_inner()
            .intents
    }

    /// The civil year of the world, in Casablanca.
    pub(crate) fn year(&self) -> i32 {
        use chrono::Datelike;
        wathiq_chassis::civil_date(self.app.ambient.now()).year()
    }

    /// The register of the world's year.
    pub(crate) async fn register(&self, reader: Person) -> Vec<pb::RegisterEntry> {
        let message = pb::ListRegisterRequest {
            office_id: OFFICE.to_string(),
            year: self.year(),
            ..Default::default()
        };
        self.office()
            .list_register(self.as_staff(reader, message))
            .await
            .unwrap()
            .into_inner()
            .entries
    }
}

/// An id of a message as a UUID.
pub(crate) fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}
