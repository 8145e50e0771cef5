//! Identity as a test wants it, behind its contract: offices, people, sessions and roles.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
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
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1 as pb;

const CLIENTS: &[&str] = &["civil-registry-order"];

const fn rule(path: &'static str) -> MethodRule {
    MethodRule {
        path,
        clients: CLIENTS,
        user: UserRule::None,
    }
}

/// Who may ask.
pub(crate) const RULES: &[MethodRule] = &[
    rule("/wathiq.identity.v1.DirectoryService/GetAuthorization"),
    rule("/wathiq.identity.v1.DirectoryService/GetPersonForService"),
    rule("/wathiq.identity.v1.OfficeService/ListOffices"),
    MethodRule {
        path: "/wathiq.identity.v1.OfficeService/ListMemberships",
        clients: CLIENTS,
        // For members of the office: whoever asks goes along.
        user: UserRule::Required,
    },
];

/// What identity knows.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) down: AtomicBool,
    /// Every session has ended.
    pub(crate) signed_out: AtomicBool,
    people: Mutex<HashMap<Uuid, pb::Person>>,
    grants: Mutex<HashMap<Uuid, Vec<Grant>>>,
    offices: Mutex<Vec<pb::Office>>,
}

fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

impl State {
    /// Somebody with an account.
    pub(crate) fn add_person(&self, id: Uuid, given: &str, family: &str) {
        let person = pb::Person {
            person_id: id.to_string(),
            name_latin: Some(pb::PersonName {
                given: given.to_owned(),
                family: family.to_owned(),
            }),
            birth_date: Some(date(1990, 3, 15)),
            identity_document: Some(pb::IdentityDocument {
                kind: pb::IdentityDocumentKind::Cin.into(),
                number: "AB123456".to_owned(),
            }),
            email: "amina@example.ma".to_owned(),
            phone: "+212600000000".to_owned(),
            assurance: pb::AssuranceLevel::Proved.into(),
            ..Default::default()
        };
        self.people.lock().unwrap().insert(id, person);
    }

    /// Somebody of whom only contacts are proved.
    pub(crate) fn add_contact(&self, id: Uuid) {
        let person = pb::Person {
            person_id: id.to_string(),
            email: "guest@example.ma".to_owned(),
            phone: "+212611111111".to_owned(),
            ..Default::default()
        };
        self.people.lock().unwrap().insert(id, person);
    }

    pub(crate) fn grant(&self, person_id: Uuid, office_id: Uuid, role: &str) {
        let role = role.to_owned();
        let mut grants = self.grants.lock().unwrap();
        grants
            .entry(person_id)
            .or_default()
            .push(Grant { office_id, role });
    }

    /// A role that is held no more; a token that was issued before still names it.
    pub(crate) fn revoke(&self, person_id: Uuid) -> Vec<Grant> {
        self.grants.lock().unwrap().remove(&person_id).unwrap_or_default()
    }

    pub(crate) fn grants(&self, person_id: Uuid) -> Vec<Grant> {
        self.grants
            .lock()
            .unwrap()
            .get(&person_id)
            .cloned()
            .unwrap_or_default()
    }

    /// An office, which takes orders where it is `open`.
    pub(crate) fn add_office(&self, id: Uuid, code: &str, open: bool) {
        let period = pb::OfficeServicePeriod {
            service: pb::OfferedService::CivilStatusOrders.into(),
            from: Some(date(2026, 1, 1)),
            to: None,
        };
        let office = pb::Office {
            office_id: id.to_string(),
            code: code.to_owned(),
            services: if open { vec![period] } else { Vec::new() },
            active_from: Some(date(2020, 1, 1)),
            ..Default::default()
        };
        self.offices.lock().unwrap().push(office);
    }

