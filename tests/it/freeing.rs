//! Memory of large values that are replaced again and again is freed as fast as that happens.

use seedis::ids::ConnId;
use seedis::limits;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::bare::opened;

const CLIENT: ConnId = ConnId(1);
const NOW: Now = Now {
    mono: Mono::from_millis(1),
    wall_us: 1_700_000_000_000_000,
};

/// A node without a disk that does so much in a turn, whose key `a` is a set of so many members.
fn node_with_set(turn_work: usize, members: usize) -> Node {
    let config = Config {
        append_only: false,
        turn_work,
        ..Config::default()
    };
    let mut node = Node::new(config, NOW);
    node.handle(NOW, opened(CLIENT, "127.0.0.1:1"));
    node.flush(NOW, &mut Vec::new());
    for first in (0..members).step_by(100) {
        let names: Vec<String> = (first..first + 100)
            .map(|n| format!("member:{n}"))
            .collect();
        most_memory(&mut node, &format!("SADD a {}", names.join(" ")), 1);
    }
    node
}

/// Sends the request `times` times in one piece, and turns until all are answered; the most memory
/// that the node has used at the end of a turn.
fn most_memory(node: &mut Node, request: &str, times: usize) -> usize {
    let bytes = format!("{request}\r\n").repeat(times);
    let bytes = bytes.as_bytes();
    node.handle(
        NOW,
        Input::Received {
            conn: CLIENT,
            bytes,
        },
    );
    let (mut answered, mut most) = (0, 0);
    for _ in 0..100_000 {
        node.flush(NOW, &mut Vec::new());
        most = most.max(node.used_memory());
        let reply: Vec<u8> = node.outbox(CLIENT).flatten().copied().collect();
        let count = reply.len();
        // Each reply is an integer.
        answered += reply.split(|byte| *byte == b':').count() - 1;
        let sent = Input::Sent {
            conn: CLIENT,
            count,
        };
        node.handle(NOW, sent);
        if answered == times {
            return most;
        }
        node.handle(NOW, Input::Timer);
    }
    panic!("{answered} of {times} requests were answered");
}

#[test]
fn copies_that_are_replaced_are_freed_as_fast_as_they_are_made() {
    let mut node = node_with_set(limits::TURN_WORK, 2000);
    let few = most_memory(&mut node, "COPY a b REPLACE", 100);
    for _ in 0..50 {
        let most = most_memory(&mut node, "COPY a b REPLACE", 100);
        assert!(most < 2 * few, "{most} bytes, {few} at first");
    }
}

#[test]
fn memory_is_freed_while_commands_hold_the_store() {
    let mut node = node_with_set(100, 50_000);
    let few = most_memory(&mut node, "COPY a b REPLACE", 3);
    for _ in 0..20 {
        let most = most_memory(&mut node, "COPY a b REPLACE", 10);
        assert!(most < 2 * few, "{most} bytes, {few} at first");
    }
}
