//! The least that it can cost: ready bytes, one system call for each viewer.

use std::io::ErrorKind;
use std::net::SocketAddr;

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub(crate) struct Floor {
    pub(crate) address: SocketAddr,
    send: mpsc::UnboundedSender<()>,
}

impl Floor {
    /// A server that sends this frame.
    pub(crate) fn start(frame: &Bytes) -> Self {
        let frame = frame.clone();
        let (send, mut asked) = mpsc::unbounded_channel();
        let (told, address) = std::sync::mpsc::channel();
        let named = std::thread::Builder::new().name("floor".to_owned());
        let spawned = named.spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                // As the live port has it.
                SockRef::from(&listener).set_send_buffer_size(128 << 10).expect("it may");
                told.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let mut viewers = Vec::new();
                loop {
                    tokio::select! {
                        accepted = listener.accept() => {
                            let (stream, _) = accepted.expect("a connection");
                            viewers.push(shake_hands(stream).await);
                        }
                        Some(()) = asked.recv() => {
                            for viewer in &viewers {
                                write(viewer, &frame).await;
                            }
                        }
                    }
                }
            });
        });
        spawned.expect("a thread");
        Self { address: address.recv().expect("it starts"), send }
    }

    /// Sends it to everybody.
    pub(crate) fn send(&self) {
        self.send.send(()).expect("it runs");
    }
}

/// Answers like the other server does, with an empty message in place of the first picture.
async fn shake_hands(mut stream: TcpStream) -> TcpStream {
    stream.set_nodelay(true).expect("it may");
    let mut head = [0; 4_096];
    let mut length = 0;
    while !head[..length].windows(4).any(|window| window == b"\r\n\r\n") {
        length += stream.read(&mut head[length..]).await.expect("a request");
    }
    stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x00").await.expect("it is read");
    stream
}

async fn write(viewer: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match viewer.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                viewer.writable().await.expect("it is read");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
