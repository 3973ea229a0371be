//! Who may see what, asked of Directus with the viewer's own session cookie.
//!
//! [`DirectusAccess`] implements the port [`Access`](processor_domain::ports::Access):
//!
//! | question | request | yes | no |
//! |---|---|---|---|
//! | who is this | `GET /users/me?fields=id` | 200 with the UUID of a user | 401, 403, `data: null`, a share |
//! | may they see this event | `GET /items/events/<id>?fields=id` | 200 with that id | 401, 403, 404, the id spelled otherwise |
//!
//! Everything else is no answer: it is told as *unknown*, allows nothing and is never remembered.
//!
//! Directus sees all viewers of an instance as one address, and limits and sheds load by address. So the
//! adapter asks sparingly: answers are remembered for a short time, callers with the same question share one
//! request, and a turnstile keeps the number of requests within limits.
//!
//! The credential leaves the process in the `Cookie` header and nowhere else: what is remembered is known by its
//! SHA-256, and no error, log or debug text holds it.

mod access;
mod answer;
mod client;
mod credential;
mod failure;
mod memory;
mod session_end;
mod settings;
mod trace;
mod turnstile;

pub use access::DirectusAccess;
pub use failure::DirectusFailure;
pub use settings::{DirectusSettings, InvalidSetting, TraceHeaders};
