//! WATCH breaks when a watched key changes, and what a transaction refuses.

use seedis::ids::ConnId;
use seedis::limits::WATCHED_KEYS_MAX;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::time::Now;

use crate::bare::{self, opened};

/// The client whose transactions are looked at.
const A: ConnId = ConnId(1);
/// The client who disturbs it.
const B: ConnId = ConnId(2);

fn node() -> Node {
    let config = Config {
        append_only: false,
        ..Config::default()
    };
    let mut node = Node::new(config, Now::default());
    for conn in [A, B] {
        node.handle(Now::default(), opened(conn, "127.0.0.1:1"));
    }
    node.flush(Now::default(), &mut Vec::new());
    node
}

fn ask(node: &mut Node, conn: ConnId, request: &str) -> String {
    bare::ask(node, Now::default(), conn, request)
}

/// Returns true if EXEC runs when `before` was asked before WATCH `watched`, and `between` after it
/// by another client.
fn runs(before: &[&str], watched: &str, between: &[&str]) -> bool {
    let mut node = node();
    for request in before {
        ask(&mut node, B, request);
    }
    ask(&mut node, A, &format!("WATCH {watched}"));
    for request in between {
        assert!(!ask(&mut node, B, request).starts_with('-'), "{request}");
    }
    ask(&mut node, A, "MULTI");
    ask(&mut node, A, "PING");
    match &ask(&mut node, A, "EXEC")[..] {
        "*1\r\n+PONG\r\n" => true,
        "*-1\r\n" => false,
        other => panic!("EXEC answers {other:?}"),
    }
}

#[test]
fn a_client_watches_so_many_keys_and_no_more() {
    let mut node = node();
    let names = |range: std::ops::Range<usize>| {
        let names: Vec<String> = range.map(|n| format!(" k{n}")).collect();
        format!("WATCH{}", names.concat())
    };
    let refused = ask(
        &mut node,
        A,
        &format!("WATCH{}", " k".repeat(WATCHED_KEYS_MAX + 1)),
    );
    assert!(
        refused.starts_with("-ERR too many watched keys"),
        "{refused}"
    );
    assert!(refused.contains(&WATCHED_KEYS_MAX.to_string()), "{refused}");
    for part in [0..8_000, 8_000..16_000, 16_000..WATCHED_KEYS_MAX] {
        assert_eq!(ask(&mut node, A, &names(part)), "+OK\r\n");
    }
    assert_eq!(ask(&mut node, A, "WATCH one-more"), refused);
    // The others are watched all the same, and another client has its own count.
    assert_eq!(ask(&mut node, B, "WATCH one-more"), "+OK\r\n");
    ask(&mut node, B, &format!("SET k{} 1", WATCHED_KEYS_MAX - 1));
    ask(&mut node, A, "MULTI");
    assert_eq!(ask(&mut node, A, "EXEC"), "*-1\r\n");
    assert_eq!(ask(&mut node, A, "WATCH one-more"), "+OK\r\n");
}

#[test]
fn a_flush_breaks_the_watch_of_what_was_there_and_no_other() {
    for flush in ["FLUSHALL", "FLUSHDB"] {
        assert!(!runs(&["SET x 1"], "x", &[flush]), "{flush}");
        assert!(runs(&[], "x", &[flush]), "{flush}");
        assert!(runs(&["SET y 1"], "x", &[flush]), "{flush}");
        assert!(!runs(&["SET y 1"], "x y", &[flush]), "{flush}");
        assert!(runs(&["SET x 1", "DEL x"], "x", &[flush]), "{flush}");
        assert!(!runs(&[], "x", &["SET x 1", flush]), "{flush}");
    }
    assert!(runs(&["SET x 1"], "x", &["SELECT 3", "FLUSHDB"]));
    assert!(!runs(&["SET x 1"], "x", &["SELECT 3", "FLUSHALL"]));
}

