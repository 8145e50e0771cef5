//! What was handed over is noted, whatever happens between the server's answer and the note of it.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::Template;
use wathiq_notification::{Settings, sender};
use wathiq_outbox::Record;

use crate::codes::held;
use crate::harness::{World, wait_until, with_world_of};
use crate::smtp::server::{Server, Verdict};
use crate::smtp::{plain, queue, queue_receipt};

fn patient(port: u16) -> impl FnOnce(&mut Settings) {
    move |settings| {
        plain(port)(settings);
        settings.mail.seconds = 60;
    }
}

async fn taken(server: &Server, count: usize) {
    wait_until("the mail is taken", async || server.taken().len() == count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_away_between_the_answer_and_the_note_sends_no_second_mail() {
    let server = Server::start([Verdict::TakeWhenTold]).await;
    with_world_of(patient(server.port), async |world| {
        let record = queue(world).await;
        let id = world.message(&record).await.message_id.to_string();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(sender::run(Arc::clone(&world.app), 4, shutdown.clone()));
        taken(&server, 1).await;
        world.set_database(false).await;
        server.answer();
        wait_until("the note waits", async || {
            let text = crate::logs::start().text();
            text.lines()
                .any(|line| line.contains("message.outcome_waits") && line.contains(&id))
        })
        .await;
        // The database is away for longer than the lease; the process lives on.
        world.clock.advance(TimeDelta::hours(1));
        world.set_database(true).await;
        wait_until("the mail is noted", async || {
            world.message(&record).await.state == "sent"
        })
        .await;
        shutdown.cancel();
        running.await.unwrap();
        assert_eq!(world.message(&record).await.attempts, 1);
        assert_eq!(world.send_due().await, 0);
        assert_eq!(server.taken().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_told_to_end_waits_for_the_answer_and_puts_off_what_it_only_prepares() {
    let server = Server::start([Verdict::TakeWhenTold]).await;
    with_world_of(patient(server.port), async |world| {
        assert!(sender::drain(world.settings.hand_over()).as_secs() > world.settings.mail.seconds);
        let code = held(world, Template::SignUpCode, Channel::Email, Language::French);
        world.deliver(&code).await;
        // Held up before its hand-over.
        world.signature.state().silent = true;
        let sealed = queue(world).await;
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(sender::run(Arc::clone(&world.app), 4, shutdown.clone()));
        taken(&server, 1).await;
        wait_until("both are begun", async || {
            world.message(&sealed).await.attempts == 1
        })
        .await;
        shutdown.cancel();
        logged_as_put_off(world, &sealed).await;
        assert!(!running.is_finished());
        server.answer();
        running.await.unwrap();
        assert_eq!(world.message(&code).await.state, "sent");
        assert_eq!(server.taken().len(), 1);
        world.signature.state().silent = false;
        world.clock.advance(TimeDelta::seconds(5));
        assert_eq!(world.send_due().await, 1);
        assert_eq!(world.message(&sealed).await.state, "sent");
        assert_eq!(server.taken().len(), 2);
    })
    .await;
}

async fn logged_as_put_off(world: &World, sealed: &Record) {
    wait_until("the other one is put off", async || {
        let row = world.message(sealed).await;
        row.state == "queued" && row.failure_code.as_deref() == Some("INTERRUPTED")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_goes_out_while_a_slow_server_holds_all_other_mail_up() {
    let server = Server::start([Verdict::TakeWhenTold; 9]).await;
    with_world_of(patient(server.port), async |world| {
        let mut sealed = Vec::new();
        for _ in 0..4 {
            sealed.push(queue(world).await);
        }
        for _ in 0..4 {
            queue_receipt(world).await;
        }
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(sender::run(Arc::clone(&world.app), 4, shutdown.clone()));
        taken(&server, 3).await;
        let code = held(world, Template::SignUpCode, Channel::Text, Language::French);
        world.deliver(&code).await;
        wait_until("the code is sent", async || {
            world.message(&code).await.state == "sent"
        })
        .await;
        // Of the mails with files, which stand in memory whole, one at a time is tried, and the others wait untouched.
        let mut tried = 0;
        for record in &sealed {
            tried += world.message(record).await.attempts;
        }
        assert_eq!((tried, server.taken().len()), (1, 3));
        shutdown.cancel();
        (0..9).for_each(|_| server.answer());
        running.await.unwrap();
    })
    .await;
}
