use std::io::ErrorKind;

use tokio::time::{Instant, timeout};

use super::*;

/// Answers every piece with the same bytes in upper case.
async fn shouting_server() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut piece = [0; 1024];
                while let Ok(length @ 1..) = connection.read(&mut piece).await {
                    piece[..length].make_ascii_uppercase();
                    if connection.write_all(&piece[..length]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}

async fn say(connection: &mut TcpStream, text: &str) -> std::io::Result<String> {
    connection.write_all(text.as_bytes()).await?;
    let mut answer = vec![0; text.len()];
    connection.read_exact(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn proxy_and_client() -> anyhow::Result<(Proxy, TcpStream)> {
    let proxy = Proxy::to(&shouting_server().await?.to_string())?;
    let mut client = TcpStream::connect(proxy.addr()).await?;
    assert_eq!(say(&mut client, "hello").await?, "HELLO");
    Ok((proxy, client))
}

#[tokio::test]
async fn a_cut_resets_what_is_connected_and_lets_others_in() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    proxy.cut();
    let error = say(&mut client, "again").await.expect_err("the connection is gone");
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error:?}");
    assert_eq!(say(&mut TcpStream::connect(proxy.addr()).await?, "new").await?, "NEW");
    Ok(())
}

#[tokio::test]
async fn a_block_holds_back_and_loses_nothing() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    proxy.block();
    assert!(timeout(Duration::from_millis(200), say(&mut client, "wait")).await.is_err());
    proxy.unblock();
    let mut answer = [0; 4];
    timeout(Duration::from_secs(5), client.read_exact(&mut answer)).await??;
    assert_eq!(&answer, b"WAIT");
    Ok(())
}

#[tokio::test]
async fn a_delay_is_as_long_as_asked_for() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    proxy.delay(Duration::from_millis(150));
    let asked = Instant::now();
    assert_eq!(say(&mut client, "slow").await?, "SLOW");
    assert!(asked.elapsed() >= Duration::from_millis(150));
    Ok(())
}

#[tokio::test]
async fn a_refusal_spares_what_is_connected_and_ends() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    proxy.refuse().await;
    let error = TcpStream::connect(proxy.addr()).await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(say(&mut client, "still here").await?, "STILL HERE");
    proxy.accept().await?;
    assert_eq!(say(&mut TcpStream::connect(proxy.addr()).await?, "back").await?, "BACK");
    Ok(())
}

#[tokio::test]
async fn the_reply_to_the_chosen_request_is_lost_once() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    proxy.lose_reply_to(*b"commit");
    assert_eq!(say(&mut client, "com").await?, "COM");
    assert_eq!(proxy.lost_replies(), 0);
    let error = say(&mut client, "mit").await.expect_err("the pattern is complete");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.lost_replies(), 1);
    assert_eq!(say(&mut TcpStream::connect(proxy.addr()).await?, "commit").await?, "COMMIT");
    Ok(())
}

#[tokio::test]
async fn the_reply_to_the_chosen_request_is_held_until_it_is_released() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    proxy.hold_reply_to(*b"commit");
    assert!(timeout(Duration::from_millis(200), say(&mut client, "commit")).await.is_err());
    assert_eq!(say(&mut TcpStream::connect(proxy.addr()).await?, "commit").await?, "COMMIT");
    proxy.release();
    let mut answer = [0; 6];
    timeout(Duration::from_secs(5), client.read_exact(&mut answer)).await??;
    assert_eq!(&answer, b"COMMIT");
    assert_eq!(say(&mut client, "commit").await?, "COMMIT");
    Ok(())
}

#[tokio::test]
async fn connections_go_with_the_proxy() -> anyhow::Result<()> {
    let (proxy, mut client) = proxy_and_client().await?;
    drop(proxy);
    assert!(say(&mut client, "gone").await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_url_is_led_through_the_proxy() -> anyhow::Result<()> {
    let proxy = Proxy::to("postgres://u:p@127.0.0.1:5432/db?sslmode=disable")?;
    assert_eq!(proxy.url(), format!("postgres://u:p@{}/db?sslmode=disable", proxy.addr()));
    assert_eq!(target_of("redis://h:1"), "h:1");
    assert_eq!(target_of("h:1"), "h:1");
    Ok(())
}
