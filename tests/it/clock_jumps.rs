//! Keys live as long as they should though the wall clock jumps, and moments are understood by the
//! wall clock of the time when they are named.

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::{self, opened};

const CLIENT: ConnId = ConnId(1);
const START_S: u64 = 1_900_000_000;
const DAY_S: i64 = 86_400;

/// A server without a disk, and its clocks.
struct Desk {
    node: Node,
    now: Now,
}

impl Desk {
    fn new() -> Self {
        let now = Now {
            mono: Mono::from_millis(5000),
            wall_us: START_S * 1_000_000,
        };
        let config = Config {
            append_only: false,
            ..Config::default()
        };
        let node = Node::new(config, now);
        let mut desk = Self { node, now };
        desk.node.handle(now, opened(CLIENT, "127.0.0.1:1"));
        desk.node.flush(now, &mut Vec::new());
        desk
    }

    /// So many milliseconds pass; the node is woken whenever it wants to be.
    fn pass(&mut self, ms: u64) {
        let end = self.now.mono.0 + ms * 1_000_000;
        let mut woken = 0;
        while let Some(at) = self.node.deadline().map(|deadline| deadline.at.0)
            && at < end
        {
            self.step(at.max(self.now.mono.0));
            woken += 1;
            assert!(woken < 10_000, "it is woken for ever");
        }
        self.step(end);
    }

    fn step(&mut self, mono: u64) {
        self.now.wall_us += (mono - self.now.mono.0) / 1000;
        self.now.mono = Mono(mono);
        self.node.handle(self.now, Input::Timer);
        self.node.flush(self.now, &mut Vec::new());
    }

    /// The wall clock jumps.
    fn jump(&mut self, seconds: i64) {
        let wall_us = self.now.wall_us.checked_add_signed(seconds * 1_000_000);
        self.now.wall_us = wall_us.unwrap();
        self.step(self.now.mono.0);
    }

    fn wall_s(&self) -> u64 {
        self.now.wall_us / 1_000_000
    }

    fn ask(&mut self, request: &str) -> String {
        let reply = bare::ask(&mut self.node, self.now, CLIENT, request);
        reply.trim().to_owned()
    }

    fn exists(&mut self, key: &str) -> bool {
        self.ask(&format!("EXISTS {key}")) == ":1"
    }

    /// How long a key of three seconds lives, in milliseconds.
    fn life_ms(&mut self) -> u64 {
        assert_eq!(self.ask("SET short v EX 3"), "+OK");
        let begun = self.now.mono;
        while self.exists("short") {
            self.pass(50);
        }
        self.now.mono.since(begun).as_millis() as u64
    }

    /// Moments are named and shown by this wall clock.
    fn check_moments(&mut self) {
        for (number, what) in ["EXPIREAT at", "PEXPIREAT at"].iter().enumerate() {
            let scale = [1, 1000][number];
            self.ask("SET at v");
            let moment = (self.wall_s() + 60) * scale;
            assert_eq!(self.ask(&format!("{what} {moment}")), ":1");
            assert_eq!(self.ask("TTL at"), ":60");
            let shown = (self.wall_s() + 60).to_string();
            assert_eq!(self.ask("EXPIRETIME at"), format!(":{shown}"));
            assert_eq!(self.ask("PEXPIRETIME at"), format!(":{shown}000"));
            let past = (self.wall_s() - 60) * scale;
            assert_eq!(self.ask(&format!("{what} {past}")), ":1");
            assert!(!self.exists("at"));
        }
        for (word, scale) in [("EXAT", 1), ("PXAT", 1000)] {
            let moment = (self.wall_s() + 60) * scale;
            assert_eq!(self.ask(&format!("SET at v {word} {moment}")), "+OK");
            self.ask(&format!("GETEX at {word} {moment}"));
            self.ask("MULTI");
            self.ask("EXPIRETIME at");
            let shown = format!(":{}", self.wall_s() + 60);
            assert!(self.ask("EXEC").ends_with(&shown));
            self.pass(58_900);
            // The moment is a whole second, and the present one has begun.
            assert!(self.exists("at"), "{word}");
            self.pass(1200);
            assert!(!self.exists("at"), "{word}");
        }
    }
}

#[test]
fn a_clock_that_was_wrong_and_is_set_right_leaves_nothing_behind() {
    for by in [DAY_S, -DAY_S, 3600, -3600, 10, -10, 500 * DAY_S] {
        let mut desk = Desk::new();
        let lives = 2900..3100;
        assert!(lives.contains(&desk.life_ms()));
        desk.ask("SET hour v EX 3600");
        desk.ask("SET days v EX 172800");
        let moment = desk.wall_s() + 7200;
        desk.ask(&format!("SET moment v EXAT {moment}"));
        desk.jump(by);
        desk.pass(300);
        assert!(lives.contains(&desk.life_ms()), "{by} s off");
        desk.check_moments();
        desk.ask("SET meanwhile v EX 3600");
        desk.jump(-by);
        assert!(lives.contains(&desk.life_ms()), "{by} s, and right again");
        desk.check_moments();
        for (key, left) in [("hour", 3600), ("days", 172_800), ("moment", 7200)] {
            let ttl: i64 = desk.ask(&format!("TTL {key}"))[1..].parse().unwrap();
            assert!((left - 300..=left).contains(&ttl), "{key}: {ttl} of {left}");
        }
        assert_eq!(desk.ask("EXPIRETIME moment"), format!(":{moment}"));
        let ttl: i64 = desk.ask("TTL meanwhile")[1..].parse().unwrap();
        assert!((3300..=3600).contains(&ttl), "{ttl}");
    }
}

#[test]
fn a_machine_that_was_suspended_loses_what_was_due_within_minutes() {
    let mut desk = Desk::new();
    desk.ask("SET due v EX 60");
    desk.ask("SET days v EX 172800");
    desk.jump(3600);
    desk.pass(50_000);
    assert!(desk.exists("due"));
    // Nobody asks for it.
    desk.ask("SET due v EX 3600");
    desk.pass(600_000);
    assert!(!desk.exists("due"));
    let ttl: i64 = desk.ask("TTL days")[1..].parse().unwrap();
    assert!((168_000..168_600).contains(&ttl), "{ttl}");
    assert!(desk.ask("INFO keyspace").contains("keys=1,"));
}

#[test]
fn a_clock_that_is_set_back_again_and_again_makes_no_life_longer() {
    let mut desk = Desk::new();
    desk.ask("SET k v EX 100");
    for _ in 0..20 {
        desk.ask("SET other v");
        desk.jump(-2);
        desk.pass(1000);
    }
    let ttl: i64 = desk.ask("TTL k")[1..].parse().unwrap();
    assert!((79..=81).contains(&ttl), "{ttl}");
    desk.check_moments();
}
