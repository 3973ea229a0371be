use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// How the live river runs.
#[derive(Debug, Clone)]
pub struct LiveSettings {
    /// Least time between two frames of a topic; what comes in between goes into one frame. Zero sends at once.
    pub tick: Duration,
    /// How often the roster is read.
    pub roster_refresh: Duration,
    /// Devices whose state is kept in memory, to judge positions by.
    pub device_capacity: NonZeroUsize,
    /// Bytes of recent frames kept of each topic, for those who fell behind or come back; who comes back may be
    /// sent all of them at once.
    pub recent_bytes: usize,
    /// Recent frames kept of each topic.
    pub recent_frames: usize,
    /// A viewer who is this many bytes behind gets the newest position of each device instead of every frame,
    /// if that is less; also about how much is handed out to be written at once.
    pub backlog_bytes: usize,
    /// How long a topic that nobody watches is kept, so that those who were cut off find it again.
    pub keep_topic: Duration,
    /// How long a subscription waits for the last known positions before it is answered without them.
    pub snapshot_within: Duration,
    /// How often the pictures being watched are compared with the store, and moved forward where they are behind.
    pub compare_every: Duration,
    /// How often it is asked what operators say of positions.
    pub marks_every: Duration,
    /// Sockets in all.
    pub sockets: usize,
    /// Sockets of one viewer; an account may be shared by an audience.
    pub sockets_per_viewer: usize,
    /// Topics one socket may watch.
    pub subscriptions: usize,
    /// Messages a socket may send in a second, on average.
    pub messages_per_second: NonZeroU32,
    /// Messages a socket may send at once; a client that comes back subscribes to all its topics at once.
    pub message_burst: NonZeroU32,
    /// A viewer that takes nothing of what it is sent for this long is too slow.
    pub patience: Duration,
    /// Longest time between two checks of a viewer's rights; the actual time is spread between half of it and
    /// this. With the time that answers are remembered it bounds how long withdrawn access can still be used.
    pub recheck_every: Duration,
    /// How long a viewer may stay whose rights cannot be checked, counted from the last time they could.
    pub grace: Duration,
    /// When somebody who is turned away is told to come again, unless the CMS says.
    pub retry_after: Duration,
    /// Longest wait between two attempts at something that is unavailable.
    pub retry_at_most: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        const fn count(number: u32) -> NonZeroU32 {
            NonZeroU32::new(number).expect("not zero")
        }
        const DEVICES: NonZeroUsize = NonZeroUsize::new(100_000).expect("not zero");
        Self {
            tick: Duration::from_millis(100),
            roster_refresh: Duration::from_secs(30),
            device_capacity: DEVICES,
            recent_bytes: 1 << 20,
            recent_frames: 600,
            backlog_bytes: 256 << 10,
            keep_topic: Duration::from_mins(5),
            snapshot_within: Duration::from_secs(3),
            compare_every: Duration::from_mins(1),
            marks_every: Duration::from_secs(1),
            sockets: 10_000,
            sockets_per_viewer: 1_000,
            subscriptions: 128,
            messages_per_second: count(20),
            message_burst: count(200),
            patience: Duration::from_secs(30),
            recheck_every: Duration::from_secs(40),
            grace: Duration::from_mins(5),
            retry_after: Duration::from_secs(5),
            retry_at_most: Duration::from_secs(2),
        }
    }
}
