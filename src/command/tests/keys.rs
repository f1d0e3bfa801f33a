//! Keys, whatever they hold: names, times, walks and what COMMAND tells.

use super::*;
use crate::command::table::{find, getkeys, rows};

#[test]
fn keys_are_counted_named_and_removed() {
    check(
        "
        MSET a 1 b 2 => +OK
        EXISTS a a none => :2
        TOUCH a none => :1
        TYPE a => +string
        TYPE none => +none
        DBSIZE => :2
        DEL a none => :1
        UNLINK b b => :1
        DBSIZE => :0
        RANDOMKEY => $-1
        SET a 1 => +OK
        RANDOMKEY => $1 a
        KEYS * => *1 $1 a
        KEYS [b-z] => *0
        SCAN 0 => *2 $1 0 *1 $1 a
        SCAN 0 TYPE hash => *2 $1 0 *0
        SCAN 0 TYPE => -ERR syntax error
        SCAN x => -ERR invalid cursor
        FLUSHDB x => -ERR syntax error
        FLUSHALL ASYNC SYNC => -ERR syntax error
        FLUSHDB SYNC => +OK
        DBSIZE => :0
        ",
    );
}

#[test]
fn values_move_to_other_names_and_databases() {
    let mut desk = Desk::new(Protocol::Resp2);
    desk.check(
        "
        RENAME a b => -ERR no such key
        SET a 1 EX 10 => +OK
        RENAME a a => +OK
        RENAMENX a a => :0
        SET b 2 => +OK
        RENAMENX a b => :0
        RENAME a b => +OK
        PTTL b => :10000
        COPY b b => -ERR source and destination objects are the same
        COPY b c => :1
        PTTL c => :10000
        SET b 3 => +OK
        COPY b c => :0
        COPY b c REPLACE => :1
        GET c => $1 3
        PTTL c => :-1
        COPY b b DB 1 => :1
        COPY b b DB 16 => -ERR DB index is out of range
        COPY b d DB => -ERR syntax error
        COPY b d DB x => -ERR value is not an integer or out of range
        MOVE b 0 => -ERR source and destination objects are the same
        MOVE b 1 => :0
        MOVE c 1 => :1
        MOVE none 1 => :0
        MOVE b 16 => -ERR DB index is out of range
        ",
    );
    desk.db = 1;
    desk.check("MGET b c => *2 $1 3 $1 3");
}

#[test]
fn times_to_live_are_set_on_conditions() {
    check(
        "
        EXPIRE a 10 => :0
        SET a 1 => +OK
        TTL none => :-2
        TTL a => :-1
        EXPIRE a 10 XX => :0
        EXPIRE a 10 GT => :0
        EXPIRE a 10 LT => :1
        EXPIRE a 10 NX => :0
        EXPIRE a 5 GT => :0
        EXPIRE a 20 GT XX => :1
        EXPIRE a 5 LT => :1
        PTTL a => :5000
        PEXPIRETIME a => :1005000
        EXPIRETIME a => :1005
        PERSIST a => :1
        PERSIST a => :0
        EXPIRE a 10 NX XX => -ERR NX and XX, GT or LT options at the same time are not compatible
        EXPIRE a 10 GT LT => -ERR GT and LT options at the same time are not compatible
        EXPIRE a 10 AB => -ERR Unsupported option AB
        EXPIRE a x => -ERR value is not an integer or out of range
        EXPIRE a 9223372036854775807 => -ERR invalid expire time in 'expire' command
        PEXPIREAT a 1000001 => :1
        PTTL a => :1
        EXPIREAT a 1000 => :1
        EXISTS a => :0
        ",
    );
}

#[test]
fn a_dead_key_is_absent_for_everyone() {
    let mut desk = Desk::new(Protocol::Resp2);
    desk.check("SET a 1 PX 100 => +OK");
    desk.pass(99);
    desk.check("GET a => $1 1");
    desk.pass(1);
    desk.check(
        "
        GET a => $-1
        KEYS * => *0
        DBSIZE => :0
        SCAN 0 => *2 $1 0 *0
        RENAME a b => -ERR no such key
        PERSIST a => :0
        INCR a => :1
        TTL a => :-1
        ",
    );
}

#[test]
fn what_only_the_leaders_clock_calls_dead_must_be_asked_for_again() {
    let mut desk = Desk::new(Protocol::Resp2);
    desk.check("SET a 1 PX 100 => +OK");
    desk.check("SET h 1 => +OK");
    desk.clock.0 += 100;
    let reads = [
        "GET a",
        "STRLEN a",
        "GETRANGE a 0 -1",
        "MGET h a",
        "LCS h a",
        "EXISTS a",
        "TOUCH a",
        "TYPE a",
        "TTL a",
        "PEXPIRETIME a",
        "KEYS *",
        "SCAN 0",
        "DBSIZE",
        "OBJECT ENCODING a",
        "HGET a f",
        "HGETALL a",
        "HRANDFIELD a",
        "HSCAN a 0",
        "MEMORY USAGE a",
    ];
    for read in reads {
        assert_eq!(desk.run(read), "due", "{read}");
    }
    // What looks elsewhere is answered.
    desk.check("GET h => $1 1");
    desk.check("KEYS h => *1 $1 h");
    desk.at = desk.clock;
    desk.check("EXISTS a => :0");
}

#[test]
fn object_tells_how_a_value_is_kept() {
    check(
        "
        SET a 1 => +OK
        OBJECT ENCODING a => $3 int
        OBJECT REFCOUNT a => :2147483647
        OBJECT IDLETIME a => :0
        OBJECT ENCODING none => $-1
        OBJECT NOPE a => -ERR unknown subcommand 'NOPE'. Try OBJECT HELP.
        OBJECT ENCODING => -ERR wrong number of arguments for 'object|encoding' command
        OBJECT => -ERR wrong number of arguments for 'object' command
        SET a word => +OK
        OBJECT ENCODING a => $6 embstr
        SET a 012345678901234567890123456789012345678901234 => +OK
        OBJECT ENCODING a => $3 raw
        HSET h f 1 => :1
        OBJECT ENCODING h => $8 listpack
        ",
    );
}

/// The places of the keys in a request of these words.
fn key_places(line: &str) -> Result<Vec<usize>, Error> {
    let words = words(line);
    let mut buffer = Vec::new();
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for word in &words {
        let start = buffer.len() as u32;
        buffer.extend_from_slice(word);
        ranges.push(start..buffer.len() as u32);
    }
    getkeys(Args::new(&buffer, &ranges)).map(|(_, places)| places.collect())
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
        let (first, second) = name.split_once('|').unwrap_or((name, ""));
        let row = find(first.as_bytes()).expect("a command");
        let row = row.subcommand(second.as_bytes()).unwrap_or(row);
        let mut categories: Vec<_> = row.categories().collect();
        categories.sort_unstable();
        let flags: Vec<_> = row.flags().collect();
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
    let all = rows()
        .iter()
        .chain(rows().iter().flat_map(|row| row.subcommands));
    for row in all {
        assert!(row.summary.ends_with('.'), "{}", row.name);
        assert!(row.since.split('.').count() == 3, "{}", row.name);
        assert!(
            !row.complexity.is_empty() && !row.group.is_empty(),
            "{}",
            row.name
        );
        assert!(row.keys.first == 0 || row.keys.step > 0, "{}", row.name);
    }
}
