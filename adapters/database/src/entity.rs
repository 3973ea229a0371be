//! The tables as SeaORM knows them, for both databases.
//!
//! What is read here and there is read through these. The bulk of the writing into PostgreSQL is not: see
//! [`crate::TimescalePositionStore`].

pub mod columns;
pub mod dead_letters;
pub mod positions;
