use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::unique::free_port;

/// A network in the middle that can be broken: connect to [`Self::url`] in place of the server.
///
/// What is broken stays so until it is mended; new connections meet the same trouble as old ones. It is gone,
/// with its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    url: String,
    network: Arc<Network>,
    /// None while it refuses.
    listening: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Network {
    target: String,
    state: watch::Sender<State>,
    /// The request whose reply is not to arrive.
    doomed: Mutex<Option<Doomed>>,
    lost_replies: AtomicU64,
}

/// The next request in which this pattern occurs, and what becomes of its reply.
#[derive(Debug)]
struct Doomed {
    pattern: Box<[u8]>,
    fate: Fate,
}

/// What becomes of a reply.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Lost,
    Held,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Connections of an earlier number are to be reset.
    cuts: u64,
    blocked: bool,
    /// Replies that are to be held are not to be let go yet.
    holding: bool,
    delay: Duration,
}

impl Proxy {
    /// Stands between its clients and `server`: `host:port`, or a URL that has it in it. It lives in the runtime
    /// that it is made in.
    ///
    /// # Errors
    /// If there is no host and port in `server`, or no port to listen on.
    pub fn to(server: &str) -> anyhow::Result<Self> {
        let target = target_of(server);
        anyhow::ensure!(target.contains(':'), "no host and port in {server}");
        let listener = listen((std::net::Ipv4Addr::LOCALHOST, free_port()?).into())?;
        let address = listener.local_addr()?;
        let url = server.replacen(target, &address.to_string(), 1);
        let network = Arc::new(Network {
            target: target.to_owned(),
            state: watch::Sender::default(),
            doomed: Mutex::default(),
            lost_replies: AtomicU64::new(0),
        });
        let listening = Mutex::new(Some(tokio::spawn(accept(listener, Arc::downgrade(&network)))));
        Ok(Self { address, url, network, listening })
    }

    /// Where to connect to.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What [`Self::to`] was given, with the proxy's address in place of the server's.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Resets every connection there is. New ones are welcome.
    pub fn cut(&self) {
        self.network.state.send_modify(|state| state.cuts += 1);
    }

    /// Stops forwarding in both directions and keeps the connections, as a network does that loses packets.
    pub fn block(&self) {
        self.network.state.send_modify(|state| state.blocked = true);
    }

    /// Ends [`Self::block`]: what was held back goes on its way.
    pub fn unblock(&self) {
        self.network.state.send_modify(|state| state.blocked = false);
    }

    /// Holds back whatever the server sends for this long, a piece at a time; zero ends it.
    pub fn delay(&self, delay: Duration) {
        self.network.state.send_modify(|state| state.delay = delay);
    }

    /// Refuses new connections; those that are there stay.
    pub async fn refuse(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(listening) = listening {
            listening.abort();
            // Cancelled is what it is meant to be.
            drop(listening.await);
        }
    }

    /// Ends [`Self::refuse`].
    ///
    /// # Errors
    /// If somebody else has taken the port.
    pub async fn accept(&self) -> anyhow::Result<()> {
        self.refuse().await;
        let listener = listen(self.address).context("the port of the proxy was taken")?;
        let listening = tokio::spawn(accept(listener, Arc::downgrade(&self.network)));
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(listening);
        Ok(())
    }

    /// Loses one reply: the next request in which `pattern` occurs is forwarded, and when the server replies the
    /// connection is reset instead. So the server has done what it was asked, and the client does not know.
    pub fn lose_reply_to(&self, pattern: impl Into<Box<[u8]>>) {
        self.network.doom(pattern.into(), Fate::Lost);
    }

    /// Holds one reply back: the next request in which `pattern` occurs is forwarded, and what the server replies
    /// does not arrive before [`Self::release`]. So the server has done what it was asked, and the client waits for
    /// as long as it will. All other connections are as usual.
    pub fn hold_reply_to(&self, pattern: impl Into<Box<[u8]>>) {
        self.network.state.send_modify(|state| state.holding = true);
        self.network.doom(pattern.into(), Fate::Held);
    }

