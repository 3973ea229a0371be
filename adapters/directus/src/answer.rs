//! What an answer of Directus means.

use std::time::Duration;

use processor_domain::{EventId, Viewer};
use reqwest::StatusCode;
use serde_json::Value;

use crate::failure::DirectusFailure;

/// An answer, read and not yet understood.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// A body that could not be read matters only if the status does not say it all.
    pub(crate) body: Result<Vec<u8>, DirectusFailure>,
}

/// Whether an event may be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Permission {
    Granted,
    /// Directus does not tell an event that does not exist from one that is not for this viewer.
    Denied,
    SessionEnded,
}

impl Answer {
    /// Who the viewer is.
    ///
    /// 200 alone proves nothing: the session of a share, which has no user, is answered with 200 and the id of the
    /// share. Nor does 401 alone mean nobody: a token whose signature is wrong is answered with 403.
    pub(crate) fn identity(self) -> Result<Option<Viewer>, DirectusFailure> {
        match self.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Ok(None),
            _ => return Err(self.neither_yes_nor_no()),
        }
        let data = self.data()?;
        if data.is_null() {
            return Ok(None);
        }
        let uuid = |name| data.get(name).and_then(Value::as_str).filter(|id| is_uuid(id));
        match (uuid("id"), uuid("share")) {
            (Some(id), _) => Ok(Some(Viewer { id: id.into() })),
            (None, Some(_)) if data.get("id").is_none() => Ok(None),
            _ => Err(DirectusFailure::Unexpected("names no user")),
        }
    }

    /// Whether the viewer may see `event`.
    pub(crate) fn permission(self, event: &EventId) -> Result<Permission, DirectusFailure> {
        match self.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => return Ok(Permission::SessionEnded),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => return Ok(Permission::Denied),
            _ => return Err(self.neither_yes_nor_no()),
        }
        let id = match self.data()?.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => String::new(),
        };
        if id == event.as_str() {
            Ok(Permission::Granted)
        } else if id.eq_ignore_ascii_case(event.as_str()) {
            // Directus finds a UUID in capitals too, but the roster does not have it: who watched that event would
            // see nothing, and not know why.
            Ok(Permission::Denied)
        } else {
            Err(DirectusFailure::Unexpected("is not about the event"))
        }
    }

    /// The failure that an answer is whose status is none of those expected.
    pub(crate) fn neither_yes_nor_no(&self) -> DirectusFailure {
        DirectusFailure::Status { status: self.status.as_u16(), retry_after: self.retry_after }
    }

    fn data(self) -> Result<Value, DirectusFailure> {
        let mut json: Value = serde_json::from_slice(&self.body?).map_err(DirectusFailure::NotJson)?;
        json.get_mut("data").map(Value::take).ok_or(DirectusFailure::Unexpected("has no data"))
    }
}

