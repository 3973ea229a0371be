//! `processor check-config`: what holds, and what is risky about it.

use std::process::ExitCode;

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
    risks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    #[test]
    fn a_local_file_behind_a_real_stream_is_risky() {
        let mut values = Values::default();
        assert!(risks(&Config::read(&values).unwrap()).is_empty());
        let url = SETTINGS.iter().find(|setting| setting.name == "REDIS_URL").unwrap();
        values.set(url, "redis://localhost".to_owned());
        assert_eq!(risks(&Config::read(&values).unwrap()).len(), 1);
    }
}
