//! From environment variables and flags to what the parts of the program take.

mod in_force;
mod live;
mod log;
mod setting;
mod settings;
mod telemetry;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use processor_codec::Limits;
use processor_domain::Timestamp;
use processor_ingest::IngestSettings;
use processor_redis::RedisUrl;
use processor_web::{AdminToken, SettingInForce};
use url::Url;

use self::in_force::in_force;
pub use self::live::{Directus, Live};
pub use self::log::{Log, LogFormat};
pub use self::setting::{Fault, Reading, Setting, Values};
pub use self::settings::SETTINGS;
pub use self::telemetry::Telemetry;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of this instance.
    pub instance_id: String,
    /// How to log.
    pub log: Log,
    /// Where spans are sent; `None` is no tracing.
    pub telemetry: Option<Telemetry>,
    /// Where health, readiness and metrics are served.
    pub operations: SocketAddr,
    /// Who may use the admin API; without a token it is off.
    pub admin_token: Option<AdminToken>,
    /// Every setting as it may be shown.
    pub in_force: Vec<SettingInForce>,
    /// Where positions come from; `None` is the embedded stream.
    pub redis: Option<Redis>,
    /// Where positions go.
    pub database: Database,
    /// How the ingest river runs.
    pub ingest: IngestSettings,
    /// The live socket.
    pub live: Live,
    /// What a record may be.
    pub limits: Limits,
    /// How long to try to reach what is needed at the start.
    pub start_timeout: Duration,
    /// How long a stop may take.
    pub stop_timeout: Duration,
    /// How long a task may be busy with one thing.
    pub stuck_after: Duration,
}

/// Redis with its streams.
#[derive(Debug, Clone)]
pub struct Redis {
    /// Where it is.
    pub url: String,
    /// The streams to read.
    pub streams: Vec<String>,
    /// The consumer group.
    pub group: String,
    /// Our name in it.
    pub consumer: String,
    /// Most entries of a read.
    pub batch_size: usize,
    /// About the most bytes of a read.
    pub batch_bytes: usize,
    /// How long a read waits.
    pub block: Duration,
    /// After which time entries of another consumer are taken over.
    pub claim_idle: Duration,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where it is.
    pub url: String,
    /// Writers, each with a connection.
    pub writers: NonZeroU32,
    /// Time limit of a statement.
    pub statement_timeout: Duration,
    /// Whether to migrate at the start.
    pub migrate: bool,
    /// Span of a chunk.
    pub chunk_interval: Duration,
    /// Age after which chunks are compressed.
    pub compress_after: Option<Duration>,
    /// Age after which chunks are dropped.
    pub retain: Option<Duration>,
}

impl Config {
    /// Reads and checks all values.
    ///
    /// # Errors
    /// Every fault there is, not only the first.
    pub fn read(values: &Values) -> Result<Self, Vec<Fault>> {
        let mut reading = Reading::of(SETTINGS, values);
        let read = &mut reading;
        let instance_id = read.parsed("INSTANCE_ID", "1 to 64 visible ASCII characters", name);
        let redis = redis(read, &instance_id);
        let database = database(read);
        let marks_every = millis(read, "MARKS_REFRESH_MS", 10);
        let live = live::live(read, marks_every);
        let admin_token = read.secret("ADMIN_TOKEN", AdminToken::new);
        let config = Self {
            log: log::log(read),
            telemetry: telemetry::telemetry(read),
            operations: SocketAddr::new(
                read.parsed("METRICS_ADDRESS", "an IP address", |text| text.parse::<IpAddr>().ok().map(Some))
                    .unwrap_or(IpAddr::from([0, 0, 0, 0])),
                read.number("METRICS_PORT", 0..=u16::MAX),
            ),
            ingest: IngestSettings {
                writers: count(database.writers.get() as usize),
                write_at_most: count(read.number("DATABASE_BATCH_SIZE", 1..=100_000)),
                device_capacity: count(read.number("DEVICE_STATE_CAPACITY", 1..=100_000_000)),
                recall_at_start: read.number("DEVICE_STATE_RECALL", 0..=100_000_000),
                max_deliveries: read.number("REDIS_MAX_DELIVERIES", 0..=u32::MAX),
                keep_every: redis.as_ref().map_or(Duration::from_secs(20), |redis| redis.claim_idle / 3),
                reclaim_every: redis.as_ref().map_or(Duration::from_secs(15), |redis| redis.claim_idle / 4),
                forget_after: hours(read, "REDIS_CONSUMER_FORGET_HOURS"),
                marks_every,
                ..IngestSettings::default()
            },
            limits: Limits {
                max_bytes: read.number("RECORD_MAX_BYTES", 256..=16 * 1024 * 1024),
                earliest: read.parsed(
                    "RECORD_EARLIEST",
                    "a date and time such as 2000-01-01T00:00:00Z",
                    |text| Timestamp::parse_rfc3339(text).ok(),
                ),
                ahead: millis(read, "RECORD_AHEAD_MS", 0),
            },
            start_timeout: millis(read, "START_TIMEOUT_MS", 0),
            stop_timeout: millis(read, "STOP_TIMEOUT_MS", 0),
            stuck_after: millis(read, "STUCK_AFTER_MS", 1_000),
            instance_id,
            admin_token,
            in_force: in_force(values),
            redis,
            database,
            live,
        };
        reading.finish(config)
    }
}

