//! `GET /openapi.json` and `GET /docs`, a page that needs nothing from elsewhere.

use data_encoding::BASE64;
use poem::endpoint::make_sync;
use poem::http::header;
use poem::{Response, RouteMethod, get};
use poem_openapi::OpenApiService;
use sha2::{Digest, Sha256};

/// The document itself.
pub(super) fn document(document: String) -> RouteMethod {
    get(make_sync(move |_| {
        Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(document.clone())
    }))
}

/// The document for people, who can try it out.
pub(super) fn docs(document: &str) -> RouteMethod {
    let nothing = OpenApiService::new((), "", "");
    // A document cannot end the script that it is in.
    let document = document.replace("</", "<\\/");
    let html = nothing.swagger_ui_html().replace(&nothing.spec(), &document);
    let policy = policy(&html);
    get(make_sync(move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-cache")
            .header(header::CONTENT_SECURITY_POLICY, &policy)
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::REFERRER_POLICY, "no-referrer")
            .body(html.clone())
    }))
}

/// What the page may do in a browser: run what is in it, and ask this server.
fn policy(html: &str) -> String {
    let (scripts, styles) = (sources(html, "script"), sources(html, "style"));
    format!(
        "default-src 'none'; script-src{scripts}; style-src{styles}; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// What is between the tags of this name, each with a space before it, in the words of a policy.
fn sources(html: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut rest = html;
    let contents = std::iter::from_fn(|| {
        let (_, after) = rest.split_once(&open)?.1.split_once('>')?;
        let (content, after) = after.split_once(&close)?;
        rest = after;
        Some(content)
    });
    contents.fold(String::new(), |sources, content| {
        format!("{sources} 'sha256-{}'", BASE64.encode(&Sha256::digest(content.as_bytes())))
    })
}
