use anyhow::Context;

/// A setting of the test run, from the environment; an empty one counts as none.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the settings of the program are not involved")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A setting that is a whole number: how often, how long, which seed.
///
/// # Errors
/// If it is set to anything else.
pub fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    match setting(name) {
        Some(text) => text.parse().with_context(|| format!("{name} must be a whole number, not {text:?}")),
        None => Ok(default),
    }
}
