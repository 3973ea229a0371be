//! What the fuzz targets take hold of, and the tests that do the same with messages that are made up. It is there only for
//! them.

use std::sync::Arc;

use bytes::Bytes;
use processor_domain::ports::{
    MockAccess, MockLastPositions, MockMarks, MockPositionFeed, MockRosterSource, SystemClock,
};
use processor_domain::rules::RuleSet;
use processor_domain::{Credential, Viewer};
use processor_live::{Live, LiveSettings, Ports};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{JsonFrames, SocketSettings};

/// Serves a viewer on a connection on which the handshake is over.
///
/// # Panics
/// If the viewer is not let in.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(connection: S) {
    let session = river().admit(Credential::new("ann")).await.expect("ann is let in");
    let timing = SocketSettings::default().timing();
    crate::socket::Socket::new(connection, Bytes::new(), session, timing).serve().await;
}

/// A river that nobody runs: a subscription is answered, without a picture.
fn river() -> Live {
    let mut access = MockAccess::new();
    access.expect_identify().returning(|_| Ok(Some(Viewer { id: "ann".into() })));
    access.expect_may_see().returning(|_, event| Ok(event.as_str() != "secret"));
    let ports = Ports {
        feeds: vec![Arc::new(MockPositionFeed::new())],
        last_positions: Arc::new(MockLastPositions::new()),
        marks: Arc::new(MockMarks::none()),
        roster: Arc::new(MockRosterSource::new()),
        access: Arc::new(access),
        encoder: Arc::new(JsonFrames),
        clock: Arc::new(SystemClock),
    };
    Live::new(ports, RuleSet::standard(), LiveSettings::default())
}
