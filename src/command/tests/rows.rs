//! The contents of rows: keys, flags, categories, the grammar of arguments.

use super::*;
use crate::command::grammar::{Arg, Form, words_min};
use crate::command::key::Access;
use crate::command::table::{all, find_full, with_keys};

/// The places of the keys in a request of these words, each with what becomes of the key.
fn keys_of(line: &str) -> Result<Vec<(usize, String)>, Error> {
    let words = words(line);
    let mut buffer = Vec::new();
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for word in &words {
        let start = buffer.len() as u32;
        buffer.extend_from_slice(word);
        ranges.push(start..buffer.len() as u32);
    }
    let args = Args::new(&buffer, &ranges);
    let row = with_keys(args)?;
    let mut places = Vec::new();
    row.each_key(args, |place, access| {
        let names: Vec<&str> = access.names().collect();
        places.push((place, names.join(" ")));
    });
    Ok(places)
}

/// The places of the keys alone.
fn key_places(line: &str) -> Result<Vec<usize>, Error> {
    let keys = keys_of(line)?;
    Ok(keys.into_iter().map(|(place, _)| place).collect())
}

#[test]
fn each_key_of_a_request_has_the_access_of_its_place() {
    let shown = |line: &str| {
        let keys = keys_of(line).expect("a whole request");
        let keys: Vec<String> = keys.into_iter().map(|(_, access)| access).collect();
        keys.join(", ")
    };
    assert_eq!(shown("set k v"), "OW update");
    assert_eq!(shown("set k v px 9 GET"), "RW access update");
    assert_eq!(shown("set k get"), "OW update");
    assert_eq!(shown("mset a 1 b 2"), "OW update, OW update");
    assert_eq!(shown("get k"), "RO access");
    assert_eq!(shown("rename a b"), "RW access delete, OW update");
    assert_eq!(shown("copy a b"), "RO access, OW update");
    assert_eq!(shown("persist k"), "RW update");
}

#[test]
fn getkeys_finds_the_keys_of_a_request() {
    assert_eq!(key_places("SET a 1 EX 5"), Ok(vec![1]));
    assert_eq!(key_places("MSET a 1 b 2"), Ok(vec![1, 3]));
    assert_eq!(key_places("LCS a b LEN"), Ok(vec![1, 2]));
    assert_eq!(key_places("DEL a b c"), Ok(vec![1, 2, 3]));
    assert_eq!(key_places("OBJECT ENCODING a"), Ok(vec![2]));
    assert_eq!(key_places("OBJECT HELP"), Err(Error::NO_KEY_ARGUMENTS));
    assert_eq!(key_places("OBJECT NOPE a"), Err(Error::INVALID_COMMAND));
    assert_eq!(
        key_places("OBJECT ENCODING"),
        Err(Error::INVALID_ARGUMENT_COUNT)
    );
    assert_eq!(key_places("SCAN 0"), Err(Error::NO_KEY_ARGUMENTS));
    assert_eq!(key_places("LCS a"), Err(Error::INVALID_ARGUMENT_COUNT));
    assert_eq!(key_places("NOPE a"), Err(Error::INVALID_COMMAND));
}

#[test]
fn rows_tell_flags_and_categories_as_redis_derives_them() {
    let shown = |name: &str| {
        let row = find_full(name.as_bytes()).expect("a command");
        let mut categories: Vec<_> = row.categories().names().collect();
        categories.sort_unstable();
        let flags: Vec<_> = row.flags.names().collect();
        format!(
            "{} {} | {}",
            row.arity,
            flags.join(" "),
            categories.join(" ")
        )
    };
    assert_eq!(shown("get"), "2 readonly fast | @fast @read @string");
    assert_eq!(shown("set"), "-3 write denyoom | @slow @string @write");
    assert_eq!(shown("hset"), "-4 write denyoom fast | @fast @hash @write");
    assert_eq!(
        shown("keys"),
        "2 readonly | @dangerous @keyspace @read @slow"
    );
    assert_eq!(
        shown("flushall"),
        "-1 write | @dangerous @keyspace @slow @write"
    );
    assert_eq!(shown("object"), "-2  | @slow");
    assert_eq!(
        shown("object|encoding"),
        "3 readonly | @keyspace @read @slow"
    );
    assert_eq!(shown("object|help"), "2 loading stale | @keyspace @slow");
    assert_eq!(shown("memory|doctor"), "2  | @slow");
    assert_eq!(shown("memory|usage"), "-3 readonly | @read @slow");
    assert_eq!(
        shown("function|flush"),
        "-2 write noscript | @scripting @slow @write"
    );
    assert_eq!(shown("ping"), "-1 fast | @connection @fast");
    assert_eq!(
        shown("multi"),
        "1 noscript loading stale fast allow_busy | @fast @transaction"
    );
}

#[test]
fn every_row_is_whole() {
    for row in all() {
        assert!(row.summary.ends_with('.'), "{}", row.name);
        assert!(row.since.split('.').count() == 3, "{}", row.name);
        assert!(!row.complexity.is_empty(), "{}", row.name);
        let mentioned = row.args.iter().map(key_indexes).max().flatten();
        let mut keys = row.keys.iter();
        // A channel is no key.
        let keys = keys.rposition(|keys| !keys.access.has(Access::NOT_KEY));
        assert_eq!(mentioned, keys, "{}: the grammar names all keys", row.name);
    }
}

/// The last of the row's keys that an argument stands for.
fn key_indexes(arg: &Arg) -> Option<usize> {
    if let Form::Key(keys) | Form::KeyPattern(keys) = arg.form {
        return Some(keys.into());
    }
    let parts = arg.form.parts()?;
    parts.iter().filter_map(key_indexes).max()
}

#[test]
fn what_writes_never_says_that_it_only_reads() {
    for row in all().filter(|row| !row.keys.is_empty()) {
        let writes = row.keys.iter().any(|keys| keys.access.writes());
        assert_eq!(row.is_write(), writes, "{}", row.name);
    }
}

#[test]
fn the_least_that_a_grammar_takes_is_what_the_arity_says() {
    // These have a word that means nothing without another, and refuse it themselves.
    const SHORTER: [&str; 2] = ["client|kill", "quit"];
    for row in all().filter(|row| !row.is_container() && !SHORTER.contains(&row.name)) {
        let names = row.name.split('|').count();
        let least = names + words_min(row.args);
        assert_eq!(row.arity.unsigned_abs() as usize, least, "{}", row.name);
    }
}
