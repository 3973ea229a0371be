//! Which crates from outside each crate may use, its tests apart. A new one is a decision: it goes in here.

/// Folders of crates that may use anything.
pub(super) const ANYTHING: [&str; 2] = ["app", "tests"];

pub(super) const ALLOWED: [(&str, &[&str]); 13] = [
    ("domain", &["async-trait", "foldhash", "lru", "memchr", "mockall", "thiserror", "time"]),
    (
        "application/ingest",
        &["async-trait", "futures", "metrics", "thiserror", "tokio", "tokio-util", "tracing"],
    ),
    (
        "application/live",
        &[
            "async-trait",
            "bytes",
            "foldhash",
            "futures",
            "lru",
            "metrics",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
        ],
    ),
    ("application/tasks", &["backon", "thiserror", "tokio", "tokio-util", "tracing"]),
    ("adapters/codec", &["data-encoding", "itoa", "memchr", "serde", "serde_json", "thiserror", "time"]),
    (
        "adapters/redis",
        &[
            "async-trait",
            "deadpool-redis",
            "itoa",
            "redis",
            "rustls-native-certs",
            "thiserror",
            "tokio",
            "tokio-rustls",
            "tracing",
        ],
    ),
    (
        "adapters/database",
        &["async-trait", "futures", "itoa", "sea-orm", "thiserror", "time", "tokio", "tracing"],
    ),
    (
        "adapters/directus",
        &[
            "async-trait",
            "data-encoding",
            "foldhash",
            "futures",
            "lru",
            "reqwest",
            "rustls-native-certs",
            "secrecy",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
            "tokio-rustls",
            "tracing",
            "url",
        ],
    ),
    ("adapters/embedded", &["async-trait", "thiserror", "tokio", "tracing"]),
    ("adapters/simulator", &["rand"]),
    (
        "adapters/replay",
        &["flate2", "gpx", "serde", "serde_json", "thiserror", "time", "tokio", "tokio-util", "tracing"],
    ),
    ("adapters/web", &["bytes", "futures", "poem", "serde", "serde_json", "thiserror", "tokio", "tracing"]),
    ("migration", &["async-trait", "sea-orm-migration", "thiserror", "tracing"]),
];
