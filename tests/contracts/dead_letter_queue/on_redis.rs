use super::dead_letter_queue_contract;
use crate::dead_letters::on_redis::OnRedis;

dead_letter_queue_contract!(OnRedis);
