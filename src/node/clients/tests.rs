//! The work of a turn does not grow with clients that are idle.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

mod crowded;
mod lanes;

use super::*;
use crate::disk::{DiskDone, DiskOp};
use crate::node::Node;
use crate::node::config::Config;
use crate::node::effect::{Effect, Effects};
use crate::node::input::Input;
use crate::time::Now;

struct Busy {
    node: Node,
    now: Now,
    effects: Effects,
}

/// The client that asks; the others are idle.
const ASKS: ConnId = ConnId(1);

impl Busy {
    fn new(timeout_s: u64) -> Self {
        Self::over(Config {
            append_only: false,
            debug_command: true,
            timeout_s,
            ..Config::default()
        })
    }

    fn over(config: Config) -> Self {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let mut busy = Self {
            node: Node::new(config, now),
            now,
            effects: Effects::new(),
        };
        busy.tell(Input::Timer);
        busy
    }

    fn open(&mut self, conn: ConnId) {
        let address = "127.0.0.1:1";
        self.tell(Input::Opened {
            conn,
            address,
            local: "",
            descriptor: -1,
        });
    }

    /// Tells the node something and ends the turn; so often it looked at a client.
    fn tell(&mut self, input: Input<'_>) -> u64 {
        let before = self.node.clients.sessions.looked.get();
        self.node.handle(self.now, input);
        self.node.flush(self.now, &mut self.effects);
        let _ = self.node.deadline();
        self.node.clients.sessions.looked.get() - before
    }

    fn ask(&mut self, conn: ConnId, bytes: &[u8]) -> u64 {
        self.tell(Input::Received { conn, bytes })
    }

    /// A client that asks beside so many that do not: looks at clients in a turn.
    fn looks_beside(idle: u64, timeout_s: u64, first: &[u8]) -> u64 {
        let mut busy = Self::new(timeout_s);
        for number in 0..=idle {
            busy.open(ConnId(number + 1));
            if ConnId(number + 1) != ASKS && !first.is_empty() {
                busy.ask(ConnId(number + 1), first);
            }
        }
        busy.ask(ASKS, b"PING\r\nSET a 1\r\nGET a\r\n")
    }

    fn closed(&mut self) -> Vec<u64> {
        let closed = self.effects.drain(..).filter_map(|effect| match effect {
            Effect::Close { conn, .. } => Some(conn.0),
            _ => None,
        });
        closed.collect()
    }

    fn pass(&mut self, seconds: u64) {
        self.now.mono = self.now.mono + Duration::from_secs(seconds);
        self.now.wall_us += seconds * 1_000_000;
    }
}

#[test]
fn a_turn_looks_at_nobody_who_is_idle() {
    for timeout_s in [0, 300] {
        for first in [
            &b""[..],
            b"WAIT 5 0\r\n",
            b"DEBUG SLEEP 1000\r\n",
            b"BLPOP q r 0\r\n",
            b"BZPOPMIN q 900\r\n",
        ] {
            let [few, many] = [2, 400].map(|idle| Busy::looks_beside(idle, timeout_s, first));
            assert_eq!(few, many, "timeout {timeout_s}, {first:?}");
        }
    }
}

#[test]
fn a_push_and_a_time_out_look_at_those_alone_whom_they_concern() {
    let looks = |waiting: u64| {
        let mut busy = Busy::new(0);
        for number in 1..=waiting + 1 {
            busy.open(ConnId(number));
            let timeout = if number == 3 { "1" } else { "0" };
            if ConnId(number) != ASKS {
                busy.ask(
                    ConnId(number),
                    format!("BLPOP q r {timeout}\r\n").as_bytes(),
                );
            }
        }
        // One is served, one is told that nothing has come, one goes.
        let mut looks = busy.ask(ASKS, b"RPUSH q 1\r\n") + busy.tell(Input::Timer);
        busy.pass(2);
        looks += busy.tell(Input::Timer);
        let conn = ConnId(4);
        looks += busy.tell(Input::Closed { conn });
        let left = u64::from(busy.node.clients.blocked());
        assert_eq!(left, waiting - 3);
        looks
    };
    assert_eq!(looks(4), looks(400));
}

