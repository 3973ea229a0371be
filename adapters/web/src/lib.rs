//! What Processor shows over HTTP: the pages for operators, the admin API, the page with the live map, and the live socket.
//!
//! ```text
//!  browser ─► LiveServer ─► origin, cookie, Live::admit ─► socket ◄─► Session
//!                  └► the page, which is part of the program
//! ```

mod admin;
mod connections;
mod cookie;
mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod history;
mod operations;
mod origin;
mod page;
mod problem;
mod server;
mod settings;
mod socket;
mod text;
mod upgrade;

pub use admin::{Admin, AdminLimits, AdminPorts, AdminToken, SettingInForce, WeakToken, openapi_document};
pub use frames::JsonFrames;
pub use operations::{Operations, Trouble, operations};
pub use origin::{InvalidOrigin, Origins};
pub use page::{DeviceLook, EventChoice, InvalidPage, PageConfig};
pub use server::LiveServer;
pub use settings::SocketSettings;
