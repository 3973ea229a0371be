//! The live river: every position of a feed to those who may see it, at once, and to nobody else.
//!
//! ```text
//!  PositionFeed ─► judge ─► topics ─► teller ─► frames of each topic ◄─ Session ◄─ socket
//!                             ▲  ▲                         │              │          ▲
//!               RosterSource ─┘  └─ LastPositions          └─► herald ────┼──────────┘
//!                                                                 Access ─┘
//! ```
//!
//! Each event that somebody watches has a *topic*: a picture of its devices and the frames told last, numbered.
//! What a feed hands out is staged in the topics; once a tick each topic's changes are encoded into one frame,
//! shared by all its viewers.
//!
//! Viewers pull. When there is something the herald goes round and offers it to each viewer's [`Outlet`], which takes
//! everything after the viewer's cursor from its [`Session`] and writes it there and then if it can be written, or
//! leaves it to the viewer's own task. The cursor is all that is kept of how far a viewer is. So a viewer that does
//! not read costs no memory and delays nobody, and there is no queue that could overflow. One that has fallen far
//! behind gets the newest position of each device instead of every frame, and one that takes nothing for too long
//! is closed. A viewer who was cut off and comes back gets every frame it missed if all of them are still kept, else
//! the whole picture, and is told which.
//!
//! Between the picture and the frames there is no gap and no step back: a topic takes in live positions from its
//! first moment, what the store and the memory of the judge know is merged into it by device time, and a picture
//! is always that of a frame's number.
//!
//! Nothing here knows Redis, SQL, HTTP or JSON; [`Live`] is given the ports, and a [`FrameEncoder`] for what
//! frames look like.

mod allowance;
mod doorkeeper;
mod encoder;
mod epoch;
mod feed;
mod judge;
mod live;
mod lock;
mod marks;
mod message;
mod metrics;
mod outlet;
mod picture;
mod recent;
mod seats;
mod session;
mod settings;
mod sighting;
mod standing;
mod timekeepers;
mod topic;
mod topics;
mod trace;

pub use encoder::{FrameEncoder, PositionsFrame};
pub use epoch::{Epoch, Since};
pub use live::{Live, Ports, Refusal};
pub use message::{ClientMessage, Close, Denial, Outgoing, ServerMessage, TooLong, TopicName, Uid};
pub use metrics::describe_metrics;
pub use outlet::Outlet;
pub use session::Session;
pub use settings::LiveSettings;
pub use sighting::Sighting;
pub use standing::{FeedStanding, LiveStanding, RosterStanding, TopicStanding};
