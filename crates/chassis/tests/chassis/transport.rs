//! Certificates, replicas and connections.

use std::{collections::BTreeSet, net::SocketAddr};

use tokio::net::TcpListener;
use tonic::Code;
use wathiq_chassis::{
    TlsIdentity, UpstreamConfig, client,
    status::{error_info, reason},
    testing::{self, Pki, TRUST_DOMAIN},
};

use crate::probe::{self, Probe, SEE_ALONE, World, see};

#[tokio::test]
async fn a_server_of_another_name_is_refused_by_the_client() {
    let world = World::new().await;
    let channel = world
        .pki
        .channel("gateway", "identity", world.server.address)
        .unwrap();
    let status = see(&channel, SEE_ALONE, None).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_deref()),
        (Code::Unavailable, Some("UPSTREAM_UNAVAILABLE"))
    );
    assert_eq!(error_info(&status).unwrap().metadata["upstream"], "identity");
}

#[tokio::test]
async fn a_client_of_another_authority_or_trust_domain_is_refused() {
    let world = World::new().await;
    let elsewhere = Pki::new();
    let foreign = elsewhere
        .channel("gateway", "probe", world.server.address)
        .unwrap();
    assert_eq!(
        see(&foreign, SEE_ALONE, None).await.unwrap_err().code(),
        Code::Unavailable
    );

    let uri = "spiffe://elsewhere.test/gateway".to_owned();
    let files = world.pki.issue_named("elsewhere", &[uri]);
    let upstream = UpstreamConfig {
        addresses: vec![world.server.address.to_string()],
        server_name: "probe".to_owned(),
    };
    assert!(
        client::channel(&upstream, &files, TRUST_DOMAIN).is_err(),
        "the own certificate is checked too"
    );
}

#[tokio::test]
async fn names_that_are_not_one_plain_uri_are_no_identity() {
    let pki = Pki::new();
    let good = format!("spiffe://{TRUST_DOMAIN}/identity");
    for uris in [
        vec![],
        vec![good.clone(), format!("spiffe://{TRUST_DOMAIN}/gateway")],
        vec![format!("spiffe://{TRUST_DOMAIN}/")],
        vec![format!("spiffe://{TRUST_DOMAIN}/ns/identity")],
        vec![format!("spiffe://{TRUST_DOMAIN}.example/identity")],
        vec![format!("https://{TRUST_DOMAIN}/identity")],
    ] {
        let files = pki.issue_named("odd", &uris);
        assert!(TlsIdentity::load(&files, TRUST_DOMAIN).is_err(), "{uris:?}");
    }
    assert!(TlsIdentity::load(&pki.issue_named("odd", &[good]), TRUST_DOMAIN).is_ok());
}

#[tokio::test]
async fn new_certificate_files_serve_new_handshakes_without_a_restart() {
    let world = World::new().await;
    see(&world.channel, SEE_ALONE, None).await.unwrap();
    assert!(!world.server.identity.refresh().unwrap(), "nothing has changed");

    // A certificate of the same authority with another name: a client can tell the two apart.
    world
        .pki
        .issue_named("probe", &[format!("spiffe://{TRUST_DOMAIN}/successor")]);
    world.server.identity.refresh().unwrap();
    let successor = world
        .pki
        .channel("gateway", "successor", world.server.address)
        .unwrap();
    see(&successor, SEE_ALONE, None).await.unwrap();
    let stale = world
        .pki
        .channel("gateway", "probe", world.server.address)
        .unwrap();
    assert_eq!(
        see(&stale, SEE_ALONE, None).await.unwrap_err().code(),
        Code::Unavailable
    );
    see(&world.channel, SEE_ALONE, None)
        .await
        .expect("the connection that stands goes on");
}

