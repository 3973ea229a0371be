//! One row for each device and moment of device time.

use sea_orm::entity::prelude::*;

use super::columns::{JsonText, Moment};

/// A row of `positions`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "positions")]
pub struct Model {
    /// Which tracker.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_id: String,
    /// Device time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ts: Moment,
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
    /// Metres above sea level.
    pub altitude: Option<f32>,
    /// Degrees clockwise from north.
    pub angle: Option<f32>,
    /// Kilometres per hour.
    pub speed: Option<f32>,
    /// Number of satellites in use.
    pub satellites: Option<i16>,
    /// 0 low, 1 high, 2 panic.
    pub priority: i16,
    /// One JSON object.
    pub attributes: JsonText,
    /// Whether the place is not where the car was.
    pub faulty: bool,
    /// When the row was written.
    pub ingested_at: Moment,
    /// The faults as a set of bits, null for none.
    pub faults: Option<i32>,
}

/// It has none.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
