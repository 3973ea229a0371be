//! The session cookie of a request.

use poem::http::{HeaderMap, header};
use processor_domain::Credential;

/// What a request shows to prove who sent it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    /// Several different values: which of them counts is a matter of paths and domains that the server cannot
    /// see, and somebody else may have set one of them.
    SeveralThings,
    Session(Credential),
}

/// The value of the cookie of this name.
pub(crate) fn session(headers: &HeaderMap, name: &str) -> Shown {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|cookie| cookie.split_once('='));
    let mut values = cookies.filter(|(of, _)| of.trim() == name).map(|(_, value)| value.trim());
    match values.next() {
        None | Some("") => Shown::Nothing,
        Some(first) if values.all(|other| other == first) => Shown::Session(Credential::new(first)),
        Some(_) => Shown::SeveralThings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> Shown {
        let line = |text: &&str| (header::COOKIE, text.parse().unwrap());
        session(&lines.iter().map(line).collect(), "session")
    }

    #[test]
    fn the_cookie_is_found_by_its_whole_name() {
        let token = || Shown::Session(Credential::new("a.b-c=="));
        assert_eq!(shown(&["session=a.b-c=="]), token());
        assert_eq!(shown(&["other=1; session=a.b-c==; more=2"]), token());
        assert_eq!(shown(&["other=1", "session=a.b-c=="]), token());
        for line in ["", "session", "session=", "my_session=1", "session_=1", "Session=1", "other=session=1"]
        {
            assert_eq!(shown(&[line]), Shown::Nothing, "{line}");
        }
    }

    #[test]
    fn two_sessions_are_none() {
        assert_eq!(shown(&["session=1; session=2"]), Shown::SeveralThings);
        assert_eq!(shown(&["session=1", "session=2"]), Shown::SeveralThings);
        assert_eq!(shown(&["session=1; session=1"]), Shown::Session(Credential::new("1")));
    }
}
