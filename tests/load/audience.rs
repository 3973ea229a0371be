//! All viewers together, on few threads, and what they have seen.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::delays::Delays;
use crate::watcher;

/// How somebody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// At once.
    Prompt,
    /// Not at all, until it is closed for that.
    Stalled,
    /// So many bytes a second.
    Slow,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
}

/// How a socket ended that was not ended here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// The server closed it with this code.
    Closed(u16),
    /// The connection ended.
    Lost,
    /// There was none: it was not let in.
    Refused,
}

/// What those of one kind have seen.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    frames: AtomicU64,
    bytes: AtomicU64,
    conflated: AtomicU64,
    missing: AtomicU64,
    others: AtomicU64,
}

/// The same at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// Frames that stood for several.
    pub(crate) conflated: u64,
    /// Frames before which one was missing.
    pub(crate) missing: u64,
    /// Messages that are none of those that were to be expected.
    pub(crate) others: u64,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    prompt: Counters,
    stalled: Counters,
    slow: Counters,
    /// From the moment at which a device measured and sent until a prompt viewer had the frame.
    pub(crate) delays: Delays,
    endings: Mutex<BTreeMap<(Kind, Ending), u64>>,
}

pub(crate) struct Audience {
    pub(crate) seen: Arc<Seen>,
    over: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Audience {
    /// Lets them all in; all watch when it returns.
    pub(crate) async fn enter(address: &str, seats: &[Seat], threads: usize) -> anyhow::Result<Self> {
        let address: SocketAddr = address.parse()?;
        let seen = Arc::new(Seen::default());
        let over = watch::Sender::new(false);
        let (entered, mut entering) = mpsc::unbounded_channel();
        let mut running = Vec::new();
        for number in 0..threads {
            let seats: Vec<Seat> = seats.iter().skip(number).step_by(threads).copied().collect();
            let (seen, over, entered) = (Arc::clone(&seen), over.subscribe(), entered.clone());
            let thread = std::thread::Builder::new().name("viewers".to_owned());
            running.push(thread.spawn(move || sit(address, &seats, &seen, over, &entered))?);
        }
        for _ in 0..threads {
            entering.recv().await.context("viewers are gone")??;
        }
        Ok(Self { seen, over, threads: running })
    }

    /// All leave.
    pub(crate) fn leave(self) {
        self.over.send_replace(true);
        for thread in self.threads {
            if thread.join().is_err() {
                eprintln!("a thread of viewers panicked");
            }
        }
    }
}

fn sit(
    address: SocketAddr,
    seats: &[Seat],
    seen: &Arc<Seen>,
    mut over: watch::Receiver<bool>,
    entered: &mpsc::UnboundedSender<anyhow::Result<()>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let all = LocalSet::new();
    let watching = async {
        for seat in seats {
            let stream = match watcher::connect(address, *seat).await {
                Ok(stream) => stream,
                Err(error) => {
                    entered.send(Err(error.context(format!("viewer {}", seat.number)))).ok();
                    return;
                }
            };
            drop(tokio::task::spawn_local(watcher::watch(*seat, address, Arc::clone(seen), stream)));
        }
        entered.send(Ok(())).ok();
        // Whoever has to say so may be gone.
        over.wait_for(|over| *over).await.ok();
    };
    all.block_on(&runtime, watching);
}

impl Seen {
    fn counters(&self, kind: Kind) -> &Counters {
        match kind {
            Kind::Prompt => &self.prompt,
            Kind::Stalled => &self.stalled,
            Kind::Slow => &self.slow,
        }
    }

    pub(crate) fn frame(
        &self,
        kind: Kind,
        bytes: usize,
        conflated: bool,
        missing: bool,
        delay: Option<Duration>,
    ) {
        let counters = self.counters(kind);
        counters.frames.fetch_add(1, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        counters.conflated.fetch_add(u64::from(conflated), Ordering::Relaxed);
        counters.missing.fetch_add(u64::from(missing), Ordering::Relaxed);
        if let (Kind::Prompt, Some(delay)) = (kind, delay) {
            self.delays.note(delay);
        }
    }

    pub(crate) fn other(&self, kind: Kind) {
        self.counters(kind).others.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, kind: Kind, ending: Ending) {
        let mut endings = self.endings.lock().unwrap_or_else(PoisonError::into_inner);
        *endings.entry((kind, ending)).or_default() += 1;
    }

    pub(crate) fn count(&self, kind: Kind) -> Count {
        let Counters { frames, bytes, conflated, missing, others } = self.counters(kind);
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Count {
            frames: now(frames),
            bytes: now(bytes),
            conflated: now(conflated),
            missing: now(missing),
            others: now(others),
        }
    }

    /// Frames that anybody got.
    pub(crate) fn frames(&self) -> u64 {
        [Kind::Prompt, Kind::Stalled, Kind::Slow].iter().map(|kind| self.count(*kind).frames).sum()
    }

    /// Sockets of this kind that ended, by how.
    pub(crate) fn endings(&self, kind: Kind) -> String {
        let endings = self.endings.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = endings.iter().filter(|((of, _), _)| *of == kind);
        let said: Vec<String> = of_kind.map(|((_, ending), count)| format!("{count} {ending}")).collect();
        if said.is_empty() { "none".to_owned() } else { said.join(", ") }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(code) => write!(out, "with {code}"),
            Self::Lost => out.write_str("without a close"),
            Self::Refused => out.write_str("not let in again"),
        }
    }
}
