//! What is logged, changed while the program runs.

use std::time::Duration;

use poem::http::StatusCode;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use crate::problem::Problem;

pub(super) struct LogLevel(pub(super) processor_admin::LogLevel);

/// What is logged.
#[derive(Object)]
#[oai(rename = "LogLevel")]
struct Levels {
    /// What is logged now
    directives: String,
    /// What is logged after a start
    configured: String,
}

/// What is to be logged.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct LogLevelChange {
    /// A level for everything, and others for single modules: `info,processor_redis=debug`
    #[oai(validator(min_length = 1, max_length = 1000))]
    directives: String,
    /// After so many seconds it is again what is configured; never if not given
    #[oai(validator(minimum(value = "1"), maximum(value = "86400")))]
    for_seconds: Option<u32>,
}

#[derive(ApiResponse)]
enum LevelFault {
    /// `invalid_directives`: These are no directives
    #[oai(status = 422)]
    Invalid(Problem),
}

#[OpenApi]
impl LogLevel {
    /// What is logged
    #[oai(path = "/log-level", method = "get", operation_id = "log_level")]
    #[expect(clippy::unused_async, reason = "handlers are futures")]
    async fn log_level(&self) -> Json<Levels> {
        Json(self.levels())
    }

    /// Changes what is logged
    ///
    /// For good, which is until the next start, or for a while. It is logged that it was changed.
    #[oai(path = "/log-level", method = "put", operation_id = "change_log_level")]
    #[expect(clippy::unused_async, reason = "handlers are futures")]
    async fn change(&self, change: Json<LogLevelChange>) -> Result<Json<Levels>, LevelFault> {
        let time = change.for_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        self.0.change(&change.directives, time).map_err(|invalid| {
            let code = "invalid_directives";
            LevelFault::Invalid(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, invalid.to_string()))
        })?;
        Ok(Json(self.levels()))
    }
}

impl LogLevel {
    fn levels(&self) -> Levels {
        Levels { directives: self.0.directives(), configured: self.0.configured().to_owned() }
    }
}
