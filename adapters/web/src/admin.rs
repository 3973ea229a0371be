//! The admin API: what operators ask and do, under `/admin/v1`, beside the pages for operators.
//!
//! ```text
//!  request ─► Guard (token) ─► Limits (places, time, size) ─► an area ─► a port
//!                  └──────────────┴───── Problem ◄──────────────┘
//! ```
//!
//! An area is a file with a struct that implements [`OpenApi`]. To add one: its struct into `Areas`, what it needs
//! into [`AdminPorts`], and renew `docs/openapi.json`. Answers are `Result<Json<_>, _>`, the error an enum that derives
//! `ApiResponse`, whose variants hold a [`Problem`] and are documented as "`code`: sentence", one line for each code.

mod configuration;
mod document;
mod guard;
mod limits;
mod page;
mod problems;
mod token;

use poem::endpoint::BoxEndpoint;
use poem::http::StatusCode;
use poem::middleware::CatchPanic;
use poem::{EndpointExt, IntoEndpoint, IntoResponse, Route};
use poem_openapi::{OpenApi, OpenApiService};

pub use self::configuration::SettingInForce;
pub use self::document::openapi_document;
pub use self::limits::AdminLimits;
pub(crate) use self::problems::as_problem;
pub use self::token::{AdminToken, WeakToken};
use crate::problem::Problem;

/// Where the API is.
const PREFIX: &str = "/admin/v1";

/// What the admin API shows and does.
#[derive(Debug, Clone, Default)]
pub struct AdminPorts {
    /// Every setting of the program.
    pub configuration: Vec<SettingInForce>,
}

/// All areas.
type Areas = (configuration::Configuration, ());

fn areas(ports: AdminPorts) -> Areas {
    (configuration::Configuration::new(ports.configuration), ())
}

/// The admin API, which is off without a token.
#[derive(Debug, Clone, Default)]
pub struct Admin {
    /// Who may use it.
    pub token: Option<AdminToken>,
    /// What it shows and does.
    pub ports: AdminPorts,
    /// What a request may cost.
    pub limits: AdminLimits,
}

impl Admin {
    /// Adds `GET /openapi.json`, `GET /docs`, and `/admin/v1` for those who have the token.
    pub(crate) fn add_to(self, route: Route) -> Route {
        let document = openapi_document();
        let api = match self.token {
            Some(token) => api(areas(self.ports), token, self.limits),
            None => off(),
        };
        route
            .at("/docs", page::docs(&document))
            .at("/openapi.json", page::document(document))
            .nest(PREFIX, api)
    }
}

fn api(areas: impl OpenApi + 'static, token: AdminToken, limits: AdminLimits) -> BoxEndpoint<'static> {
    let service = OpenApiService::new(areas, "", "").into_endpoint();
    let service = service.with(CatchPanic::new().with_handler(|_| problems::internal()));
    guard::guarded(limits::limited(service, limits), token).boxed()
}

fn off() -> BoxEndpoint<'static> {
    let off = || {
        Problem::new(StatusCode::NOT_FOUND, "admin_off", "the admin API is off, for there is no ADMIN_TOKEN")
    };
    poem::endpoint::make_sync(move |_| off().into_response()).boxed()
}

#[cfg(test)]
mod tests;
