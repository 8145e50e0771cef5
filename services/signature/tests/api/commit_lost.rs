//! The database commits, and its answer is lost on the way: what the row names is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wathiq_chassis::Surface;
use wathiq_signature::app::upload_document::{Upload, upload_document};
use wathiq_signature::app::{App, AppError};
use wathiq_signature::config::DatabaseConfig;

use crate::harness::{Stack, World};
use crate::sample;
use crate::seal_interrupted::with_time_stamps;

/// The line to the database; it can be cut in one direction.
struct Line {
    port: u16,
    /// What the database says from now on is lost, and the connection with it.
    deaf: Arc<AtomicBool>,
}

impl Line {
    async fn to(port: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let deaf = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&deaf);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&cut)));
            }
        });
        Self { port: own, deaf }
    }
}

async fn carry(client: TcpStream, server: TcpStream, deaf: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asked = tokio::io::copy(&mut from_client, &mut to_server);
    let answered = async {
        let mut part = vec![0; 16 * 1024];
        loop {
            let length = from_server.read(&mut part).await?;
            if length == 0 || deaf.load(Ordering::SeqCst) {
                return Ok::<_, std::io::Error>(());
            }
            to_client.write_all(&part[..length]).await?;
        }
    };
    tokio::select! {
        _ = asked => {}
        _ = answered => {}
    }
}

impl World {
    /// Another process of the service, whose database is at the end of this line.
    fn over(&self, line: &Line) -> App {
        let own = self.database.config.clone();
        let port = |port: &str| format!(":{port}/");
        let real = port(&Stack::get().at("/postgres/port").to_string());
        assert!(own.url.contains(&real), "{}", own.url);
        let config = DatabaseConfig {
            url: own.url.replace(&real, &port(&line.port.to_string())),
            ..own
        };
        App {
            pool: config.pool().unwrap(),
            ..with_time_stamps(&self.app)
        }
    }

    /// From now on a document is committed when the lock 7 can be had.
    async fn hold_commits(&self) {
        let mut owner = self.owner().await;
        for sql in [
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON document DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait()",
        ] {
            sqlx::query(sql).execute(&mut owner).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_document_whose_commit_was_answered_to_nobody_keeps_its_file() {
    let world = World::start().await;
    world.hold_commits().await;
    let line = Line::to(Stack::get().at("/postgres/port").as_u64().unwrap()).await;
    let app = world.over(&line);
    let claims = world.claims(world.citizen(), Surface::Citizen);
    let caller = wathiq_chassis::testing::caller(&claims);
    let upload = Upload {
        request_id: uuid::Uuid::new_v4(),
        file_name: "a.pdf".to_owned(),
        length: None,
    };
    let chunks = stream::iter([Ok(Bytes::from(sample::plain(1)))]);
    let mut other = world.database.connect().await;
    sqlx::query("SELECT pg_advisory_lock(7)")
        .execute(&mut other)
        .await
        .unwrap();

    let uploading = upload_document(&app, &caller, upload, chunks, |_| Vec::new());
    let (lost, ()) = tokio::join!(uploading, async {
        let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
        let bound = Instant::now() + Duration::from_secs(30);
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut other)
            .await
            .unwrap()
        {
            assert!(Instant::now() < bound, "nothing is committed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        line.deaf.store(true, Ordering::SeqCst);
        sqlx::query("SELECT pg_advisory_unlock_all()")
            .execute(&mut other)
            .await
            .unwrap();
    });
    assert!(matches!(lost, Err(AppError::Store(_))), "{lost:?}");
    let key: String = sqlx::query_scalar("SELECT object_key FROM document WHERE state = 'ACCEPTED'")
        .fetch_one(&mut other)
        .await
        .expect("the commit stands");
    assert!(world.app.objects.exists(&key).await.unwrap(), "its file is there");
}
