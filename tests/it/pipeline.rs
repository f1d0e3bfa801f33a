//! A pipeline much longer than what a session may park is answered to its end.

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::Now;
use std::fmt::Write as _;

use super::process::{Directory, Server};

use crate::bare::{ask, opened};

const CONN: ConnId = ConnId(1);

/// Carries inputs and effects for a node without a disk, as both drivers do; gives the bytes of
/// replies.
fn converse(node: &mut Node, bytes: &[u8]) -> usize {
    let now = Now::default();
    let (mut effects, mut sent, mut at): (Effects, usize, usize) = (Vec::new(), 0, 0);
    loop {
        // All that is ready is handled before the turn ends.
        loop {
            let most = node.appetite(CONN).min(bytes.len() - at);
            if most == 0 {
                break;
            }
            let bytes = &bytes[at..at + most];
            node.handle(now, Input::Received { conn: CONN, bytes });
            at += most;
        }
        node.flush(now, &mut effects);
        let is_due = node.deadline().is_some_and(|due| due.at <= now.mono);
        if is_due {
            node.handle(now, Input::Timer);
        }
        let told = is_due
            || effects
                .drain(..)
                .any(|effect| matches!(effect, Effect::Resume { .. }));
        let count = node.outbox(CONN).map(<[u8]>::len).sum();
        node.handle(now, Input::Sent { conn: CONN, count });
        sent += count;
        if !told && at == bytes.len() {
            return sent;
        }
    }
}

#[test]
fn no_request_is_left_behind() {
    let config = Config {
        append_only: false,
        ..Config::default()
    };
    let mut node = Node::new(config, Now::default());
    let opened = opened(CONN, "127.0.0.1:1");
    node.handle(Now::default(), opened);
    node.flush(Now::default(), &mut Vec::new());
    // Each GET is parked behind the SET before it, until a turn's end.
    let pairs = 100_000;
    let mut asked = String::new();
    for number in 0..pairs {
        let _ = write!(asked, "SET key:{number} 0000000000\r\nGET key:{number}\r\n");
    }
    let each = "+OK\r\n$10\r\n0000000000\r\n".len();
    assert_eq!(converse(&mut node, asked.as_bytes()), pairs * each);
}

#[test]
fn a_write_behind_a_request_that_waits_is_answered_behind_it() {
    let directory = Directory::new("wait");
    let server = Server::start(directory.path(), &["--appendfsync", "always"]);
    let mut client = server.client();
    client.send(&["SET", "a", "1"]).unwrap();
    client.send(&["WAIT", "1", "50"]).unwrap();
    client.send(&["APPEND", "a", "234"]).unwrap();
    client.send(&["CONFIG", "GET", "timeout"]).unwrap();
    let replies: Vec<String> = (0..4).map(|_| client.reply().unwrap()).collect();
    assert_eq!(replies, ["+OK", ":0", ":4", "timeout 0"]);
}

#[test]
fn a_watch_behind_a_write_of_its_own_client_is_not_broken_by_it() {
    let directory = Directory::new("watch-own");
    let server = Server::start(directory.path(), &["--appendfsync", "always"]);
    let mut client = server.client();
    let asked: [&[&str]; 8] = [
        &["SET", "k", "1"],
        &["WATCH", "k"],
        &["MULTI"],
        &["GET", "k"],
        &["EXEC"],
        // What comes behind WATCH breaks it, whoever asks.
        &["WATCH", "k"],
        &["SET", "k", "2"],
        &["MULTI"],
    ];
    for words in asked.into_iter().chain([&["EXEC"][..]]) {
        client.send(words).unwrap();
    }
    let replies: Vec<String> = (0..9).map(|_| client.reply().unwrap()).collect();
    let said = [
        "+OK", "+OK", "+OK", "+QUEUED", "1", "+OK", "+OK", "+OK", "*-1",
    ];
    assert_eq!(replies, said);
}

#[test]
fn what_stands_behind_a_wait_that_another_ends_is_answered() {
    let config = Config {
        append_only: false,
        ..Config::default()
    };
    let (mut node, now, other) = (Node::new(config, Now::default()), Now::default(), ConnId(2));
    for conn in [CONN, other] {
        node.handle(now, opened(conn, "127.0.0.1:1"));
    }
    node.flush(now, &mut Vec::new());
    let id = ask(&mut node, now, CONN, "CLIENT ID");
    let id = id.trim().trim_start_matches(':').to_owned();
    assert_eq!(ask(&mut node, now, CONN, "BRPOP b 0\r\nPING"), "");
    // WATCH waits for the write before it, so that the wait is ended late in the turn.
    let ends = format!("SET k v\r\nWATCH k\r\nCLIENT UNBLOCK {id}");
    assert_eq!(ask(&mut node, now, other, &ends), "+OK\r\n+OK\r\n:1\r\n");
    if node.deadline().is_some_and(|due| due.at <= now.mono) {
        node.handle(now, Input::Timer);
        node.flush(now, &mut Vec::new());
    }
    let replies: Vec<u8> = node.outbox(CONN).flatten().copied().collect();
    assert_eq!(String::from_utf8_lossy(&replies), "*-1\r\n+PONG\r\n");
}
