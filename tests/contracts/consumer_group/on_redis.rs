use super::consumer_group_contract;
use crate::position_stream::on_redis::OnRedis;

consumer_group_contract!(OnRedis);
