//! One client's flood does not keep the others: shares of a turn, counted in work.

use std::fmt::Write as _;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

const FLOODS: ConnId = ConnId(1);
const ASKS: ConnId = ConnId(2);
const NOW: Now = Now {
    mono: Mono::from_millis(1),
    wall_us: 1_700_000_000_000_000,
};

/// A node in memory, the bytes that it has let go, and whom it lets be read again.
struct Served {
    node: Node,
    said: Vec<(ConnId, Vec<u8>)>,
    resumed: Vec<ConnId>,
}

impl Served {
    fn new() -> Self {
        let config = Config {
            append_only: false,
            ..Config::default()
        };
        let mut served = Self {
            node: Node::new(config, NOW),
            said: Vec::new(),
            resumed: Vec::new(),
        };
        served.end_turn();
        for conn in [FLOODS, ASKS] {
            let address = "127.0.0.1:1";
            served.node.handle(NOW, Input::Opened { conn, address });
        }
        served.end_turn();
        served
    }

    fn ask(&mut self, conn: ConnId, bytes: &[u8]) {
        self.node.handle(NOW, Input::Received { conn, bytes });
    }

    fn end_turn(&mut self) {
        let mut effects = Effects::new();
        self.node.flush(NOW, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send { conn } => {
                    let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
                    let count = bytes.len();
                    self.said.push((conn, bytes));
                    self.node.handle(NOW, Input::Sent { conn, count });
                }
                Effect::Resume { conn } => self.resumed.push(conn),
                _ => {}
            }
        }
    }

    /// Turns until the node wants none; how many.
    fn turns(&mut self) -> usize {
        let mut turns = 0;
        while self.node.deadline().is_some_and(|due| due.at <= NOW.mono) {
            self.node.handle(NOW, Input::Timer);
            self.end_turn();
            turns += 1;
            assert!(turns < 100_000, "a node that is idle wants no turn");
        }
        turns
    }

    fn said_to(&self, conn: ConnId) -> usize {
        let said = self.said.iter().filter(|(to, _)| *to == conn);
        said.map(|(_, bytes)| bytes.len()).sum()
    }
}

#[test]
fn a_flood_is_cut_into_shares_and_another_client_is_answered_in_between() {
    let mut served = Served::new();
    let requests = 8000;
    served.ask(FLOODS, &b"INCR a\r\n".repeat(requests));
    assert_eq!(served.node.appetite(FLOODS), 0, "it has had its share");
    served.ask(ASKS, b"PING\r\n");
    served.end_turn();
    assert_eq!(served.said_to(ASKS), b"+PONG\r\n".len());
    let first = served.said_to(FLOODS);
    assert!(first > 0 && first < 4000, "{first} bytes in the first turn");
    served.ask(ASKS, b"GET a\r\n");
    assert!(served.turns() > 10);
    assert_eq!(served.resumed, [FLOODS], "once, when all is done");
    assert!(served.node.appetite(FLOODS) > 0);
    let mut all = String::new();
    for (_, bytes) in served.said.iter().filter(|(to, _)| *to == FLOODS) {
        all.push_str(core::str::from_utf8(bytes).unwrap());
    }
    let mut wanted = String::new();
    for number in 1..=requests {
        let _ = write!(wanted, ":{number}\r\n");
    }
    assert_eq!(all, wanted, "each request once, in order");
}

#[test]
fn replies_count_as_work_and_a_flood_without_replies_does() {
    let mut served = Served::new();
    let value = "v".repeat(100_000);
    served.ask(FLOODS, format!("SET a {}\r\n", &value[..60_000]).as_bytes());
    served.turns();
    served.end_turn();
    served.said.clear();
    served.ask(FLOODS, &b"GET a\r\n".repeat(100));
    served.end_turn();
    assert!(
        served.said_to(FLOODS) < 300_000,
        "{}",
        served.said_to(FLOODS)
    );
    served.turns();
    assert!(served.said_to(FLOODS) > 6_000_000);
    served.ask(FLOODS, b"CLIENT REPLY OFF\r\n");
    served.end_turn();
    served.ask(FLOODS, &b"SET b 1\r\n".repeat(7000));
    served.ask(ASKS, b"PING\r\n");
    assert!(served.turns() > 10);
}
