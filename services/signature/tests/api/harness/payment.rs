//! Payment, as each test wants it: a server that speaks the real contract over mTLS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;
use wathiq_chassis::testing::Pki;
use wathiq_chassis::{ErrorDomain, GrpcServer, MethodRule, UserRule, status};
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::payable_service_server::{PayableService, PayableServiceServer};

const DOMAIN: ErrorDomain = ErrorDomain("payment.wathiq");

const fn rule(path: &'static str) -> MethodRule {
    MethodRule {
        path,
        clients: &["signature"],
        user: UserRule::None,
    }
}

const RULES: &[MethodRule] = &[
    rule("/wathiq.payment.v1.PayableService/OpenPayable"),
    rule("/wathiq.payment.v1.PayableService/GetPayable"),
    rule("/wathiq.payment.v1.PayableService/CancelPayable"),
    rule("/wathiq.payment.v1.PayableService/RequestRefund"),
];

/// What payment knows in this test.
#[derive(Default)]
struct Known {
    /// By owner reference.
    payables: HashMap<String, pb::Payable>,
    refunds: Vec<pb::RequestRefundRequest>,
    opened: usize,
}

/// A double whose answers are set by the test.
#[derive(Default)]
pub(crate) struct FakePayment {
    known: Mutex<Known>,
    down: AtomicBool,
}

impl FakePayment {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers nothing any more, or again.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// The payable of a request.
    pub(crate) fn payable(&self, request_id: &str) -> Option<pb::Payable> {
        self.known().payables.get(request_id).cloned()
    }

    /// Marks a payable as paid, as a payer does.
    pub(crate) fn pay(&self, request_id: &str) {
        let mut known = self.known();
        let payable = known.payables.get_mut(request_id).unwrap();
        payable.set_state(pb::PayableState::Paid);
    }

    /// The refunds that were asked for, each once.
    pub(crate) fn refunds(&self) -> Vec<pb::RequestRefundRequest> {
        self.known().refunds.clone()
    }

    /// How many payables were really opened.
    pub(crate) fn opened(&self) -> usize {
        self.known().opened
    }

    fn check_up(&self) -> Result<(), Status> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Status::unavailable("down"));
        }
        Ok(())
    }

    /// Serves until the test ends.
    pub(super) async fn serve(self: Arc<Self>, pki: &Pki, shutdown: &CancellationToken) -> SocketAddr {
        let server = GrpcServer::new(&pki.process("payment"), RULES, None)
            .unwrap()
            .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
            .add_service(PayableServiceServer::new(Shared(self)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, shutdown.clone()));
        address
    }
}

struct Shared(Arc<FakePayment>);

#[tonic::async_trait]
impl PayableService for Shared {
    async fn open_payable(
        &self,
        request: Request<pb::OpenPayableRequest>,
    ) -> Result<Response<pb::OpenPayableResponse>, Status> {
        self.0.check_up()?;
        let asked = request.into_inner();
        let mut known = self.0.known();
        let payable = match known.payables.get(&asked.owner_reference) {
            Some(standing) => standing.clone(),
            None => {
                known.opened += 1;
                let payable = pb::Payable {
                    payable_id: Uuid::now_v7().to_string(),
                    owner: "signature".to_owned(),
                    owner_reference: asked.owner_reference.clone(),
                    display_reference: asked.display_reference,
                    state: pb::PayableState::Open.into(),
                    amount_centimes: asked.items.iter().map(|item| item.amount_centimes).sum(),
                    items: asked.items,
                    payer_person_id: asked.payer_person_id,
                    expire_time: asked.expire_time,
                    ..Default::default()
                };
                known.payables.insert(asked.owner_reference, payable.clone());
                payable
            }
        };
        Ok(Response::new(pb::OpenPayableResponse {
            payable: Some(payable),
        }))
    }

    async fn get_payable(
        &self,
        _: Request<pb::GetPayableRequest>,
    ) -> Result<Response<pb::GetPayableResponse>, Status> {
        Err(Status::unimplemented("not asked by signature"))
    }

    async fn cancel_payable(
        &self,
        request: Request<pb::CancelPayableRequest>,
    ) -> Result<Response<pb::CancelPayableResponse>, Status> {
        self.0.check_up()?;
        let id = request.into_inner().payable_id;
        let mut known = self.0.known();
        let payable = known
            .payables
            .values_mut()
            .find(|payable| payable.payable_id == id);
        let payable = payable.ok_or_else(|| status::not_found(DOMAIN, "payable", &id))?;
        if payable.state() == pb::PayableState::Paid {
            return Err(status::failed_precondition(
                DOMAIN,
                "PAYABLE_PAID",
                id,
                "it is paid",
            ));
        }
        payable.set_state(pb::PayableState::Cancelled);
        Ok(Response::new(pb::CancelPayableResponse {
            payable: Some(payable.clone()),
        }))
    }

    async fn request_refund(
        &self,
        request: Request<pb::RequestRefundRequest>,
    ) -> Result<Response<pb::RequestRefundResponse>, Status> {
        self.0.check_up()?;
        let asked = request.into_inner();
        let mut known = self.0.known();
        if !known.refunds.contains(&asked) {
            known.refunds.push(asked);
        }
        Ok(Response::new(pb::RequestRefundResponse { refund: None }))
    }

    async fn list_payables(
        &self,
        _: Request<pb::ListPayablesRequest>,
    ) -> Result<Response<pb::ListPayablesResponse>, Status> {
        Err(Status::unimplemented("not asked by signature"))
    }

    async fn list_statement(
        &self,
        _: Request<pb::ListStatementRequest>,
    ) -> Result<Response<pb::ListStatementResponse>, Status> {
        Err(Status::unimplemented("not asked by signature"))
    }
}
