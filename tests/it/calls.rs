//! INFO counts what was run, refused and answered with an error, as a real Redis counts it; and
//! what it says of memory is what is known.

use std::collections::BTreeMap;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::input::{Input, Sample};
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

fn field(node: &mut Node, now: Now, name: &str) -> String {
    let text = ask(node, now, ASKS, "INFO everything");
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(found, _)| *found == name);
    found.expect("it is there").1.to_owned()
}

#[test]
fn an_empty_server_is_not_said_to_waste_the_memory_of_its_own_process() {
    let mut node = node();
    let look = |node: &mut Node, rss_bytes: u64| {
        let sample = Sample {
            rss_bytes,
            ..Sample::default()
        };
        node.handle(NOW, Input::Sampled(sample));
    };
    look(&mut node, 16 << 20);
    assert_eq!(field(&mut node, NOW, "mem_fragmentation_ratio"), "1.00");
    // What is taken later beside keys and values is what the allocator does not give back.
    look(&mut node, 24 << 20);
    assert_eq!(field(&mut node, NOW, "mem_fragmentation_ratio"), "1.50");
    assert_eq!(field(&mut node, NOW, "allocator_frag_ratio"), "1.50");
    ask(
        &mut node,
        NOW,
        ASKS,
        &format!("SET a {}", "x".repeat(60_000)),
    );
    let before: i64 = field(&mut node, NOW, "mem_fragmentation_bytes")
        .parse()
        .expect("a number");
    assert!((8 << 20) - before >= 60_000, "{before}");
}

#[test]
fn the_largest_buffers_of_the_last_seconds_are_told() {
    let mut node = node();
    ask(
        &mut node,
        NOW,
        ASKS,
        &format!("SET a {}", "x".repeat(50_000)),
    );
    ask(&mut node, NOW, ASKS, "GET a");
    let after = |seconds: u64| Now {
        mono: Mono::from_millis(seconds * 1000),
        ..NOW
    };
    let mut told = |seconds, name: &str| {
        let name = format!("client_recent_max_{name}_buffer");
        let text = field(&mut node, after(seconds), &name);
        text.parse::<usize>().expect("a number")
    };
    assert!((50_000..60_000).contains(&told(7, "input")));
    assert!((50_000..60_000).contains(&told(7, "output")));
    assert!(told(60, "input") < 20_000);
    assert!(told(90, "output") < 20_000);
}
