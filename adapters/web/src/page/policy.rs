//! What the page may do in a browser.

use poem::http::HeaderValue;

use super::{InvalidPage, PageConfig};

/// The content security policy of the page: nothing but itself, its own socket, and the tiles that it is configured
/// to show.
pub(super) fn policy(config: &PageConfig) -> Result<HeaderValue, InvalidPage> {
    // Where a tile is not loaded any more, the map puts an empty picture with an address of its own.
    let tiles = match &config.tile_url {
        Some(url) => format!(" data:{}", source_of("tile_url", url)?),
        None => String::new(),
    };
    let socket = source_of("socket", &config.socket)?;
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{tiles}; \
         connect-src 'self'{socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let field = "tile_url";
    HeaderValue::try_from(policy)
        .map_err(|_| InvalidPage::Address { field, text: config.tile_url.clone().unwrap_or_default() })
}

/// What has to be allowed for an address besides the page's own origin, with a space before it.
fn source_of(field: &'static str, text: &str) -> Result<String, InvalidPage> {
    let invalid = || InvalidPage::Address { field, text: text.to_owned() };
    if text.starts_with('/') && !text.starts_with("//") {
        return Ok(String::new());
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
    let host = rest.split('/').next().unwrap_or_default();
    // Tiles may be spread over hosts that differ in their first label.
    let host = host.replacen("{s}", "*", 1);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    let after_wildcard = host.strip_prefix("*.").unwrap_or(&host);
    let known = ["http", "https", "ws", "wss"].contains(&scheme);
    if !known || after_wildcard.is_empty() || !after_wildcard.bytes().all(plain) {
        return Err(invalid());
    }
    Ok(format!(" {scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(tile_url: Option<&str>, socket: &str) -> Result<String, InvalidPage> {
        let tile_url = tile_url.map(str::to_owned);
        let config = PageConfig { tile_url, socket: socket.to_owned(), ..PageConfig::default() };
        let policy = policy(&config)?;
        let directives = policy.to_str().unwrap().split("; ");
        let interesting = |directive: &&str| directive.starts_with("img") || directive.starts_with("connect");
        Ok(directives.filter(interesting).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn the_policy_names_the_hosts_that_the_page_is_configured_with_and_no_other() {
        assert_eq!(sources(None, "/live").unwrap(), "img-src 'self'; connect-src 'self'");
        assert_eq!(
            sources(Some("/tiles/{z}/{x}/{y}.png"), "/live").unwrap(),
            "img-src 'self' data:; connect-src 'self'"
        );
        assert_eq!(
            sources(
                Some("https://{s}.tiles.example.org/{z}/{x}/{y}.png?key=1"),
                "wss://live.example.org/live"
            )
            .unwrap(),
            "img-src 'self' data: https://*.tiles.example.org; connect-src 'self' wss://live.example.org"
        );
        let wrong = [
            "tiles.example.org/{z}",
            "//tiles.example.org/{z}",
            "https:///{z}",
            "https://tiles.example.org; script-src *",
            "https://tiles example/",
            "https://{s}{s}.example.org/",
            "https://*/{z}",
            "javascript://x/",
        ];
        for text in wrong {
            assert!(sources(Some(text), "/live").is_err(), "{text}");
            assert!(sources(None, text).is_err(), "{text}");
        }
    }
}
