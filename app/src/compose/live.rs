//! The live river and its server.

use std::sync::Arc;
use std::time::Duration;

use processor_database::Database;
use processor_directus::{DirectusAccess, DirectusSettings};
use processor_domain::Roster;
use processor_domain::ports::{Access, RosterSource, SystemClock};
use processor_domain::rules::RuleSet;
use processor_embedded::{FixedRoster, OpenAccess};
use processor_live::{Live, LiveSettings, Ports};
use processor_web::{JsonFrames, LiveServer, PageConfig, SocketSettings};

use super::Source;
use crate::config::{Config, Directus};
use crate::telemetry;

/// Who may look, and at what.
pub(crate) enum Audience {
    /// Those whom Directus lets in, at the events in the database.
    Directus(Directus),
    /// Everybody who can reach the port, at this: for a demonstration.
    Everybody {
        /// Which devices are in which events.
        roster: Roster,
        /// What the page shows.
        page: Box<PageConfig>,
    },
}

impl Audience {
    /// Who takes part in what: as this database says, or as the demonstration does.
    pub(crate) fn roster(&self, database: &Database) -> Arc<dyn RosterSource> {
        match self {
            Self::Directus(_) => database.roster_source(),
            Self::Everybody { roster, .. } => Arc::new(FixedRoster(roster.clone())),
        }
    }
}

/// The river and the server of its sockets, which are to be run side by side.
pub(crate) async fn live(
    config: &Config,
    audience: Audience,
    source: &Source,
    database: &Database,
) -> anyhow::Result<(Live, LiveServer)> {
    let roster = audience.roster(database);
    let (access, page, open): (Arc<dyn Access>, _, _) = match audience {
        Audience::Directus(directus) => {
            let settings = DirectusSettings {
                cookie_name: directus.cookie.as_str().into(),
                // With the time between two checks of a viewer's rights it makes less than a minute.
                keep_yes: Duration::from_secs(15),
                trace_headers: config.telemetry.as_ref().map(|_| telemetry::trace_headers()),
                ..DirectusSettings::new(directus.url)
            };
            let access = DirectusAccess::new(&settings, Arc::new(SystemClock))?;
            (Arc::new(access), Box::default(), false)
        }
        Audience::Everybody { page, .. } => (Arc::new(OpenAccess), page, true),
    };
    let page = PageConfig {
        tile_url: config.live.tile_url.clone(),
        tile_attribution: config.live.tile_attribution.clone(),
        ..*page
    };
    let ports = Ports {
        feeds: source.feeds(config).await?,
        last_positions: database.last_positions(),
        marks: database.marks(),
        roster,
        access,
        encoder: Arc::new(JsonFrames),
        clock: Arc::new(SystemClock),
    };
    let settings = LiveSettings {
        device_capacity: config.ingest.device_capacity,
        sockets: sockets(config.live.settings.sockets),
        ..config.live.settings.clone()
    };
    let live = Live::new(ports, RuleSet::standard(), settings);
    let socket = SocketSettings {
        origins: config.live.origins.clone(),
        cookie_name: config
            .live
            .directus
            .as_ref()
            .map_or_else(String::new, |directus| directus.cookie.clone()),
        anonymous: open,
        ..SocketSettings::default()
    };
    let server = LiveServer::new(live.clone(), socket, &page)?;
    Ok((live, server))
}

/// As many sockets as are wanted, or as the system has file descriptors for.
fn sockets(wanted: usize) -> usize {
    /// For connections to services, connections that are not sockets yet, and files.
    const OTHERS: u64 = 1_500;
    let needed = wanted as u64 + OTHERS;
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) if limit < needed => {
            let sockets = usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(wanted).max(1);
            tracing::warn!(
                limit,
                sockets,
                "the limit of open files allows fewer sockets than LIVE_MAX_SOCKETS"
            );
            sockets
        }
        Ok(_) => wanted,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files is not known");
            wanted
        }
    }
}
