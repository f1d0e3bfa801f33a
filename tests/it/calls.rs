//! INFO counts what was run, refused and answered with an error, as a real Redis counts it.

use std::collections::BTreeMap;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::time::{Mono, Now};

use crate::bare::{ask, opened};

const ASKS: ConnId = ConnId(1);
const NOW: Now = Now {
    mono: Mono::from_millis(1),
    wall_us: 1_700_000_000_000_000,
};

fn node() -> Node {
    let config = Config {
        append_only: false,
        ..Config::default()
    };
    let mut node = Node::new(config, NOW);
    node.flush(NOW, &mut Vec::new());
    node.handle(NOW, opened(ASKS, "10.0.0.1:77"));
    node.flush(NOW, &mut Vec::new());
    node
}

/// The counters of commands without their times, those of errors, and the two sums.
fn counts(node: &mut Node) -> BTreeMap<String, String> {
    let text = ask(node, NOW, ASKS, "INFO everything");
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let wanted = ["total_error_replies", "total_commands_processed"];
    let counters = fields.filter(|(name, _)| {
        let is_kept = name.starts_with("cmdstat_") || name.starts_with("errorstat_");
        (is_kept || wanted.contains(name)) && *name != "cmdstat_info"
    });
    counters
        .map(|(name, value)| {
            let kept = value.split(',').filter(|part| !part.starts_with("usec"));
            (name.to_owned(), kept.collect::<Vec<_>>().join(","))
        })
        .collect()
}

/// Plays requests and looks what they have counted: calls, refused and failed by command, then
/// errors by code.
fn expect(requests: &[&str], commands: &[(&str, [u64; 3])], errors: &[(&str, u64)]) {
    let mut node = node();
    for request in requests {
        ask(&mut node, NOW, ASKS, request);
    }
    let mut expected = BTreeMap::new();
    for (name, [calls, rejected, failed]) in commands {
        let value = format!("calls={calls},rejected_calls={rejected},failed_calls={failed}");
        expected.insert(format!("cmdstat_{name}"), value);
    }
    for (code, count) in errors {
        expected.insert(format!("errorstat_{code}"), format!("count={count}"));
    }
    let all = errors.iter().map(|(_, count)| count).sum::<u64>();
    expected.insert("total_error_replies".into(), all.to_string());
    // INFO counts itself.
    let run = 1 + commands.iter().map(|(_, counts)| counts[0]).sum::<u64>();
    expected.insert("total_commands_processed".into(), run.to_string());
    assert_eq!(counts(&mut node), expected);
}

#[test]
fn what_is_refused_and_what_fails_is_told_apart() {
    let requests = [
        "SET a 1",
        "GET",
        "NOSUCH",
        "CONFIG",
        "CONFIG NOSUCH",
        "CONFIG SET nosuch 1",
        "HGET a f",
        "HSET a f v",
        "SET x x",
        "INCR x",
        "SELECT 99",
        "AUTH a b",
        "OBJECT FREQ a",
        "WAIT a 1",
        "CLIENT REPLY XX",
        "SCAN x",
    ];
    let commands = [
        ("set", [2, 0, 0]),
        ("get", [0, 1, 0]),
        ("config", [0, 1, 0]),
        ("config|set", [1, 0, 1]),
        ("hget", [1, 0, 1]),
        ("hset", [1, 0, 1]),
        ("incr", [1, 0, 1]),
        ("select", [1, 0, 1]),
        ("auth", [1, 0, 1]),
        ("object|freq", [1, 0, 1]),
        ("wait", [1, 0, 1]),
        ("client|reply", [1, 0, 1]),
        ("scan", [1, 0, 1]),
    ];
    let errors = [("ERR", 11), ("WRONGPASS", 1), ("WRONGTYPE", 2)];
    expect(&requests, &commands, &errors);
}

#[test]
fn the_commands_of_a_transaction_count_one_by_one_and_exec_by_itself() {
    let requests = [
        "EXEC",
        "MULTI",
        "MULTI",
        "SET k v",
        "HGET k f",
        "INCR k",
        "CONFIG SET nosuch 1",
        "EXEC",
        "MULTI",
        "GET",
        "SAVE",
        "EXEC",
        "MULTI",
        "EXEC x",
        "CONFIG SET maxmemory 1",
        "SET q 1",
        "MULTI",
        "SET q 1",
        "EXEC",
    ];
    let commands = [
        ("exec", [4, 1, 3]),
        ("multi", [5, 0, 1]),
        ("set", [1, 2, 0]),
        ("hget", [1, 0, 1]),
        ("incr", [1, 0, 1]),
        ("config|set", [2, 0, 1]),
        ("get", [0, 1, 0]),
        ("save", [0, 1, 0]),
    ];
    let errors = [("ERR", 6), ("EXECABORT", 3), ("OOM", 2), ("WRONGTYPE", 1)];
    expect(&requests, &commands, &errors);
}
