use super::dead_letter_queue_contract;
use crate::dead_letters::on_embedded::OnEmbedded;

dead_letter_queue_contract!(OnEmbedded);
