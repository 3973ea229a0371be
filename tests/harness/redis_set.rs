use std::fmt::Write as _;

use anyhow::Context;
use redis::FromRedisValue;

use crate::RedisServer;
use crate::container::Container;
use crate::setting::setting;

/// Redis servers that belong together, in one container: each a daemon with its folder, to be killed by itself.
#[derive(Debug)]
pub(crate) struct RedisSet {
    container: Container,
}

impl RedisSet {
    /// Starts so many, of the usual image if none is named. `configuration` is what is special about one of them, by
    /// its place among the ports; what its first line is called starts it. `after` is a script for when all are started.
    pub(crate) async fn start(
        image: Option<&str>,
        count: usize,
        configuration: impl Fn(&[u16], usize) -> String,
        after: impl Fn(&[u16]) -> String,
    ) -> anyhow::Result<Self> {
        let usual = setting("PROCESSOR_TEST_REDIS_IMAGE").unwrap_or_else(|| "processor-test/redis:8".into());
        let script = |ports: &[u16]| {
            let mut script = String::from("set -e\n");
            for (place, port) in ports.iter().enumerate() {
                let configuration = configuration(ports, place);
                let how = if configuration.contains("sentinel monitor") { "--sentinel" } else { "" };
                write!(
                    script,
                    "mkdir /data/{port} && cat > /data/{port}/conf <<'END'\n\
                     port {port}\nbind 0.0.0.0\nprotected-mode no\ndaemonize yes\ndir /data/{port}\n\
                     pidfile /data/{port}/pid\nlogfile /data/{port}/log\n{configuration}\nEND\n\
                     echo \"$(command -v redis-server || command -v valkey-server) /data/{port}/conf {how}\" \
                     > /data/{port}/start\nsh /data/{port}/start\n"
                )
                .expect("a text takes what is written to it");
            }
            script + &after(ports) + "\nexec sleep infinity\n"
        };
        let container = Container::start_several(image.unwrap_or(&usual), count, script).await?;
        Ok(Self { container })
    }

    pub(crate) fn ports(&self) -> &[u16] {
        self.container.ports()
    }

    /// Ends one of them without asking it (SIGKILL), and waits until it is gone.
    pub(crate) async fn kill(&self, port: u16) -> anyhow::Result<()> {
        let gone =
            "while kill -0 $pid 2>/dev/null && ! grep -q zombie /proc/$pid/status; do sleep 0.05; done";
        self.container.shell(&format!("pid=$(cat /data/{port}/pid); kill -9 $pid; {gone}")).await
    }

    /// Starts one again that was killed.
    pub(crate) async fn revive(&self, port: u16) -> anyhow::Result<()> {
        self.container.shell(&format!("sh /data/{port}/start")).await
    }

    /// Asks one of them, in the words of its own language.
    pub(crate) async fn ask<T: FromRedisValue>(&self, port: u16, command: &str) -> anyhow::Result<T> {
        self.ask_with("", port, command).await
    }

    /// As [`Self::ask`], of one that wants a password.
    pub(crate) async fn ask_with<T: FromRedisValue>(
        &self,
        password: &str,
        port: u16,
        command: &str,
    ) -> anyhow::Result<T> {
        let password = if password.is_empty() { String::new() } else { format!(":{password}@") };
        let mut connection = RedisServer::connect(&format!("redis://{password}127.0.0.1:{port}")).await?;
        let mut words = command.split(' ');
        let mut asking = redis::cmd(words.next().unwrap_or_default());
        asking.arg(words.collect::<Vec<_>>());
        asking.query_async(&mut connection).await.with_context(|| format!("{command} at {port}"))
    }

    /// `127.0.0.1:port` of each of these, separated by commas.
    pub(crate) fn hosts(ports: &[u16]) -> String {
        ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
    }
}

/// The port in `redis://host:port`.
pub(crate) fn port_of(url: &str) -> anyhow::Result<u16> {
    url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).with_context(|| format!("no port in {url}"))
}