#[test]
fn a_request_that_finds_nothing_goes_back_to_its_place() {
    let mut busy = Busy::new(0);
    for number in 1..=4 {
        busy.open(ConnId(number));
    }
    for number in [2, 3] {
        busy.ask(ConnId(number), b"BLPOP q 0\r\n");
    }
    // In one turn: a list that comes by another way, and is gone when the first would be given it.
    busy.ask(ASKS, b"RPUSH r 1\r\nRENAME r q\r\nDEL q\r\n");
    (0..3).for_each(|_| _ = busy.tell(Input::Timer));
    assert_eq!(busy.node.clients.blocked(), 2);
    busy.ask(ConnId(4), b"RPUSH q 1\r\n");
    (0..3).for_each(|_| _ = busy.tell(Input::Timer));
    let said = |busy: &Busy, conn: u64| busy.node.outbox(ConnId(conn)).flatten().count();
    assert!(said(&busy, 2) > 0, "the first has waited longer");
    assert_eq!(said(&busy, 3), 0);
}

/// Clients that wait for a key, and what then happens: the most that a turn writes to, and in all.
fn woken(waiting: u64, then: impl FnOnce(&mut Busy)) -> (usize, usize) {
    let mut busy = Busy::new(0);
    for number in 1..=waiting + 1 {
        busy.open(ConnId(number));
        if ConnId(number) != ASKS {
            busy.ask(ConnId(number), b"BLPOP q 0\r\n");
        }
    }
    busy.effects.clear();
    then(&mut busy);
    let (mut most, mut all) = (0, 0);
    for _ in 0..1000 {
        let sends = busy.effects.drain(..);
        let to_others = sends.filter(|effect| match effect {
            Effect::Send { conn } => *conn != ASKS,
            _ => false,
        });
        let count = to_others.count();
        (most, all) = (most.max(count), all + count);
        if busy
            .node
            .deadline()
            .is_none_or(|due| due.at > busy.now.mono)
        {
            break;
        }
        busy.tell(Input::Timer);
    }
    assert_eq!(busy.node.clients.blocked(), 0);
    (most, all)
}

#[test]
fn a_turn_wakes_a_few_hundred_of_those_who_wait() {
    const WAITING: u64 = 3000;
    let mut push = String::from("RPUSH q");
    (0..WAITING).for_each(|item| _ = write!(push, " {item}"));
    push.push_str("\r\n");
    let other = push.replace(" q ", " r ") + "RENAME r q\r\n";
    let goes = |busy: &mut Busy| {
        for number in 2..=WAITING + 1 {
            let conn = ConnId(number);
            busy.node.clients.ending(conn, busy.now.mono);
            busy.node.end_wait_of_ending(conn);
        }
        // They are told later, and are given nothing any more.
        busy.ask(ASKS, b"RPUSH q 1\r\n");
    };
    for (most, all) in [
        woken(WAITING, |busy| _ = busy.ask(ASKS, push.as_bytes())),
        woken(WAITING, |busy| _ = busy.ask(ASKS, other.as_bytes())),
        woken(WAITING, goes),
        woken(WAITING, |busy| {
            busy.node.clients.all_leave();
            busy.tell(Input::Timer);
        }),
    ] {
        assert!(most <= 600, "{most} in one turn");
        assert_eq!(all, WAITING as usize);
    }
}

#[test]
fn waits_that_are_over_at_once_are_ended_by_several_turns_and_kept_until_then() {
    let mut busy = Busy::new(0);
    busy.node.config.bounds.told_at_once = 1;
    for number in 2..=4 {
        let conn = ConnId(number);
        busy.open(conn);
        busy.ask(conn, b"WAIT 9 0\r\n");
        busy.tell(Input::Ended { conn });
    }
    busy.pass(60);
    for left in (0..3).rev() {
        busy.tell(Input::Timer);
        assert_eq!(busy.node.clients.blocked(), left);
        assert_eq!(busy.node.check_clients(), Ok(()));
        let due = busy.node.deadline();
        assert!(left == 0 || due.is_some_and(|due| due.at <= busy.now.mono));
    }
}

