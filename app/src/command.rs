//! What the program can be asked to do, one file each.

mod check_config;
mod demo;
mod healthcheck;
mod migrate;
mod replay;
mod serve;
mod simulate;

pub use check_config::check_config;
pub use demo::DemoOptions;
pub(crate) use demo::demo;
pub use healthcheck::healthcheck;
pub use migrate::migrate;
pub use replay::ReplayOptions;
pub(crate) use replay::replay;
pub(crate) use serve::serve;
pub use simulate::{SimulateOptions, simulate};
