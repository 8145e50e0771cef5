//! One server that plays all services.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Request, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::Service;
use wathiq_chassis::server::method_paths;
use wathiq_chassis::testing::Pki;
use wathiq_chassis::{GrpcServer, MethodRule, UserRule};

pub(crate) const EXCHANGE: &str = "/wathiq.identity.v1.SessionService/ExchangeSession";
pub(crate) const QUOTA: &str = "/wathiq.identity.v1.DirectoryService/TakeQuota";

const SERVICES: [&str; 23] = [
    "wathiq.identity.v1.AccountService",
    "wathiq.identity.v1.ConfirmationService",
    "wathiq.identity.v1.DirectoryService",
    "wathiq.identity.v1.OfficeService",
    "wathiq.identity.v1.SessionService",
    "wathiq.identity.v1.SpecimenService",
    "wathiq.notification.v1.MessageService",
    "wathiq.signature.v1.DocumentService",
    "wathiq.signature.v1.LegalisationService",
    "wathiq.signature.v1.OfficeService",
    "wathiq.signature.v1.VerificationService",
    "wathiq.signature.v1.IssuedDocumentService",
    "wathiq.payment.v1.PaymentService",
    "wathiq.payment.v1.ProviderService",
    "wathiq.payment.v1.ReconciliationService",
    "wathiq.postal_shipping.v1.CarrierService",
    "wathiq.postal_shipping.v1.OfficeService",
    "wathiq.postal_shipping.v1.RangeService",
    "wathiq.postal_shipping.v1.TrackingService",
    "wathiq.civil_registry_order.v1.ActService",
    "wathiq.civil_registry_order.v1.AdministrationService",
    "wathiq.civil_registry_order.v1.OfficeService",
    "wathiq.civil_registry_order.v1.OrderService",
];

/// A call as a service received it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) messages: Vec<Bytes>,
    /// The client ended its side; false where it broke the call off.
    pub(crate) whole: bool,
}

impl Call {
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        M::decode(self.messages.first().cloned().unwrap_or_default()).unwrap()
    }
}

type Answer = Result<Vec<Vec<u8>>, Status>;
type Handler = Arc<dyn Fn(&Call) -> Answer + Send + Sync>;

/// The services: every method answers one empty message unless told otherwise.
#[derive(Default)]
pub(crate) struct Stub {
    handlers: Mutex<HashMap<String, Handler>>,
    begun: Mutex<Vec<String>>,
    calls: Mutex<Vec<Call>>,
}

impl Stub {
    pub(crate) fn on(&self, path: &str, handler: impl Fn(&Call) -> Answer + Send + Sync + 'static) {
        self.handlers
            .lock()
            .unwrap()
            .insert(path.to_owned(), Arc::new(handler));
    }

    pub(crate) fn answers(&self, path: &str, message: &impl Message) {
        let bytes = message.encode_to_vec();
        self.on(path, move |_| Ok(vec![bytes.clone()]));
    }

    pub(crate) fn refuses(&self, path: &str, status: Status) {
        self.on(path, move |_| Err(status.clone()));
    }

    /// The calls of a method so far.
    pub(crate) fn calls(&self, path: &str) -> Vec<Call> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| call.path == path)
            .cloned()
            .collect()
    }

    /// How many calls of a method have begun, ended or not.
    pub(crate) fn begun(&self, path: &str) -> usize {
        let begun = self.begun.lock().unwrap();
        begun.iter().filter(|begun| *begun == path).count()
    }

    /// Whether a call of a method has begun, ended or not.
    pub(crate) fn has_begun(&self, path: &str) -> bool {
        self.begun(path) > 0
    }

    /// Calls that carry the user's work, without the gateway's own.
    pub(crate) fn work(&self) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter(|call| call.path != EXCHANGE && call.path != QUOTA)
            .cloned()
            .collect()
    }

    pub(crate) fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    async fn serve(&self, request: Request<tonic::body::Body>) -> http::Response<tonic::body::Body> {
        let (parts, mut body) = request.into_parts();
        self.begun.lock().unwrap().push(parts.uri.path().to_owned());
        let mut bytes = Vec::new();
        let mut whole = true;
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => bytes.extend_from_slice(&data),
                Ok(Err(_)) => {}
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        let path = parts.uri.path().to_owned();
        let call = Call {
            path,
            headers: parts.headers,
            messages: messages(bytes.into()),
            whole,
        };
        self.calls.lock().unwrap().push(call.clone());
        let handler = self.handlers.lock().unwrap().get(&call.path).cloned();
        let answer = handler.map_or_else(|| Ok(vec![Vec::new()]), |handler| handler(&call));
        respond(answer)
    }
}

