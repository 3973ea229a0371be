//! The list of all settings, in the order of `docs/configuration.md`.

use super::Setting;

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: false }
}

const fn secret(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: true }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting(
        "INSTANCE_ID",
        "processor-1",
        "Name of this instance; give each one its own when there are several",
    ),
    setting(
        "LOG_LEVEL",
        "info",
        "What is logged: a level for everything, and others for single modules: `info,processor_redis=debug`",
    ),
    setting("LOG_FORMAT", "pretty", "`json` or `pretty`"),
    setting(
        "METRICS_PORT",
        "9090",
        "Port of health, readiness, metrics and the admin API; 0 takes any free one",
    ),
    setting("METRICS_ADDRESS", "0.0.0.0", "Address that port is bound to"),
    secret(
        "ADMIN_TOKEN",
        "",
        "Bearer token of the admin API on that port, at least 16 visible ASCII characters; none: it is off",
    ),
    secret(
        "REDIS_URL",
        "",
        "Redis with the streams, `redis://[user:password@]host:port/db`, `redis+sentinel://` or `redis+cluster://`; none: \
         the embedded stream",
    ),
    setting("REDIS_TELEMETRY_STREAM", "telemetry:teltonika", "Streams to read, separated by commas"),
    setting("REDIS_CONSUMER_GROUP", "processor", "Consumer group; created at the beginning of the stream"),
    setting("REDIS_CONSUMER_NAME", "", "Name in the group; the value of `INSTANCE_ID` if not given"),
    setting("REDIS_BATCH_SIZE", "2000", "Most entries read at once"),
    setting("REDIS_BATCH_BYTES", "4194304", "About how many bytes are read at once at most"),
    setting("REDIS_BLOCK_MS", "1000", "How long a read waits for entries, in milliseconds"),
    setting(
        "REDIS_CLAIM_IDLE_MS",
        "60000",
        "Entries another consumer has left for this long are taken over, in milliseconds",
    ),
    setting(
        "REDIS_CONSUMER_FORGET_HOURS",
        "24",
        "Consumers of the group that hold nothing and have asked for nothing for this long are removed, in hours, \
         also parts of one; 0: none",
    ),
    setting(
        "REDIS_MAX_DELIVERIES",
        "10",
        "An entry delivered more often than this is set aside; 0 turns this off",
    ),
    secret(
        "DATABASE_URL",
        "sqlite://processor.sqlite",
        "`postgres://user:password@host/database` or `sqlite://file`",
    ),
    setting("DATABASE_WRITERS", "3", "Writers, each with a connection of its own"),
    setting(
        "DATABASE_BATCH_SIZE",
        "5000",
        "Most positions of one commit; what was read and waits is committed together",
    ),
    setting(
        "DATABASE_STATEMENT_TIMEOUT_MS",
        "10000",
        "The database ends a statement after this time, in milliseconds",
    ),
    setting("DATABASE_MIGRATE", "true", "Whether `serve` brings the schema up to date at its start"),
    setting("DATABASE_CHUNK_INTERVAL_HOURS", "168", "Span of time in one chunk of the hypertable, in hours"),
    setting(
        "DATABASE_COMPRESS_AFTER_DAYS",
        "0",
        "Chunks older than this are compressed, in days; 0: none. Needs the Community edition",
    ),
    setting("DATABASE_RETAIN_DAYS", "0", "Chunks older than this are dropped, in days; 0: none"),
    setting("DEVICE_STATE_CAPACITY", "100000", "Devices whose state is kept in memory"),
    setting("DEVICE_STATE_RECALL", "10000", "Devices recalled from the database at the start"),
    setting("MARKS_REFRESH_MS", "1000", "How often it is asked what operators marked, in milliseconds"),
    setting("RECORD_MAX_BYTES", "65536", "Largest payload of a record, in bytes"),
    setting("RECORD_EARLIEST", "2000-01-01T00:00:00Z", "Positions from before this moment are set aside"),
    setting(
        "RECORD_AHEAD_MS",
        "86400000",
        "Positions farther ahead of now than this are set aside, in milliseconds",
    ),
    setting(
        "DIRECTUS_URL",
        "",
        "Directus, which says who may see which event; none: nobody sees anything live",
    ),
    setting("DIRECTUS_COOKIE_NAME", "directus_session_token", "Name of the session cookie of Directus"),
    setting("LIVE_WS_PORT", "8081", "Port of the live socket and its page; 0 takes any free one"),
    setting(
        "LIVE_WS_ADDRESS",
        "0.0.0.0",
        "Address that port is bound to; `demo` binds 127.0.0.1 in any case",
    ),
    setting(
        "LIVE_ALLOWED_ORIGINS",
        "",
        "Origins of pages that may connect, separated by commas; none: the page served here",
    ),
    setting(
        "LIVE_DEVICE_EVENT_REFRESH_MS",
        "30000",
        "How often it is read which device is in which event, in milliseconds",
    ),
    setting(
        "LIVE_TICK_MS",
        "100",
        "What arrives within this time is sent in one frame, in milliseconds; 0 sends at once",
    ),
    setting(
        "LIVE_RECHECK_MS",
        "40000",
        "How often the rights of those connected are checked again, at the latest, in milliseconds",
    ),
    setting(
        "LIVE_GRACE_MS",
        "300000",
        "How long those connected may stay while Directus is away, in milliseconds",
    ),
    setting(
        "LIVE_PATIENCE_MS",
        "30000",
        "A viewer that takes nothing of what it is sent for this long is closed as too slow, in milliseconds",
    ),
    setting("LIVE_MAX_SOCKETS", "10000", "Most sockets in all"),
    setting("LIVE_MAX_SOCKETS_PER_USER", "50", "Most sockets of one user"),
    setting("LIVE_MAX_SUBSCRIPTIONS", "128", "Most events one socket may follow"),
    setting(
        "LIVE_TILE_URL",
        "",
        "Map tiles for the page, such as `https://tiles.example/{z}/{x}/{y}.png`; none: a plain map",
    ),
    setting("LIVE_TILE_ATTRIBUTION", "", "What the provider of the tiles wants to be named as"),
    setting(
        "START_TIMEOUT_MS",
        "30000",
        "How long to try to reach Redis and the database at the start, in milliseconds",
    ),
    setting(
        "STOP_TIMEOUT_MS",
        "9000",
        "How long a stop may take before what is in hand is left pending, in milliseconds",
    ),
    setting(
        "STUCK_AFTER_MS",
        "120000",
        "A task busy with one thing for this long fails the liveness probe, in milliseconds",
    ),
    secret(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "Collector that traces are sent to, such as `http://collector:4318`; none: no tracing",
    ),
    secret(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "",
        "The same with the whole path, such as `http://collector:4318/v1/traces`; goes before the other",
    ),
    setting(
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "http/protobuf",
        "How the collector is spoken to; there is no other way",
    ),
    secret("OTEL_EXPORTER_OTLP_HEADERS", "", "Headers for the collector, `name=value` separated by commas"),
    setting("OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "How long an export may take, in milliseconds"),
    setting("OTEL_SERVICE_NAME", "processor", "`service.name` of the spans"),
    setting(
        "OTEL_RESOURCE_ATTRIBUTES",
        "",
        "Further attributes of the spans, `name=value` separated by commas",
    ),
    setting(
        "OTEL_TRACES_SAMPLER",
        "parentbased_always_on",
        "Which traces are recorded: `always_on`, `always_off` or `traceidratio`; `parentbased_` makes no difference",
    ),
    setting(
        "OTEL_TRACES_SAMPLER_ARG",
        "",
        "How many of all traces `traceidratio` records, from 0 to 1; 1 if not given",
    ),
    setting(
        "OTEL_BSP_SCHEDULE_DELAY",
        "5000",
        "How long a span waits for others to be sent with, in milliseconds",
    ),
    setting("OTEL_BSP_MAX_QUEUE_SIZE", "2048", "Most spans that wait; what there is no room for is dropped"),
    setting("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512", "Most spans in an export"),
    setting("OTEL_BSP_EXPORT_TIMEOUT", "30000", "How long an export may take as well, in milliseconds"),
];