#[tokio::test]
async fn half_written_files_leave_the_old_identity_in_use() {
    let world = World::new().await;
    let files = world.pki.issue("other");
    let own = world.pki.process("probe").tls;
    world.server.identity.refresh().unwrap();
    std::fs::copy(&files.key, &own.key).unwrap();
    assert!(
        world.server.identity.refresh().is_err(),
        "the key is another certificate's"
    );
    let channel = world
        .pki
        .channel("gateway", "probe", world.server.address)
        .unwrap();
    see(&channel, SEE_ALONE, None).await.unwrap();
}

async fn replica(pki: &Pki, name: &str) -> probe::Running {
    let mut config = pki.process("probe");
    config.name = name.to_owned();
    probe::start(&config, Probe::new(name), testing::verifier(probe::clock())).await
}

fn pool(pki: &Pki, addresses: &[SocketAddr]) -> client::Channel {
    let upstream = UpstreamConfig {
        addresses: addresses.iter().map(ToString::to_string).collect(),
        server_name: "probe".to_owned(),
    };
    client::channel(&upstream, &pki.issue("gateway"), TRUST_DOMAIN).unwrap()
}

async fn servers_seen(channel: &client::Channel, calls: usize) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for _ in 0..calls {
        seen.insert(see(channel, SEE_ALONE, None).await.unwrap().server);
    }
    seen
}

#[tokio::test]
async fn replicas_are_asked_in_turn_and_a_dead_one_is_passed_over() {
    let pki = Pki::new();
    let (one, two) = (replica(&pki, "one").await, replica(&pki, "two").await);
    let channel = pool(&pki, &[one.address, two.address]);
    assert_eq!(servers_seen(&channel, 2).await.len(), 2);

    one.shutdown.cancel();
    one.task.await.unwrap().unwrap();
    assert_eq!(
        servers_seen(&channel, 6).await,
        BTreeSet::from(["two".to_owned()])
    );

    two.shutdown.cancel();
    two.task.await.unwrap().unwrap();
    assert_eq!(
        see(&channel, SEE_ALONE, None).await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_replica_that_comes_back_is_used_again() {
    let pki = Pki::new();
    // Another program may take the port while nobody listens on it; then all begins anew on another one.
    let (channel, config) = loop {
        let one = replica(&pki, "one").await;
        let channel = pool(&pki, &[one.address]);
        see(&channel, SEE_ALONE, None).await.unwrap();
        one.shutdown.cancel();
        one.task.await.unwrap().unwrap();
        let gone = see(&channel, SEE_ALONE, None).await.is_err();
        if TcpListener::bind(one.address).await.is_ok() {
            assert!(gone);
            let mut config = pki.process("probe");
            config.listen = one.address;
            break (channel, config);
        }
    };
    let again = probe::start(&config, Probe::new("again"), testing::verifier(probe::clock())).await;
    assert_eq!(again.address, config.listen);
    assert_eq!(
        servers_seen(&channel, 1).await,
        BTreeSet::from(["again".to_owned()])
    );
}

#[tokio::test]
async fn connections_that_grow_old_lose_no_call() {
    let pki = Pki::new();
    let mut config = pki.process("probe");
    config.connection_age_seconds = 0;
    let server = probe::start(&config, Probe::new("probe"), testing::verifier(probe::clock())).await;
    let channel = pool(&pki, &[server.address]);
    let calls = (0..100).map(|_| see(&channel, SEE_ALONE, None));
    for answer in futures::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(servers_seen(&channel, 50).await.len(), 1);
}

#[tokio::test]
async fn a_peer_without_a_certificate_never_reaches_a_handler() {
    let world = World::new().await;
    let mut stream = tokio::net::TcpStream::connect(world.server.address)
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
    drop(probe::soon(read).await);
    assert!(
        !answer.windows(4).any(|bytes| bytes == b"grpc"),
        "plain text got an answer: {answer:?}"
    );
}

#[tokio::test]
async fn an_upstream_that_is_not_there_yet_is_waited_for_by_nobody() {
    let pki = Pki::new();
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let channel = pool(&pki, &[free]);
    assert_eq!(
        see(&channel, SEE_ALONE, None).await.unwrap_err().code(),
        Code::Unavailable
    );
}