    fn authorization(
        &self,
        request: &pb::GetAuthorizationRequest,
    ) -> Result<pb::GetAuthorizationResponse, Status> {
        let person_id = Uuid::try_parse(&request.person_id).unwrap();
        let grant = |grant: &Grant| pb::OfficeGrant {
            office_id: grant.office_id.to_string(),
            role: role(&grant.role).into(),
            ..Default::default()
        };
        Ok(pb::GetAuthorizationResponse {
            session_live: !self.signed_out.load(Ordering::SeqCst),
            grants: self.grants(person_id).iter().map(grant).collect(),
            ..Default::default()
        })
    }

    fn person(
        &self,
        request: &pb::GetPersonForServiceRequest,
    ) -> Result<pb::GetPersonForServiceResponse, Status> {
        let id = Uuid::try_parse(&request.person_id).unwrap();
        let person = self.people.lock().unwrap().get(&id).cloned();
        let person = person.ok_or_else(|| Status::not_found("nobody"))?;
        Ok(pb::GetPersonForServiceResponse { person: Some(person) })
    }

    fn list(&self, _: &pb::ListOfficesRequest) -> Result<pb::ListOfficesResponse, Status> {
        Ok(pb::ListOfficesResponse {
            offices: self.offices.lock().unwrap().clone(),
            ..Default::default()
        })
    }

    fn memberships(
        &self,
        request: &pb::ListMembershipsRequest,
    ) -> Result<pb::ListMembershipsResponse, Status> {
        let office = Uuid::try_parse(&request.office_id).unwrap();
        let grants = self.grants.lock().unwrap();
        let all = grants
            .iter()
            .flat_map(|(person, grants)| grants.iter().map(move |grant| (person, grant)));
        let here = all.filter(|(_, grant)| grant.office_id == office);
        let memberships = here.map(|(person, grant)| pb::Membership {
            person_id: person.to_string(),
            office_id: office.to_string(),
            role: role(&grant.role).into(),
            from: Some(date(2026, 1, 1)),
            ..Default::default()
        });
        Ok(pb::ListMembershipsResponse {
            memberships: memberships.collect(),
            ..Default::default()
        })
    }
}

fn role(name: &str) -> pb::OfficeRole {
    match name {
        "agent" => pb::OfficeRole::Agent,
        "officer" => pb::OfficeRole::Officer,
        _ => pb::OfficeRole::Administrator,
    }
}

type Answer<T> = BoxFuture<'static, Result<T, Infallible>>;

/// The two services of which this package asks something.
macro_rules! service {
    ($name:ident, $full:literal, { $($method:literal => $handler:expr,)+ }) => {
        #[derive(Clone)]
        pub(crate) struct $name(pub(crate) Arc<State>);

        impl NamedService for $name {
            const NAME: &'static str = $full;
        }

        impl Service<http::Request<Body>> for $name {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Answer<Self::Response>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                let state = Arc::clone(&self.0);
                Box::pin(async move {
                    match request.uri().path().rsplit('/').next().unwrap_or_default() {
                        $($method => {
                            let method = Unary(state, $handler);
                            Ok(Grpc::new(ProstCodec::default()).unary(method, request).await)
                        })+
                        other => panic!("nobody asks {other}"),
                    }
                })
            }
        }
    };
}

service!(Directory, "wathiq.identity.v1.DirectoryService", {
    "GetAuthorization" => State::authorization,
    "GetPersonForService" => State::person,
});
service!(Offices, "wathiq.identity.v1.OfficeService", {
    "ListOffices" => State::list,
    "ListMemberships" => State::memberships,
});

struct Unary<F>(Arc<State>, F);

impl<M, A, F> UnaryService<M> for Unary<F>
where
    M: Send + 'static,
    A: Send + 'static,
    F: Fn(&State, &M) -> Result<A, Status> + Send + 'static,
{
    type Response = A;
    type Future = BoxFuture<'static, Result<Response<A>, Status>>;

    fn call(&mut self, request: Request<M>) -> Self::Future {
        let answer = if self.0.down.load(Ordering::SeqCst) {
            Err(Status::unavailable("down"))
        } else {
            (self.1)(&self.0, request.get_ref())
        };
        Box::pin(async move { answer.map(Response::new) })
    }
}
