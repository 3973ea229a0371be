use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use testcontainers::bollard::query_parameters::{KillContainerOptionsBuilder, StatsOptionsBuilder};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::{ExecCommand, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

use crate::eventually::Patience;
use crate::unique::free_ports;

/// How long a server may take to answer for the first time.
pub(crate) const START_LIMIT: Duration = Duration::from_mins(1);

/// A server in a container, or several, reached by ports of the loopback address that stay the same over stop and
/// start. It is removed, with its data, when it is dropped or the test is interrupted.
#[derive(Debug)]
pub(crate) struct Container {
    inner: ContainerAsync<GenericImage>,
    ports: Vec<u16>,
}

impl Container {
    /// Starts `image` (`name:tag`) with these arguments and this environment, and publishes its port `inner_port`.
    pub(crate) async fn start(
        image: &str,
        inner_port: u16,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::run(image, 1, |image, ports| {
            let mut request =
                image.with_mapped_port(ports[0], inner_port.tcp()).with_cmd(args.iter().copied());
            for (name, value) in environment {
                request = request.with_env_var(*name, *value);
            }
            request
        })
        .await
    }

    /// Runs a shell script in `image` that starts `count` servers, each on a port that is the same inside and outside:
    /// so they can tell anybody where they are. The script is made when the ports are known.
    pub(crate) async fn start_several(
        image: &str,
        count: usize,
        script: impl Fn(&[u16]) -> String,
    ) -> anyhow::Result<Self> {
        Self::run(image, count, |image, ports| {
            let request = image.with_entrypoint("sh").with_cmd(["-c".to_owned(), script(ports)]);
            ports.iter().fold(request, |request, port| request.with_mapped_port(*port, port.tcp()))
        })
        .await
    }

    async fn run(
        image: &str,
        count: usize,
        request: impl Fn(GenericImage, &[u16]) -> ContainerRequest<GenericImage>,
    ) -> anyhow::Result<Self> {
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        // Somebody else may take a port between finding it free and publishing on it.
        for attempt in 1.. {
            let ports = free_ports(count).context("no free port on the loopback address")?;
            let request = request(GenericImage::new(name, tag), &ports)
                .with_host_config_modifier(|config| {
                    for binding in config.port_bindings.iter_mut().flatten() {
                        binding.1.iter_mut().flatten().for_each(|b| b.host_ip = Some("127.0.0.1".into()));
                    }
                })
                .with_startup_timeout(START_LIMIT);
            match request.start().await {
                Ok(inner) => return Ok(Self { inner, ports }),
                Err(error) if attempt < 5 && taken(&error) => {}
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!(
                            "no container of {image}: the test needs a container engine and the images that \
                             scripts/containers.sh makes"
                        )
                    });
                }
            }
        }
        unreachable!("attempts do not end by themselves")
    }

    /// The port of the only server, or of the first.
    pub(crate) fn port(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// The ports of all servers.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Runs a shell command in the container to its end.
    pub(crate) async fn shell(&self, command: &str) -> anyhow::Result<()> {
        let mut run = self.inner.exec(ExecCommand::new(["sh", "-c", command])).await?;
        let error = String::from_utf8_lossy(&run.stderr_to_vec().await?).into_owned();
        let code = run.exit_code().await?;
        anyhow::ensure!(code == Some(0), "{command}: {code:?}: {error}");
        Ok(())
    }

    /// Where the server is without the detour of a published port: an address of its own, for as long as it runs.
    pub(crate) async fn address(&self) -> anyhow::Result<String> {
        let engine = docker_client_instance().await?;
        let seen = engine.inspect_container(self.inner.id(), None).await?;
        let networks = seen.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let mut addresses = networks.into_values().filter_map(|network| network.ip_address);
        addresses.find(|address| !address.is_empty()).context("the container has no address")
    }

    /// The processor time that the server has used so far.
    pub(crate) async fn cpu(&self) -> anyhow::Result<Duration> {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let engine = docker_client_instance().await?;
        let mut answers = std::pin::pin!(engine.stats(self.inner.id(), Some(options)));
        let seen = answers.next().await.context("no statistics of the container")??;
        let used = seen.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
        used.map(Duration::from_nanos).context("no processor time in the statistics")
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        self.inner.stop_with_timeout(Some(20)).await.context("the container does not stop")
    }

    /// Starts the same server again, with the data that it has kept.
    pub(crate) async fn restart(&self) -> anyhow::Result<()> {
        self.inner.start().await.context("the container does not start again")
    }

    /// Ends the server without asking it (SIGKILL), and waits until it is gone.
    pub(crate) async fn kill(&self) -> anyhow::Result<()> {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        let engine = docker_client_instance().await?;
        engine.kill_container(self.inner.id(), Some(options)).await.context("the container is not killed")?;
        let patience = Patience::new(Duration::from_secs(20), "the killed server is gone");
        while self.inner.is_running().await? {
            patience.look_again(&"it is running").await;
        }
        Ok(())
    }

    /// Freezes the server: connections stay and nothing answers.
    pub(crate) async fn pause(&self) -> anyhow::Result<()> {
        self.inner.pause().await.context("the container is not paused")
    }

    /// Ends [`Self::pause`].
    pub(crate) async fn unpause(&self) -> anyhow::Result<()> {
        self.inner.unpause().await.context("the container stays paused")
    }

    /// The last lines that the server wrote, for the message of a failure.
    pub(crate) async fn last_words(&self) -> String {
        let mut words = self.inner.stdout_to_vec().await.unwrap_or_default();
        words.extend(self.inner.stderr_to_vec().await.unwrap_or_default());
        let text = String::from_utf8_lossy(&words);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

fn taken(error: &testcontainers::TestcontainersError) -> bool {
    let text = format!("{error:?}");
    text.contains("already allocated") || text.contains("already in use")
}