fn redis(read: &mut Reading<'_>, instance_id: &str) -> Option<Redis> {
    let redis = Redis {
        url: read.text("REDIS_URL").unwrap_or_default().to_owned(),
        streams: read.parsed(
            "REDIS_TELEMETRY_STREAM",
            "names of different streams, separated by commas",
            streams,
        ),
        group: read.parsed("REDIS_CONSUMER_GROUP", "1 to 64 visible ASCII characters", name),
        consumer: match read.text("REDIS_CONSUMER_NAME") {
            Some(_) => read.parsed("REDIS_CONSUMER_NAME", "1 to 64 visible ASCII characters", name),
            None => instance_id.to_owned(),
        },
        batch_size: read.number("REDIS_BATCH_SIZE", 1..=10_000),
        batch_bytes: read.number("REDIS_BATCH_BYTES", 64 * 1024..=256 * 1024 * 1024),
        block: millis(read, "REDIS_BLOCK_MS", 10),
        claim_idle: millis(read, "REDIS_CLAIM_IDLE_MS", 1_000),
    };
    if redis.url.is_empty() {
        return None;
    }
    if RedisUrl::parse(&redis.url).is_err() {
        read.fault(
            "REDIS_URL",
            "must be a URL such as redis://host:6379, redis+sentinel://one,two,three/service or \
             redis+cluster://one,two,three",
        );
    }
    Some(redis)
}

fn database(read: &mut Reading<'_>) -> Database {
    let database = Database {
        url: read.text("DATABASE_URL").unwrap_or_default().to_owned(),
        writers: NonZeroU32::new(read.number("DATABASE_WRITERS", 1..=32)).unwrap_or(NonZeroU32::MIN),
        statement_timeout: millis(read, "DATABASE_STATEMENT_TIMEOUT_MS", 1_000),
        migrate: read.parsed("DATABASE_MIGRATE", "`true` or `false`", |text| text.parse().ok()),
        chunk_interval: Duration::from_hours(read.number("DATABASE_CHUNK_INTERVAL_HOURS", 1..=24 * 366)),
        compress_after: days(read, "DATABASE_COMPRESS_AFTER_DAYS"),
        retain: days(read, "DATABASE_RETAIN_DAYS"),
    };
    match Url::parse(&database.url) {
        Ok(url) if ["postgres", "postgresql", "sqlite"].contains(&url.scheme()) => {}
        _ => read.fault(
            "DATABASE_URL",
            "must be a URL such as postgres://user:password@host/database or sqlite://file",
        ),
    }
    if let (Some(compress), Some(retain)) = (database.compress_after, database.retain)
        && retain <= compress
    {
        read.fault("DATABASE_RETAIN_DAYS", "must be more than DATABASE_COMPRESS_AFTER_DAYS");
    }
    database
}

fn millis(read: &mut Reading<'_>, name: &'static str, at_least: u64) -> Duration {
    /// 366 days.
    const LONGEST: u64 = 366 * 24 * 3_600_000;
    Duration::from_millis(read.number(name, at_least..=LONGEST))
}

/// A number of days; zero is none.
fn days(read: &mut Reading<'_>, name: &'static str) -> Option<Duration> {
    Some(Duration::from_hours(24 * read.number(name, 0..=36_600_u64))).filter(|days| !days.is_zero())
}

/// A number of hours, whole or not; zero is none.
fn hours(read: &mut Reading<'_>, name: &'static str) -> Option<Duration> {
    /// 366 days.
    const LONGEST: f64 = 366.0 * 24.0;
    let hours = read.parsed(name, "a number of hours from 0 to 8784", |text| {
        text.parse().ok().filter(|hours: &f64| (0.0..=LONGEST).contains(hours))
    });
    Some(Duration::from_secs_f64(hours * 3_600.0)).filter(|time| !time.is_zero())
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

fn name(text: &str) -> Option<String> {
    let valid = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic());
    valid.then(|| text.to_owned())
}

