use processor_domain::{Altitude, Coordinates, DeviceId, Faults, Heading, Position, Speed, Timestamp};

/// What a map shows of one position: all of it but the attributes.
///
/// It is copied, not shared: it allocates nothing, and a picture holds only the newest ones of each device.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sighting {
    /// Which tracker.
    pub device_id: DeviceId,
    /// Device time.
    pub ts: Timestamp,
    /// Where.
    pub coordinates: Coordinates,
    /// Height above sea level, if sent.
    pub altitude: Option<Altitude>,
    /// Direction of travel, if sent.
    pub heading: Option<Heading>,
    /// Speed over ground, if sent.
    pub speed: Option<Speed>,
    /// Number of satellites in use, if sent.
    pub satellites: Option<u8>,
    /// What is wrong with it.
    pub faults: Faults,
    /// When the platform received it; `None` for one that was read back from the store. Not for the map: the
    /// delay of the river is measured by it.
    pub received_at: Option<Timestamp>,
}

impl Sighting {
    /// A position that has just come out of a stream, which took it at `received_at`.
    #[must_use]
    pub fn observed(position: &Position, faults: Faults, received_at: Timestamp) -> Self {
        Self { faults, received_at: Some(received_at), ..Self::stored(position) }
    }

    /// A position that a store had; only good ones are asked for.
    #[must_use]
    pub fn stored(position: &Position) -> Self {
        Self {
            device_id: position.device_id,
            ts: position.ts,
            coordinates: position.coordinates,
            altitude: position.altitude,
            heading: position.heading,
            speed: position.speed,
            satellites: position.satellites,
            faults: Faults::NONE,
            received_at: None,
        }
    }

    /// Whether it does not say where the car is: a marker must not move for it.
    #[must_use]
    pub const fn faulty(&self) -> bool {
        self.faults.faulty()
    }
}
