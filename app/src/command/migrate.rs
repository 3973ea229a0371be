//! `processor migrate`: the schema, and nothing else.

use tokio_util::sync::CancellationToken;

use crate::compose;
use crate::config::Config;
use crate::run::Ended;

/// Brings the schema of the database up to date.
pub async fn migrate(config: Config) -> Ended {
    let database = match compose::database(&config, &CancellationToken::new()).await {
        Ok(database) => database,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "no database");
            return Ended::Unreachable;
        }
    };
    match compose::migrate(&config, &database).await {
        Ok(report) => {
            println!(
                "{}",
                if report.applied.is_empty() {
                    "nothing to do".to_owned()
                } else {
                    report.applied.join("\n")
                }
            );
            Ended::AsAsked
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "failed to migrate");
            Ended::Failed
        }
    }
}
