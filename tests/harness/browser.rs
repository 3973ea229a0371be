use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{http, setting, unique};

/// How long the driver may take until it listens, and a browser until it is there.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How long anything else may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A browser without a window, driven by `WebDriver`: Debian's `chromium` and `chromium-driver`, or what
/// `PROCESSOR_TEST_CHROMIUM` and `PROCESSOR_TEST_CHROMEDRIVER` name.
///
/// It begins with an empty profile, finds no other machine than this one, and is gone, with all its processes, when
/// it is dropped.
#[derive(Debug)]
pub struct Browser {
    /// The driver leads a group of processes, in which the browser is too.
    driver: Child,
    address: String,
    session: String,
    profile: PathBuf,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// If there is none to be had, with what to do about it.
    pub async fn start() -> anyhow::Result<Self> {
        const ADVICE: &str = "the test needs a browser and its WebDriver: scripts/containers.sh installs chromium and \
                              chromium-driver, PROCESSOR_TEST_CHROMIUM and PROCESSOR_TEST_CHROMEDRIVER name others";
        let driver = setting("PROCESSOR_TEST_CHROMEDRIVER").unwrap_or_else(|| "chromedriver".to_owned());
        let mut driver = Command::new(&driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{driver} cannot be started: {ADVICE}"))?;
        let port = timeout(START_LIMIT, port(&mut driver)).await.context("the driver does not listen")??;
        let profile = std::env::temp_dir().join(unique("processor-browser"));
        let mut browser =
            Self { driver, address: format!("127.0.0.1:{port}"), session: String::new(), profile };
        let made = browser.send("POST", "/session", Some(&browser.wishes()), START_LIMIT).await;
        let made = made.context(ADVICE)?;
        made["sessionId"].as_str().context("a session without an id")?.clone_into(&mut browser.session);
        Ok(browser)
    }

    fn wishes(&self) -> Value {
        let profile = format!("--user-data-dir={}", self.profile.display());
        // Without a sandbox, which root may not have; and without what talks to the world by itself.
        let mut options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", "--window-size=1280,800", profile,
        ]});
        if let Some(chromium) = setting("PROCESSOR_TEST_CHROMIUM") {
            options["binary"] = json!(chromium);
        }
        let wishes = json!({
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": options,
        });
        json!({"capabilities": {"alwaysMatch": wishes}})
    }

    /// Opens a page, and waits until it is loaded.
    ///
    /// # Errors
    /// If it cannot be.
    pub async fn open(&self, url: &str) -> anyhow::Result<()> {
        self.command("url", &json!({"url": url})).await?;
        Ok(())
    }

    /// Runs a script in the page, as the body of a function, and returns what it returns.
    ///
    /// # Errors
    /// If the script throws.
    pub async fn run(&self, script: &str) -> anyhow::Result<Value> {
        self.command("execute/sync", &json!({"script": script, "args": []})).await
    }

    /// What the browser has to say about the page since it was asked last, as `LEVEL: text`: what scripts print,
    /// what they throw, what could not be loaded, and what the page's own policy forbids.
    ///
    /// # Errors
    /// If it does not say.
    pub async fn console(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.command("se/log", &json!({"type": "browser"})).await?;
        let entries = entries.as_array().context("a log that is no list")?;
        let line =
            |entry: &Value| Some(format!("{}: {}", entry["level"].as_str()?, entry["message"].as_str()?));
        entries.iter().map(|entry| line(entry).context("an entry without text")).collect()
    }

    async fn command(&self, command: &str, body: &Value) -> anyhow::Result<Value> {
        self.send("POST", &format!("/session/{}/{command}", self.session), Some(body), LIMIT).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> anyhow::Result<Value> {
        let (address, body) = (&self.address, body.map(Value::to_string).unwrap_or_default());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = http::ask(address, &request, limit).await.with_context(|| format!("{method} {path}"))?;
        let mut json: Value = serde_json::from_str(&answer.body).with_context(|| answer.body.clone())?;
        ensure!(answer.status == 200, "{method} {path}: {}", json["value"]["message"]);
        Ok(json["value"].take())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = self.driver.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        if let Some(Err(error)) = group.map(|group| signal::killpg(group, Signal::SIGKILL)) {
            eprintln!("a browser runs on: {error}");
        }
        // Nothing writes into it any more; a profile that was never made is no loss.
        std::fs::remove_dir_all(&self.profile).ok();
    }
}

/// The port that the driver says it listens on.
async fn port(driver: &mut Child) -> anyhow::Result<u16> {
    let stdout = driver.stdout.take().context("a driver without output")?;
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            // What it writes later is not read, and little.
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    bail!("the driver ended without listening")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tells_what_a_page_shows_and_what_is_wrong_with_it() -> anyhow::Result<()> {
        let browser = Browser::start().await?;
        browser.open("data:text/html,<title>Good</title>").await?;
        assert_eq!(browser.run("return document.title").await?, "Good");
        assert_eq!(browser.console().await?, Vec::<String>::new());

        let policy = "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">";
        browser.open(&format!("data:text/html,{policy}<script>1</script>")).await?;
        let said = browser.console().await?;
        assert!(said.iter().any(|line| line.contains("Content Security Policy")), "{said:?}");
        let error = browser.run("throw new Error('torn')").await.expect_err("it throws");
        assert!(format!("{error:#}").contains("torn"), "{error:#}");
        Ok(())
    }
}
