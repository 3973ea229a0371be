use processor_tests::RedisCluster;

use super::dead_letters_contract;
use super::on_redis::OnRedis;

dead_letters_contract!(OnRedis, all on RedisCluster);
