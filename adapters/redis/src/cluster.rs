//! The node of a cluster that has a slot.
//!
//! The map of slots is asked for with every connection that is opened, which is seldom, and never kept: what is
//! not kept is not stale. What a node says about a slot that it does not have (any more) is heeded:
//!
//! - `MOVED` names the node that has it now, so that one is asked for the map next;
//! - `ASK` names the node to which the slot is on its way, and which has this key already. It is valid for one
//!   connection, whose commands are each announced by `ASKING`; the next one starts from the map again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::connection::{Commands, Connection};
use crate::error::{RedisFailure, Refusal};
use crate::guides::Guides;
use crate::slot::Slot;
use crate::socket::Address;
use crate::wire::{Cursor, Node, ProtocolError};

/// The nodes that are known, and what they have said.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) guides: Guides,
    /// Where the keys of a slot are that have left its node ahead of it; at most one for each slot of ours.
    asked: Mutex<HashMap<Slot, Address>>,
}

/// Slots that are on one node.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    /// The primary first, then its replicas.
    nodes: Vec<Address>,
}

impl Cluster {
    pub(crate) fn of(nodes: &[Address]) -> Self {
        Self { guides: Guides::named(nodes), asked: Mutex::default() }
    }

    /// Where `ASK` said that the keys of a slot are. Once it is taken it is forgotten.
    pub(crate) fn take_asked(&self, slot: Slot) -> Option<Address> {
        self.asked().remove(&slot)
    }

    /// Asks the node at the other end, which is at `guide`, who has the slot.
    pub(crate) async fn locate(
        &self,
        connection: &mut Connection,
        guide: &Address,
        slot: Slot,
    ) -> Result<Address, RedisFailure> {
        let mut commands = Commands::default();
        commands.push(&["CLUSTER", "SLOTS"]);
        let map = read_map(&mut connection.ask(&commands).await?, guide)?;
        let owner = map.iter().find(|range| slot.is_within(range.first, range.last));
        let owner = owner.and_then(|range| range.nodes.first().cloned());
        self.guides.learn(map.into_iter().flat_map(|range| range.nodes));
        owner.ok_or(RedisFailure::NotFound { what: "node that has the stream's slot" })
    }

    /// Takes in what a node of this host says in place of an answer.
    pub(crate) fn heed(&self, slot: Slot, host: &str, message: &str) {
        match (Refusal::of(message), elsewhere(message, host)) {
            (Refusal::Moved, Some(address)) => self.guides.prefer(address),
            (Refusal::Ask, Some(address)) => drop(self.asked().insert(slot, address)),
            (Refusal::Moved | Refusal::ClusterDown, _) => self.guides.doubt_first(),
            _ => {}
        }
    }

    /// The map is sound after every step, so a panic elsewhere does not spoil it.
    fn asked(&self) -> MutexGuard<'_, HashMap<Slot, Address>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to `CLUSTER SLOTS` of the node that is at `guide`.
fn read_map(replies: &mut Cursor<'_>, guide: &Address) -> Result<Vec<Range>, RedisFailure> {
    let mut map = Vec::new();
    for _ in 0..replies.array_or_nothing()? {
        let parts = replies.array_or_nothing()?;
        let first = replies.count()?.ok_or(ProtocolError::Unexpected)?;
        let last = replies.count()?.ok_or(ProtocolError::Unexpected)?;
        let mut nodes = Vec::new();
        for _ in 2..parts {
            let fields = replies.array_or_nothing()?;
            let host = match replies.node()? {
                Node::Bytes(host) => host,
                Node::Null => b"",
                _ => return Err(ProtocolError::Unexpected.into()),
            };
            let port = replies.count()?.and_then(|port| u16::try_from(port).ok());
            for _ in 2..fields {
                replies.skip()?;
            }
            // A replica that failed has no port.
            if let Some(port) = port.filter(|port| *port > 0) {
                nodes.push(Address { host: named_or(&String::from_utf8_lossy(host), &guide.host), port });
            }
        }
        map.push(Range { first, last, nodes });
    }
    Ok(map)
}

/// A node that does not know how it is reached names no host: then it is reached as the one was that says so.
fn named_or(host: &str, this: &str) -> Box<str> {
    if matches!(host, "" | "?") { this.into() } else { host.into() }
}

/// The address at the end of `MOVED 3999 host:port` and of `ASK 3999 host:port`.
fn elsewhere(message: &str, this: &str) -> Option<Address> {
    let (host, port) = message.split(' ').nth(2)?.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some(Address { host: named_or(host, this), port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Address {
        Address { host: host.into(), port }
    }

    #[test]
    fn the_map_is_read_whatever_else_it_says_of_a_node() {
        let reply = b"*2\r\n*4\r\n:0\r\n:5460\r\n*4\r\n$3\r\none\r\n:7000\r\n$2\r\nid\r\n*2\r\n$8\r\nhostname\r\n\
            $1\r\nx\r\n*3\r\n$-1\r\n:7003\r\n$2\r\nid\r\n*4\r\n:5461\r\n:16383\r\n*3\r\n$0\r\n\r\n:7001\r\n$2\r\nid\r\n\
            *3\r\n$1\r\n?\r\n:0\r\n$2\r\nid\r\n";
        let map = read_map(&mut Cursor::new(reply), &at("guide", 1)).unwrap();
        let range = |first, last, nodes: &[Address]| Range { first, last, nodes: nodes.to_vec() };
        assert_eq!(
            map,
            [range(0, 5460, &[at("one", 7000), at("guide", 7003)]), range(5461, 16383, &[at("guide", 7001)])]
        );
        assert!(read_map(&mut Cursor::new(b"*1\r\n*3\r\n:0\r\n:1\r\n:2\r\n"), &at("guide", 1)).is_err());
    }

    #[test]
    fn what_a_node_says_of_another_is_heeded() {
        let cluster = Cluster::of(&[at("one", 1), at("two", 2)]);
        let slot = Slot::of("foo");
        let first = || cluster.guides.in_order()[0].clone();
        cluster.heed(slot, "one", "MOVED 12182 three:3");
        assert_eq!(first(), at("three", 3));
        cluster.heed(slot, "one", "CLUSTERDOWN The cluster is down");
        assert_eq!(first(), at("one", 1));
        cluster.heed(slot, "one", "MOVED 12182 :4");
        assert_eq!(first(), at("one", 4));
        cluster.heed(slot, "one", "NOGROUP No such key");
        assert_eq!(first(), at("one", 4));

        assert_eq!(cluster.take_asked(slot), None);
        cluster.heed(slot, "one", "ASK 12182 [::1]:5");
        assert_eq!(cluster.take_asked(Slot::of("bar")), None);
        assert_eq!(cluster.take_asked(slot), Some(at("::1", 5)));
        assert_eq!(cluster.take_asked(slot), None);
    }

    #[test]
    fn what_names_no_node_leads_nowhere() {
        for message in ["MOVED", "ASK 3999", "ASK 3999 host", "ASK 3999 host:port"] {
            assert_eq!(elsewhere(message, "one"), None, "{message}");
        }
    }
}
