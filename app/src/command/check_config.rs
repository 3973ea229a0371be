//! `processor check-config`: what holds, and what is risky about it.

use std::process::ExitCode;

use crate::compose::database_settings;
use crate::config::{Config, Values};

/// Shows every value that holds, without passwords, and warns of risky combinations.
#[must_use]
pub fn check_config(values: &Values) -> ExitCode {
    if let Ok(config) = Config::read(values) {
        for setting in &config.in_force {
            println!("{}={}", setting.name, setting.value);
        }
        for risk in risks(&config) {
            eprintln!("warning: {risk}");
        }
    }
    ExitCode::SUCCESS
}

/// Combinations that are allowed and rarely meant.
pub(crate) fn risks(config: &Config) -> Vec<String> {
    let mut risks = Vec::new();
    if let Some(redis) = &config.redis {
        if redis.claim_idle < config.database.statement_timeout * 2 {
            risks.push(
                "REDIS_CLAIM_IDLE_MS is less than twice DATABASE_STATEMENT_TIMEOUT_MS: a slow database makes \
                 instances take entries from each other, which costs duplicate work"
                    .to_owned(),
            );
        }
        if config.database.url.starts_with("sqlite:") {
            risks.push(
                "REDIS_URL is set and DATABASE_URL is not a PostgreSQL database: positions go to a local file"
                    .to_owned(),
            );
        }
    }
    let sqlite = config.database.url.starts_with("sqlite:");
    let longest = database_settings(config).commit_deadline() + config.ingest.retry_at_most * 2;
    if !sqlite && config.stuck_after < longest {
        risks.push(format!(
            "STUCK_AFTER_MS is less than {} ms, which a commit may take by DATABASE_STATEMENT_TIMEOUT_MS: a database \
             that does not answer fails the liveness probe, and a restart would not help",
            longest.as_millis()
        ));
    }
    risks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    fn risks_of(given: &[(&str, &str)]) -> Vec<String> {
        let mut values = Values::default();
        for (name, value) in given {
            let setting = SETTINGS.iter().find(|setting| setting.name == *name).expect("a setting");
            values.set(setting, (*value).to_owned());
        }
        risks(&Config::read(&values).unwrap())
    }

    #[test]
    fn a_local_file_behind_a_real_stream_is_risky() {
        assert!(risks_of(&[]).is_empty());
        assert_eq!(risks_of(&[("REDIS_URL", "redis://localhost")]).len(), 1);
    }

    #[test]
    fn a_commit_that_may_take_longer_than_a_task_may_be_stuck_is_risky() {
        let database = ("DATABASE_URL", "postgres://localhost/positions");
        assert!(risks_of(&[database]).is_empty(), "a silent database is no reason to restart by default");
        for (name, value) in [("STUCK_AFTER_MS", "38999"), ("DATABASE_STATEMENT_TIMEOUT_MS", "37001")] {
            let risks = risks_of(&[database, (name, value)]);
            assert!(matches!(&risks[..], [risk] if risk.starts_with("STUCK_AFTER_MS")), "{risks:?}");
            assert!(risks_of(&[(name, value)]).is_empty(), "a file answers or fails");
        }
        assert!(risks_of(&[database, ("STUCK_AFTER_MS", "39000")]).is_empty());
    }
}
