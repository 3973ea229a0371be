use processor_tests::RedisCluster;

use super::on_redis::OnRedis;
use super::position_stream_contract;

position_stream_contract!(OnRedis, all on RedisCluster);
