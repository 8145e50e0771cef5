use std::sync::Arc;

use secrecy::SecretString;
use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::session_service_server::SessionService;
use wathiq_proto::wathiq::identity::v1::sign_in_response;

use super::account_convert::{email, phone};
use super::command::{client_address, command};
use super::convert::{read_language, timestamp, waiting};
use super::fields::Fields;
use crate::app::complete_contact_session::ContactCodes;
use crate::app::sign_in::{SessionGrant, SignIn, SignedIn};
use crate::app::start_contact_session::ContactSessionStarted;
use crate::app::{self, App, Page};
use crate::domain::contact_session::Reachable;
use crate::domain::session::{Origin, Session};
use crate::domain::vocabulary::Surface;
use crate::events::publish::surface_of;

type Answer<T> = Result<Response<T>, Status>;

const MAX_USER_AGENT: usize = 300;

/// Sign-in and sessions.
pub struct Sessions(pub Arc<App>);

fn read_surface(surface: proto::SessionSurface) -> Option<Surface> {
    match surface {
        // A contact has no password.
        proto::SessionSurface::Unspecified | proto::SessionSurface::Contact => None,
        proto::SessionSurface::Citizen => Some(Surface::Citizen),
        proto::SessionSurface::Staff => Some(Surface::Staff),
    }
}

fn user_agent(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_USER_AGENT)
        .collect()
}

fn grant(grant: &SessionGrant) -> proto::SessionGrant {
    proto::SessionGrant {
        session_id: grant.id.to_string(),
        session_secret: grant.secret.to_string(),
        expire_time: Some(timestamp(grant.expires_at)),
    }
}

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn sign_in(&self, request: Request<proto::SignInRequest>) -> Answer<proto::SignInResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let surface = fields.word("surface", message.surface, read_surface);
        let client_address = fields.take(client_address(&message.client_address));
        let user_agent = user_agent(&message.user_agent);
        let (command, input) = fields.finish(|| {
            let input = SignIn {
                login: message.login.trim().to_lowercase(),
                password: SecretString::from(message.password.as_str()),
                surface: surface?,
                origin: Origin {
                    client_address: client_address?,
                    user_agent,
                },
            };
            Some((command?, input))
        })?;
        let result = match app::sign_in::sign_in(&self.0, &command, input).await? {
            SignedIn::Session(session) => sign_in_response::Result::Session(grant(&session)),
            SignedIn::Challenge { secret, expires_at } => {
                sign_in_response::Result::Challenge(proto::SecondFactorChallenge {
                    challenge: secret.to_string(),
                    expire_time: Some(timestamp(expires_at)),
                })
            }
        };
        Ok(Response::new(proto::SignInResponse { result: Some(result) }))
    }

    async fn complete_sign_in(
        &self,
        request: Request<proto::CompleteSignInRequest>,
    ) -> Answer<proto::CompleteSignInResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let command = fields.finish(|| command)?;
        let message = request.get_ref();
        let shown = (message.challenge.as_str(), message.code.as_str());
        let session = app::complete_sign_in::complete_sign_in(&self.0, &command, shown).await?;
        Ok(Response::new(proto::CompleteSignInResponse {
            session: Some(grant(&session)),
        }))
    }

    async fn start_contact_session(
        &self,
        request: Request<proto::StartContactSessionRequest>,
    ) -> Answer<proto::StartContactSessionResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let email = email(&mut fields, "email", &message.email);
        let phone = phone(&mut fields, "phone", &message.phone);
        let language = fields.word("language", message.language, read_language);
        let client_address = fields.take(client_address(&message.client_address));
        let (command, input) = fields.finish(|| {
            let reachable = Reachable {
                email: email?,
                phone: phone?,
                language: language?,
            };
            Some((command?, (reachable, client_address?)))
        })?;
        let reply = |started: ContactSessionStarted| proto::StartContactSessionResponse {
            contact_session_id: started.id.to_string(),
            expire_time: Some(timestamp(started.expires_at)),
            deliveries: started.deliveries.iter().map(waiting).collect(),
        };
        Ok(Response::new(
            app::start_contact_session::start_contact_session(&self.0, &command, input, reply).await?,
        ))
    }

    async fn complete_contact_session(
        &self,
        request: Request<proto::CompleteContactSessionRequest>,
    ) -> Answer<proto::CompleteContactSessionResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let id = fields.id("contact_session_id", &message.contact_session_id);
        let client_address = fields.take(client_address(&message.client_address));
        let (command, shown) = fields.finish(|| {
            let shown = ContactCodes {
                id: id?,
                email: message.email_code.clone(),
                phone: message.phone_code.clone(),
                origin: Origin {
                    client_address: client_address?,
                    user_agent: user_agent(&message.user_agent),
                },
            };
            Some((command?, shown))
        })?;
        let session =
            app::complete_contact_session::complete_contact_session(&self.0, &command, shown).await?;
        Ok(Response::new(proto::CompleteContactSessionResponse {
            session: Some(grant(&session)),
        }))
    }

    async fn exchange_session(
        &self,
        request: Request<proto::ExchangeSessionRequest>,
    ) -> Answer<proto::ExchangeSessionResponse> {
        let access =
            app::exchange_session::exchange_session(&self.0, &request.get_ref().session_secret).await?;
        Ok(Response::new(proto::ExchangeSessionResponse {
            access_token: access.token,
            expire_time: Some(timestamp(access.expires_at)),
            person_id: access.session.person_id.to_string(),
            session_id: access.session.id.to_string(),
            surface: surface_of(access.session.surface).into(),
        }))
    }

    async fn list_sessions(
        &self,
        request: Request<proto::ListSessionsRequest>,
    ) -> Answer<proto::ListSessionsResponse> {
        let caller = caller(&request)?;
        let page = Page::parse(request.get_ref().page_size, &request.get_ref().page_token)?;
        let page = app::list_sessions::list_sessions(&self.0, caller, &page).await?;
        let session = |session: Session| proto::Session {
            session_id: session.id.to_string(),
            surface: surface_of(session.surface).into(),
            create_time: Some(timestamp(session.created_at)),
            last_use_time: Some(timestamp(session.last_used_at)),
            expire_time: Some(timestamp(
                session.expires_at(self.0.policy.lifetime(session.surface)),
            )),
            current: session.id == caller.session_id,
            user_agent: session.origin.user_agent,
            client_address: session.origin.client_address,
        };
        let sessions = page.items.into_iter().map(session).collect();
        Ok(Response::new(proto::ListSessionsResponse {
            sessions,
            next_page_token: page.next_page_token,
        }))
    }

    async fn end_session(
        &self,
        request: Request<proto::EndSessionRequest>,
    ) -> Answer<proto::EndSessionResponse> {
        let caller = caller(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let id = fields.id("session_id", &request.get_ref().session_id);
        let (command, id) = fields.finish(|| Some((command?, id?)))?;
        let reply = proto::EndSessionResponse {};
        Ok(Response::new(
            app::end_session::end_session(&self.0, &command, caller, id, reply).await?,
        ))
    }
}
