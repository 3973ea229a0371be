//! The service: everything that runs while it serves, started in order and stopped in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use processor_database::Database;
use processor_domain::ports::{PositionPublisher, PositionStream};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Ended, Process, serve_operations, watch_signals};
use crate::compose::{self, Audience, Source};
use crate::config::Config;
use crate::log::Levels;
use crate::recorder::Recorder;

/// How often chunks are looked for that are too old to keep.
const RETENTION_EVERY: Duration = Duration::from_hours(1);

/// How often histograms take in what was recorded.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// A service that runs.
pub(crate) struct Service {
    stop: CancellationToken,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    stop_timeout: Duration,
    recorder: Recorder,
    publisher: Arc<dyn PositionPublisher>,
    streams: Vec<Arc<dyn PositionStream>>,
    database: Database,
    live: Option<SocketAddr>,
}

impl Service {
    /// Reaches what it needs, brings the schema up to date, and starts.
    ///
    /// # Errors
    /// How the program ends; it was logged why.
    pub(crate) async fn start(
        config: Config,
        audience: Option<Audience>,
        levels: Levels,
    ) -> Result<Self, Ended> {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let signals = stop.clone();
        tasks.spawn(async move {
            watch_signals(signals).await;
            ("signals", Ok(()))
        });
        let failed = |ended: Ended, what: &'static str| {
            move |error: anyhow::Error| {
                tracing::error!(error = format!("{error:#}"), "{what}");
                ended
            }
        };
        let recorder = Recorder::install().map_err(failed(Ended::Failed, "failed to start"))?;
        let operations = TcpListener::bind(config.operations).await.map_err(|error| {
            failed(Ended::Unreachable, "failed to bind the port for operators")(
                anyhow::Error::from(error).context(config.operations),
            )
        })?;
        let database =
            compose::database(&config, &stop).await.map_err(failed(Ended::Unreachable, "no database"))?;
        if config.database.migrate {
            compose::migrate(&config, &database).await.map_err(failed(Ended::Failed, "failed to migrate"))?;
        }
        // After migrating: sessions from before would have to learn of the extension.
        if let Err(error) = database.open().await {
            tracing::warn!(%error, "not all connections to the database could be opened: the first batches wait for them");
        }
        let source = Source::reach(&config, &stop).await.map_err(failed(Ended::Unreachable, "no stream"))?;
        let ingest = compose::ingest(&config, &source, &database);

        if let Ok(address) = operations.local_addr() {
            tracing::info!(%address, "operations listening");
        }
        let operators = database.for_operators();
        let roster = audience
            .as_ref()
            .map_or_else(|| operators.roster_source(), |audience| audience.roster(&operators));
        let mut live_address = None;
        let mut river = None;
        if let Some(audience) = audience {
            let (live, server) = compose::live(&config, audience, &source, &database)
                .await
                .map_err(failed(Ended::Unreachable, "no live socket"))?;
            let listener = TcpListener::bind(config.live.address).await.map_err(|error| {
                failed(Ended::Unreachable, "failed to bind the live port")(
                    anyhow::Error::from(error).context(config.live.address),
                )
            })?;
            live_address = listener.local_addr().ok();
            if let Some(address) = live_address {
                tracing::info!(%address, "live listening");
            }
            river = Some(live.clone());
            let until = stop.clone();
            tasks.spawn(async move { ("live", live.run(until).await.map_err(anyhow::Error::from)) });
            let until = stop.clone();
            tasks.spawn(async move {
                ("live server", server.serve(listener, until).await.map_err(anyhow::Error::from))
            });
        }
        let (until, admin) =
            (stop.clone(), compose::admin(&config, &source, &operators, roster, river.clone(), levels));
        let process =
            Process::new(recorder.clone(), ingest.health(), config.stuck_after, river, stop.clone());
        let process = Arc::new(process);
        tasks.spawn(async move { ("operations", serve_operations(operations, process, admin, until).await) });
        // After the feeds were opened: what is stored from now on is seen by them, and what was before is in the store.
        let until = stop.clone();
        tasks.spawn(async move { ("ingest", ingest.run(until).await.map_err(anyhow::Error::from)) });
        let (until, metrics) = (stop.clone(), recorder.clone());
        tasks.spawn(async move {
            let mut ticks = tokio::time::interval(UPKEEP_EVERY);
            while until.run_until_cancelled(ticks.tick()).await.is_some() {
                metrics.upkeep();
            }
            ("upkeep of metrics", Ok(()))
        });
        if let Some(age) = config.database.retain {
            let (until, database) = (stop.clone(), database.clone());
            tasks.spawn(async move {
                retain(database, age, until).await;
                ("retention", Ok(()))
            });
        }
        let streams = source.streams;
        let names: Vec<&str> = streams.iter().map(|stream| stream.name()).collect();
        tracing::info!(instance = config.instance_id, streams = names.join(","), "serving");
        let (stop_timeout, publisher) = (config.stop_timeout, source.publisher);
        Ok(Self { stop, tasks, stop_timeout, recorder, publisher, streams, database, live: live_address })
    }

    /// Cancelled when the service is to stop; cancelling it stops the service.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Its metrics.
    pub(crate) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Puts records onto its stream, the first of several.
    pub(crate) fn publisher(&self) -> Arc<dyn PositionPublisher> {
        Arc::clone(&self.publisher)
    }

    /// Its streams.
    pub(crate) fn streams(&self) -> &[Arc<dyn PositionStream>] {
        &self.streams
    }

    /// Where its live socket is, if it has one.
    pub(crate) const fn live_address(&self) -> Option<SocketAddr> {
        self.live
    }

    /// Runs a further task beside the others; the service does not end with it.
    pub(crate) fn beside(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let until = self.stop.clone();
        self.tasks.spawn(async move {
            let result = task.await;
            if result.is_ok() {
                until.cancelled().await;
            }
            (name, result)
        });
    }

    /// Waits until it is stopped, then for what is in hand.
    pub(crate) async fn run(mut self) -> Ended {
        let mut ended = Ended::AsAsked;
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            // A task may have ended because it was told to stop, and be the first to be heard of.
            first = self.tasks.join_next() => if !self.stop.is_cancelled() || failed(first.as_ref()) {
                ended = Ended::Crashed;
                report(first);
                self.stop.cancel();
            }
        }
        let all = async {
            // Watching for a second signal goes on for as long as anything else does.
            while self.tasks.len() > 1
                && let Some(task) = self.tasks.join_next().await
            {
                if failed(Some(&task)) {
                    report(Some(task));
                    ended = Ended::Crashed;
                }
            }
            self.database.close().await;
        };
        if tokio::time::timeout(self.stop_timeout, all).await.is_err() {
            tracing::warn!("not all was written in time; what is left stays pending in the stream");
        }
        tracing::info!(ended = ?ended, "stopped");
        ended
    }
}

type Task = Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>;

fn failed(task: Option<&Task>) -> bool {
    matches!(task, Some(Err(_) | Ok((_, Err(_)))))
}

fn report(task: Option<Task>) {
    match task {
        Some(Ok((task, Ok(())))) => tracing::error!(task, "a task ended that should not have"),
        Some(Ok((task, Err(error)))) => tracing::error!(task, error = format!("{error:#}"), "a task failed"),
        Some(Err(error)) => tracing::error!(%error, "a task failed"),
        None => {}
    }
}

async fn retain(database: Database, age: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(RETENTION_EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match processor_migration::drop_old(database.connection(), age).await {
            Ok(dropped) => tracing::info!(?dropped, "dropped old positions"),
            Err(error) => {
                tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "old positions stay");
            }
        }
    }
}
