use processor_tests::RedisSentinels;

use super::on_redis::OnRedis;
use super::position_stream_contract;

position_stream_contract!(OnRedis, all on RedisSentinels);