#[test]
fn a_write_that_changes_nothing_breaks_no_watch() {
    let before = [
        "SET x 1",
        "HSET h f v",
        "SET s 1",
        "SET t 1 EXAT 1900000000",
    ];
    for (watched, idle) in [
        ("absent", "DEL absent x"),
        ("h", "HDEL h absent"),
        ("h", "HSETNX h f w"),
        ("x", "SETNX x 2"),
        ("x", "SET x 2 NX"),
        ("absent", "SET absent 2 XX"),
        ("x", "MSETNX absent 1 x 2"),
        ("x s", "RENAMENX x s"),
        ("x", "EXPIRE x 100 XX"),
        ("x", "PERSIST x"),
        ("x", "GETEX x"),
        ("t", "EXPIREAT t 1900000000 NX"),
        ("t", "EXPIREAT t 1900000000 GT"),
        ("absent", "GETEX absent EXAT 1900000000"),
        ("x", "COPY x y"),
        ("s", "COPY x s"),
        ("absent", "GETDEL absent"),
        ("absent", "INCRBY other 1"),
    ] {
        assert!(runs(&before, watched, &[idle]), "{idle}");
    }
    for (watched, write) in [
        ("x", "DEL absent x"),
        ("h", "HDEL h f"),
        ("h", "HSETNX h g w"),
        ("h", "HSET h f v"),
        ("absent", "SETNX absent 2"),
        ("absent", "SET absent 2 NX"),
        ("x", "SET x 1"),
        ("x", "SET x 1 XX"),
        ("x", "INCRBY x 0"),
        ("absent", "MSETNX absent 1 other 2"),
        ("x", "RENAME x y"),
        ("y", "RENAME x y"),
        ("y", "COPY x y"),
        ("s", "COPY x s REPLACE"),
        ("x", "EXPIRE x 100"),
        ("x", "EXPIRE x -1"),
        ("t", "EXPIREAT t 1900000000"),
        ("t", "EXPIREAT t 1900000000 XX"),
        ("t", "GETEX t EXAT 1900000000"),
        ("x", "MOVE x 3"),
        ("x", "GETDEL x"),
        ("x", "APPEND x y"),
    ] {
        assert!(!runs(&before, watched, &[write]), "{write}");
    }
    // What a transaction writes and removes again was written.
    assert!(!runs(&[], "x", &["MULTI", "SET x 1", "DEL x", "EXEC"]));
    // In the other database too.
    assert!(!runs(
        &["SET x 1"],
        "y",
        &["COPY x y DB 3", "SELECT 3", "MOVE y 0"]
    ));
    assert!(runs(&["SET x 1"], "y", &["COPY x y DB 3"]));
}

#[test]
fn requests_in_one_pipeline_break_a_watch_too() {
    let together = |requests: &[&str]| ask(&mut node(), A, &requests.join("\r\n"));
    let end = ["MULTI", "PING", "EXEC"];
    let flushed = together(&[&["WATCH x", "FLUSHALL"][..], &end].concat());
    assert!(flushed.ends_with("*1\r\n+PONG\r\n"), "{flushed}");
    let written = together(&[&["WATCH x", "SET x 1", "FLUSHALL"][..], &end].concat());
    assert!(written.ends_with("*-1\r\n"), "{written}");
}

#[test]
fn what_may_not_stand_in_a_transaction_spoils_it() {
    for request in ["SAVE", "SHUTDOWN NOSAVE"] {
        let mut node = node();
        ask(&mut node, A, "MULTI");
        assert_eq!(
            ask(&mut node, A, request),
            "-ERR Command not allowed inside a transaction\r\n"
        );
        assert!(ask(&mut node, A, "EXEC").starts_with("-EXECABORT "));
        assert_eq!(ask(&mut node, A, "PING"), "+PONG\r\n");
    }
}

#[test]
fn command_list_names_subcommands() {
    let mut node = node();
    let all = ask(&mut node, A, "COMMAND LIST");
    for name in ["set", "config", "config|get", "client|list"] {
        assert!(all.contains(&format!("\r\n{name}\r\n")), "{name}");
    }
    let some = ask(&mut node, A, "COMMAND LIST FILTERBY PATTERN config|*re*");
    assert!(some.starts_with("*2\r\n"), "{some}");
    assert!(some.contains("config|resetstat") && some.contains("config|rewrite"));
    let one = ask(&mut node, A, "COMMAND LIST FILTERBY PATTERN set");
    assert_eq!(one, "*1\r\n$3\r\nset\r\n");
}

#[test]
fn command_getkeysandflags_answers_each_key_with_its_flags() {
    let mut node = node();
    assert_eq!(
        ask(&mut node, A, "COMMAND GETKEYSANDFLAGS RENAME a b"),
        "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n\
         *2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n"
    );
    assert!(ask(&mut node, A, "COMMAND GETKEYSANDFLAGS PING").starts_with("-ERR "));
}
