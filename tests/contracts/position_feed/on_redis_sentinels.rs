use processor_tests::RedisSentinels;

use super::on_redis::OnRedis;
use super::position_feed_contract;

position_feed_contract!(OnRedis, all on RedisSentinels);
