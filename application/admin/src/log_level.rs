//! What is logged, changed while the program runs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

/// The log of the program, whose levels can be changed.
#[cfg_attr(test, mockall::automock)]
pub trait LogLevels: Send + Sync {
    /// Logs from now on what these directives ask for. Says `false`, and changes nothing, if they are none.
    fn change(&self, directives: &str) -> bool;
}

/// Changes what is logged, for good or for a while.
#[derive(Clone)]
pub struct LogLevel {
    shared: Arc<Shared>,
}

struct Shared {
    levels: Arc<dyn LogLevels>,
    configured: String,
    state: Mutex<State>,
}

struct State {
    directives: String,
    /// Changes it back.
    way_back: Option<AbortHandle>,
}

/// The directives are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("directives are {DIRECTIVES}")]
pub struct InvalidDirectives;

/// What directives are, in the words of whoever refuses others.
pub const DIRECTIVES: &str = "levels (off, error, warn, info, debug, trace), one alone for everything and others after a \
                              module and `=`, such as `info,processor_redis=debug`";

impl fmt::Debug for LogLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LogLevel").field("directives", &self.directives()).finish_non_exhaustive()
    }
}

impl LogLevel {
    /// For the log of the program, which logs what these directives ask for.
    #[must_use]
    pub fn new(levels: Arc<dyn LogLevels>, configured: impl Into<String>) -> Self {
        let configured = configured.into();
        let state = Mutex::new(State { directives: configured.clone(), way_back: None });
        Self { shared: Arc::new(Shared { levels, configured, state }) }
    }

    /// What is logged now.
    #[must_use]
    pub fn directives(&self) -> String {
        self.shared.lock().directives.clone()
    }

    /// What is logged after a start.
    #[must_use]
    pub fn configured(&self) -> &str {
        &self.shared.configured
    }

    /// Logs from now on what these directives ask for; after `time`, if one is given, what was configured. A later
    /// change takes the place of an earlier one, and of its way back.
    ///
    /// To be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`InvalidDirectives`]: nothing has changed.
    pub fn change(&self, directives: &str, time: Option<Duration>) -> Result<(), InvalidDirectives> {
        let state = &mut *self.shared.lock();
        if !are_directives(directives) || !self.shared.levels.change(directives) {
            return Err(InvalidDirectives);
        }
        tracing::warn!(
            directives,
            seconds = time.map(|time| time.as_secs()),
            "an operator changed what is logged"
        );
        directives.clone_into(&mut state.directives);
        if let Some(earlier) = state.way_back.take() {
            earlier.abort();
        }
        state.way_back = time.map(|time| {
            let shared = Arc::clone(&self.shared);
            let task = tokio::spawn(async move {
                tokio::time::sleep(time).await;
                shared.go_back();
            });
            task.abort_handle()
        });
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go_back(&self) {
        let state = &mut *self.lock();
        self.levels.change(&self.configured);
        self.configured.clone_into(&mut state.directives);
        state.way_back = None;
        tracing::warn!(directives = self.configured, "what is logged is again as configured");
    }
}

/// Whether these are [directives](DIRECTIVES) for a log. A word that is no level would be taken for a module, and all
/// others silenced; so would they be without a level for everything. So there is exactly one of those.
#[must_use]
pub fn are_directives(text: &str) -> bool {
    const LONGEST: usize = 1_000;
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let is_module = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
    };
    let mut for_everything = 0;
    let valid = text.split(',').all(|directive| {
        if let Some((module, level)) = directive.split_once('=') {
            return is_module(module) && is_level(level);
        }
        for_everything += 1;
        is_level(directive)
    });
    valid && for_everything == 1 && text.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log that remembers what it was asked for.
    fn log() -> (LogLevel, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut levels = MockLogLevels::new();
        let asking = Arc::clone(&asked);
        levels.expect_change().returning(move |directives| {
            asking.lock().unwrap().push(directives.to_owned());
            true
        });
        (LogLevel::new(Arc::new(levels), "info"), asked)
    }

    #[test]
    fn what_is_no_directive_changes_nothing() {
        let (level, asked) = log();
        let long = format!("info,{}=debug", "a".repeat(1_000));
        for text in [
            "",
            "bebug",
            "processor_redis",
            "info,processor_redis",
            "info, processor_redis=debug",
            "info,",
            "info,debug",
            "processor=loud",
            "=info",
            "processor=",
            "processor_redis=debug",
            "info,a b=debug",
            "info\n",
            "info,[span]=debug",
            &long,
        ] {
            assert_eq!(level.change(text, None), Err(InvalidDirectives), "{text:?}");
        }
        assert_eq!((level.directives().as_str(), asked.lock().unwrap().len()), ("info", 0));
    }

    #[test]
    fn a_level_is_one_in_capitals_too() {
        assert!(are_directives("INFO") && are_directives("Warn,processor::run=DEBUG"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_logged_for_a_while_goes_back_by_itself() {
        let (level, asked) = log();
        level.change("warn,processor_live::session=trace", Some(Duration::from_mins(1))).unwrap();
        assert_eq!(level.directives(), "warn,processor_live::session=trace");
        tokio::time::sleep(Duration::from_secs(59)).await;
        assert_eq!(level.directives(), "warn,processor_live::session=trace");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(level.directives(), "info");
        assert_eq!(*asked.lock().unwrap(), ["warn,processor_live::session=trace", "info"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_change_takes_the_place_of_an_earlier_way_back() {
        let (level, _) = log();
        level.change("debug", Some(Duration::from_mins(1))).unwrap();
        level.change("trace", None).unwrap();
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(level.directives(), "trace");
        assert_eq!(level.configured(), "info");
    }

    #[test]
    fn a_log_that_does_not_take_it_has_not_changed() {
        let mut levels = MockLogLevels::new();
        levels.expect_change().return_const(false);
        let level = LogLevel::new(Arc::new(levels), "info");
        assert_eq!(level.change("debug", None), Err(InvalidDirectives));
        assert_eq!(level.directives(), "info");
    }
}
