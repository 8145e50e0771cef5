//! The real process, killed between an act and its record, and started again: money is as it was agreed, and nothing is done twice.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;
use wathiq_chassis::Ambient;
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::provider_service_client::ProviderServiceClient;

use crate::harness::cmi::callback;
use crate::harness::{Stack, World, form_fields, settings};

const BINARY: &str = env!("CARGO_BIN_EXE_payment");
/// Starting, and any one step, takes a fraction of it.
const BOUND: Duration = Duration::from_secs(60);

/// A process on the database and the providers of a world. It ends with the test at the latest.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    async fn start(world: &World) -> Self {
        // Nobody else takes the port in the moment between.
        let address = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let path = world.secrets.path().join("payment.toml");
        let settings = configuration(world, address);
        std::fs::write(&path, toml::to_string(&settings).unwrap()).unwrap();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(world.secrets.path().join("log"))
            .unwrap();
        let child = Command::new(BINARY)
            .args(["--config", path.to_str().unwrap(), "serve"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn();
        let running = Self {
            child: child.unwrap(),
            address,
        };
        until(world, "the process", async || {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        running
    }

    /// SIGKILL: nothing is tidied up. The lease that it held runs out.
    async fn kill(mut self, world: &World) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        sqlx::query("UPDATE attempt SET lease_until = now() - interval '1 second' WHERE lease IS NOT NULL")
            .execute(&mut world.database.connect().await)
            .await
            .unwrap();
    }

    /// The provider's message, on its way to this process.
    fn post(
        &self,
        world: &World,
        fields: &[(String, String)],
    ) -> tokio::task::JoinHandle<Result<String, tonic::Status>> {
        let channel = world.pki.channel("gateway", "payment", self.address).unwrap();
        let message = pb::ReceiveCallbackRequest {
            provider: "cmi".to_owned(),
            fields: form_fields(fields),
            ..Default::default()
        };
        tokio::spawn(async move {
            let answer = ProviderServiceClient::new(channel)
                .receive_callback(message)
                .await?;
            Ok(answer.into_inner().answer)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            self.child.kill().expect("a running child can be killed");
            self.child.wait().expect("a killed child ends");
        }
    }
}

fn configuration(world: &World, address: SocketAddr) -> Value {
    let (cmi, phone) = (&world.cmi, &world.phone);
    let database = &world.database.config.url;
    let mut settings = settings(&world.pki, &world.secrets, cmi, phone, database);
    settings["process"]["listen"] = json!(address);
    settings["database"]["password_file"] = json!(Stack::get().text("/postgres/roles/wathiq_payment_app"));
    settings["work"] = json!({
        "poll_seconds": 1, "capture_after_seconds": 1, "unknown_seconds": 1, "soon_seconds": 1, "interval_milliseconds": 50,
    });
    settings
}

async fn until(world: &World, what: &str, reached: impl AsyncFn() -> bool) {
    let bound = Instant::now() + BOUND;
    while !reached().await {
        let log = || std::fs::read_to_string(world.secrets.path().join("log")).unwrap_or_default();
        assert!(Instant::now() < bound, "{what} is not reached: {}", log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn count(world: &World, sql: &'static str) -> i64 {
    let mut conn = world.database.connect().await;
    sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
}

/// A world of today, whose processes have the machine's clock, and a card whose payment the bank has authorised.
async fn authorised() -> (World, pb::Payable, crate::harness::Card, String) {
    let world = World::start_at(Ambient::system().now()).await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    (world, payable, card, transaction)
}

const PAID_EVENTS: &str = "SELECT count(*) FROM outbox WHERE event_type = 'wathiq.payment.v1.PayablePaid'";
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Killed with the message in hand, before anything is written, and again when it is written and not answered.
#[tokio::test]
async fn killed_between_a_success_and_its_answer() {
    let (world, payable, card, transaction) = authorised().await;
    let fields = callback(&card.form, &transaction, "00");
    let mut held: PgConnection = world.database.connect().await;
    for sql in ["BEGIN", "SELECT id FROM payable FOR UPDATE"] {
        sqlx::query(sql).execute(&mut held).await.unwrap();
    }
    let first = Running::start(&world).await;
    let posting = first.post(&world, &fields);
    until(&world, "the wait for the payable", async || {
        count(&world, WAITING).await > 0
    })
    .await;
    first.kill(&world).await;
    assert!(posting.await.unwrap().is_err());
    held.close().await.unwrap();
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Open
    );

    let second = Running::start(&world).await;
    let answered = second.post(&world, &fields);
    until(&world, "the answer's row", async || {
        count(&world, "SELECT count(*) FROM answer").await == 1
    })
    .await;
    second.kill(&world).await;
    // Whatever became of it on the way, the provider has not seen it.
    drop(answered);
    let paid = world.payable(&payable.payable_id).await;
    assert_eq!(paid.state(), pb::PayableState::Paid);

    let third = Running::start(&world).await;
    let answer = third.post(&world, &fields).await.unwrap().unwrap();
    assert_eq!(answer, "ACTION=POSTAUTH");
    until(&world, "the capture", async || {
        count(&world, "SELECT count(*) FROM attempt WHERE state = 'CAPTURED'").await == 1
    })
    .await;
    third.kill(&world).await;
    assert_eq!((count(&world, PAID_EVENTS).await, world.cmi.held()), (1, 2_000));
    assert_eq!(world.cmi.count("PostAuth"), 1);
    assert_eq!(world.cmi.transactions(&card.oid())[0].state, 'C');
}

/// Killed while the provider's answers to a capture and to a credit are on their way.
#[tokio::test]
async fn killed_between_a_capture_or_a_credit_and_its_record() {
    let (world, payable, card, transaction) = authorised().await;
    let id = payable.payable_id.as_str();
    assert_eq!(
        world.post(&callback(&card.form, &transaction, "00")).await,
        "ACTION=POSTAUTH"
    );
    killed_while_held(&world, "PostAuth").await;
    assert_eq!(world.cmi.transactions(&card.oid())[0].state, 'C');
    let authorised = world.payable(id).await;
    assert_eq!(authorised.attempts[0].state(), pb::AttemptState::Authorised);

    let second = Running::start(&world).await;
    until(&world, "the capture's record", async || {
        count(&world, "SELECT count(*) FROM attempt WHERE state = 'CAPTURED'").await == 1
    })
    .await;
    second.kill(&world).await;
    assert_eq!(world.cmi.count("PostAuth"), 1);

    world.try_refund(id, "line-1", 1_200).await.unwrap();
    killed_while_held(&world, "Credit").await;
    assert_eq!(world.cmi.held(), 800);
    let requested = world.payable(id).await;
    assert_eq!(requested.refunds[0].state(), pb::RefundState::Requested);

    let fourth = Running::start(&world).await;
    until(&world, "the credit's record", async || {
        count(&world, "SELECT count(*) FROM refund WHERE state = 'COMPLETED'").await == 1
    })
    .await;
    fourth.kill(&world).await;
    let refunded = world.payable(id).await;
    assert_eq!((refunded.refunded_centimes, world.cmi.held()), (1_200, 800));
    assert_eq!(world.cmi.count("Credit"), 1);
    assert_eq!(count(&world, PAID_EVENTS).await, 1);
}

/// Killed while the answer to a void is on its way: money that came too late is back once.
#[tokio::test]
async fn killed_between_a_void_and_its_record() {
    let (world, payable, card, transaction) = authorised().await;
    world.try_cancel(&payable.payable_id).await.unwrap();
    assert_eq!(
        world.post(&callback(&card.form, &transaction, "00")).await,
        "APPROVED"
    );
    killed_while_held(&world, "Void").await;
    let voiding = world.payable(&payable.payable_id).await;
    assert_eq!(voiding.attempts[0].state(), pb::AttemptState::Voiding);
    let second = Running::start(&world).await;
    until(&world, "the void's record", async || {
        count(&world, "SELECT count(*) FROM attempt WHERE state = 'VOIDED'").await == 1
    })
    .await;
    second.kill(&world).await;
    assert_eq!((world.cmi.count("Void"), world.cmi.held()), (1, 0));
    assert_eq!(count(&world, PAID_EVENTS).await, 0);
}

/// The process is killed when the provider has done an act and not answered.
async fn killed_while_held(world: &World, kind: &str) {
    world.cmi.hold(kind, true);
    let running = Running::start(world).await;
    until(world, kind, async || world.cmi.count(kind) == 1).await;
    running.kill(world).await;
    world.cmi.hold(kind, false);
}
