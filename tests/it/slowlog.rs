//! SLOWLOG by a clock that the test holds, and once by that of a real process.

use core::time::Duration;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::opened;
use crate::process::{Directory, Server};

const ASKS: ConnId = ConnId(1);

/// A node in memory, and the time.
struct Timed {
    node: Node,
    now: Now,
}

impl Timed {
    fn new(config: Config) -> Self {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let config = Config {
            append_only: false,
            ..config
        };
        let mut timed = Self {
            node: Node::new(config, now),
            now,
        };
        timed.turn(0);
        let opened = opened(ASKS, "10.0.0.1:77");
        timed.node.handle(now, opened);
        timed.turn(0);
        timed
    }

    fn pass(&mut self, us: u64) {
        self.now.mono = self.now.mono + Duration::from_micros(us);
        self.now.wall_us += us;
    }

    /// Ends a turn, whose work has taken so long; what was said in it.
    fn turn(&mut self, us: u64) -> String {
        let mut effects = Effects::new();
        self.node.flush(self.now, &mut effects);
        self.pass(us);
        self.node.turned(self.now);
        let mut said = String::new();
        for effect in effects {
            if let Effect::Send { conn } = effect {
                let bytes: Vec<u8> = self.node.outbox(conn).flatten().copied().collect();
                said.push_str(&String::from_utf8_lossy(&bytes));
                let count = bytes.len();
                self.node.handle(self.now, Input::Sent { conn, count });
            }
        }
        said
    }

    /// Asks, which takes so long, and ends the turn, which takes so long.
    fn ask(&mut self, request: &str, own_us: u64, turn_us: u64) -> String {
        let bytes = format!("{request}\r\n");
        let bytes = bytes.as_bytes();
        self.node
            .handle(self.now, Input::Received { conn: ASKS, bytes });
        self.pass(own_us);
        let mut said = self.turn(turn_us);
        while self
            .node
            .deadline()
            .is_some_and(|due| due.at <= self.now.mono)
        {
            self.node.handle(self.now, Input::Timer);
            self.pass(own_us);
            said.push_str(&self.turn(turn_us));
        }
        said
    }

    /// The entries: what each took, its words, and whose they were.
    fn entries(&mut self) -> Vec<(u64, String)> {
        let said = self.ask("SLOWLOG GET -1", 0, 0);
        let lines: Vec<&str> = said.split("\r\n").collect();
        let mut entries = Vec::new();
        let mut at = 1;
        while lines.get(at) == Some(&"*6") {
            let took = lines[at + 3][1..].parse().expect("microseconds");
            let count: usize = lines[at + 4][1..].parse().expect("words");
            let texts: Vec<&str> = (0..count + 2).map(|nth| lines[at + 6 + nth * 2]).collect();
            entries.push((took, texts.join(" ")));
            at += 5 + (count + 2) * 2;
        }
        entries
    }
}

fn slower_than(us: i64) -> Config {
    Config {
        slowlog_slower_than_us: us,
        ..Config::default()
    }
}

#[test]
fn a_read_and_a_write_are_slow_by_the_time_in_which_they_ran() {
    let mut timed = Timed::new(slower_than(10_000));
    timed.ask("CLIENT SETNAME me", 0, 0);
    timed.ask("SET a 1", 0, 9_999);
    timed.ask("GET a", 9_999, 0);
    assert!(timed.entries().is_empty());
    timed.ask("GET a", 10_000, 0);
    timed.ask("SET b 2", 0, 12_345);
    let wanted = [
        (12_345, "SET b 2 10.0.0.1:77 me"),
        (10_000, "GET a 10.0.0.1:77 me"),
    ];
    assert_eq!(timed.entries(), wanted.map(|(us, text)| (us, text.into())));
    let said = timed.ask("SLOWLOG GET 1", 0, 0);
    assert!(said.starts_with("*1\r\n*6\r\n:1\r\n:1700000000\r\n:12345\r\n*3\r\n"));
}

