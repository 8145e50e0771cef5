//! A mail server that does to each mail what a test says.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What happens to one mail, which comes on a connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is taken.
    Take,
    /// It is taken, and the answer comes when the test says so.
    TakeWhenTold,
    /// It is taken, and the connection breaks before the answer.
    TakeAndHangUp,
    /// This code greets.
    Greeting(u16),
    /// This code answers the sender.
    Sender(u16),
    /// This code answers the recipient.
    Recipient(u16),
    /// This code answers the mail itself.
    Data(u16),
    /// Nothing answers the sender.
    Silence,
}

/// Takes everything once the verdicts are used up.
pub(crate) struct Server {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    verdicts: Mutex<VecDeque<Verdict>>,
    taken: Mutex<Vec<String>>,
    connections: AtomicUsize,
    told: Semaphore,
}

impl Server {
    pub(crate) async fn start(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), verdicts)
    }

    pub(crate) fn on(listener: TcpListener, verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            verdicts: Mutex::new(verdicts.into_iter().collect()),
            taken: Mutex::default(),
            connections: AtomicUsize::new(0),
            told: Semaphore::new(0),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let state = Arc::clone(&accepting);
                // A client that hangs up ends its own conversation alone.
                tokio::spawn(async move { drop(converse(stream, &state).await) });
            }
        });
        Self { port, state }
    }

    /// The mails that were taken, as they came.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.state.taken.lock().unwrap().clone()
    }

    /// Lets one answer go that waits.
    pub(crate) fn answer(&self) {
        self.state.told.add_permits(1);
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

async fn converse(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let verdict = state
        .verdicts
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Verdict::Take);
    let greeting = if let Verdict::Greeting(code) = verdict {
        code
    } else {
        220
    };
    writer
        .write_all(format!("{greeting} mail.example ESMTP\r\n").as_bytes())
        .await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.to_uppercase().split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-mail.example\r\n250 8BITMIME".to_owned(),
            "MAIL" => match verdict {
                Verdict::Sender(code) => format!("{code} not from you"),
                Verdict::Silence => std::future::pending().await,
                _ => "250 ok".to_owned(),
            },
            "RCPT" => match verdict {
                Verdict::Recipient(code) => format!("{code} <{line}> is not known here"),
                _ => "250 ok".to_owned(),
            },
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                if let Verdict::Data(code) = verdict {
                    format!("{code} not this")
                } else {
                    state.taken.lock().unwrap().push(mail);
                    match verdict {
                        Verdict::TakeAndHangUp => return Ok(()),
                        Verdict::TakeWhenTold => state.told.acquire().await.unwrap().forget(),
                        _ => {}
                    }
                    "250 taken".to_owned()
                }
            }
            "QUIT" => return writer.write_all(b"221 bye\r\n").await,
            _ => "250 ok".to_owned(),
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
