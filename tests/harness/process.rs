use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::eventually::Patience;
use crate::{Exposition, http};

/// How long the program may take until its operations port is open.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Of what it writes, so many lines are kept.
const LINES_KEPT: usize = 100_000;

/// The program as a child process. It is killed when it is dropped.
///
/// What it writes is also written to the output of the test, which is shown if the test fails.
#[derive(Debug)]
pub struct Processor {
    child: Child,
    pid: Pid,
    output: Arc<Output>,
    reading: Vec<JoinHandle<()>>,
}

/// How the program is to be started.
#[derive(Debug, Clone)]
pub struct ProcessorBuilder {
    args: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    quiet: bool,
}

#[derive(Debug, Default)]
struct Output {
    quiet: bool,
    lines: Mutex<VecDeque<String>>,
    /// Where its ports are, as far as the program has said so.
    addresses: Mutex<BTreeMap<Port, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Port {
    Operations,
    Live,
}

impl Processor {
    /// A program to be started, whose ports are any free ones and whose log is JSON.
    #[must_use]
    pub fn builder() -> ProcessorBuilder {
        ProcessorBuilder { args: Vec::new(), environment: BTreeMap::new(), quiet: false }
            .env("METRICS_PORT", "0")
            .env("LIVE_WS_PORT", "0")
            .env("LOG_FORMAT", "json")
            .env("LOG_LEVEL", "info")
            .env("RUST_BACKTRACE", "1")
    }

    /// The id of the process, of which the system tells memory and processor time.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// `host:port` of the operations port.
    ///
    /// # Errors
    /// If the program has not said yet where it is.
    pub fn address(&self) -> anyhow::Result<String> {
        self.output.address(Port::Operations).context("the program has not said \"operations listening\"")
    }

    /// `host:port` of the live socket and its page; waits until the program has said so.
    ///
    /// # Panics
    /// If it does not in time.
    pub async fn live_address(&self) -> String {
        let patience = Patience::new(START_LIMIT, "the program says \"live listening\"");
        loop {
            match self.output.address(Port::Live) {
                Some(address) => return address,
                None => patience.look_again(&"it has not said so").await,
            }
        }
    }

    /// Asks the operations port for `path`: status and body.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        http::get(&self.address()?, path).await
    }

    /// The metrics now.
    ///
    /// # Errors
    /// If there is no answer, or not status 200.
    pub async fn metrics(&self) -> anyhow::Result<Exposition> {
        match self.get("/metrics").await? {
            (200, text) => Ok(Exposition::parse(&text)),
            (status, text) => bail!("metrics with status {status}: {text}"),
        }
    }

    /// Whether the program says that it is ready.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn ready(&self) -> anyhow::Result<bool> {
        Ok(self.get("/readyz").await?.0 == 200)
    }

    /// Waits until the program says that it is ready.
    ///
    /// # Panics
    /// If it does not within `limit`.
    pub async fn until_ready(&self, limit: Duration) {
        let patience = Patience::new(limit, "the program is ready");
        loop {
            match self.get("/readyz").await {
                Ok((200, _)) => return,
                other => patience.look_again(&other).await,
            }
        }
    }

    /// Sends a signal: [`Signal::SIGTERM`] asks the program to stop.
    ///
    /// # Errors
    /// If the program has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        signal::kill(self.pid, signal).with_context(|| format!("{signal} does not reach the program"))
    }

    /// Ends the program without asking it (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    /// If it has ended before, or cannot be waited for.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the program was to be killed and had ended before: {status}");
        }
        self.child.kill().await?;
        self.read_to_the_end().await;
        Ok(())
    }

    /// Waits until the program has ended by itself, and returns its exit code.
    ///
    /// # Errors
    /// If it has not ended within `limit`, was ended by a signal, or something in it panicked.
    pub async fn wait_exit(&mut self, limit: Duration) -> anyhow::Result<i32> {
        let status: ExitStatus = timeout(limit, self.child.wait())
            .await
            .with_context(|| format!("the program runs on after {limit:?}"))??;
        self.read_to_the_end().await;
        let panics = self.lines_with("panicked at");
        if !panics.is_empty() {
            bail!("something in the program panicked: {panics:?}");
        }
        status.code().with_context(|| format!("the program was ended by a signal: {status}"))
    }

    /// Every line that the program has written so far, to either output.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.output.lines(|_| true)
    }

    /// Those lines in which `text` occurs.
    #[must_use]
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        self.output.lines(|line| line.contains(text))
    }

    async fn read_to_the_end(&mut self) {
        for reading in self.reading.drain(..) {
            // A grandchild may hold the pipe open.
            drop(timeout(Duration::from_secs(2), reading).await);
        }
    }
}