#[test]
fn one_that_waits_for_two_keys_is_given_nothing_for_which_another_has_waited_longer() {
    let mut busy = Busy::new(0);
    for number in 1..=4 {
        busy.open(ConnId(number));
    }
    let waits = ["BLPOP c a 0\r\n", "BLPOP a 0\r\n", "BLPOP a b 0\r\n"];
    for (number, asked) in (2..).zip(waits) {
        busy.ask(ConnId(number), asked.as_bytes());
    }
    busy.ask(
        ASKS,
        b"MULTI\r\nRPUSH c 1\r\nRPUSH a 2\r\nRPUSH b 3\r\nEXEC\r\n",
    );
    (0..4).for_each(|_| _ = busy.tell(Input::Timer));
    for (number, told) in (2..).zip(["c\r\n$1\r\n1", "a\r\n$1\r\n2", "b\r\n$1\r\n3"]) {
        let said: Vec<u8> = busy
            .node
            .outbox(ConnId(number))
            .flatten()
            .copied()
            .collect();
        assert_eq!(said, format!("*2\r\n$1\r\n{told}\r\n").as_bytes());
    }
}

#[test]
fn silent_clients_are_closed_in_their_time_and_nobody_is_woken_for_them_again() {
    let mut busy = Busy::new(0);
    for number in 1..=3 {
        busy.open(ConnId(number));
    }
    busy.ask(ConnId(1), b"CONFIG SET timeout 10\r\n");
    busy.pass(6);
    busy.ask(ConnId(2), b"PING\r\n");
    busy.ask(ConnId(3), b"WAIT 5 0\r\n");
    busy.effects.clear();
    busy.pass(4);
    busy.tell(Input::Timer);
    assert_eq!(busy.closed(), [1]);
    busy.pass(6);
    busy.tell(Input::Timer);
    // Who waits for an answer is not silent.
    assert_eq!(busy.closed(), [2]);
    let next = busy.node.clients.deadline().map(|deadline| deadline.at);
    assert!(next.is_some_and(|at| at > busy.now.mono), "{next:?}");
    busy.ask(ConnId(3), b"");
    busy.node.clients.closed(ConnId(3));
    busy.node.clients.closed(ConnId(1));
    assert_eq!(busy.node.clients.deadline(), None);
}

#[test]
fn a_wait_of_a_client_that_will_send_nothing_more_ends_and_so_does_the_client() {
    let conn = ConnId(1);
    for (asked, input) in [
        (&b"WAIT 1 0\r\n"[..], Input::Ended { conn }),
        (b"WAIT 1 900000\r\nWAIT 1 0\r\n", Input::Ended { conn }),
        (b"DEBUG SLEEP 1000000\r\n", Input::Ended { conn }),
        (b"WAIT 1 0\r\n", Input::Ending { conn }),
    ] {
        let mut busy = Busy::new(0);
        busy.open(conn);
        busy.ask(conn, asked);
        let is_all = matches!(input, Input::Ended { .. });
        busy.tell(input);
        busy.effects.clear();
        assert!(busy.node.outbox(conn).next().is_none());
        busy.pass(6);
        busy.tell(Input::Timer);
        let waits = asked.split(|byte| *byte == b'\n').count() - 1;
        let answer = if asked.starts_with(b"W") {
            ":0\r\n"
        } else {
            "+OK\r\n"
        };
        let replies: Vec<u8> = busy.node.outbox(conn).flatten().copied().collect();
        assert_eq!(replies, answer.repeat(waits).as_bytes());
        assert_eq!(busy.closed(), if is_all { &[1][..] } else { &[] });
        assert_eq!(busy.node.clients.blocked(), 0);
    }
}

