//! A large value on its way holds nobody up but those who write, and is in memory once.

use std::time::Duration;

use seedis::disk::{DiskDone, DiskError, DiskOp, FileKind};
use seedis::ids::{ConnId, Ticket};
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::opened;

const LARGE: ConnId = ConnId(1);
const WRITES: ConnId = ConnId(2);
const READS: ConnId = ConnId(3);
const MB: usize = 1 << 20;
const NOW: Now = Now {
    mono: Mono::from_millis(1),
    wall_us: 1_700_000_000_000_000,
};

/// A node over a disk that keeps nothing, and does not end the writes of large entries before it is
/// told to.
struct Served {
    node: Node,
    now: Now,
    /// The log's writes find no room.
    is_full: bool,
    said: Vec<(ConnId, String)>,
    held: Vec<Ticket>,
    shared: usize,
    largest_write: usize,
    rewrites: usize,
}

impl Served {
    fn new(config: Config) -> Self {
        let mut served = Self {
            node: Node::new(config, NOW),
            now: NOW,
            is_full: false,
            said: Vec::new(),
            held: Vec::new(),
            shared: 0,
            largest_write: 0,
            rewrites: 0,
        };
        served.settle();
        for conn in [LARGE, WRITES, READS] {
            let opened = opened(conn, "127.0.0.1:1");
            served.node.handle(served.now, opened);
        }
        served.settle();
        served
    }

    /// Turns until the node wants none and the disk has ended all but what it holds.
    fn settle(&mut self) {
        loop {
            let mut effects = Effects::new();
            self.node.flush(self.now, &mut effects);
            let mut is_quiet = true;
            for effect in effects {
                match effect {
                    Effect::Send { conn } => {
                        let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
                        let count = bytes.len();
                        let text = String::from_utf8_lossy(&bytes).into_owned();
                        self.said.push((conn, text));
                        self.node.handle(self.now, Input::Sent { conn, count });
                    }
                    Effect::Disk { ticket, op } => is_quiet &= !self.perform(ticket, op),
                    _ => {}
                }
            }
            if self
                .node
                .deadline()
                .is_some_and(|due| due.at <= self.now.mono)
            {
                self.node.handle(self.now, Input::Timer);
            } else if is_quiet {
                return;
            }
        }
    }

    /// Returns true if the operation has ended.
    fn perform(&mut self, ticket: Ticket, op: DiskOp) -> bool {
        let done = match op {
            DiskOp::WriteAt { bytes, .. } if self.is_full => {
                let outcome = Err(DiskError::NoSpace { bytes });
                self.node.handle(self.now, Input::Disk { ticket, outcome });
                return true;
            }
            DiskOp::List => DiskDone::Listed { files: Vec::new() },
            DiskOp::WriteAt { bytes, .. } => {
                self.largest_write = self.largest_write.max(bytes.len());
                DiskDone::Written { bytes }
            }
            DiskOp::WriteShared { bytes, .. } => {
                self.shared += bytes.len();
                self.held.push(ticket);
                return false;
            }
            DiskOp::Create { file, .. } => {
                self.rewrites += usize::from(file.kind() == FileKind::BaseTmp);
                DiskDone::Done
            }
            _ => DiskDone::Done,
        };
        let outcome = Ok(done);
        self.node.handle(self.now, Input::Disk { ticket, outcome });
        true
    }

    /// Lets time pass in steps of fifty milliseconds.
    fn pass(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while self.now.mono < until {
            self.now.mono = self.now.mono + Duration::from_millis(50);
            self.node.handle(self.now, Input::Timer);
            self.settle();
        }
    }

    fn end_writes(&mut self) {
        while !self.held.is_empty() {
            for ticket in std::mem::take(&mut self.held) {
                let outcome = Ok(DiskDone::Done);
                self.node.handle(self.now, Input::Disk { ticket, outcome });
            }
            self.settle();
        }
    }

    /// Brings bytes as a driver does: never more than the node has an appetite for.
    fn ask(&mut self, conn: ConnId, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let most = self.node.appetite(conn).min(bytes.len());
            assert!(most > 0, "the node reads this client again");
            let (piece, rest) = bytes.split_at(most);
            self.node
                .handle(self.now, Input::Received { conn, bytes: piece });
            self.settle();
            bytes = rest;
        }
    }

    fn set(&mut self, bytes: usize) {
        let head = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${bytes}\r\n");
        let mut request = head.into_bytes();
        request.resize(request.len() + bytes, b'v');
        request.extend_from_slice(b"\r\n");
        self.ask(LARGE, &request);
    }

    fn said_to(&self, conn: ConnId) -> String {
        let said = self.said.iter().filter(|(to, _)| *to == conn);
        said.map(|(_, text)| text.as_str()).collect()
    }
}

