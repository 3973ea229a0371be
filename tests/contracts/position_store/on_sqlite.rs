use super::position_store_contract;
use crate::databases::Sqlite;

position_store_contract!(Sqlite);
