//! One thread per token. A log-in belongs to the whole process, so whoever logs in must be the only one there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};

use super::pkcs11::Token;
use super::{KeyError, KeyLocation};

/// Commands waiting for a token.
const QUEUE: usize = 64;

/// One context per module and process: a second `C_Initialize` fails. One actor per token.
static TOKENS: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Registry {
    modules: HashMap<PathBuf, Pkcs11>,
    actors: HashMap<(PathBuf, String), Actor>,
}

/// A handle to a token's thread.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    commands: mpsc::Sender<Command>,
}

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

/// The actor of a token; started at first use.
pub(super) fn of(module: &Path, token_label: &str) -> Result<Actor, KeyError> {
    let mut registry = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (module.to_owned(), token_label.to_owned());
    if let Some(actor) = registry.actors.get(&key)
        && !actor.commands.is_closed()
    {
        return Ok(actor.clone());
    }
    let context = context(&mut registry, module)?;
    let (commands, inbox) = mpsc::channel(QUEUE);
    let token = Token::new(context, token_label.to_owned());
    std::thread::Builder::new()
        .name("token".to_owned())
        .spawn(move || serve(&token, inbox))
        .map_err(|error| KeyError::Unavailable(error.to_string()))?;
    let actor = Actor { commands };
    registry.actors.insert(key, actor.clone());
    Ok(actor)
}

fn context(registry: &mut Registry, module: &Path) -> Result<Pkcs11, KeyError> {
    if let Some(context) = registry.modules.get(module) {
        return Ok(context.clone());
    }
    let unavailable = |error: cryptoki::error::Error| KeyError::Unavailable(error.to_string());
    let context = Pkcs11::new(module).map_err(unavailable)?;
    context
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .map_err(unavailable)?;
    registry.modules.insert(module.to_owned(), context.clone());
    Ok(context)
}

fn serve(token: &Token, mut inbox: mpsc::Receiver<Command>) {
    while let Some(command) = inbox.blocking_recv() {
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

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, KeyError>>) -> Command,
    ) -> Result<T, KeyError> {
        let gone = || KeyError::Unavailable("the token's thread has ended".to_owned());
        let (answer, reply) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| gone())?;
        reply.await.map_err(|_| gone())?
    }
}
