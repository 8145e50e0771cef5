//! One thread per token. A log-in belongs to the whole process, so whoever logs in must be the only one there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::pkcs11::Token;
use super::watch::Watch;
use super::{KeyError, KeyLocation};

/// Commands waiting for a token.
const QUEUE: usize = 64;
/// Threads of one token that may hang at the same time; then nobody is sent after them.
const MAX_HANGING: usize = 4;

/// One actor per token.
static TOKENS: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

type TokenKey = (PathBuf, String);

#[derive(Default)]
struct Registry {
    actors: HashMap<TokenKey, (Actor, JoinHandle<()>)>,
    /// Threads that were given up and have not ended yet.
    hanging: HashMap<TokenKey, Vec<JoinHandle<()>>>,
}

/// A handle to a token's thread.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    commands: mpsc::Sender<Command>,
    watch: Arc<Watch>,
}

#[derive(Debug)]
enum Command {
    Sign {
        location: KeyLocation,
        pin: SecretString,
        messages: Vec<Vec<u8>>,
        answer: oneshot::Sender<Result<Vec<Vec<u8>>, KeyError>>,
    },
    PublicKey {
        location: KeyLocation,
        answer: oneshot::Sender<Result<Option<Vec<u8>>, KeyError>>,
    },
}

/// The actor of a token; started at first use, and anew where the last one hangs or has ended.
pub(super) fn of(module: &Path, token_label: &str, call: Duration) -> Result<Actor, KeyError> {
    let key = (module.to_owned(), token_label.to_owned());
    let mut registry = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
    match registry.actors.remove(&key) {
        Some((actor, thread)) if !actor.commands.is_closed() && !actor.watch.is_abandoned() => {
            registry.actors.insert(key, (actor.clone(), thread));
            return Ok(actor);
        }
        Some((_, thread)) => registry.hanging.entry(key.clone()).or_default().push(thread),
        None => {}
    }
    let hanging = registry.hanging.entry(key.clone()).or_default();
    hanging.retain(|thread| !thread.is_finished());
    if hanging.len() >= MAX_HANGING {
        return Err(KeyError::Unavailable("the token does not answer".to_owned()));
    }
    let (commands, inbox) = mpsc::channel(QUEUE);
    let watch = Arc::new(Watch::new(call));
    let token = Token::new(module.to_owned(), token_label.to_owned(), Arc::clone(&watch));
    let thread = std::thread::Builder::new()
        .name("token".to_owned())
        .spawn(move || serve(&token, inbox))
        .map_err(|error| KeyError::Unavailable(error.to_string()))?;
    let actor = Actor { commands, watch };
    registry.actors.insert(key, (actor.clone(), thread));
    Ok(actor)
}

fn serve(token: &Token, mut inbox: mpsc::Receiver<Command>) {
    while let Some(command) = inbox.blocking_recv() {
        let _at_work = token.watch().begin();
        match command {
            // Whoever asked is gone: then nobody is there to be bound by the signature.
            Command::Sign { answer, .. } if answer.is_closed() => {}
            Command::Sign {
                location,
                pin,
                messages,
                answer,
            } => {
                forget(answer.send(token.sign(&location, &pin, &messages)));
            }
            Command::PublicKey { location, answer } => forget(answer.send(token.public_key(&location))),
        }
        if token.watch().is_abandoned() {
            return;
        }
    }
}

/// An answer that nobody waits for any more.
fn forget<T>(_unsent: Result<(), T>) {}

impl Actor {
    pub(super) async fn sign(
        &self,
        location: KeyLocation,
        pin: SecretString,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, KeyError> {
        self.ask(|answer| Command::Sign {
            location,
            pin,
            messages,
            answer,
        })
        .await
    }

    pub(super) async fn public_key(&self, location: KeyLocation) -> Result<Option<Vec<u8>>, KeyError> {
        self.ask(|answer| Command::PublicKey { location, answer }).await
    }

    /// Waits as long as the thread goes on answering, be it others first.
    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, KeyError>>) -> Command,
    ) -> Result<T, KeyError> {
        let gone = || KeyError::Unavailable("the token's thread has ended".to_owned());
        let (answer, reply) = oneshot::channel();
        let mut exchange = pin!(async {
            self.commands.send(command(answer)).await.map_err(|_| gone())?;
            reply.await.map_err(|_| gone())?
        });
        loop {
            if let Ok(answered) = timeout(self.watch.patience(), &mut exchange).await {
                return answered;
            }
            if self.watch.abandon_if_overdue() {
                tracing::error!(
                    event = "token.hangs",
                    "a token does not answer; its thread is given up"
                );
                return Err(KeyError::Unavailable(
                    "the token does not answer in time".to_owned(),
                ));
            }
        }
    }
}
