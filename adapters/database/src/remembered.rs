//! What both databases mean by remembering a device.

use std::time::Duration;

use processor_domain::{Coordinates, Fault, Fix, Timestamp};

/// How far ahead of now a device's clock may be.
pub(crate) const AHEAD: Duration = Duration::from_mins(1);
/// Rows from the future never advanced the device, and do not begin to when their time has come.
pub(crate) const FUTURE: i32 = Fault::Future as i32;
/// Newest rows of a device that are looked through for its last good fix. At one a second that is nearly three
/// hours; after longer without a fix the last one says little about where the car can be.
pub(crate) const LOOKED_THROUGH: i64 = 10_000;

/// The fix of a row, if it has one on Earth.
pub(crate) fn fix(ts: Option<Timestamp>, latitude: Option<f64>, longitude: Option<f64>) -> Option<Fix> {
    Fix::new(ts?, Coordinates::new(latitude?, longitude?).ok()?)
}
