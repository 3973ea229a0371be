//! `processor healthcheck`: asks the service beside it, for containers without a shell.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::config::Config;
use crate::run::Ended;

const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/healthz` on `METRICS_PORT` of this machine.
pub async fn healthcheck(config: &Config) -> Ended {
    let mut address = config.operations;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    match tokio::time::timeout(PATIENCE, status_line(address)).await {
        Ok(Ok(status)) if status.contains(" 200 ") => Ended::AsAsked,
        Ok(Ok(status)) => unwell(address, &status),
        Ok(Err(error)) => unwell(address, &error.to_string()),
        Err(_) => unwell(address, "no answer in time"),
    }
}

fn unwell(address: SocketAddr, why: &str) -> Ended {
    eprintln!("the service on {address} is not well: {why}");
    Ended::Failed
}

async fn status_line(address: SocketAddr) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    socket.take(64 * 1024).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
