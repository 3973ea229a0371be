//! The configuration that holds.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

/// A setting and what holds for it. Secrets are hidden before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "Setting")]
pub struct SettingInForce {
    /// Name of the environment variable
    pub name: String,
    /// The value that holds, without its secrets; empty if there is none
    pub value: String,
    /// The value that holds when none is given; empty if there is none
    pub default: String,
    /// Whether a value was given
    pub given: bool,
    /// Whether the value may hold a secret, which is not shown
    pub secret: bool,
    /// What it means, with its unit
    pub meaning: String,
}

/// The configuration of this instance.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Configuration")]
struct Page {
    /// Every setting, in the order of the documentation
    settings: Vec<SettingInForce>,
}

pub(super) struct Configuration {
    settings: Vec<SettingInForce>,
}

impl Configuration {
    pub(super) const fn new(settings: Vec<SettingInForce>) -> Self {
        Self { settings }
    }
}

#[OpenApi]
impl Configuration {
    /// The configuration that holds
    ///
    /// Every setting with its default and whether it was given, without secrets.
    #[oai(path = "/configuration", method = "get", operation_id = "configuration")]
    #[expect(clippy::unused_async, reason = "handlers are futures")]
    async fn configuration(&self) -> Json<Page> {
        Json(Page { settings: self.settings.clone() })
    }
}
