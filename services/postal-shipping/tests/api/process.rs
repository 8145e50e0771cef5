//! The process as it is configured and run.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::testing::Pki;
use wathiq_chassis::{Ambient, Readiness};
use wathiq_postal_shipping::Settings;
use wathiq_postal_shipping::domain::vocabulary::Product;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_client::ShipmentServiceClient;

use crate::harness::{Database, FakeCarrier, carrier_config, create};

/// The example of the README is a configuration.
#[test]
fn the_readme_shows_a_configuration_that_is_read() {
    let readme = include_str!("../../README.md");
    let example = readme
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let settings: Settings = toml::from_str(example).unwrap();
    assert_eq!(settings.numbers.low_water().numbers, 500);
    assert_eq!(
        settings
            .silence
            .limits()
            .of(Product::RegisteredDomestic)
            .num_days(),
        7
    );
    let unknown = example.replace("low_numbers", "low_number");
    assert!(toml::from_str::<Settings>(&unknown).is_err());
}

/// The whole process: it becomes ready once the tables are there, and its workers bring lists to the carrier.
#[tokio::test]
async fn the_service_becomes_ready_and_announces_by_itself() {
    let (pki, folder, database, carrier) = (
        Pki::new(),
        tempfile::tempdir().unwrap(),
        Database::create().await,
        FakeCarrier::start().await,
    );
    let tls = pki.issue("postal-shipping");
    let settings = Settings {
        process: pki.process("postal-shipping"),
        database: database.config.clone(),
        // Nobody listens there: events wait, and the service serves.
        kafka: serde_json::from_value(
            json!({ "brokers": "127.0.0.1:1", "ca": tls.ca, "certificate": tls.certificate, "key": tls.key }),
        )
        .unwrap(),
        upstream: serde_json::from_value(
            json!({ "identity": { "addresses": ["127.0.0.1:1"], "server_name": "identity" } }),
        )
        .unwrap(),
        tokens: Default::default(),
        carrier: carrier_config(&folder, carrier.url()),
        numbers: Default::default(),
        silence: Default::default(),
        retention: Default::default(),
        codes: Default::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
    let service = wathiq_postal_shipping::serve(
        settings,
        listener,
        readiness.clone(),
        Ambient::system(),
        shutdown.clone(),
    );
    let service = tokio::spawn(service);
    tokio::time::timeout(Duration::from_secs(20), readiness.wait_ready())
        .await
        .unwrap();
    // A range, as an administrator would have allocated it.
    sqlx::query(
        "INSERT INTO number_range (id, version, service_indicator, country_code, first_serial, last_serial, next_serial, product, span, created_at)
         VALUES (gen_random_uuid(), 1, 'RR', 'MA', 1, 9, 1, 'REGISTERED_DOMESTIC', int8range(1, 9, '[]'), now())",
    )
    .execute(&mut database.connect().await)
    .await
    .unwrap();
    let mut client = ShipmentServiceClient::new(
        pki.channel("civil-registry-order", "postal-shipping", address)
            .unwrap(),
    );
    let created = client
        .create_shipment(create("parcel-1"))
        .await
        .unwrap()
        .into_inner()
        .shipment
        .unwrap();
    let hand_over = pb::HandOverRequest {
        request_id: crate::harness::request_id(),
        office_id: created.office_id.clone(),
        shipment_ids: vec![created.shipment_id],
        person_id: String::new(),
    };
    let list = client
        .hand_over(hand_over)
        .await
        .unwrap()
        .into_inner()
        .deposit_list
        .unwrap();
    let announced = async {
        while carrier.got().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), announced)
        .await
        .unwrap();
    assert_eq!(carrier.got()[0].id, list.deposit_list_id);
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(20), service)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}
