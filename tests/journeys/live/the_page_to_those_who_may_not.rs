use std::time::Duration;

use anyhow::anyhow;
use processor_tests::{Browser, Session, eventually};
use serde_json::{Value, json};

use super::LiveStage;
use super::live_stage::{ANN, ANNS_SESSION, OTHER_RALLY, RALLY, devices};
use crate::{Load, SOON};

/// Rights that end are noticed within a minute, and the page says so; half of it is for the machine.
const NOTICED: Duration = Duration::from_secs(90);

/// In a real browser: to whoever is not signed in, whose session ends, and who may not see the event, the page says so,
/// says what to do, and goes on when that is done.
#[tokio::test(flavor = "multi_thread")]
async fn says_why_and_what_to_do() -> anyhow::Result<()> {
    let live = LiveStage::new().await?;
    live.tables.enter(RALLY, devices(20)).await?;
    live.tables.enter(OTHER_RALLY, devices(10)).await?;
    let processor = live.processor().start().await?;
    processor.until_ready(SOON).await;
    let load = Load::on(&live.stage);
    let page = format!("http://{}/", processor.live_address().await);
    let browser = Browser::start().await?;

    // A browser is not told why a socket is not opened.
    browser.open(&format!("{page}?event={RALLY}")).await?;
    until_it_says(&browser, "reconnecting", "The server is away, or you are not signed in").await;
    sign_in(&browser, ANNS_SESSION).await?;
    until_it_says_after_trying(&browser, "live", "").await;

    live.directus.end(ANNS_SESSION);
    until_it_says(&browser, "signed-out", "Sign in again, then try").await;
    live.directus.begin("next-session-of-ann", Session::Of(ANN.to_owned()));
    sign_in(&browser, "next-session-of-ann").await?;
    until_it_says_after_trying(&browser, "live", "").await;

    live.directus.withdraw(ANN, RALLY);
    until_it_says(&browser, "no-access", "Ask the organiser").await;
    live.directus.allow(ANN, RALLY);
    until_it_says_after_trying(&browser, "live", "").await;

    browser.open(&format!("{page}?event={OTHER_RALLY}")).await?;
    until_it_says(&browser, "no-access", "Ask the organiser").await;
    live.directus.allow(ANN, OTHER_RALLY);
    until_it_says_after_trying(&browser, "live", "").await;
    load.end().await?;
    Ok(())
}

/// As the CMS does it.
async fn sign_in(browser: &Browser, session: &str) -> anyhow::Result<()> {
    let cookie = json!(format!("directus_session_token={session}"));
    browser.run(&format!("document.cookie = {cookie}")).await?;
    Ok(())
}

async fn until_it_says(browser: &Browser, state: &str, note: &str) {
    until(browser, state, note, "").await;
}

/// Presses the button again and again, as somebody does who is not patient.
async fn until_it_says_after_trying(browser: &Browser, state: &str, note: &str) {
    let press = "const button = document.querySelector('#retry'), now = performance.now();
        if (!button.hidden && now > (window.pressed ?? 0) + 1000) { window.pressed = now; button.click(); }";
    until(browser, state, note, press).await;
}

async fn until(browser: &Browser, state: &str, note: &str, before: &str) {
    let look = format!(
        "{before} return {{state: document.querySelector('#status').dataset.state,
            note: document.querySelector('#status-note').textContent,
            button: !document.querySelector('#retry').hidden}}"
    );
    let what = format!("the page is {state} and says {note:?}");
    eventually(NOTICED, &what, async || {
        let said: Value = browser.run(&look).await?;
        let so = said["state"] == state
            && (note.is_empty() || said["note"] == note)
            // There is something to press whenever it does not go on by itself.
            && said["button"] == (state != "live");
        if so { Ok(()) } else { Err(anyhow!("{said}")) }
    })
    .await;
}