#[test]
fn what_a_client_waits_for_behind_the_end_of_its_input_is_over_in_its_time() {
    let conn = ConnId(1);
    let mut busy = Busy::new(0);
    busy.open(conn);
    busy.ask(conn, b"WAIT 1 1500\r\nWAIT 1 0\r\n");
    busy.tell(Input::Ended { conn });
    busy.pass(2);
    busy.tell(Input::Timer);
    let replies: Vec<u8> = busy.node.outbox(conn).flatten().copied().collect();
    assert_eq!(
        replies, b":0\r\n",
        "the second waits as long as the client may"
    );
    assert_eq!(busy.node.clients.blocked(), 1);
    busy.pass(4);
    busy.tell(Input::Timer);
    assert_eq!(busy.closed(), [1]);
}

#[test]
fn many_watched_keys_are_found_by_name_and_counted_in_their_clients_memory() {
    let mut busy = Busy::new(0);
    busy.open(ConnId(1));
    busy.open(ConnId(2));
    // Were each compared with those before it, this would take minutes.
    let keys = crate::limits::WATCHED_KEYS_MAX - 1;
    let mut asked = format!("*{}\r\n$5\r\nWATCH\r\n", keys + 1);
    for number in 0..keys {
        let key = format!("k{number}");
        let _ = write!(asked, "${}\r\n{key}\r\n", key.len());
    }
    busy.ask(ConnId(1), asked.as_bytes());
    busy.ask(ConnId(1), b"WATCH k7\r\n");
    assert_eq!(busy.node.clients.get(0).unwrap().watches.len(), keys);
    assert!(busy.node.clients.memory() > keys * 100);
    busy.ask(ConnId(2), format!("SET k{} 1\r\n", keys - 1).as_bytes());
    busy.ask(ConnId(1), b"MULTI\r\n");
    busy.ask(ConnId(1), b"EXEC\r\n");
    // Its share of a turn is long used up.
    for _ in 0..4 {
        busy.tell(Input::Timer);
    }
    let replies: Vec<u8> = busy.node.outbox(ConnId(1)).flatten().copied().collect();
    assert!(replies.ends_with(b"+OK\r\n*-1\r\n"));
    assert!(busy.node.clients.memory() < keys * 100);
}

#[test]
fn one_that_waits_for_its_own_write_asks_for_no_turn_until_that_has_ended() {
    let mut busy = Busy::over(Config::default());
    let mut writes = Vec::new();
    let mut asked = false;
    loop {
        let effects: Vec<Effect> = busy.effects.drain(..).collect();
        let is_idle = effects.is_empty();
        for effect in effects {
            let Effect::Disk { ticket, op } = effect else {
                continue;
            };
            let outcome = Ok(match op {
                DiskOp::List => DiskDone::Listed { files: Vec::new() },
                DiskOp::WriteAt { bytes, .. } => DiskDone::Written { bytes },
                _ => DiskDone::Done,
            });
            if asked {
                writes.push((ticket, outcome));
            } else {
                busy.tell(Input::Disk { ticket, outcome });
            }
        }
        let deadline = busy.node.deadline().map(|deadline| deadline.at);
        if asked {
            break assert!(deadline.is_none_or(|at| at > busy.now.mono));
        }
        if deadline.is_some_and(|at| at <= busy.now.mono) {
            busy.tell(Input::Timer);
        } else if is_idle {
            busy.open(ASKS);
            busy.ask(ASKS, b"SET a 1\r\nWATCH a\r\nPING\r\n");
            (0..2).for_each(|_| _ = busy.tell(Input::Timer));
            asked = true;
        }
    }
    for (ticket, outcome) in writes {
        busy.tell(Input::Disk { ticket, outcome });
    }
    let said: Vec<u8> = busy.node.outbox(ASKS).flatten().copied().collect();
    assert_eq!(said, b"+OK\r\n+OK\r\n+PONG\r\n");
}
