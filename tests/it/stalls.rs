//! The longest turns of a node with millions of keys: a measurement, not a test.
//!
//! `cargo test --release --test it stalls -- --ignored --nocapture` prints them; what bounds them
//! is counted in keys by the tests of the store. `SEEDIS_KEYS=10000000` is the size that is
//! promised.

use std::fmt::Write as _;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use seedis::disk::{DiskDone, DiskOp};
use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::opened;

const CONN: ConnId = ConnId(1);
/// Requests of one input.
const PIPELINE: usize = 16;

/// How long this thread has worked: what others do to the machine does not count.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A node over a disk that takes everything and keeps nothing.
struct Measured {
    node: Node,
    now: Now,
    effects: Effects,
    turns: Vec<Duration>,
}

impl Measured {
    fn new() -> Self {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let config = Config {
            rewrite_percentage: 0,
            ..Config::default()
        };
        let mut measured = Self {
            node: Node::new(config, now),
            now,
            effects: Effects::new(),
            turns: Vec::new(),
        };
        measured.node.handle(now, opened(CONN, "127.0.0.1:1"));
        measured.settle();
        measured
    }

    /// Handles one input and ends its turn; the disk answers before the next.
    fn turn(&mut self, input: Input<'_>) {
        self.now.mono.0 += 1_000_000;
        self.now.wall_us += 1000;
        let began = worked();
        self.node.handle(self.now, input);
        self.node.flush(self.now, &mut self.effects);
        self.turns.push(worked().saturating_sub(began));
    }

    /// Turns until nothing is asked for any more.
    fn settle(&mut self) {
        loop {
            let effects: Vec<Effect> = self.effects.drain(..).collect();
            let mut idle = true;
            for effect in effects {
                match effect {
                    Effect::Disk { ticket, op } => {
                        let outcome = Ok(match op {
                            DiskOp::List => DiskDone::Listed { files: Vec::new() },
                            DiskOp::WriteAt { bytes, .. } => DiskDone::Written { bytes },
                            _ => DiskDone::Done,
                        });
                        self.turn(Input::Disk { ticket, outcome });
                        idle = false;
                    }
                    Effect::Send { conn } => {
                        let count = self.node.outbox(conn).map(<[u8]>::len).sum();
                        self.node.handle(self.now, Input::Sent { conn, count });
                    }
                    _ => {}
                }
            }
            let due = self.node.deadline().is_some_and(|d| d.at <= self.now.mono);
            if due {
                self.turn(Input::Timer);
            } else if idle && self.effects.is_empty() {
                return;
            }
        }
    }

    fn ask(&mut self, requests: &str) {
        let bytes = requests.as_bytes();
        self.turn(Input::Received { conn: CONN, bytes });
        self.settle();
    }

    fn report(&mut self, what: &str) -> String {
        self.turns.sort_unstable();
        let at = |share: f64| self.turns[((self.turns.len() - 1) as f64 * share) as usize];
        let line = format!(
            "{what:<40} {:>9} turns, median {:>8.1?}, 99.9 % {:>8.1?}, longest {:>8.1?}",
            self.turns.len(),
            at(0.5),
            at(0.999),
            at(1.0)
        );
        self.turns.clear();
        line
    }
}

#[test]
#[ignore = "prints the longest turns; a minute in release"]
fn print() {
    let asked = std::env::var("SEEDIS_KEYS").ok();
    let keys: usize = asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let mut measured = Measured::new();
    let mut requests = String::new();
    for from in (0..keys).step_by(PIPELINE) {
        requests.clear();
        for number in from..from + PIPELINE {
            let _ = write!(requests, "SET key:{number:012} {number:032}\r\n");
        }
        measured.ask(&requests);
    }
    println!("{}", measured.report("a table grows"));
    measured.ask("BGREWRITEAOF\r\n");
    for number in 0..10_000 {
        measured.ask(&format!("SET key:{:012} x\r\n", number * 97 % keys));
    }
    measured.settle();
    println!("{}", measured.report("a rewrite, with writes"));
    for from in (0..1_000_000).step_by(PIPELINE) {
        requests.clear();
        let _ = write!(requests, "HSET hash");
        for number in from..from + PIPELINE {
            let _ = write!(requests, " field:{number:010} {number:016}");
        }
        requests.push_str("\r\n");
        measured.ask(&requests);
    }
    println!("{}", measured.report("a hash of a million fields grows"));
    measured.ask("DEL hash\r\n");
    println!("{}", measured.report("DEL of it"));
    measured.ask("FLUSHALL\r\n");
    println!("{}", measured.report("FLUSHALL"));
}
