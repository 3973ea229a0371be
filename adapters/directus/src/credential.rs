//! What a credential is before it is shown to anybody.

use std::fmt;

use processor_domain::Credential;
use sha2::{Digest as _, Sha256};

/// Longest cookie value that is passed on, in bytes. A session token has a few hundred; Node.js refuses
/// requests with 16 KiB of headers.
const MAX_LENGTH: usize = 8 * 1024;

/// The value as it can stand in a `Cookie` header: what RFC 6265 calls a cookie value, with its quotes if it has
/// any. `None` for anything else, which no session can have.
pub(crate) fn presentable(credential: &Credential) -> Option<&str> {
    let octet = |byte: u8| matches!(byte, b'!'..=b'~') && !b"\",;\\".contains(&byte);
    let value = credential.reveal();
    let bare = unquoted(value);
    let fits = !bare.is_empty() && value.len() <= MAX_LENGTH && bare.bytes().all(octet);
    fits.then_some(value)
}

/// The value without the quotes around it, which belong to the cookie and not to the token.
pub(crate) fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// What a credential is known by in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(value: &str) -> Self {
        Self(Sha256::digest(value).into())
    }
}

/// Without the digest: whoever has a leaked token could find it in a log.
impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Digest(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_on_what_can_be_the_value_of_a_cookie_and_nothing_else() {
        let longest = "x".repeat(MAX_LENGTH);
        let too_long = "x".repeat(MAX_LENGTH + 1);
        for value in ["abc", "eyJhbGciOi.eyJpZCI6.c2ln", "\"quoted\"", "a=b", "a%20b", "!#~", &longest] {
            assert_eq!(presentable(&Credential::new(value)), Some(value));
        }
        let impossible = [
            "",
            "\"\"",
            "\"",
            "\"half",
            "half\"",
            "in\"side",
            "\"in\"side\"",
            "a;b",
            "a; other=1",
            "a,b",
            "a b",
            "a\\b",
            "a\r\nX-Evil: 1",
            "a\0",
            "a\u{7f}",
            "tokén",
            &too_long,
        ];
        for value in impossible {
            assert_eq!(presentable(&Credential::new(value)), None, "{value:?}");
        }
    }

    #[test]
    fn a_digest_tells_credentials_apart_and_shows_nothing() {
        assert_eq!(Digest::of("one"), Digest::of("one"));
        assert_ne!(Digest::of("one"), Digest::of("two"));
        assert_eq!(format!("{:?}", Digest::of("one")), "Digest(***)");
    }
}
