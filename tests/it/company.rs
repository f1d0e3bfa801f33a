//! A server that was alone gets company: what it has acknowledged must be synced before anybody can
//! build on it.

use seedis::disk::DiskOp;
use seedis::ids::{ConnId, Incarnation, NodeId};
use seedis::node::Node;
use seedis::node::config::{Config, Fsync};
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::node::versions::ENTRY_VERSIONS;
use seedis::time::{Mono, Now};
use seedis_fuzz::disk::Disk;

use crate::bare::opened;

const CLIENT: ConnId = ConnId(1);

/// A server on a disk that remembers what was not synced.
struct Server {
    node: Node,
    disk: Disk,
    now: Now,
    /// Writes so far, those that are synced, and those that replies have relied on.
    writes: u64,
    synced: u64,
    relied_on: u64,
    replies: String,
    /// To whom frames have left.
    spoken: Vec<NodeId>,
    /// The disk answers to nothing.
    is_stuck: bool,
    is_closed: bool,
}

impl Server {
    fn new(append_only: bool) -> Self {
        let config = Config {
            id: NodeId(1),
            fsync: Fsync::EverySecond,
            append_only,
            segment_bytes: 1 << 16,
            ..Config::default()
        };
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let mut node = Node::new(config, now);
        let met = Input::Met {
            id: NodeId(2),
            incarnation: Incarnation(5),
            address: "10.0.0.2:6379",
            cluster_port: 16_379,
            entry_versions: ENTRY_VERSIONS,
        };
        node.handle(now, met);
        let mut server = Self {
            node,
            disk: Disk::default(),
            now,
            writes: 0,
            synced: 0,
            relied_on: 0,
            replies: String::new(),
            spoken: Vec::new(),
            is_stuck: false,
            is_closed: false,
        };
        server.pass(10);
        server.node.handle(server.now, opened(CLIENT, "10.0.1.1:1"));
        server
    }

    /// Some milliseconds pass.
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now.mono.0 += 1_000_000;
            self.now.wall_us += 1000;
            self.node.handle(self.now, Input::Timer);
            self.settle();
        }
    }

    fn settle(&mut self) {
        let now = self.now;
        let mut effects = Effects::new();
        loop {
            self.node.flush(now, &mut effects);
            if effects.is_empty() {
                break;
            }
            for effect in effects.drain(..) {
                match effect {
                    Effect::Disk { .. } if self.is_stuck => {}
                    Effect::Close { .. } => self.is_closed = true,
                    Effect::Disk { ticket, op } => {
                        match op {
                            DiskOp::WriteAt { .. } => self.writes += 1,
                            DiskOp::Sync { .. } => self.synced = self.writes,
                            _ => {}
                        }
                        let outcome = self.disk.perform(op);
                        self.node.handle(now, Input::Disk { ticket, outcome });
                    }
                    Effect::Send { conn } => {
                        let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
                        let count = bytes.len();
                        self.relied_on = self.writes;
                        self.replies.push_str(std::str::from_utf8(&bytes).unwrap());
                        self.node.handle(now, Input::Sent { conn, count });
                    }
                    Effect::Message { to, .. } => {
                        assert!(
                            self.synced >= self.relied_on,
                            "it builds on what may be lost"
                        );
                        self.spoken.push(to);
                    }
                    Effect::Stopped { failure } => panic!("stopped: {failure:?}"),
                    _ => {}
                }
            }
        }
    }

    fn ask(&mut self, request: &str) -> String {
        let bytes = format!("{request}\r\n");
        let bytes = bytes.as_bytes();
        let conn = CLIENT;
        self.node.handle(self.now, Input::Received { conn, bytes });
        self.settle();
        std::mem::take(&mut self.replies)
    }
}

/// The change waits for a disk that has stopped to answer; its client waits no longer than another
/// that will send nothing more.
#[test]
fn a_client_that_goes_away_does_not_wait_for_a_change_of_members() {
    let mut server = Server::new(true);
    assert_eq!(server.ask("SET k v"), "+OK\r\n");
    server.is_stuck = true;
    assert_eq!(server.ask("RAFT ADD 2"), "");
    server
        .node
        .handle(server.now, Input::Ended { conn: CLIENT });
    server.pass(4900);
    assert!(!server.is_closed, "it is given its time");
    assert_eq!(server.node.check_clients(), Ok(()));
    server.pass(200);
    assert_eq!(server.node.check_clients(), Ok(()));
    assert!(server.is_closed);
    let said = std::mem::take(&mut server.replies);
    assert!(said.starts_with("-UNCERTAIN the change"), "{said}");
}

#[test]
fn what_was_acknowledged_alone_is_synced_before_a_member_joins() {
    let mut server = Server::new(true);
    assert_eq!(server.ask("SET k v"), "+OK\r\n");
    assert!(server.synced < server.writes, "the reply does not wait");
    assert_eq!(server.ask("RAFT ADD 2"), "+OK\r\n");
    server.pass(100);
    assert_eq!(server.spoken.first(), Some(&NodeId(2)));

    // From now on every reply waits for its sync.
    assert_eq!(server.ask("SET k w"), "+OK\r\n");
    assert_eq!(server.synced, server.writes);
}

#[test]
fn whoever_has_no_log_stays_alone() {
    let mut server = Server::new(false);
    let refusal = "-ERR a server without a log cannot be in a group: appendonly is no\r\n";
    assert_eq!(server.ask("RAFT ADD 2"), refusal);
}