fn streams(text: &str) -> Option<Vec<String>> {
    let mut streams: Vec<String> = Vec::new();
    for stream in text.split(',').map(str::trim) {
        if stream.is_empty() || streams.iter().any(|known| known == stream) {
            return None;
        }
        streams.push(stream.to_owned());
    }
    Some(streams)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(given: &[(&str, &str)]) -> Values {
        let mut values = Values::default();
        for (name, value) in given {
            let setting = SETTINGS.iter().find(|setting| setting.name == *name).expect("a setting");
            values.set(setting, (*value).to_owned());
        }
        values
    }

    #[test]
    fn the_defaults_are_valid_and_embedded() {
        let config = Config::read(&Values::default()).unwrap();
        assert!(config.redis.is_none());
        assert_eq!(config.instance_id, "processor-1");
        assert_eq!(config.database.url, "sqlite://processor.sqlite");
        assert_eq!(config.database.compress_after, None);
        assert_eq!(config.limits.max_bytes, Limits::default().max_bytes);
        assert_eq!(config.limits.earliest, Limits::default().earliest);
        assert_eq!(config.limits.ahead, Limits::default().ahead);
    }

    #[test]
    fn the_consumer_is_named_after_the_instance_unless_it_has_a_name() {
        let redis = |given: &[(&str, &str)]| Config::read(&values(given)).unwrap().redis.unwrap();
        let url = ("REDIS_URL", "redis://localhost");
        assert_eq!(redis(&[url]).consumer, "processor-1");
        assert_eq!(redis(&[url, ("INSTANCE_ID", "two")]).consumer, "two");
        assert_eq!(redis(&[url, ("INSTANCE_ID", "two"), ("REDIS_CONSUMER_NAME", "c")]).consumer, "c");
        assert_eq!(redis(&[url, ("REDIS_TELEMETRY_STREAM", "a, b")]).streams, ["a", "b"]);
    }

    #[test]
    fn redis_may_be_one_server_or_several() {
        let read = |url| Config::read(&values(&[("REDIS_URL", url)]));
        for url in ["redis://one", "rediss+sentinel://one,two/cars/1", "redis+cluster://one:7000,two"] {
            assert_eq!(read(url).unwrap().redis.unwrap().url, url);
        }
        for url in ["redis+sentinel://one,two", "redis+cluster://one/1", "redis://one,two"] {
            assert_eq!(read(url).unwrap_err()[0].setting, "REDIS_URL", "{url}");
        }
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let faults = Config::read(&values(&[
            ("METRICS_PORT", "99999"),
            ("REDIS_URL", "localhost"),
            ("REDIS_TELEMETRY_STREAM", "a,a"),
            ("DATABASE_URL", "mysql://x"),
            ("LOG_FORMAT", "xml"),
            ("DATABASE_WRITERS", "0"),
            ("RECORD_EARLIEST", "yesterday"),
        ]))
        .unwrap_err();
        let mut names: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "DATABASE_URL",
                "DATABASE_WRITERS",
                "LOG_FORMAT",
                "METRICS_PORT",
                "RECORD_EARLIEST",
                "REDIS_TELEMETRY_STREAM",
                "REDIS_URL"
            ]
        );
        let port = faults.iter().find(|fault| fault.setting == "METRICS_PORT").unwrap();
        assert_eq!(port.problem, "must be a whole number from 0 to 65535, not \"99999\"");
    }

    #[test]
    fn hours_may_be_parts_of_one_and_zero_is_none() {
        let forget = |hours| {
            let read = Config::read(&values(&[("REDIS_CONSUMER_FORGET_HOURS", hours)]));
            read.map(|config| config.ingest.forget_after)
        };
        assert_eq!(forget("").unwrap(), Some(Duration::from_hours(24)));
        assert_eq!(forget("0.5").unwrap(), Some(Duration::from_mins(30)));
        assert_eq!(forget("0").unwrap(), None);
        for nonsense in ["-1", "NaN", "inf", "8785", "a day"] {
            assert!(forget(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn an_empty_value_is_none() {
        assert!(Config::read(&values(&[("REDIS_URL", ""), ("METRICS_PORT", "")])).unwrap().redis.is_none());
    }

    #[test]
    fn a_weak_token_is_a_fault_that_does_not_show_it() {
        let faults = Config::read(&values(&[("ADMIN_TOKEN", "weak-secret")])).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].setting, "ADMIN_TOKEN");
        assert_eq!(faults[0].problem, "must be at least 16 visible ASCII characters");
        let config = Config::read(&values(&[("ADMIN_TOKEN", "a-strong-secret-of-tests")])).unwrap();
        assert!(config.admin_token.is_some());
        assert!(!format!("{config:?}").contains("a-strong-secret"), "{config:?}");
    }
}
