//! The part about the log.

use processor_admin::{DIRECTIVES, are_directives};

use super::Reading;

/// How to log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Level or directives.
    pub level: String,
    /// Shape of a line.
    pub format: LogFormat,
}

/// Shape of a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// For programs.
    Json,
}

pub(super) fn log(read: &mut Reading<'_>) -> Log {
    Log {
        level: read.parsed("LOG_LEVEL", DIRECTIVES, |text| are_directives(text).then(|| text.to_owned())),
        format: read.parsed("LOG_FORMAT", "`json` or `pretty`", |text| match text {
            "json" => Some(LogFormat::Json),
            "pretty" => Some(LogFormat::Pretty),
            _ => None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SETTINGS, Values};
    use super::*;

    fn level(text: &str) -> Result<String, String> {
        let mut values = Values::default();
        let setting = SETTINGS.iter().find(|setting| setting.name == "LOG_LEVEL").expect("a setting");
        values.set(setting, text.to_owned());
        let mut reading = Reading::of(SETTINGS, &values);
        let level = log(&mut reading).level;
        reading.finish(level).map_err(|faults| faults[0].problem.clone())
    }

    #[test]
    fn a_word_that_is_no_level_does_not_silence_the_log() {
        for text in ["bebug", "processor_redis", "processor_redis=debug", "info,bebug"] {
            assert_eq!(level(text), Err(format!("must be {DIRECTIVES}, not {text:?}")));
        }
        for text in ["off", "DEBUG,processor_redis=trace"] {
            assert_eq!(level(text).as_deref(), Ok(text));
        }
    }

    /// What is let through here is what the log understands.
    #[test]
    fn directives_are_those_of_the_log() {
        for text in ["off", "INFO", "warn,processor::run=Info,sqlx=trace"] {
            assert!(
                are_directives(text) && text.parse::<tracing_subscriber::filter::Targets>().is_ok(),
                "{text}"
            );
        }
    }
}
