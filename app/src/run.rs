//! Starting, watching and stopping.

mod service;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use poem::listener::TcpAcceptor;
use processor_ingest::IngestHealth;
use processor_live::Live;
use processor_web::{Admin, Operations, Trouble, operations};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::recorder::Recorder;

pub(crate) use self::service::Service;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Done, or stopped as asked.
    AsAsked,
    /// What was to be done could not be done; it was said why.
    Failed,
    /// The configuration has faults.
    Misconfigured,
    /// A service could not be reached in the time allowed.
    Unreachable,
    /// A task ended that should not have.
    Crashed,
}

impl Ended {
    /// The exit code, as in `sysexits.h`.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::AsAsked => 0,
            Self::Failed => 1,
            Self::Misconfigured => 64,
            Self::Unreachable => 69,
            Self::Crashed => 70,
        })
    }
}

/// Cancels `stop` at the first SIGTERM or SIGINT; a second one ends the process at once.
pub(crate) async fn watch_signals(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be watched");
        return;
    };
    let mut next = async || either(&mut terminate, &mut interrupt).await;
    let name = next().await;
    tracing::info!(signal = name, "stopping: what is in hand is written and acknowledged first");
    stop.cancel();
    let name = next().await;
    tracing::warn!(signal = name, "stopping at once; what is in hand stays pending in the stream");
    std::process::exit(130);
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// What the pages for operators show of this process.
pub(crate) struct Process {
    recorder: Recorder,
    health: Arc<IngestHealth>,
    stuck_after: Duration,
    live: Option<Live>,
    stop: CancellationToken,
}

impl Process {
    pub(crate) fn new(
        recorder: Recorder,
        health: Arc<IngestHealth>,
        stuck_after: Duration,
        live: Option<Live>,
        stop: CancellationToken,
    ) -> Self {
        Self { recorder, health, stuck_after, live, stop }
    }
}

impl Operations for Process {
    fn deadlocks(&self) -> Vec<Trouble> {
        let rivers = [Some(self.health.pulses()), self.live.as_ref().map(Live::pulses)];
        let stuck = rivers.into_iter().flatten().flat_map(|pulses| pulses.stuck(self.stuck_after));
        stuck
            .map(|(task, time)| Trouble {
                code: "task_stuck",
                detail: format!("the {task} has been at one thing for {} s", time.as_secs()),
            })
            .collect()
    }

    fn obstacles(&self) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        if self.stop.is_cancelled() {
            troubles.push(Trouble { code: "stopping", detail: "it was asked to stop".to_owned() });
        }
        if !self.health.store_is_there() {
            troubles.push(Trouble {
                code: "store_unavailable",
                detail: "the database does not answer".to_owned(),
            });
        }
        for (stream, why) in self.health.streams_away() {
            let detail = format!("the stream {stream} cannot be read, or its group is not there: {why}");
            troubles.push(Trouble { code: "stream_unavailable", detail });
        }
        if self.live.as_ref().is_some_and(|live| live.standing().feeds.iter().any(|feed| !feed.there)) {
            let detail = "the feed of live positions cannot be read".to_owned();
            troubles.push(Trouble { code: "feed_unavailable", detail });
        }
        troubles
    }

    fn metrics(&self) -> String {
        self.recorder.render()
    }
}

/// Serves the pages for operators until `stop`.
pub(crate) async fn serve_operations(
    listener: TcpListener,
    process: Arc<Process>,
    admin: Admin,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    poem::Server::new_with_acceptor(acceptor)
        .run_with_graceful_shutdown(
            operations(process, admin),
            stop.cancelled_owned(),
            Some(Duration::from_secs(1)),
        )
        .await?;
    Ok(())
}
