//! Channels against the bare node: long work is cut, memory is counted once, limits hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::{Config, OutputLimit};
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

const PUBLISHER: ConnId = ConnId(1);
const OTHER: ConnId = ConnId(2);

/// A node, and all that its clients were sent.
struct Served {
    node: Node,
    now: Now,
    said: BTreeMap<ConnId, Vec<u8>>,
    /// These take nothing.
    stuck: Vec<ConnId>,
    closed: Vec<ConnId>,
    opened: usize,
}

impl Served {
    fn new(config: Config) -> Self {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_900_000_000_000_000,
        };
        let config = Config {
            append_only: false,
            clients_max: 20_000,
            ..config
        };
        let mut served = Self {
            node: Node::new(config, now),
            now,
            said: BTreeMap::new(),
            stuck: Vec::new(),
            closed: Vec::new(),
            opened: 0,
        };
        served.turns();
        served.open(PUBLISHER);
        served.open(OTHER);
        served
    }

    fn open(&mut self, conn: ConnId) {
        let opened = Input::Opened {
            conn,
            address: "127.0.0.1:1",
            local: "127.0.0.1:6379",
            descriptor: -1,
        };
        self.node.handle(self.now, opened);
        self.opened += 1;
        self.end_turn();
    }

    /// A client that has connected and asked something.
    fn client(&mut self, number: u64, asks: &str) -> ConnId {
        let conn = ConnId(number);
        self.open(conn);
        self.ask(conn, asks);
        conn
    }

    fn ask(&mut self, conn: ConnId, bytes: &str) {
        for piece in bytes.as_bytes().chunks(64 << 10) {
            while self.node.appetite(conn) == 0 {
                assert!(!self.closed.contains(&conn));
                self.node.handle(self.now, Input::Timer);
                self.end_turn();
            }
            self.node
                .handle(self.now, Input::Received { conn, bytes: piece });
        }
        self.turns();
    }

    fn end_turn(&mut self) {
        let mut effects = Effects::new();
        self.node.flush(self.now, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { conn } if !self.stuck.contains(&conn) => {
                    let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
                    let count = bytes.len();
                    self.said.entry(conn).or_default().extend(bytes);
                    self.node.handle(self.now, Input::Sent { conn, count });
                }
                Effect::Close { conn, .. } => {
                    self.closed.push(conn);
                    self.node.handle(self.now, Input::Closed { conn });
                }
                _ => {}
            }
        }
        // Which counts all of them.
        if self.opened < 300 {
            self.node.check_clients().unwrap();
        }
    }

    /// Turns until the node wants none; how many.
    fn turns(&mut self) -> usize {
        let mut turns = 0;
        loop {
            self.end_turn();
            let due = self.node.deadline();
            if due.is_none_or(|due| due.at > self.now.mono) {
                return turns;
            }
            self.node.handle(self.now, Input::Timer);
            turns += 1;
        }
    }

    /// The same, while another client pings: it is answered in each of them.
    fn turns_with_pings(&mut self) -> usize {
        let mut turns = 0;
        while self
            .node
            .deadline()
            .is_some_and(|due| due.at <= self.now.mono)
        {
            self.node.handle(self.now, Input::Timer);
            let bytes = b"PING\r\n";
            self.node
                .handle(self.now, Input::Received { conn: OTHER, bytes });
            self.end_turn();
            assert_eq!(self.take(OTHER), "+PONG\r\n", "in turn {turns}");
            turns += 1;
        }
        turns
    }

    fn take(&mut self, conn: ConnId) -> String {
        let said = self.said.remove(&conn).unwrap_or_default();
        String::from_utf8(said).unwrap()
    }
}

/// A request as clients write it, however long its words.
fn request(words: &[&str]) -> String {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        write!(text, "${}\r\n{word}\r\n", word.len()).unwrap();
    }
    text
}