    /// Lets go what was held back by [`Self::hold_reply_to`].
    pub fn release(&self) {
        self.network.state.send_modify(|state| state.holding = false);
    }

    /// How many replies were lost by [`Self::lose_reply_to`] so far.
    #[must_use]
    pub fn lost_replies(&self) -> u64 {
        self.network.lost_replies.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get_mut().unwrap_or_else(PoisonError::into_inner) {
            listening.abort();
        }
        self.cut();
    }
}

/// The `host:port` in a URL, or all of a text that is none.
fn target_of(server: &str) -> &str {
    let after_scheme = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, address)| address)
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(128)
}

async fn accept(listener: TcpListener, network: std::sync::Weak<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        let Some(network) = network.upgrade() else { return };
        tokio::spawn(async move { network.carry(client).await });
    }
}

impl Network {
    async fn carry(&self, mut client: TcpStream) {
        let mut state = self.state.subscribe();
        let born = state.borrow().cuts;
        let Ok(mut server) = TcpStream::connect(&self.target).await else { return reset(&client) };
        let doomed = Mutex::new(None);
        let unbroken = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            tokio::select! {
                unbroken = self.requests(from_client, to_server, &doomed) => unbroken,
                unbroken = self.replies(from_server, to_client, &doomed) => unbroken,
                _ = state.wait_for(|state| state.cuts > born) => false,
            }
        };
        if !unbroken {
            reset(&client);
            reset(&server);
        }
    }

    /// Whether it came to an end of itself.
    async fn requests(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        doomed: &Mutex<Option<Fate>>,
    ) -> bool {
        let mut state = self.state.subscribe();
        let mut piece = vec![0; 64 * 1024];
        let mut seen = Vec::new();
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            seen.extend_from_slice(&piece[..length]);
            if let Some(fate) = self.dooms(&mut seen) {
                *doomed.lock().unwrap_or_else(PoisonError::into_inner) = Some(fate);
            }
            if state.wait_for(|state| !state.blocked).await.is_err() {
                return false;
            }
            if to.write_all(&piece[..length]).await.is_err() {
                return false;
            }
        }
        true
    }

    async fn replies(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        doomed: &Mutex<Option<Fate>>,
    ) -> bool {
        let mut state = self.state.subscribe();
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let fate = doomed.lock().unwrap_or_else(PoisonError::into_inner).take();
            match fate {
                Some(Fate::Lost) => {
                    self.lost_replies.fetch_add(1, Ordering::SeqCst);
                    return false;
                }
                Some(Fate::Held) if state.wait_for(|state| !state.holding).await.is_err() => return false,
                None | Some(Fate::Held) => {}
            }
            let delay = state.borrow().delay;
            tokio::time::sleep(delay).await;
            if state.wait_for(|state| !state.blocked).await.is_err() {
                return false;
            }
            if to.write_all(&piece[..length]).await.is_err() {
                return false;
            }
        }
        true
    }

    fn doom(&self, pattern: Box<[u8]>, fate: Fate) {
        *self.doomed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Doomed { pattern, fate });
    }

    /// What becomes of the reply, if the request to be doomed is in what was `seen`; keeps of it what the next piece
    /// may complete.
    fn dooms(&self, seen: &mut Vec<u8>) -> Option<Fate> {
        let mut doomed = self.doomed.lock().unwrap_or_else(PoisonError::into_inner);
        let (pattern, fate) = match &*doomed {
            Some(Doomed { pattern, fate }) if !pattern.is_empty() => (pattern, *fate),
            _ => {
                seen.clear();
                return None;
            }
        };
        let found = seen.windows(pattern.len()).any(|window| window == &**pattern);
        let kept = pattern.len() - 1;
        seen.drain(..seen.len().saturating_sub(kept));
        if found {
            *doomed = None;
        }
        found.then_some(fate)
    }
}

/// Lets the connection end in a reset, not in an orderly goodbye, when it is dropped.
fn reset(connection: &TcpStream) {
    if let Err(error) = connection.set_zero_linger() {
        eprintln!("a connection of the proxy ends without a reset: {error}");
    }
}

#[cfg(test)]
mod tests;
