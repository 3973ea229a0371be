use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The cookie by which a session is known.
const COOKIE: &str = "directus_session_token";

/// A CMS that answers as Directus does: who has a session, and who may read which event.
///
/// Sessions, rights and the mood that it is in may be changed at any time. It ends when it is dropped; for one that
/// is not there, put a [`Proxy`](crate::Proxy) before it.
#[derive(Debug)]
pub struct DirectusStub {
    url: String,
    cms: Arc<Mutex<Cms>>,
    server: JoinHandle<()>,
}

/// Whose a session is. One that the CMS has not been told of has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// The user with this id, which has to be a UUID.
    Of(String),
    /// It was somebody's, until its token expired.
    Expired,
    /// It is no token that the CMS has made.
    Forged,
    /// A link that was shared: it may read things and is nobody.
    Share,
    /// Nobody's, and the CMS says so with status 200.
    Nobody,
}

/// How the CMS answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Truly, and at once.
    Well,
    /// Truly, after this time.
    Slow(Duration),
    /// With this status, and with this many seconds for `Retry-After` if there are any.
    Refusing(u16, Option<u32>),
}

#[derive(Debug)]
struct Cms {
    sessions: HashMap<String, Session>,
    /// Users, and events that they may read.
    rights: HashSet<(String, String)>,
    mood: Mood,
    asked: Vec<String>,
    traceparents: Vec<String>,
}

struct Answer {
    status: u16,
    retry_after: Option<u32>,
    body: String,
}

impl DirectusStub {
    /// A CMS without sessions, that is well.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let cms = Cms {
            sessions: HashMap::new(),
            rights: HashSet::new(),
            mood: Mood::Well,
            asked: Vec::new(),
            traceparents: Vec::new(),
        };
        let cms = Arc::new(Mutex::new(cms));
        let answering = Arc::clone(&cms);
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, Arc::clone(&answering)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { url, cms, server })
    }

    /// Where it is: `http://host:port`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins a session: whoever shows this value of the cookie is that.
    pub fn begin(&self, cookie: &str, session: Session) {
        self.cms().sessions.insert(cookie.to_owned(), session);
    }

    /// Ends a session, as signing out does.
    pub fn end(&self, cookie: &str) {
        self.cms().sessions.remove(cookie);
    }

    /// Lets a user read an event.
    pub fn allow(&self, user: &str, event: &str) {
        self.cms().rights.insert((user.to_owned(), event.to_owned()));
    }

    /// Takes that right away.
    pub fn withdraw(&self, user: &str, event: &str) {
        self.cms().rights.remove(&(user.to_owned(), event.to_owned()));
    }

    /// Answers so from now on.
    pub fn be(&self, mood: Mood) {
        self.cms().mood = mood;
    }

    /// How often it was asked for a path that begins so: `/users/me`, `/items/events/`, or `/` for all.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        self.cms().asked.iter().filter(|asked| asked.starts_with(path)).count()
    }

    /// The header `traceparent` of every request that had one.
    #[must_use]
    pub fn traceparents(&self) -> Vec<String> {
        self.cms().traceparents.clone()
    }

    fn cms(&self) -> MutexGuard<'_, Cms> {
        lock(&self.cms)
    }
}

