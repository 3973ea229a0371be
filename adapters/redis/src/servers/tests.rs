use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Something that gives one answer to whatever it is asked, as often as it is asked.
struct Oracle {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Oracle {
    async fn that_says(answer: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut question = [0; 1000];
                if connection.read(&mut question).await.is_ok_and(|read| read > 0) {
                    count.fetch_add(1, Ordering::SeqCst);
                    // A question that is given up needs no answer.
                    connection.write_all(answer.as_bytes()).await.ok();
                }
            }
        });
        Self { port, asked }
    }

    /// A sentinel that knows of so many failovers, the last of which made the server at this port the primary.
    async fn sentinel(epoch: u64, primary: u16) -> Self {
        let words = [
            "name",
            "cars",
            "ip",
            "127.0.0.1",
            "port",
            &primary.to_string(),
            "config-epoch",
            &epoch.to_string(),
        ]
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
        Self::that_says(format!("*{}\r\n{}", words.len(), words.concat())).await
    }
}

fn servers(sentinels: &[&Oracle]) -> Servers {
    let hosts: Vec<String> = sentinels.iter().map(|oracle| format!("127.0.0.1:{}", oracle.port)).collect();
    let patience = Duration::from_secs(20);
    let limits = Limits { connect_timeout: patience, response_timeout: patience, reply_bytes: 1_000_000 };
    Servers::new(&format!("redis+sentinel://{}/cars", hosts.join(",")), limits).unwrap()
}

async fn located(servers: &Servers) -> u16 {
    servers.locate(Slot::ONLY).await.unwrap().address.port
}

#[tokio::test]
async fn a_sentinel_that_has_not_heard_of_the_last_failover_is_not_believed() {
    let (current, behind) = (Oracle::sentinel(7, 2).await, Oracle::sentinel(6, 1).await);
    let servers = servers(&[&current, &behind]);
    assert_eq!(located(&servers).await, 2);
    servers.led_astray();
    assert_eq!(located(&servers).await, 2);
    assert_eq!(behind.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_that_is_behind_is_better_than_none() {
    let (dead, behind, farther_behind) =
        (Oracle::that_says(String::new()).await, Oracle::sentinel(6, 1).await, Oracle::sentinel(5, 3).await);
    let current = Oracle::sentinel(7, 2).await;
    let servers = servers(&[&dead, &farther_behind, &behind]);
    let Way::Sentinels(sentinels) = &servers.way else { unreachable!("the URL says so") };
    sentinels.guides.prefer(Address { host: "127.0.0.1".into(), port: current.port });
    assert_eq!(located(&servers).await, 2);
    sentinels.guides.learn([]);
    sentinels.guides.doubt_first();
    sentinels.guides.learn([]);
    assert_eq!(located(&servers).await, 1);
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_taken_for_one() {
    let unknown = Oracle::that_says("-ERR No such master with that name\r\n".to_owned()).await;
    let failure = servers(&[&unknown]).locate(Slot::ONLY).await.unwrap_err();
    assert_eq!(failure.to_string(), "the server refuses: ERR No such master with that name");
}
