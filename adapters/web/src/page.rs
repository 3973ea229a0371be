//! The page with the live map, and what it is told about itself.

mod assets;
mod policy;

use std::collections::BTreeMap;

use poem::error::NotFoundError;
use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde::Serialize;

use assets::Asset;
use policy::policy;

/// What the page is told: `GET /config.json`. It is told to everybody, signed in or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageConfig {
    /// The event to show, unless the address of the page names another.
    pub event: Option<String>,
    /// Events to choose from.
    pub events: Vec<EventChoice>,
    /// Where the live socket is: a path, or a whole `ws:` or `wss:` address.
    pub socket: String,
    /// A template of tile addresses such as `https://tiles.example.org/{z}/{x}/{y}.png`; without one the page draws
    /// a ground of its own.
    pub tile_url: Option<String>,
    /// The words that the owner of the tiles asks for.
    pub tile_attribution: Option<String>,
    /// Latitudes and longitudes along the route, in degrees.
    pub route: Vec<[f64; 2]>,
    /// How cars are shown, by the names of their devices.
    pub devices: BTreeMap<String, DeviceLook>,
}

/// An event to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventChoice {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// How a car is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeviceLook {
    /// Its name; that of the device if there is none.
    pub label: Option<String>,
    /// Its colour as in CSS; one made of the device's name if there is none.
    pub colour: Option<String>,
}

/// The page cannot be served with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPage {
    /// It is neither a path nor an address of which it can be said where it leads.
    #[error("{field} {text:?} is neither a path nor an address with a host")]
    Address {
        /// Which member of the configuration.
        field: &'static str,
        /// What it is.
        text: String,
    },
    /// It cannot be told to the page.
    #[error("the configuration of the page cannot be written as JSON")]
    NotJson(#[from] serde_json::Error),
}

impl Default for PageConfig {
    fn default() -> Self {
        Self {
            event: None,
            events: Vec::new(),
            socket: "/live".to_owned(),
            tile_url: None,
            tile_attribution: None,
            route: Vec::new(),
            devices: BTreeMap::new(),
        }
    }
}

/// `GET /`, the files of the page, and `GET /config.json`.
pub(crate) struct Page {
    policy: HeaderValue,
    config: String,
}

impl Page {
    pub(crate) fn new(config: &PageConfig) -> Result<Self, InvalidPage> {
        Ok(Self { policy: policy(config)?, config: serde_json::to_string(config)? })
    }

    fn config(&self) -> Response {
        Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(self.config.clone())
    }

    fn file(&self, asset: &'static Asset, request: &Request) -> Response {
        let response = Response::builder()
            .header(header::ETAG, asset.tag)
            .header(header::CACHE_CONTROL, caching(asset, request.uri().query()))
            .header(header::CONTENT_SECURITY_POLICY, &self.policy)
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::REFERRER_POLICY, "same-origin");
        if is_known(request.headers(), asset.tag) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response.content_type(asset.media_type).body(asset.content)
    }
}

impl Endpoint for Page {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        match request.uri().path() {
            "/config.json" => Ok(self.config()),
            path => match assets::at(path) {
                Some(asset) => Ok(self.file(asset, &request)),
                None => Err(NotFoundError.into()),
            },
        }
    }
}

/// A file may be kept for ever under the address by which this very page names it, and nowhere else: while an older
/// and a newer program run side by side, one may be asked for a file of the other.
fn caching(asset: &Asset, query: Option<&str>) -> &'static str {
    let address = query.map(|query| format!("\"{}?{query}\"", asset.name));
    let named = address.is_some_and(|address| assets::index_has(&address));
    if named { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// Whether the browser has the file with this tag already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::test::TestClient;

    fn client(config: &PageConfig) -> TestClient<Page> {
        TestClient::new(Page::new(config).unwrap())
    }

    #[tokio::test]
    async fn the_page_comes_under_a_strict_policy_and_is_asked_for_again() {
        let client = client(&PageConfig::default());
        let answer = client.get("/").send().await;
        answer.assert_status_is_ok();
        answer.assert_content_type("text/html; charset=utf-8");
        answer.assert_header(header::CACHE_CONTROL, "no-cache");
        answer.assert_header(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        );
        let tag = answer.0.headers()[header::ETAG].clone();
        let again = client.get("/").header(header::IF_NONE_MATCH, tag).send().await;
        again.assert_status(StatusCode::NOT_MODIFIED);
        assert!(again.0.into_body().into_bytes().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_is_kept_for_ever_only_under_the_address_by_which_the_page_names_it() {
        let client = client(&PageConfig::default());
        let index = client.get("/").send().await.0.into_body().into_string().await.unwrap();
        for asset in &assets::ASSETS[1..] {
            let at = index.find(&format!("{}?", asset.name)).expect("the page names all its files");
            let address = index[at..].split('"').next().unwrap();
            let answer = client.get(format!("/{address}")).send().await;
            answer.assert_status_is_ok();
            answer.assert_content_type(asset.media_type);
            answer.assert_header(header::CACHE_CONTROL, "public, max-age=31536000, immutable");
            for other in [asset.name.to_owned(), format!("{}?v=0", asset.name)] {
                let answer = client.get(format!("/{other}")).send().await;
                answer.assert_header(header::CACHE_CONTROL, "no-cache");
            }
        }
    }

    #[tokio::test]
    async fn the_configuration_is_never_cached_and_has_all_members() {
        let device = DeviceLook { label: Some("#12 Berg".into()), colour: Some("#d22f27".into()) };
        let config = PageConfig {
            event: Some("42".into()),
            events: vec![EventChoice { id: "42".into(), name: "Rally of the Hills".into() }],
            route: vec![[54.71, 25.30]],
            devices: BTreeMap::from([("356307042441013".to_owned(), device)]),
            ..PageConfig::default()
        };
        let answer = client(&config).get("/config.json").send().await;
        answer.assert_content_type("application/json");
        answer.assert_header(header::CACHE_CONTROL, "no-store");
        answer
            .assert_text(concat!(
                r##"{"event":"42","events":[{"id":"42","name":"Rally of the Hills"}],"socket":"/live","##,
                r##""tile_url":null,"tile_attribution":null,"route":[[54.71,25.3]],"##,
                r##""devices":{"356307042441013":{"label":"#12 Berg","colour":"#d22f27"}}}"##,
            ))
            .await;
    }

    #[tokio::test]
    async fn nothing_else_is_there() {
        let client = client(&PageConfig::default());
        for path in ["/index.html", "/nothing.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "//"] {
            client.get(path).send().await.assert_status(StatusCode::NOT_FOUND);
        }
    }
}
