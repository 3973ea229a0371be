//! What can be set, and where values come from.

use std::collections::HashMap;
use std::str::FromStr;

/// One setting: an environment variable, and a flag of the same name in kebab case.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Name of the variable.
    pub name: &'static str,
    /// The value that holds when none is given; empty if there is none.
    pub default: &'static str,
    /// What it means, with its unit.
    pub meaning: &'static str,
    /// Whether the value may hold a password.
    pub secret: bool,
}

impl Setting {
    /// The flag, without its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.to_lowercase().replace('_', "-")
    }
}

/// The values given, by the name of their setting. An empty value counts as none.
#[derive(Debug, Default, Clone)]
pub struct Values(HashMap<&'static str, String>);

impl Values {
    /// Takes a value for a setting.
    pub fn set(&mut self, setting: &Setting, value: String) {
        if !value.is_empty() {
            self.0.insert(setting.name, value);
        }
    }

    /// The value given for a setting, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Something wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which setting.
    pub setting: &'static str,
    /// What is wrong, with what would be right.
    pub problem: String,
}

/// Turns values into what the program uses, and collects every fault on the way.
#[derive(Debug)]
pub struct Reading<'a> {
    settings: &'static [Setting],
    values: &'a Values,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    /// Begins to read `values` of `settings`.
    #[must_use]
    pub fn of(settings: &'static [Setting], values: &'a Values) -> Self {
        Self { settings, values, faults: Vec::new() }
    }

    /// The text of a setting, its default if none was given, `None` if there is no default either.
    #[must_use]
    pub fn text(&self, name: &'static str) -> Option<&'a str> {
        let default =
            self.settings.iter().find(|setting| setting.name == name).map(|setting| setting.default);
        debug_assert!(default.is_some(), "{name} is not in the list of settings");
        self.values.get(name).or(default.filter(|default| !default.is_empty()))
    }

    /// Takes note of a fault.
    pub fn fault(&mut self, setting: &'static str, problem: impl Into<String>) {
        self.faults.push(Fault { setting, problem: problem.into() });
    }

    /// A value that `parse` understands; `what` says in a sentence what it must be.
    pub fn parsed<T: Default>(
        &mut self,
        name: &'static str,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(text) = self.text(name) else { return T::default() };
        parse(text).unwrap_or_else(|| {
            self.fault(name, format!("must be {what}, not {text:?}"));
            T::default()
        })
    }

    /// A value that is not repeated where it is wrong.
    pub fn secret<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, error.to_string());
                None
            }
        }
    }

    /// A whole number within `range`.
    pub fn number<T>(&mut self, name: &'static str, range: std::ops::RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + std::fmt::Display + Default + Copy,
    {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        self.parsed(name, &what, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// The values read, if there was no fault.
    ///
    /// # Errors
    /// All faults found.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults) }
    }
}