#[test]
fn the_one_with_most_work_is_slow_and_not_those_beside_it() {
    let mut timed = Timed::new(slower_than(10_000));
    let large = "v".repeat(60_000);
    let requests = format!("SET a 1\r\nSET large {large}\r\nSET b 2\r\nSET c 3");
    timed.ask(&requests, 0, 20_000);
    let entries = timed.entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert!(entries[0].1.starts_with("SET large vvv"));
    assert!(entries[0].1.contains("vvv... (59872 more bytes) "));
    assert!(entries[0].0 > 19_000);
}

#[test]
fn a_command_that_is_cut_into_pieces_is_slow_by_all_of_them() {
    let config = Config {
        turn_work: 500,
        ..slower_than(30_000)
    };
    let mut timed = Timed::new(config);
    for from in 0..20 {
        let pairs: Vec<String> = (0..100)
            .map(|nth| format!("k{} v", from * 100 + nth))
            .collect();
        timed.ask(&format!("MSET {}", pairs.join(" ")), 0, 0);
    }
    // No piece takes longer than 20 ms.
    timed.ask("KEYS none*", 10_000, 10_000);
    let entries = timed.entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert!(entries[0].0 > 39_000, "{entries:?}");
    assert_eq!(entries[0].1, "KEYS none* 10.0.0.1:77 ");
}

#[test]
fn what_a_transaction_runs_is_listed_and_exec_is_not() {
    let mut timed = Timed::new(slower_than(0));
    timed.ask("CONFIG SET slowlog-max-len 4\r\nSLOWLOG RESET", 0, 0);
    for request in ["MULTI", "SET a 1", "HELLO 2 AUTH default pw", "GET a"] {
        timed.ask(request, 0, 0);
    }
    timed.ask("EXEC", 0, 3000);
    let entries: Vec<String> = timed.entries().into_iter().map(|entry| entry.1).collect();
    let wanted = [
        "GET a",
        "HELLO 2 AUTH (redacted) (redacted)",
        "SET a 1",
        "MULTI",
    ];
    assert_eq!(entries, wanted.map(|text| format!("{text} 10.0.0.1:77 ")));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut timed = Timed::new(Config {
        slowlog_entries_max: usize::MAX,
        ..slower_than(0)
    });
    let words = vec!["w".repeat(200); 40].join(" ");
    for _ in 0..3 {
        timed.ask(&format!("DEL {words}"), 0, 0);
    }
    let entries = timed.entries();
    assert_eq!(entries.len(), 3);
    assert!(
        entries[0]
            .1
            .contains("... (72 more bytes) ... (10 more arguments) ")
    );
    timed.ask("CONFIG SET slowlog-max-len 2", 0, 0);
    assert_eq!(timed.entries().len(), 2);
    timed.ask(
        "CONFIG SET slowlog-log-slower-than -1\r\nSLOWLOG RESET",
        0,
        0,
    );
    timed.ask("GET a", 1_000_000, 0);
    assert!(timed.entries().is_empty());
}

#[test]
fn a_real_process_tells_what_was_slow() {
    let directory = Directory::new("slowlog");
    let options = [
        "--slowlog-log-slower-than",
        "1000",
        "--enable-debug-command",
        "yes",
    ];
    let server = Server::start(directory.path(), &options);
    let mut client = server.client();
    let mut pairs = vec!["MSET".to_owned()];
    for nth in 0..50_000 {
        pairs.extend([format!("k{nth}"), "v".to_owned()]);
    }
    let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
    assert_eq!(client.ask(&pairs), "+OK");
    assert_eq!(client.ask(&["GET", "none"]), "$-1");
    assert_eq!(client.ask(&["DEBUG", "SLEEP", "0.03"]), "+OK");
    let said = client.ask(&["SLOWLOG", "GET", "-1"]);
    assert!(
        said.contains("MSET k0 v k1") && said.contains("DEBUG SLEEP 0.03 "),
        "{said}"
    );
    assert_eq!(client.ask(&["SLOWLOG", "RESET"]), "+OK");
}
