//! A server that answers as it is told and keeps what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// All values of the header, whose name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn cookie(&self) -> &str {
        self.header("cookie").first().copied().unwrap_or_default()
    }
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// It answers with this status, these further headers and this body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// It sends this and nothing more.
    Raw(String),
    /// It keeps the connection open and says nothing.
    Silence,
    /// It waits for [`Stub::release`] before it does so.
    Held(Box<Reply>),
}

impl Reply {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Http(200, Vec::new(), body.into())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Http(status, Vec::new(), String::new())
    }

    /// "You are this user."
    pub(crate) fn user(id: &str) -> Self {
        Self::ok(format!(r#"{{"data":{{"id":"{id}"}}}}"#))
    }

    pub(crate) fn held(self) -> Self {
        Self::Held(Box::new(self))
    }
}

type Script = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// The server; it ends when it is dropped.
pub(crate) struct Stub {
    url: String,
    requests: watch::Receiver<Vec<Request>>,
    released: watch::Sender<bool>,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

impl Stub {
    pub(crate) async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (log, requests) = watch::channel(Vec::new());
        let (released, release) = watch::channel(false);
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(script)));
        let exchange = Exchange { log: Arc::new(log), release, script: Arc::clone(&script) };
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(exchange.clone().serve(connection));
            }
        });
        Self { url, requests, released, script, server }
    }

    /// One that always answers the same.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone()).await
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on it always answers so.
    pub(crate) fn now_answers(&self, reply: Reply) {
        *self.script.lock().expect("no script panics") = Arc::new(move |_| reply.clone());
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.borrow().len()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked(&self, times: usize) {
        let mut requests = self.requests.clone();
        let asked = requests.wait_for(|requests| requests.len() >= times);
        timeout(Duration::from_secs(10), asked)
            .await
            .expect("it is not asked")
            .expect("the server has ended");
    }

    /// Lets every reply go that is held or will be.
    pub(crate) fn release(&self) {
        self.released.send_replace(true);
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Exchange {
    log: Arc<watch::Sender<Vec<Request>>>,
    release: watch::Receiver<bool>,
    script: Arc<Mutex<Script>>,
}

impl Exchange {
    async fn serve(mut self, connection: TcpStream) {
        let mut connection = BufReader::new(connection);
        while let Some(request) = read(&mut connection).await {
            let script = Arc::clone(&self.script.lock().expect("no script panics"));
            let mut reply = script(&request);
            self.log.send_modify(|log| log.push(request));
            while let Reply::Held(then) = reply {
                if self.release.wait_for(|released| *released).await.is_err() {
                    return;
                }
                reply = *then;
            }
            let text = match reply {
                Reply::Http(status, headers, body) => http(status, &headers, &body),
                Reply::Raw(text) => text,
                _ => String::new(),
            };
            if connection.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// The next request of the connection; none if it is closed.
async fn read(connection: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let target = lines.first()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?.to_owned();
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Some(Request { target, headers })
}

fn http(status: u16, headers: &[(&str, String)], body: &str) -> String {
    let mut text = format!("HTTP/1.1 {status} .\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text + "\r\n" + body
}
