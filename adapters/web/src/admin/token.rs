//! The one secret that opens the admin API.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a request has to bring as its bearer token. Only a digest of it is kept, so that it can be neither shown nor
/// logged.
#[derive(Clone)]
pub struct AdminToken([u8; 32]);

/// A token that is too easy to guess, or that no request could bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at least {} visible ASCII characters", AdminToken::LEAST)]
pub struct WeakToken;

impl AdminToken {
    /// The least number of characters.
    pub const LEAST: usize = 16;

    /// The token of this text.
    ///
    /// # Errors
    /// [`WeakToken`] if it has fewer than [`Self::LEAST`] characters, or others than visible ASCII ones.
    pub fn new(text: &str) -> Result<Self, WeakToken> {
        let strong = text.len() >= Self::LEAST && text.bytes().all(|byte| byte.is_ascii_graphic());
        strong.then(|| Self(digest(text))).ok_or(WeakToken)
    }

    /// Whether this text is the token. Takes as long for one that is nearly right as for any other.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.ct_eq(&digest(text)).into()
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AdminToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_itself_and_nothing_else() {
        let token = AdminToken::new("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef"));
        for other in ["", "0123456789abcdeg", "0123456789abcdef ", "0123456789abcde"] {
            assert!(!token.is(other), "{other:?}");
        }
        assert_eq!(format!("{token:?}"), "AdminToken(hidden)");
    }

    #[test]
    fn is_not_too_easy_to_guess() {
        for weak in ["", "0123456789abcde", "0123456789 abcdef", "0123456789abcdéf"] {
            assert_eq!(AdminToken::new(weak).err(), Some(WeakToken), "{weak:?}");
        }
    }
}
