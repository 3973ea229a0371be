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

mod allow;
mod configuration;
mod consumers;
mod dead_letters;
mod devices;
mod document;
mod guard;
mod history;
mod limits;
mod live;
mod log_level;
mod marks;
mod page;
mod problems;
mod token;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::StatusCode;
use poem::middleware::CatchPanic;
use poem::{EndpointExt, IntoEndpoint, IntoResponse, Route};
use poem_openapi::{OpenApi, OpenApiService};
use processor_admin::{Consumers, DeadLetterDesk, Unavailable};
use processor_domain::ports::{History, Marks, RosterSource};

pub use self::configuration::SettingInForce;
pub use self::document::openapi_document;
pub use self::limits::AdminLimits;
pub(crate) use self::problems::as_problem;
pub use self::token::{AdminToken, WeakToken};
use crate::problem::Problem;

/// Where the API is.
const PREFIX: &str = "/admin/v1";

/// What the admin API shows and does.
#[derive(Clone)]
pub struct AdminPorts {
    /// Every setting of the program.
    pub configuration: Vec<SettingInForce>,
    /// What there is of a device.
    pub devices: processor_admin::Devices,
    /// What is logged.
    pub log_level: processor_admin::LogLevel,
    /// Who reads the streams.
    pub consumers: Arc<Consumers>,
    /// The dead letters.
    pub dead_letters: Arc<DeadLetterDesk>,
    /// Positions of the past.
    pub history: Arc<dyn History>,
    /// Which devices take part in an event.
    pub roster: Arc<dyn RosterSource>,
    /// What operators say of positions.
    pub marks: Arc<dyn Marks>,
}

/// All areas.
type Areas = (
    configuration::Configuration,
    consumers::Consumers,
    dead_letters::DeadLetters,
    devices::Devices,
    live::Live,
    log_level::LogLevel,
    history::History,
    marks::Marks,
);

fn areas(ports: AdminPorts) -> Areas {
    (
        configuration::Configuration::new(ports.configuration),
        consumers::Consumers::new(ports.consumers),
        dead_letters::DeadLetters::new(ports.dead_letters),
        devices::Devices(ports.devices.clone()),
        live::Live { live: ports.devices.live.clone(), devices: ports.devices },
        log_level::LogLevel(ports.log_level),
        history::History::new(ports.history, ports.roster),
        marks::Marks(ports.marks),
    )
}

/// The admin API, on or off.
pub struct Admin {
    api: BoxEndpoint<'static>,
}

impl Admin {
    /// It answers nothing, and says that it is off.
    #[must_use]
    pub fn off() -> Self {
        let detail = "the admin API is off, for there is no ADMIN_TOKEN";
        let off = move |_| Problem::new(StatusCode::NOT_FOUND, "admin_off", detail).into_response();
        Self { api: poem::endpoint::make_sync(off).boxed() }
    }

    /// It answers those who have the token, within these limits.
    #[must_use]
    pub fn new(token: AdminToken, ports: AdminPorts, limits: AdminLimits) -> Self {
        Self { api: api(areas(ports), token, limits) }
    }

    /// Adds `GET /openapi.json`, `GET /docs`, and `/admin/v1`.
    pub(crate) fn add_to(self, route: Route) -> Route {
        let document = openapi_document();
        let route = route.at("/docs", page::docs(&document)).at("/openapi.json", page::document(document));
        route.nest(PREFIX, self.api)
    }
}

fn api<T: OpenApi + 'static>(areas: T, token: AdminToken, limits: AdminLimits) -> BoxEndpoint<'static> {
    let service = allow::Allowing::of::<T>(OpenApiService::new(areas, "", "").into_endpoint());
    let service = service.with(CatchPanic::new().with_handler(|_| problems::internal()));
    guard::guarded(limits::limited(service, limits), token).boxed()
}

/// What is answered when something that was to be asked is away.
fn unavailable(error: &Unavailable) -> Problem {
    tracing::warn!(error = processor_admin::chain(error), "an operator's question cannot be answered");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string())
}

#[cfg(test)]
mod tests;
