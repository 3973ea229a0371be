//! `processor demo`: the service on a synthetic rally.

use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::time::Duration;

use processor_domain::EventId;
use processor_domain::ports::{Clock, SystemClock};
use processor_simulator::{Rally, RallySettings};
use processor_web::{DeviceLook, PageConfig};
use tokio_util::sync::CancellationToken;

use super::simulate::drive;
use crate::account::Account;
use crate::compose::Audience;
use crate::config::Config;
use crate::log::Levels;
use crate::recorder::Recorder;
use crate::run::{Ended, Service};

/// How the demo is run.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// How many cars take part.
    pub cars: u16,
    /// Which rally.
    pub seed: u64,
    /// After how many seconds it ends by itself.
    pub seconds: Option<u64>,
}

/// How often the account is shown.
const SHOW_EVERY: Duration = Duration::from_secs(2);
/// After how many lines the header is shown again, and the marks.
const HEADER_EVERY: u64 = 15;

/// Runs the service on an embedded stream and feeds it a rally until it is told to stop.
pub(crate) async fn demo(mut config: Config, options: DemoOptions, levels: Levels) -> Ended {
    config.redis = None;
    // Everybody who can reach the port is let in.
    config.live.address.set_ip(Ipv4Addr::LOCALHOST.into());
    let database = config.database.url.clone();
    let cars = NonZeroU16::new(options.cars).unwrap_or(NonZeroU16::MIN);
    let settings =
        RallySettings { cars, seed: options.seed, ..RallySettings::starting_at(SystemClock.now()) };
    let rally = Rally::new(settings);
    let mut service = match Service::start(config, Some(audience(&rally)), levels).await {
        Ok(service) => service,
        Err(ended) => return ended,
    };
    tracing::warn!("the live socket is open to everybody on this machine, because this is a demonstration");
    println!("A synthetic rally of {cars} cars, one fix a second each, into {database}");
    if let Some(page) = service.live_address() {
        println!("See it at http://{page}/");
    }
    println!("Ctrl-C stops it.\n");

    let (stop, recorder) = (service.stop(), service.recorder());
    service.beside("rally", drive(rally, service.publisher(), stop.clone()));
    service.beside("account", show(recorder.clone(), stop.clone()));
    if let Some(seconds) = options.seconds {
        service.beside("timer", async move {
            stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(seconds))).await;
            stop.cancel();
            Ok(())
        });
    }
    let ended = service.run().await;
    let account = Account::of(&recorder);
    println!("\nIn the end: {account}");
    println!("Marked: {}", account.marks());
    ended
}

/// Everybody may look at the rally, which is an event called `demo`.
fn audience(rally: &Rally) -> Audience {
    let event = EventId::parse("demo").unwrap_or_else(|_| unreachable!("a plain word"));
    let devices = rally.cars().iter().map(|car| {
        let look = DeviceLook {
            label: Some(format!("#{} {}", car.number, car.crew)),
            colour: Some(car.colour.clone()),
        };
        (car.device_id.to_string(), look)
    });
    let page = PageConfig {
        event: Some(event.to_string()),
        route: rally.route().points().iter().map(|(latitude, longitude)| [*latitude, *longitude]).collect(),
        devices: devices.collect(),
        ..PageConfig::default()
    };
    let roster = rally.cars().iter().map(|car| (car.device_id, event.clone())).collect();
    Audience::Everybody { roster, page: Box::new(page) }
}

async fn show(recorder: Recorder, stop: CancellationToken) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(SHOW_EVERY);
    ticks.tick().await;
    let mut before = Account::default();
    for line in 0_u64.. {
        if stop.run_until_cancelled(ticks.tick()).await.is_none() {
            break;
        }
        if line % HEADER_EVERY == 0 {
            println!("{}", Account::HEADER);
        }
        let now = Account::of(&recorder);
        let rate = now.read.saturating_sub(before.read) as f64 / SHOW_EVERY.as_secs_f64();
        println!("{}", now.row(rate));
        if line % HEADER_EVERY == HEADER_EVERY - 1 {
            println!("      marked so far: {}", now.marks());
        }
        before = now;
    }
    Ok(())
}