/// Whether `text` is a UUID as Directus writes it: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d";

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, retry_after: None, body: Ok(body.as_bytes().to_vec()) }
    }

    #[test]
    fn only_the_uuid_of_a_user_is_a_viewer() {
        let upper = USER.to_uppercase();
        for id in [USER, &upper] {
            let viewer = answer(200, &format!(r#"{{"data":{{"id":"{id}"}}}}"#)).identity().unwrap();
            assert_eq!(viewer, Some(Viewer { id: id.into() }));
        }
        for (status, body) in [
            (200, r#"{"data":null}"#),
            (200, r#"{"data":{"share":"1ff8a093-b333-4f89-a2ca-40e58060d125"}}"#),
            (401, r#"{"errors":[{"message":"…","extensions":{"code":"INVALID_CREDENTIALS"}}]}"#),
            (401, r#"{"errors":[{"message":"…","extensions":{"code":"TOKEN_EXPIRED"}}]}"#),
            (403, r#"{"errors":[{"message":"…","extensions":{"code":"INVALID_TOKEN"}}]}"#),
            (401, "no json"),
        ] {
            assert_eq!(answer(status, body).identity().unwrap(), None, "{status} {body}");
        }
    }

    #[test]
    fn what_names_nobody_and_denies_nobody_is_no_answer() {
        for (status, body) in [
            (200, ""),
            (200, "pong"),
            (200, r#"{"data":{"id":"0f1a7f8e-32ab"#),
            (200, "[]"),
            (200, "{}"),
            (200, r#"{"errors":[]}"#),
            (200, r#"{"data":{}}"#),
            (200, r#"{"data":[]}"#),
            (200, r#"{"data":{"share":null}}"#),
            (200, r#"{"data":{"share":"1ff8a093-b333-4f89-a2ca-40e58060d125","id":1}}"#),
            (200, r#"{"data":{"id":null}}"#),
            (200, r#"{"data":{"id":1}}"#),
            (200, r#"{"data":{"id":""}}"#),
            (200, r#"{"data":{"id":"0f1a7f8e32ab4f0e9c7e2f0c3a1f5b6d"}}"#),
            (200, r#"{"data":{"id":"0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6g"}}"#),
            (200, r#"{"data":"0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d"}"#),
        ] {
            assert!(answer(status, body).identity().is_err(), "{status} {body}");
        }
        let good = format!(r#"{{"data":{{"id":"{USER}"}}}}"#);
        for status in [201, 204, 206, 301, 302, 304, 307, 400, 404, 408, 429, 500, 502, 503, 504] {
            assert!(answer(status, &good).identity().is_err(), "{status}");
        }
    }

    #[test]
    fn only_the_event_asked_about_is_a_yes() {
        let permission = |status, body: &str, event: &str| {
            answer(status, body).permission(&EventId::parse(event).unwrap()).ok()
        };
        let table = [
            (200, r#"{"data":{"id":"rally_1"}}"#, "rally_1", Some(Permission::Granted)),
            (200, r#"{"data":{"id":42}}"#, "42", Some(Permission::Granted)),
            (200, r#"{"data":{"id":"42"}}"#, "42", Some(Permission::Granted)),
            (
                200,
                r#"{"data":{"id":"0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d"}}"#,
                USER,
                Some(Permission::Granted),
            ),
            (
                200,
                r#"{"data":{"id":"0f1a7f8e-32ab-4f0e-9c7e-2f0c3a1f5b6d"}}"#,
                "0F1A7F8E-32AB-4F0E-9C7E-2F0C3A1F5B6D",
                Some(Permission::Denied),
            ),
            (403, "", "42", Some(Permission::Denied)),
            (404, "", "42", Some(Permission::Denied)),
            (401, "", "42", Some(Permission::SessionEnded)),
            (200, r#"{"data":{"id":43}}"#, "42", None),
            (200, r#"{"data":{"id":42.0}}"#, "42", None),
            (200, r#"{"data":{"id":42}}"#, "042", None),
            (200, r#"{"data":null}"#, "42", None),
            (200, r#"{"data":{}}"#, "42", None),
            (200, r#"{"data":[{"id":42}]}"#, "42", None),
            (200, "{}", "42", None),
            (200, "no json", "42", None),
            (204, "", "42", None),
            (302, "", "42", None),
            (400, "", "42", None),
            (429, "", "42", None),
            (500, "", "42", None),
            (503, "", "42", None),
        ];
        for (status, body, event, expected) in table {
            assert_eq!(permission(status, body, event), expected, "{status} {body} {event}");
        }
    }

    #[test]
    fn a_clear_status_needs_no_body() {
        let cut_off = |status: u16| Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            body: Err(DirectusFailure::TooLarge { limit: 1 }),
        };
        assert_eq!(cut_off(403).identity().unwrap(), None);
        assert!(matches!(cut_off(200).identity(), Err(DirectusFailure::TooLarge { limit: 1 })));
    }
}
