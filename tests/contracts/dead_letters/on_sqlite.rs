use super::dead_letters_contract;
use super::in_table::InTable;
use crate::databases::Sqlite;

dead_letters_contract!(InTable<Sqlite>);