#[test]
fn a_message_to_ten_thousand_clients_takes_many_turns_and_others_are_answered_in_each() {
    let mut served = Served::new(Config::default());
    let listeners: Vec<ConnId> = (10..10_010)
        .map(|number| served.client(number, "SUBSCRIBE news\r\n"))
        .collect();
    let message = "PUBLISH news hello\r\n".as_bytes();
    let received = Input::Received {
        conn: PUBLISHER,
        bytes: message,
    };
    served.said.clear();
    served.node.handle(served.now, received);
    served.end_turn();
    let turns = served.turns_with_pings();
    assert!((20..100).contains(&turns), "{turns} turns");
    assert_eq!(served.take(PUBLISHER), ":10000\r\n");
    for conn in listeners {
        let said = served.take(conn);
        assert_eq!(said, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    }
}

#[test]
fn a_channel_is_compared_with_many_patterns_in_turns() {
    let mut served = Served::new(Config {
        turn_work: 300,
        ..Config::default()
    });
    let patterns: Vec<String> = (0..10_000).map(|n| format!("n{n}*")).collect();
    let words = std::iter::once("PSUBSCRIBE").chain(patterns.iter().map(String::as_str));
    let words: Vec<&str> = words.collect();
    served.client(10, &request(&words));
    served.said.clear();
    let bytes = b"PUBLISH n9999 hello\r\nGET a\r\n";
    let conn = PUBLISHER;
    served
        .node
        .handle(served.now, Input::Received { conn, bytes });
    served.end_turn();
    let turns = served.turns_with_pings();
    assert!((4..200).contains(&turns), "{turns} turns");
    // n9*, n99*, n999* and n9999*; the request behind waits.
    assert_eq!(served.take(PUBLISHER), ":4\r\n$-1\r\n");
    assert_eq!(served.take(ConnId(10)).matches("pmessage").count(), 4);
}

#[test]
fn a_transaction_that_publishes_holds_the_store_and_not_the_loop() {
    let mut served = Served::new(Config {
        turn_work: 300,
        ..Config::default()
    });
    for number in 10..210 {
        served.client(number, "SUBSCRIBE a b\r\n");
    }
    served.said.clear();
    let bytes = b"MULTI\r\nPUBLISH a 1\r\nINCR k\r\nPUBLISH b 2\r\nEXEC\r\nGET k\r\n";
    let conn = PUBLISHER;
    served
        .node
        .handle(served.now, Input::Received { conn, bytes });
    served.end_turn();
    let turns = served.turns_with_pings();
    assert!((10..100).contains(&turns), "{turns} turns");
    let said = served.take(PUBLISHER);
    let exec = "*3\r\n:200\r\n:1\r\n:200\r\n$1\r\n1\r\n";
    assert!(said.ends_with(exec), "{said:?}");
    for number in 10..210 {
        let said = served.take(ConnId(number));
        let of_a = said.find("$1\r\na\r\n").unwrap();
        assert!(of_a < said.find("$1\r\nb\r\n").unwrap(), "{said:?}");
    }
}

#[test]
fn a_message_is_kept_once_however_many_have_to_be_sent_it() {
    let mut served = Served::new(Config::default());
    for number in 10..60 {
        let conn = served.client(number, "SUBSCRIBE a\r\nPSUBSCRIBE a* *\r\n");
        served.stuck.push(conn);
    }
    let before = served.node.used_memory();
    let message = "x".repeat(1 << 20);
    served.ask(PUBLISHER, &request(&["PUBLISH", "a", &message]));
    assert_eq!(served.take(PUBLISHER), ":150\r\n");
    let taken = served.node.used_memory() - before;
    assert!(
        (1 << 20..(1 << 20) + (100 << 10)).contains(&taken),
        "{taken}"
    );
    // It goes with the last of them.
    for number in 10..60 {
        let conn = ConnId(number);
        assert!(served.node.used_memory() > 1 << 20);
        served.node.handle(served.now, Input::Closed { conn });
    }
    served.turns();
    assert!(served.node.used_memory() < before);
}

#[test]
fn who_listens_and_does_not_read_is_closed_by_its_own_limit() {
    let mut config = Config::default();
    config.output_limits.pubsub = OutputLimit {
        hard: 10_000,
        soft: 0,
        soft_s: 0,
    };
    let mut served = Served::new(config);
    let stuck = served.client(10, "SUBSCRIBE a\r\n");
    let reads = served.client(11, "SUBSCRIBE a\r\n");
    served.stuck.push(stuck);
    for _ in 0..11 {
        let message = "x".repeat(1000);
        served.ask(PUBLISHER, &format!("PUBLISH a {message}\r\n"));
    }
    assert_eq!(served.closed, [stuck]);
    served.take(PUBLISHER);
    served.ask(PUBLISHER, "PUBLISH a x\r\nPUBSUB NUMSUB a\r\n");
    assert_eq!(served.take(PUBLISHER), ":1\r\n*2\r\n$1\r\na\r\n:1\r\n");
    assert!(!served.closed.contains(&reads));
}

#[test]
fn timeout_closes_no_client_that_listens() {
    let mut served = Served::new(Config {
        timeout_s: 1,
        ..Config::default()
    });
    let listens = served.client(10, "SUBSCRIBE a\r\n");
    for _ in 0..5 {
        served.now.mono = served.now.mono + Duration::from_secs(2);
        served.node.handle(served.now, Input::Timer);
        served.turns();
    }
    assert!(served.closed.contains(&OTHER));
    assert!(!served.closed.contains(&listens));
}

#[test]
fn one_client_has_so_many_subscriptions_and_no_more() {
    let mut served = Served::new(Config::default());
    let conn = PUBLISHER;
    let names = |from: usize, to: usize| {
        let all: Vec<String> = (from..to).map(|n| format!("c{n}")).collect();
        all.join(" ")
    };
    for part in 0..16 {
        let all = names(part * 1024, (part + 1) * 1024);
        served.ask(conn, &format!("SUBSCRIBE {all}\r\n"));
    }
    served.take(conn);
    served.ask(conn, "PSUBSCRIBE x\r\n");
    assert!(served.take(conn).starts_with("-ERR too many subscriptions"));
    served.ask(conn, "SUBSCRIBE c0\r\n");
    assert!(served.take(conn).ends_with(":16384\r\n"));
    let long = "y".repeat(3 << 20);
    for nth in 0..6 {
        served.ask(OTHER, &request(&["SUBSCRIBE", &format!("{nth}{long}")]));
    }
    let said = served.take(OTHER);
    assert!(said.ends_with("names of 16 MB\r\n"), "{}", said.len());
}

#[test]
fn shard_channels_of_one_request_are_in_one_slot_where_there_are_slots() {
    let mut config = Config::default();
    let asks = "SSUBSCRIBE a b\r\n";
    let mut served = Served::new(config.clone());
    served.ask(OTHER, asks);
    assert_eq!(served.take(OTHER).matches("ssubscribe").count(), 2);
    config.process.cluster_port = 16_379;
    let mut served = Served::new(config);
    served.ask(OTHER, asks);
    let wanted = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
    assert_eq!(served.take(OTHER), wanted);
    served.ask(OTHER, "SSUBSCRIBE {a}1 {a}2\r\n");
    assert_eq!(served.take(OTHER).matches("ssubscribe").count(), 2);
}
