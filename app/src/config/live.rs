//! The part about the live socket.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use processor_live::LiveSettings;
use processor_web::Origins;
use url::Url;

use super::{Reading, millis};

/// The live socket and its page.
#[derive(Debug, Clone)]
pub struct Live {
    /// Where it is bound.
    pub address: SocketAddr,
    /// From which pages a browser may connect.
    pub origins: Origins,
    /// Who says who may see what; without it there is no live socket.
    pub directus: Option<Directus>,
    /// How the river runs.
    pub settings: LiveSettings,
    /// Map tiles, if there are any.
    pub tile_url: Option<String>,
    /// Whom to name for the tiles.
    pub tile_attribution: Option<String>,
}

/// Directus.
#[derive(Debug, Clone)]
pub struct Directus {
    /// Where it is.
    pub url: String,
    /// Name of its session cookie.
    pub cookie: String,
}

pub(super) fn live(read: &mut Reading<'_>, marks_every: Duration) -> Live {
    let cookie = read.parsed("DIRECTUS_COOKIE_NAME", "letters, digits, `-` and `_`", |text| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        text.bytes().all(plain).then(|| text.to_owned())
    });
    let directus = read.text("DIRECTUS_URL").map(str::to_owned);
    if directus.as_deref().is_some_and(|url| !is_http(url)) {
        read.fault("DIRECTUS_URL", "must be a URL such as https://cms.example");
    }
    Live {
        address: SocketAddr::new(
            read.parsed("LIVE_WS_ADDRESS", "an IP address", |text| text.parse::<IpAddr>().ok().map(Some))
                .unwrap_or(IpAddr::from([0, 0, 0, 0])),
            read.number("LIVE_WS_PORT", 0..=u16::MAX),
        ),
        origins: read.parsed(
            "LIVE_ALLOWED_ORIGINS",
            "origins such as https://example.org, separated by commas",
            origins,
        ),
        directus: directus.map(|url| Directus { url, cookie }),
        settings: LiveSettings {
            tick: millis(read, "LIVE_TICK_MS", 0),
            roster_refresh: millis(read, "LIVE_DEVICE_EVENT_REFRESH_MS", 100),
            recheck_every: millis(read, "LIVE_RECHECK_MS", 1_000),
            grace: millis(read, "LIVE_GRACE_MS", 0),
            patience: millis(read, "LIVE_PATIENCE_MS", 1_000),
            sockets: read.number("LIVE_MAX_SOCKETS", 1..=1_000_000),
            sockets_per_viewer: read.number("LIVE_MAX_SOCKETS_PER_USER", 1..=1_000_000),
            subscriptions: read.number("LIVE_MAX_SUBSCRIPTIONS", 1..=10_000),
            marks_every,
            ..LiveSettings::default()
        },
        tile_url: read.text("LIVE_TILE_URL").map(str::to_owned),
        tile_attribution: read.text("LIVE_TILE_ATTRIBUTION").map(str::to_owned),
    }
}

fn is_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}

fn origins(text: &str) -> Option<Origins> {
    Origins::parse(text.split(',').map(str::trim)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_separated_by_commas() {
        assert_eq!(
            origins("https://a.example, http://b:8080"),
            Origins::parse(["https://a.example", "http://b:8080"]).ok()
        );
        for text in ["a.example", "https://a.example,", "*", "null"] {
            assert_eq!(origins(text), None, "{text}");
        }
    }
}
