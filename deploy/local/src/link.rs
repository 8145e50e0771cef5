//! A TCP connection between our services and a part, which a test can cut, stall and mend without touching the part,
//! which other tests may be using.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a link does with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Passes them on.
    Open,
    /// Closes connections, and each new one at once.
    Cut,
    /// Keeps connections and accepts new ones, and passes nothing on.
    Stalled,
}

/// A forwarding listener on a random loopback port. It ends with its value.
pub struct Link {
    port: u16,
    flow: watch::Sender<Flow>,
}

impl Link {
    /// Listens and forwards to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn to(target: SocketAddr) -> Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (flow, state) = watch::channel(Flow::Open);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // A thread of its own: the runtime of the test that made the link may be busy or gone.
        std::thread::spawn(move || runtime.block_on(accept(listener, target, state)));
        Ok(Self { port, flow })
    }

    /// The port to connect to instead of the target's.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes what happens to the bytes, of open connections too.
    pub fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }
}

async fn accept(
    listener: std::net::TcpListener,
    target: SocketAddr,
    mut flow: watch::Receiver<Flow>,
) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => accepted.context("the link's listener failed")?.0,
            ended = flow.wait_for(|_| false) => {
                // The value is gone: so is the link.
                drop(ended);
                return Ok(());
            }
        };
        if *flow.borrow() != Flow::Cut {
            tokio::spawn(forward(client, target, flow.clone()));
        }
    }
}

async fn forward(mut client: TcpStream, target: SocketAddr, mut flow: watch::Receiver<Flow>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    loop {
        let now = *flow.borrow_and_update();
        match now {
            Flow::Cut => return,
            Flow::Stalled => {
                if flow.changed().await.is_err() {
                    return;
                }
            }
            Flow::Open => tokio::select! {
                _ended = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                changed = flow.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        address
    }

    async fn exchange(stream: &mut TcpStream) -> Option<u8> {
        stream.write_all(&[7]).await.ok()?;
        let answer = tokio::time::timeout(Duration::from_millis(500), stream.read_u8()).await;
        answer.ok()?.ok()
    }

    #[tokio::test]
    async fn a_link_passes_on_cuts_and_mends() {
        let link = Link::to(echo().await).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", link.port())).await.unwrap();
        assert_eq!(exchange(&mut stream).await, Some(7));
        link.set(Flow::Cut);
        assert_eq!(exchange(&mut stream).await, None);
        link.set(Flow::Open);
        let mut stream = TcpStream::connect(("127.0.0.1", link.port())).await.unwrap();
        assert_eq!(exchange(&mut stream).await, Some(7));
    }

    #[tokio::test]
    async fn a_stalled_link_keeps_the_connection_and_answers_later() {
        let link = Link::to(echo().await).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", link.port())).await.unwrap();
        assert_eq!(exchange(&mut stream).await, Some(7));
        link.set(Flow::Stalled);
        assert_eq!(exchange(&mut stream).await, None);
        link.set(Flow::Open);
        let late = tokio::time::timeout(Duration::from_secs(5), stream.read_u8())
            .await
            .unwrap();
        assert_eq!(late.unwrap(), 7);
    }
}
