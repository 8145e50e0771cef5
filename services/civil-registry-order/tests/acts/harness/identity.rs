//! Identity as a test wants it, behind its contract: sessions and roles, and the list of offices.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;
use wathiq_chassis::{Grant, MethodRule, UserRule};
use wathiq_proto::wathiq::identity::v1 as pb;

const AUTHORIZATION: &str = "/wathiq.identity.v1.DirectoryService/GetAuthorization";
const OFFICES: &str = "/wathiq.identity.v1.OfficeService/ListOffices";

/// Who may ask.
pub(crate) const RULES: &[MethodRule] = &[
    MethodRule {
        path: AUTHORIZATION,
        clients: &["civil-registry-order"],
        user: UserRule::None,
    },
    MethodRule {
        path: OFFICES,
        clients: &["civil-registry-order"],
        user: UserRule::None,
    },
];

/// What identity knows.
#[derive(Default)]
pub(crate) struct State {
    grants: Mutex<HashMap<Uuid, Vec<Grant>>>,
    ended: Mutex<HashSet<Uuid>>,
    offices: Mutex<Vec<(Uuid, String, pb::OfficeKind)>>,
}

impl State {
    pub(crate) fn grant(&self, person_id: Uuid, office_id: Uuid, role: &str) {
        let role = role.to_owned();
        let mut grants = self.grants.lock().unwrap();
        grants
            .entry(person_id)
            .or_default()
            .push(Grant { office_id, role });
    }

    pub(crate) fn grants(&self, person_id: Uuid) -> Vec<Grant> {
        self.grants
            .lock()
            .unwrap()
            .get(&person_id)
            .cloned()
            .unwrap_or_default()
    }

    /// The person loses every role; tokens minted before still name them.
    pub(crate) fn dismiss(&self, person_id: Uuid) {
        self.grants.lock().unwrap().remove(&person_id);
    }

    pub(crate) fn end_session(&self, person_id: Uuid) {
        self.ended.lock().unwrap().insert(person_id);
    }

    pub(crate) fn open_office(&self, id: Uuid, code: &str, kind: pb::OfficeKind) {
        self.offices.lock().unwrap().push((id, code.to_owned(), kind));
    }

    fn authorization(&self, request: &pb::GetAuthorizationRequest) -> pb::GetAuthorizationResponse {
        let person_id = Uuid::try_parse(&request.person_id).unwrap();
        let role = |grant: &Grant| match grant.role.as_str() {
            "agent" => pb::OfficeRole::Agent,
            "officer" => pb::OfficeRole::Officer,
            _ => pb::OfficeRole::Administrator,
        };
        pb::GetAuthorizationResponse {
            session_live: !self.ended.lock().unwrap().contains(&person_id),
            grants: self
                .grants(person_id)
                .iter()
                .map(|grant| pb::OfficeGrant {
                    office_id: grant.office_id.to_string(),
                    role: role(grant).into(),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }
    }

    fn list(&self) -> pb::ListOfficesResponse {
        let office = |(id, code, kind): &(Uuid, String, pb::OfficeKind)| pb::Office {
            office_id: id.to_string(),
            code: code.clone(),
            kind: (*kind).into(),
            ..Default::default()
        };
        pb::ListOfficesResponse {
            offices: self.offices.lock().unwrap().iter().map(office).collect(),
            ..Default::default()
        }
    }
}

#[derive(Clone)]
pub(crate) struct Directory(pub(crate) Arc<State>);

#[derive(Clone)]
pub(crate) struct Offices(pub(crate) Arc<State>);

impl NamedService for Directory {
    const NAME: &'static str = "wathiq.identity.v1.DirectoryService";
}

impl NamedService for Offices {
    const NAME: &'static str = "wathiq.identity.v1.OfficeService";
}

type Answer<T> = BoxFuture<'static, Result<T, Infallible>>;

impl Service<http::Request<Body>> for Directory {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = Unary(Arc::clone(&self.0), State::authorization);
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(method, request).await) })
    }
}

impl Service<http::Request<Body>> for Offices {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = Unary(
            Arc::clone(&self.0),
            |state: &State, _: &pb::ListOfficesRequest| state.list(),
        );
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(method, request).await) })
    }
}

struct Unary<F>(Arc<State>, F);

impl<M, A, F> UnaryService<M> for Unary<F>
where
    M: Send + 'static,
    A: Send + 'static,
    F: Fn(&State, &M) -> A + Send + 'static,
{
    type Response = A;
    type Future = BoxFuture<'static, Result<Response<A>, Status>>;

    fn call(&mut self, request: Request<M>) -> Self::Future {
        let answer = (self.1)(&self.0, request.get_ref());
        Box::pin(async move { Ok(Response::new(answer)) })
    }
}
