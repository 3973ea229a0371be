//! When a session ends, as its token tells.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use processor_domain::Timestamp;
use serde_json::Value;

use crate::credential::unquoted;

/// The `exp` of a JSON Web Token; `None` for a token of another kind, which does not tell its end.
///
/// The signature is not verified, for that takes a key that only Directus has. It need not be: the moment is
/// only used to remember an answer of Directus for a shorter time.
pub(crate) fn session_end(value: &str) -> Option<Timestamp> {
    let mut parts = unquoted(value).split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
    let payload: Value = serde_json::from_slice(&payload).ok()?;
    let seconds = payload.get("exp")?.as_f64()?;
    // A negative one was before 1970, which is as good as 1970; one beyond all durations is none.
    let since_1970 = Duration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    Some(Timestamp::from_micros(0).plus(since_1970))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(payload: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", BASE64URL_NOPAD.encode(payload.as_bytes()))
    }

    fn end_in_millis(value: &str) -> Option<i64> {
        session_end(value).map(Timestamp::millis)
    }

    #[test]
    fn a_json_web_token_tells_when_it_ends() {
        let table = [
            (r#"{"id":"u","session":"s","exp":1777629600,"iss":"directus"}"#, Some(1_777_629_600_000)),
            (r#"{"exp":1777629600.5}"#, Some(1_777_629_600_500)),
            (r#"{"exp":0}"#, Some(0)),
            (r#"{"exp":-5}"#, Some(0)),
            (r#"{"exp":1e300}"#, None),
            (r#"{"exp":"1777629600"}"#, None),
            (r#"{"exp":null}"#, None),
            (r#"{"id":"u"}"#, None),
            ("[1]", None),
            ("no json", None),
        ];
        for (payload, end) in table {
            assert_eq!(end_in_millis(&token(payload)), end, "{payload}");
            assert_eq!(end_in_millis(&format!("\"{}\"", token(payload))), end, "{payload}, quoted");
        }
    }

    #[test]
    fn a_token_of_another_kind_tells_nothing() {
        let jwt = token(r#"{"exp":1777629600}"#);
        for value in
            ["static-token", "", "a.b", "a.b.c", "...", &format!("{jwt}.more"), &jwt.replace('.', "")]
        {
            assert_eq!(session_end(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(value in ".{0,60}", payload in "\\PC{0,40}") {
            let _: (Option<Timestamp>, Option<Timestamp>) = (session_end(&value), session_end(&token(&payload)));
        }
    }
}
