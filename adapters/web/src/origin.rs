//! From which pages a browser may open the live socket.

use poem::http::{HeaderMap, HeaderName, header};

/// The origins of pages that may open the live socket.
///
/// A browser sends the viewer's cookie along whichever page opens a socket, and no rule of the browser keeps the
/// page from reading what comes: this list is the only thing that does. Origins are compared whole, so nothing
/// that merely begins or ends like an allowed one is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

/// The text is not the origin of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an origin such as https://map.example.org or http://localhost:8081")]
pub struct InvalidOrigin {
    /// The text.
    pub text: String,
}

impl Origins {
    /// Only pages that come from the host and port that the socket itself is asked of.
    ///
    /// Behind a proxy that ends TLS the scheme is not known, so both `http` and `https` are allowed.
    #[must_use]
    pub const fn own() -> Self {
        Self(Vec::new())
    }

    /// These; with none it is [`Self::own`].
    ///
    /// # Errors
    /// [`InvalidOrigin`] for a text that has another scheme than `http` or `https`, no host, or something after
    /// the port. There are no wildcards.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidOrigin> {
        texts.into_iter().map(canonical).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the page that sent this request may open a socket.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = the_only(headers, &header::ORIGIN) else { return false };
        if !self.0.is_empty() {
            return self.0.iter().any(|allowed| allowed == origin);
        }
        let Some(host) = the_only(headers, &header::HOST) else { return false };
        ["http", "https"]
            .iter()
            .any(|scheme| canonical(&format!("{scheme}://{host}")).is_ok_and(|own| own == origin))
    }
}

/// The value of a header that is there once, as text.
fn the_only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The origin as a browser writes it: in small letters, without the port that its scheme has anyway.
fn canonical(text: &str) -> Result<String, InvalidOrigin> {
    let invalid = || InvalidOrigin { text: text.to_owned() };
    let (scheme, authority) = text.split_once("://").ok_or_else(invalid)?;
    let scheme = scheme.to_ascii_lowercase();
    let usual_port = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return Err(invalid()),
    };
    // An IPv6 address has colons of its own, inside its brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u16>().map_err(|_| invalid())?)
        }
        Some(_) => return Err(invalid()),
        None => None,
    };
    if !is_host(host) {
        return Err(invalid());
    }
    let host = host.to_ascii_lowercase();
    Ok(match port {
        Some(port) if port != usual_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn an_origin_is_compared_whole() {
        let origins = Origins::parse(["https://map.example.org", "http://localhost:8081"]).unwrap();
        let allowed = |origin: &str| origins.allow(&headers(&[(header::ORIGIN, origin)]));
        assert!(allowed("https://map.example.org"));
        assert!(allowed("http://localhost:8081"));
        let refused = [
            "",
            "null",
            "*",
            "https://",
            "map.example.org",
            "//map.example.org",
            "http://map.example.org",
            "https://map.example.org:443",
            "https://map.example.org:8443",
            "https://map.example.org.evil.example",
            "https://evil.example/https://map.example.org",
            "https://evilmap.example.org",
            "https://evil.map.example.org",
            "https://example.org",
            "https://map.example.org/",
            "https://map.example.org@evil.example",
            "https://map.example.org#",
            "https://map-example.org",
            "HTTPS://MAP.EXAMPLE.ORG",
            "https://map.example.org.",
            "https://map.example.org, https://evil.example",
            "ws://map.example.org",
            "file://",
            "http://localhost",
            "http://127.0.0.1:8081",
        ];
        for origin in refused {
            assert!(!allowed(origin), "{origin}");
        }
        assert!(!origins.allow(&headers(&[])));
        let twice =
            headers(&[(header::ORIGIN, "https://map.example.org"), (header::ORIGIN, "https://evil.example")]);
        assert!(!origins.allow(&twice));
    }

    #[test]
    fn without_a_list_only_the_page_that_comes_with_the_socket_may() {
        let own = Origins::own();
        let allowed =
            |origin: &str, host: &str| own.allow(&headers(&[(header::ORIGIN, origin), (header::HOST, host)]));
        assert!(allowed("http://localhost:8081", "localhost:8081"));
        assert!(allowed("https://map.example.org", "map.example.org"));
        assert!(allowed("https://map.example.org", "map.example.org:443"));
        assert!(allowed("http://[::1]:8081", "[::1]:8081"));
        assert!(!allowed("http://localhost:8082", "localhost:8081"));
        assert!(!allowed("http://localhost", "localhost:8081"));
        assert!(!allowed("https://evil.example", "map.example.org"));
        assert!(!allowed("https://map.example.org.evil.example", "map.example.org"));
        assert!(!allowed("null", "null"));
        assert!(!own.allow(&headers(&[(header::HOST, "map.example.org")])));
        assert!(!own.allow(&headers(&[(header::ORIGIN, "https://map.example.org")])));
    }

    #[test]
    fn a_list_is_read_as_a_browser_writes_it_and_has_no_wildcards() {
        let read = |text: &'static str| Origins::parse([text]).map(|origins| origins.0[0].clone());
        assert_eq!(read("HTTPS://Map.Example.org:443").unwrap(), "https://map.example.org");
        assert_eq!(read("http://[::1]:8081").unwrap(), "http://[::1]:8081");
        let wrong = [
            "",
            "*",
            "https://*.example.org",
            "https://map.example.org/",
            "https://map.example.org/live",
            "map.example.org",
            "https://user@map.example.org",
            "https://map.example.org:",
            "https://map.example.org:99999",
            "https://[::1",
            "wss://map.example.org",
            "null",
        ];
        for text in wrong {
            assert_eq!(read(text), Err(InvalidOrigin { text: text.to_owned() }), "{text}");
        }
    }
}
