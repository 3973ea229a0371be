//! Asks a running Directus what the live river asks, and prints what each answer comes to.
//!
//! ```text
//! cargo run -p processor-directus --example ask -- http://localhost:8055 EVENT… < cookie
//! ```
//!
//! The value of the session cookie is the first line of the standard input, so that it is in no list of
//! processes and in no history; an empty line is no cookie. Nothing is remembered from one run to the next.

use std::error::Error;
use std::io::stdin;
use std::sync::Arc;

use processor_directus::{DirectusAccess, DirectusSettings};
use processor_domain::ports::{Access, AccessError, SystemClock};
use processor_domain::{Credential, EventId, Viewer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the URL of Directus, please")?;
    let events = arguments.map(|id| EventId::parse(&id)).collect::<Result<Vec<_>, _>>()?;
    let mut cookie = String::new();
    stdin().read_line(&mut cookie)?;
    let credential = Credential::new(cookie.trim_end_matches(['\r', '\n']));

    let access = DirectusAccess::new(&DirectusSettings::new(url), Arc::new(SystemClock))?;
    let viewer = access.identify(&credential).await;
    let name = |viewer: Option<Viewer>| viewer.map_or("nobody".to_owned(), |viewer| viewer.id.to_string());
    println!("identify: {}", told(viewer.map(name)));
    for event in events {
        let answer = access.may_see(&credential, &event).await;
        println!("may_see {event}: {}", told(answer.map(|yes| if yes { "yes" } else { "no" }.into())));
    }
    Ok(())
}

/// The answer; of one that did not come, why.
fn told(answer: Result<String, AccessError>) -> String {
    answer.unwrap_or_else(|AccessError::Unknown { retry_after, cause }| match retry_after {
        Some(pause) => format!("unknown ({cause}), again in {pause:.1?}"),
        None => format!("unknown ({cause})"),
    })
}
