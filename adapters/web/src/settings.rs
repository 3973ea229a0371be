use std::time::Duration;

use crate::Origins;

/// How the live port is served. The limits that hold for a viewer wherever it sits are those of
/// [`processor_live::LiveSettings`].
#[derive(Debug, Clone)]
pub struct SocketSettings {
    /// From which pages a browser may open a socket.
    pub origins: Origins,
    /// Name of the cookie that says who somebody is.
    pub cookie_name: String,
    /// Nobody is asked for a cookie: all come with an empty credential. For a demonstration on one's own machine.
    pub anonymous: bool,
    /// How long it may take to find out who somebody is; then they are told to come again.
    pub admit_within: Duration,
    /// How long a socket may stay open before its first message.
    pub first_message_within: Duration,
    /// Time between two pings; less than the minute after which proxies cut a connection that is silent.
    pub ping_every: Duration,
    /// How long a ping may stay unanswered; then the other side is taken to be gone.
    pub pong_within: Duration,
    /// How long closing may take: what is on its way before the close, and the other side's answer.
    pub close_within: Duration,
    /// How long the head of a request may take.
    pub head_within: Duration,
    /// How long a connection may stay that is not a socket.
    pub connection_at_most: Duration,
    /// Connections that are not sockets. More than that wait until they are accepted.
    pub connections: usize,
    /// How long the server waits for its connections when it is asked to stop; then they are cut off.
    pub stop_within: Duration,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            origins: Origins::own(),
            cookie_name: "directus_session_token".to_owned(),
            anonymous: false,
            admit_within: Duration::from_secs(10),
            first_message_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(25),
            pong_within: Duration::from_secs(10),
            close_within: Duration::from_secs(5),
            head_within: Duration::from_secs(10),
            connection_at_most: Duration::from_mins(1),
            connections: 1_024,
            stop_within: Duration::from_secs(8),
        }
    }
}
