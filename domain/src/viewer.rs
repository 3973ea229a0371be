//! Who is watching.

use std::fmt;
use std::sync::Arc;

/// A person whom the CMS knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Viewer {
    /// The id of the user.
    pub id: Arc<str>,
}

/// What a viewer shows to prove who it is: the value of its session cookie.
///
/// It is never logged: its debug text does not hold it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credential(Arc<str>);

impl Credential {
    /// This cookie value.
    #[must_use]
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
    }

    /// The secret itself, for whoever has to show it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Credential(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_does_not_show_itself() {
        assert_eq!(format!("{:?}", Some(Credential::new("secret"))), "Some(Credential(***))");
    }
}
