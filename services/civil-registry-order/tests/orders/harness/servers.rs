//! The servers of a world: the service itself, and the doubles of those it asks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::{Ambient, GrpcServer, ManualClock};
use wathiq_civil_registry_order::app::App;
use wathiq_civil_registry_order::clients::identity::Identity;
use wathiq_civil_registry_order::clients::payment::Payment;
use wathiq_civil_registry_order::clients::postal_shipping::PostalShipping;
use wathiq_civil_registry_order::clients::signature::Signature;
use wathiq_civil_registry_order::config::OrderSettings;
use wathiq_civil_registry_order::documents::aside::Aside;
use wathiq_civil_registry_order::grpc;
use wathiq_civil_registry_order::storage::{Objects, StorageConfig};
use wathiq_documents::Engine;
use wathiq_proto::wathiq::payment::v1::payable_service_server::PayableServiceServer;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_server::ShipmentServiceServer;
use wathiq_proto::wathiq::signature::v1::issued_document_service_server::IssuedDocumentServiceServer;

use super::{Database, identity, peers};

/// The service's own parts, with the other services behind their contracts.
pub(super) async fn app(
    pki: &Pki,
    database: &Database,
    folder: &TempDir,
    identity: &Arc<identity::State>,
    peers: &Arc<peers::State>,
    ambient: Ambient,
    shutdown: &CancellationToken,
) -> Arc<App> {
    let server = |name, rules| {
        let verifier = testing::verifier(Arc::clone(&ambient.clock));
        GrpcServer::new(&pki.process(name), rules, Some(verifier))
            .unwrap()
            .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
    };
    let own = "civil-registry-order";
    let offices = server("identity", identity::RULES)
        .add_service(identity::Directory(Arc::clone(identity)))
        .add_service(identity::Offices(Arc::clone(identity)));
    let payment = server("payment", peers::PAYMENT)
        .add_service(PayableServiceServer::new(peers::Payment(Arc::clone(peers))));
    let postal = server("postal-shipping", peers::POSTAL)
        .add_service(ShipmentServiceServer::new(peers::Postal(Arc::clone(peers))));
    let sealing = server("signature", peers::SIGNATURE).add_service(IssuedDocumentServiceServer::new(
        peers::Sealing(Arc::clone(peers)),
    ));
    let reach = |name, address| pki.channel(own, name, address).unwrap();
    let identity = reach("identity", listen(offices, shutdown).await);
    let url = format!("file://{}", folder.path().join("objects").display());
    let storage = StorageConfig {
        url,
        options: Default::default(),
    };
    Arc::new(App {
        pool: database.config.pool().unwrap(),
        objects: Objects::open(&storage).unwrap(),
        identity: Identity::new(identity, ambient.clone(), Duration::ZERO),
        payment: Payment::new(reach("payment", listen(payment, shutdown).await)),
        postal: PostalShipping::new(reach("postal-shipping", listen(postal, shutdown).await)),
        signature: Signature::new(reach("signature", listen(sealing, shutdown).await)),
        engine: Arc::new(Engine::new()),
        aside: Aside::new(Some(env!("CARGO_BIN_EXE_civil-registry-order").into())),
        orders: OrderSettings {
            verification_url: "https://wathiq.test".to_owned(),
            // A driver that looks by itself would hide that nobody wakes it.
            driver_seconds: 3_600,
            ..OrderSettings::default()
        },
        ambient,
    })
}

async fn listen(server: GrpcServer, shutdown: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    address
}

/// Where the service answers.
pub(super) async fn serve(
    pki: &Pki,
    app: &Arc<App>,
    clock: &Arc<ManualClock>,
    shutdown: &CancellationToken,
) -> SocketAddr {
    let verifier = testing::verifier(Arc::clone(clock) as _);
    let process = pki.process("civil-registry-order");
    let server = GrpcServer::new(&process, grpc::rules::RULES, Some(verifier)).unwrap();
    let server = grpc::add_services(server.descriptor(wathiq_proto::FILE_DESCRIPTOR_SET), app);
    listen(server, shutdown).await
}
