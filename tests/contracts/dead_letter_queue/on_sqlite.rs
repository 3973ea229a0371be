use super::dead_letter_queue_contract;
use crate::databases::Sqlite;
use crate::dead_letters::in_table::InTable;

dead_letter_queue_contract!(InTable<Sqlite>);
