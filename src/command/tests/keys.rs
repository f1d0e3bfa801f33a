//! Keys, whatever they hold: names, times, walks and what COMMAND tells.

use super::*;

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
        OBJECT IDLETIME a => -ERR idle time not tracked: select an LRU maxmemory policy for that
        OBJECT IDLETIME nope => $-1
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