impl ProcessorBuilder {
    /// With this variable in its environment, which has nothing else in it than what is set here.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// Without this variable, if it was set.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(OsStr::new(name));
        self
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// What it writes is kept and not shown.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Starts the program and waits until its operations port is open.
    ///
    /// # Errors
    /// If the program is not built, or ends, or does not open the port, with what it wrote.
    pub async fn start(&self) -> anyhow::Result<Processor> {
        let mut processor = self.spawn()?;
        let patience = Patience::new(START_LIMIT, "the program says \"operations listening\"");
        while processor.output.address(Port::Operations).is_none() {
            if let Some(status) = processor.child.try_wait()? {
                processor.read_to_the_end().await;
                bail!("the program ended at once ({status}):\n{}", processor.lines().join("\n"));
            }
            patience.look_again(&"it runs and has not said so").await;
        }
        Ok(processor)
    }

    /// Starts the program and does not wait for anything: for one that is to end by itself.
    ///
    /// # Errors
    /// If the program is not built, or cannot be started.
    pub fn spawn(&self) -> anyhow::Result<Processor> {
        let path = program()?;
        let mut child = Command::new(&path)
            .args(&self.args)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", path.display()))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).context("a process without an id")?;
        let output = Arc::new(Output { quiet: self.quiet, ..Output::default() });
        let mut reading = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            reading.push(tokio::spawn(Arc::clone(&output).read(id, stdout)));
        }
        if let Some(stderr) = child.stderr.take() {
            reading.push(tokio::spawn(Arc::clone(&output).read(id, stderr)));
        }
        Ok(Processor { child, pid: Pid::from_raw(id), output, reading })
    }
}

impl Output {
    async fn read(self: Arc<Self>, id: i32, from: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if !self.quiet {
                println!("[processor {id}] {line}");
            }
            if let Some((port, address)) = listening(&line) {
                self.addresses.lock().unwrap_or_else(PoisonError::into_inner).insert(port, address);
            }
            let mut kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == LINES_KEPT {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    }

    fn address(&self, port: Port) -> Option<String> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).get(&port).cloned()
    }

    fn lines(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|line| wanted(line)).cloned().collect()
    }
}

/// Where Cargo has put the program: it builds it together with the tests of this package.
fn program() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("where is this test?")?;
    let profile = test.ancestors().nth(2).context("this test is not in Cargo's target folder")?;
    let program = profile.join("processor-under-test");
    anyhow::ensure!(program.is_file(), "there is no program at {}", program.display());
    Ok(program)
}

/// Which port is where, in a log line that says so.
fn listening(line: &str) -> Option<(Port, String)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| line.get("fields").unwrap_or(&line).get(name)?.as_str();
    let port = match field("message")? {
        "operations listening" => Port::Operations,
        "live listening" => Port::Live,
        _ => return None,
    };
    // A port of every address is reached by the loopback one.
    Some((port, field("address")?.replace("0.0.0.0", "127.0.0.1").replace("[::]", "127.0.0.1")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_read_from_the_log() {
        let nested = r#"{"level":"INFO","fields":{"message":"operations listening","address":"0.0.0.0:41"}}"#;
        let flat = r#"{"level":"INFO","message":"live listening","address":"[::]:41"}"#;
        assert_eq!(listening(nested), Some((Port::Operations, "127.0.0.1:41".to_owned())));
        assert_eq!(listening(flat), Some((Port::Live, "127.0.0.1:41".to_owned())));
        assert_eq!(listening(r#"{"fields":{"message":"listening","address":"x"}}"#), None);
        assert_eq!(listening("operations listening"), None);
    }
}
