use super::dead_letters_contract;
use super::in_table::InTable;
use crate::databases::Timescale;

dead_letters_contract!(InTable<Timescale>);
