//! The credential shows up nowhere.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};

use processor_domain::ports::{Access as _, AccessError};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::stub::{Reply, Stub};
use crate::{USER, access, access_with, credential, event};

const SECRET: &str = "c0rrect-h0rse-battery-stap1e";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As whoever handles the failure would log it, with every cause.
fn log(error: &AccessError) {
    tracing::warn!(?error, "nobody knows");
    let mut cause = Some(error as &dyn Error);
    while let Some(error) = cause {
        tracing::warn!(%error, "because");
        cause = error.source();
    }
}

#[tokio::test]
async fn neither_the_log_nor_an_error_holds_the_credential() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let stub = Stub::always(Reply::user(USER)).await;
    // The server may repeat the secret, too.
    let replies = [
        Reply::user(USER),
        Reply::user("42"),
        Reply::status(401),
        Reply::ok(SECRET),
        Reply::ok(format!(r#"{{"data":"{SECRET}"}}"#)),
        Reply::status(500),
        Reply::status(429),
        Reply::Http(302, vec![("Location", format!("http://{SECRET}/"))], String::new()),
        Reply::Raw(format!("{SECRET}\r\n\r\n")),
    ];
    for reply in replies {
        stub.now_answers(reply);
        let access = access(&stub);
        tracing::info!(?access, credential = ?credential(SECRET), "asking");
        if let Err(error) = access.identify(&credential(SECRET)).await {
            log(&error);
        }
        if let Err(error) = access.may_see(&credential(SECRET), &event("42")).await {
            log(&error);
        }
    }
    stub.now_answers(Reply::Silence);
    let hasty = access_with(&stub, |settings| {
        settings.timeout = std::time::Duration::from_millis(50);
        settings.turn_timeout = settings.timeout;
    });
    log(&hasty.identify(&credential(SECRET)).await.unwrap_err());

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("directus.identify") && log.contains("because"), "{log}");
    assert!(stub.requests().iter().all(|request| request.cookie().contains(SECRET)));
    for part in [SECRET, "h0rse", "stap1e"] {
        assert!(!log.contains(part), "{log}");
    }
}