#[test]
fn who_writes_waits_until_a_large_entry_is_applied_and_others_are_served() {
    let mut served = Served::new(Config {
        waiting_bytes_max: MB,
        rewrite_percentage: 0,
        ..Config::default()
    });
    served.ask(WRITES, b"SET a 1\r\n");
    served.set(2 * MB);
    served.ask(READS, b"PING\r\nGET a\r\nMULTI\r\nSET b 1\r\nGET a\r\n");
    assert_eq!(
        served.said_to(READS),
        "+PONG\r\n$1\r\n1\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n"
    );
    served.ask(WRITES, b"INCR a\r\nGET a\r\n");
    served.ask(READS, b"EXEC\r\n");
    let (before, after) = ("+OK\r\n", "+OK\r\n:2\r\n$1\r\n2\r\n");
    assert_eq!(served.said_to(WRITES), before);
    assert_eq!(served.node.appetite(WRITES), 0, "it waits");
    assert_eq!(served.said_to(LARGE), "");
    served.end_writes();
    assert_eq!(served.said_to(LARGE), "+OK\r\n");
    assert_eq!(served.said_to(WRITES), after);
    assert!(served.said_to(READS).ends_with("*2\r\n+OK\r\n$1\r\n2\r\n"));
    assert!(served.node.appetite(WRITES) > 0);
}

#[test]
fn a_large_request_waits_for_room_too_and_runs_when_there_is_some() {
    let mut served = Served::new(Config {
        waiting_bytes_max: MB,
        rewrite_percentage: 0,
        ..Config::default()
    });
    served.set(2 * MB);
    served.set(3 * MB);
    assert_eq!(served.shared, 2 * MB + 12, "the second is not on its way");
    assert_eq!(served.node.appetite(LARGE), 0);
    served.end_writes();
    assert_eq!(served.said_to(LARGE), "+OK\r\n+OK\r\n");
    served.ask(READS, b"STRLEN k\r\n");
    assert_eq!(served.said_to(READS), format!(":{}\r\n", 3 * MB));
}

#[test]
fn a_rewrite_that_begins_beside_a_large_entry_shares_its_memory() {
    let mut served = Served::new(Config {
        rewrite_percentage: 0,
        ..Config::default()
    });
    served.set(5 * MB);
    let once = served.shared;
    served.ask(READS, b"BGREWRITEAOF\r\n");
    // It begins when the next segment is ready.
    served.ask(READS, b"PING\r\n");
    assert_eq!(served.rewrites, 1);
    assert_eq!(
        served.shared,
        2 * once,
        "it follows the log, piece by piece"
    );
    assert!(served.largest_write < MB, "{}", served.largest_write);
    served.end_writes();
    assert_eq!(served.said_to(LARGE), "+OK\r\n");
}

#[test]
fn a_log_does_not_outgrow_its_base_by_what_is_not_applied() {
    let mut served = Served::new(Config {
        rewrite_min_bytes: MB as u64,
        rewrite_percentage: 100,
        ..Config::default()
    });
    served.set(5 * MB);
    served.ask(READS, b"PING\r\n");
    assert_eq!(served.rewrites, 0);
    served.end_writes();
    assert_eq!(served.rewrites, 1, "now a base makes the log shorter");
}

#[test]
fn a_client_whose_write_finds_no_room_for_long_is_told_and_the_write_is_made_later() {
    let mut served = Served::new(Config {
        rewrite_percentage: 0,
        ..Config::default()
    });
    served.is_full = true;
    served.ask(WRITES, b"SET a 1\r\nGET a\r\n");
    served.pass(Duration::from_millis(4900));
    assert_eq!(served.said_to(WRITES), "");
    served.pass(Duration::from_millis(300));
    let told = "-UNCERTAIN the write may still be made: the log has found no room for it yet: \
                No space left on device\r\n$-1\r\n";
    assert_eq!(served.said_to(WRITES), told);
    served.ask(READS, b"SET a 2\r\nGET a\r\n");
    let refused = "-MISCONF Errors writing to the AOF file: No space left on device\r\n$-1\r\n";
    assert_eq!(served.said_to(READS), refused);
    served.is_full = false;
    served.pass(Duration::from_millis(300));
    served.ask(READS, b"GET a\r\n");
    assert_eq!(served.said_to(READS), format!("{refused}$1\r\n1\r\n"));
    assert_eq!(served.said_to(WRITES), told, "nobody is answered twice");
}

#[test]
fn a_client_that_waits_for_room_on_its_way_is_refused_when_there_is_none_on_the_disk() {
    let mut served = Served::new(Config {
        waiting_bytes_max: 100,
        rewrite_percentage: 0,
        ..Config::default()
    });
    served.is_full = true;
    let first = format!("SET a {}\r\n", "1".repeat(100));
    served.ask(WRITES, first.as_bytes());
    served.ask(READS, b"SET b 1\r\n");
    served.pass(Duration::from_millis(50));
    let refused = "-MISCONF Errors writing to the AOF file: No space left on device\r\n";
    assert_eq!(served.said_to(READS), refused);
}
