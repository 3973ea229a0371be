//! Records that could not become positions.

use sea_orm::entity::prelude::*;

use super::columns::Moment;

/// A row of `dead_letters`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letters")]
pub struct Model {
    /// The stream it came from.
    #[sea_orm(primary_key, auto_increment = false)]
    pub stream: String,
    /// Where it stood there: `<milliseconds>-<sequence>`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: String,
    /// Why it was set aside: a stable code.
    pub reason: String,
    /// The same in words.
    pub detail: String,
    /// What was received.
    pub payload: Vec<u8>,
    /// How often it was delivered.
    pub deliveries: i64,
    /// Which instance set it aside.
    pub instance: String,
    /// When.
    pub kept_at: Moment,
}

/// It has none.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