impl Drop for DirectusStub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(cms: &Mutex<Cms>) -> MutexGuard<'_, Cms> {
    cms.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(connection: TcpStream, cms: Arc<Mutex<Cms>>) {
    let mut connection = BufReader::new(connection);
    while let Some(Question { path, cookie, traceparent }) = read(&mut connection).await {
        let (mood, answer) = {
            let cms = &mut *lock(&cms);
            cms.asked.push(path.clone());
            cms.traceparents.extend(traceparent);
            (cms.mood, cms.answer(&path, cookie.as_deref()))
        };
        let answer = match mood {
            Mood::Well => answer,
            Mood::Slow(time) => {
                tokio::time::sleep(time).await;
                answer
            }
            Mood::Refusing(status, retry_after) => {
                Answer { retry_after, ..refusal(status, "UNDER_PRESSURE") }
            }
        };
        if connection.write_all(answer.text().as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request.
struct Question {
    path: String,
    /// The session cookie.
    cookie: Option<String>,
    traceparent: Option<String>,
}

/// The next request; none if the connection has ended.
async fn read(connection: &mut BufReader<TcpStream>) -> Option<Question> {
    let (mut path, mut cookie, mut traceparent) = (None, None, None);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Some(Question { path: path?, cookie, traceparent });
        }
        if path.is_none() {
            let target = line.strip_prefix("GET ")?.split(' ').next()?;
            path = Some(target.split('?').next().unwrap_or(target).to_owned());
        } else if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("cookie")
        {
            let mut cookies = value.split("; ").filter_map(|cookie| cookie.split_once('='));
            cookie = cookies.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned());
        } else if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("traceparent")
        {
            traceparent = Some(value.to_owned());
        }
    }
}

impl Cms {
    fn answer(&self, path: &str, cookie: Option<&str>) -> Answer {
        if path == "/server/ping" {
            return Answer { status: 200, retry_after: None, body: "pong".to_owned() };
        }
        let session = cookie.and_then(|cookie| self.sessions.get(cookie));
        let session = match session {
            None => return refusal(401, "INVALID_CREDENTIALS"),
            Some(Session::Expired) => return refusal(401, "TOKEN_EXPIRED"),
            Some(Session::Forged) => return refusal(403, "INVALID_TOKEN"),
            Some(session) => session,
        };
        let event = path.strip_prefix("/items/events/");
        match (session, event) {
            (Session::Of(user), None) if path == "/users/me" => data(&format!(r#"{{"id":"{user}"}}"#)),
            (Session::Of(user), Some(event)) if self.rights.contains(&(user.clone(), event.to_owned())) => {
                data(&format!(r#"{{"id":"{event}"}}"#))
            }
            (Session::Share, None) if path == "/users/me" => {
                data(r#"{"share":"0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d"}"#)
            }
            (Session::Nobody, None) if path == "/users/me" => data("null"),
            _ => refusal(403, "FORBIDDEN"),
        }
    }
}

fn data(json: &str) -> Answer {
    Answer { status: 200, retry_after: None, body: format!(r#"{{"data":{json}}}"#) }
}

fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(r#"{{"errors":[{{"message":"no","extensions":{{"code":"{code}"}}}}]}}"#);
    Answer { status, retry_after: None, body }
}

impl Answer {
    fn text(&self) -> String {
        let Self { status, retry_after, body } = self;
        let retry_after =
            retry_after.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
        let length = body.len();
        format!(
            "HTTP/1.1 {status} .\r\n{retry_after}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "0f1a7f8e-32ab-4f0e-9c7e-000000000001";

    #[tokio::test]
    async fn answers_as_the_cms_does() -> anyhow::Result<()> {
        let directus = DirectusStub::start().await?;
        directus.begin("a", Session::Of(ANN.to_owned()));
        directus.begin("b", Session::Forged);
        directus.allow(ANN, "42");
        let table = [
            ("a", "/users/me", 200),
            ("b", "/users/me", 403),
            ("c", "/users/me", 401),
            ("a", "/items/events/42", 200),
            ("a", "/items/events/43", 403),
        ];
        for (cookie, path, expected) in table {
            assert_eq!(lock(&directus.cms).answer(path, Some(cookie)).status, expected, "{cookie} {path}");
        }
        directus.withdraw(ANN, "42");
        assert_eq!(lock(&directus.cms).answer("/items/events/42", Some("a")).status, 403);
        directus.end("a");
        assert_eq!(lock(&directus.cms).answer("/users/me", Some("a")).status, 401);

        let address = directus.url().trim_start_matches("http://");
        assert_eq!(crate::http::get(address, "/server/ping").await?, (200, "pong".to_owned()));
        directus.be(Mood::Refusing(429, Some(7)));
        assert_eq!(crate::http::get(address, "/server/ping").await?.0, 429);
        assert_eq!((directus.asked("/server/"), directus.asked("/items/")), (2, 0));
        Ok(())
    }
}
