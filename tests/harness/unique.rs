use std::hash::{BuildHasher, RandomState};

/// A name that no other test has, now or in another run: `prefix` and eight hexadecimal digits, which are good
/// as the name of a stream and of a database.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{:08x}", random() & 0xFFFF_FFFF)
}

/// A port of the loopback address that nothing listens on.
///
/// It lies below the range from which systems take the ports of outgoing connections, so that it is still free
/// when a server that was stopped comes back to it.
pub(crate) fn free_port() -> std::io::Result<u16> {
    const LOWEST: u64 = 15_000;
    const COUNT: u64 = 17_000;
    let mut last_error = None;
    for _ in 0..100 {
        let port = u16::try_from(LOWEST + random() % COUNT).unwrap_or(u16::MAX);
        match std::net::TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error.unwrap_or_else(|| std::io::Error::other("no port was tried")))
}

/// So many different ones.
pub(crate) fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    let mut ports = Vec::with_capacity(count);
    while ports.len() < count {
        let port = free_port()?;
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    Ok(ports)
}

fn random() -> u64 {
    // Every state is seeded anew by the system.
    RandomState::new().hash_one(std::process::id())
}
