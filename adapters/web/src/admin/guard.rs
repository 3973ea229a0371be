//! Nothing of the admin API is answered without the token, not even what there is.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, EndpointExt, Request};

use super::AdminToken;
use crate::problem::Problem;

/// Only for requests that bring the token.
pub(super) fn guarded<E: Endpoint>(inner: E, token: AdminToken) -> impl Endpoint<Output = E::Output> {
    inner.before(move |request| {
        let may = bearer(&request).is_some_and(|text| token.is(text));
        async move { if may { Ok(request) } else { Err(unauthorized().into()) } }
    })
}

/// The bearer token of a request that has one and only one.
fn bearer(request: &Request) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn unauthorized() -> Problem {
    let detail = "this needs `Authorization: Bearer` with the value of ADMIN_TOKEN";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"processor admin\""))
}