fn messages(mut bytes: Bytes) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while bytes.remaining() >= 5 {
        assert_eq!(bytes.get_u8(), 0, "messages are not compressed");
        let length = bytes.get_u32() as usize;
        messages.push(bytes.split_to(length.min(bytes.len())));
    }
    messages
}

fn respond(answer: Answer) -> http::Response<tonic::body::Body> {
    let (messages, status) = match answer {
        Ok(messages) => (messages, Status::new(Code::Ok, "")),
        Err(status) => return status.into_http(),
    };
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).unwrap();
    let frames = messages.into_iter().map(|message| {
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend(message);
        Ok::<_, Status>(Frame::data(Bytes::from(framed)))
    });
    let frames: Vec<_> = frames.chain([Ok(Frame::trailers(trailers))]).collect();
    let body = tonic::body::Body::new(StreamBody::new(futures::stream::iter(frames)));
    let response = http::Response::builder().header(header::CONTENT_TYPE, "application/grpc");
    response.body(body).unwrap()
}

#[derive(Clone)]
struct Stubbed<const N: usize>(Arc<Stub>);

impl<const N: usize> NamedService for Stubbed<N> {
    const NAME: &'static str = SERVICES[N];
}

impl<const N: usize> Service<Request<tonic::body::Body>> for Stubbed<N> {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let stub = Arc::clone(&self.0);
        Box::pin(async move { Ok(stub.serve(request).await) })
    }
}

/// The methods of the stubbed services.
pub(crate) fn all_methods() -> Vec<String> {
    let paths = method_paths(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
    let stubbed = |path: &String| {
        SERVICES
            .iter()
            .any(|service| path.starts_with(&format!("/{service}/")))
    };
    paths.into_iter().filter(stubbed).collect()
}

pub(crate) async fn serve_stub(pki: &Pki, stub: &Arc<Stub>, shutdown: &CancellationToken) -> String {
    let rules: Vec<MethodRule> = all_methods()
        .into_iter()
        .map(|path| MethodRule {
            path: path.leak(),
            clients: &["gateway"],
            user: UserRule::None,
        })
        .collect();
    let server = GrpcServer::new(&pki.process("services"), rules.leak(), None)
        .unwrap()
        .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
        .add_service(Stubbed::<0>(stub.clone()))
        .add_service(Stubbed::<1>(stub.clone()))
        .add_service(Stubbed::<2>(stub.clone()))
        .add_service(Stubbed::<3>(stub.clone()))
        .add_service(Stubbed::<4>(stub.clone()))
        .add_service(Stubbed::<5>(stub.clone()))
        .add_service(Stubbed::<6>(stub.clone()))
        .add_service(Stubbed::<7>(stub.clone()))
        .add_service(Stubbed::<8>(stub.clone()))
        .add_service(Stubbed::<9>(stub.clone()))
        .add_service(Stubbed::<10>(stub.clone()))
        .add_service(Stubbed::<11>(stub.clone()))
        .add_service(Stubbed::<12>(stub.clone()))
        .add_service(Stubbed::<13>(stub.clone()))
        .add_service(Stubbed::<14>(stub.clone()))
        .add_service(Stubbed::<15>(stub.clone()))
        .add_service(Stubbed::<16>(stub.clone()))
        .add_service(Stubbed::<17>(stub.clone()))
        .add_service(Stubbed::<18>(stub.clone()))
        .add_service(Stubbed::<19>(stub.clone()))
        .add_service(Stubbed::<20>(stub.clone()))
        .add_service(Stubbed::<21>(stub.clone()))
        .add_service(Stubbed::<22>(stub.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    address
}
