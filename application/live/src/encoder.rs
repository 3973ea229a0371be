use bytes::Bytes;
use processor_domain::{DeviceId, EventId};

use crate::Sighting;

/// How frames look on the wire.
///
/// It is asked once for a topic and a tick, and what it returns is shared by all viewers of the topic: it
/// should be ready to be written as it is. It is called on the path of every position and must neither wait nor
/// fail.
pub trait FrameEncoder: Send + Sync {
    /// One whole message with what has changed in a topic.
    fn positions(&self, frame: &PositionsFrame<'_>) -> Bytes;

    /// The member `snapshot` of the answer to a subscription: these positions as one JSON array. It becomes a
    /// part of a message and is shared by all who subscribe at this moment.
    fn snapshot(&self, positions: &[Sighting]) -> Bytes;
}

/// What has changed in a topic since the frame before.
#[derive(Clone, Copy, Debug)]
pub struct PositionsFrame<'a> {
    /// The topic is that of this event.
    pub event: &'a EventId,
    /// The number of the frame: one more than that of the frame before, unless it is conflated.
    pub seq: u64,
    /// Devices that do not take part in the event any more. Their markers go, before the positions of the same
    /// frame are looked at: a device may have left and come back. Empty in nearly every frame.
    pub removed: &'a [DeviceId],
    /// At most one good position of each device, and at most one faulty one that is newer than it, in this
    /// order.
    pub positions: &'a [Sighting],
    /// It stands for all frames after the one the viewer had last, with the newest of each device only; its
    /// number is that of the last of them.
    pub conflated: bool,
}
