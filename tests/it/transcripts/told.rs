//! The answers of COMMAND about each command, beside those of a real Redis.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use seedis::resp::value::Value;

use super::play::{Heard, Peer, Remote};
use super::{has_redis, redis};

/// Commands whose arguments Redis 7.2 describes otherwise than 7.0, which may be the one that is
/// installed; neither describes those of DEBUG.
const OTHER_ARGUMENTS: [&str; 11] = [
    "client|kill",
    "client|list",
    "command|getkeys",
    "command|getkeysandflags",
    "config|get",
    "debug",
    "geohash",
    "geopos",
    "pfmerge",
    "zrank",
    "zrevrank",
];

/// Commands that are described otherwise with a reason.
const OTHERWISE: [(&str, &str); 14] = [
    (
        "client|setname",
        "a client of a cluster asks all nodes since 8.0",
    ),
    ("cluster|", "a member that loads answers, too"),
    ("command|getkeys", "7.2 takes a command without arguments"),
    (
        "config|re",
        "a client of a cluster asks all nodes since 8.0",
    ),
    ("latency|reset", "its counts are summed since 8.0"),
    ("msetnx", "it is not split by shard since 7.2"),
    (
        "pfcount",
        "it keeps no count in its key, and writes nothing",
    ),
    ("randomkey", "any shard's reply will do since 8.0"),
    (
        "readonly",
        "which reads a client wants is not changed amid a transaction",
    ),
    (
        "readwrite",
        "which reads a client wants is not changed amid a transaction",
    ),
    ("scan", "its cursor names a shard since 8.0"),
    ("wait", "scripts may call it since 7.2"),
    ("zrank", "7.2 takes one word more"),
    ("zrevrank", "7.2 takes one word more"),
];

/// A reply in a form whose parts are found by name.
fn entries(value: &Value) -> BTreeMap<String, &Value> {
    let Value::Map(pairs) = value else {
        panic!("{value:?} is no map");
    };
    let pairs = pairs.iter().map(|(name, value)| (text(name), value));
    pairs.collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Integer(number) => number.to_string(),
        other => panic!("{other:?} is no text"),
    }
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        other => panic!("{other:?} is no list"),
    }
}

fn ask(peer: &mut Remote, request: &str) -> Value {
    peer.send(1, format!("{request}\r\n").as_bytes());
    match peer.hear(1, Duration::from_secs(10)) {
        Heard::Reply(value) => value,
        other => panic!("{request}: {}", other.text(false)),
    }
}

/// Our own process and a real Redis, both spoken to in RESP3.
fn both() -> [Remote; 2] {
    let own = Command::new(env!("CARGO_BIN_EXE_seedis"));
    let mut both = [
        Remote::start(own, "told", "", &[]),
        redis("told-by-redis", ""),
    ];
    for peer in &mut both {
        ask(peer, "HELLO 3");
    }
    both
}

/// The arguments of each command and subcommand, each as a line of what is told of it: names of
/// arguments apart, which differ between versions of Redis and mean nothing.
fn arguments(docs: &Value, into: &mut BTreeMap<String, Vec<String>>) {
    for (name, row) in entries(docs) {
        let row = entries(row);
        let mut lines = Vec::new();
        if let Some(list) = row.get("arguments") {
            describe(list, 0, &mut lines);
        }
        into.insert(name, lines);
        if let Some(subcommands) = row.get("subcommands") {
            arguments(subcommands, into);
        }
    }
}

fn describe(list: &Value, depth: usize, lines: &mut Vec<String>) {
    for argument in items(list) {
        let told = entries(argument);
        let mut line = " ".repeat(depth);
        for (name, value) in &told {
            match &name[..] {
                "name" | "display_text" | "arguments" => {}
                "flags" => {
                    let flags: BTreeSet<String> = items(value).iter().map(text).collect();
                    let _ = write!(line, "flags={flags:?} ");
                }
                _ => {
                    let _ = write!(line, "{name}={} ", text(value));
                }
            }
        }
        assert!(
            told.contains_key("name") && told.contains_key("type"),
            "{line}"
        );
        lines.push(line);
        if let Some(within) = told.get("arguments") {
            describe(within, depth + 1, lines);
        }
    }
}

#[test]
fn the_grammar_of_arguments_is_that_of_a_real_redis() {
    if !has_redis() {
        println!("skipped: redis-server is missing");
        return;
    }
    let [own, other] = both().map(|mut peer| {
        let mut all = BTreeMap::new();
        arguments(&ask(&mut peer, "COMMAND DOCS"), &mut all);
        all
    });
    let mut complaints = Vec::new();
    for (name, lines) in own {
        let Some(wanted) = other.get(&name) else {
            continue;
        };
        let may_differ = OTHER_ARGUMENTS.contains(&&name[..]);
        if *wanted != lines && !may_differ {
            complaints.push(format!("{name}: {lines:#?} instead of {wanted:#?}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Each command's arity, flags, places of keys, categories, tips and key specifications.
fn facts(rows: &Value, into: &mut BTreeMap<String, Vec<String>>) {
    for row in items(rows) {
        let row = items(row);
        let words = |value: &Value| {
            let words: BTreeSet<String> = items(value).iter().map(text).collect();
            format!("{words:?}")
        };
        let mut told = vec![text(&row[1]), words(&row[2])];
        told.extend(row[3..6].iter().map(text));
        told.push(words(&row[6]));
        told.push(words(&row[7]));
        for keys in items(&row[8]) {
            let keys = entries(keys);
            told.push(words(keys["flags"]));
            told.push(format!("{:?}", keys["begin_search"]));
            told.push(format!("{:?}", keys["find_keys"]));
        }
        into.insert(text(&row[0]), told);
        facts(&row[9], into);
    }
}

#[test]
fn what_programs_are_told_of_a_command_is_what_a_real_redis_tells() {
    if !has_redis() {
        println!("skipped: redis-server is missing");
        return;
    }
    let [own, other] = both().map(|mut peer| {
        let mut all = BTreeMap::new();
        facts(&ask(&mut peer, "COMMAND"), &mut all);
        all
    });
    let mut complaints = Vec::new();
    for (name, told) in own {
        let Some(wanted) = other.get(&name) else {
            continue;
        };
        let may_differ = OTHERWISE.iter().any(|(known, _)| name.starts_with(known));
        if *wanted != told && !may_differ {
            complaints.push(format!("{name}: {told:?} instead of {wanted:?}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
