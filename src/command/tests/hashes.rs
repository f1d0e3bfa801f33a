//! The answers of the commands on hashes.

use super::*;

#[test]
fn fields_are_set_asked_and_removed() {
    check(
        "
        HSET h f 1 g 2 => :2
        HSET h f 3 i 4 => :1
        HSET h f => -ERR wrong number of arguments for 'hset' command
        HSET h f 1 g => -ERR wrong number of arguments for 'hset' command
        HMSET h f 1 g => -ERR wrong number of arguments for 'hmset' command
        HMSET h j 5 => +OK
        HSETNX h f 9 => :0
        HSETNX h k 9 => :1
        HGET h f => $1 3
        HGET h none => $-1
        HGET none f => $-1
        HMGET h f none g => *3 $1 3 $-1 $1 2
        HMGET none f g => *2 $-1 $-1
        HLEN h => :5
        HLEN none => :0
        HEXISTS h f => :1
        HEXISTS h none => :0
        HSTRLEN h f => :1
        HSTRLEN h none => :0
        HDEL h f g none => :2
        HDEL h i j k k => :3
        EXISTS h => :0
        HGETALL h => *0
        SET s 1 => +OK
        HGET s f => -WRONGTYPE Operation against a key holding the wrong kind of value
        HSET s f 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
        HDEL s f => -WRONGTYPE Operation against a key holding the wrong kind of value
        ",
    );
}

#[test]
fn whole_hashes_are_maps_in_resp3() {
    let script = "HSET h f 1 => :1";
    let mut old = Desk::new(Protocol::Resp2);
    let mut new = Desk::new(Protocol::Resp3);
    old.check(script);
    new.check(script);
    old.check("HGETALL h => *2 $1 f $1 1");
    new.check(
        "
        HGETALL h => %1 $1 f $1 1
        HGETALL none => %0
        HKEYS h => *1 $1 f
        HVALS h => *1 $1 1
        HGET h none => _
        ",
    );
}

#[test]
fn numbers_in_fields() {
    check(
        "
        HINCRBY h f 5 => :5
        HINCRBY h f -7 => :-2
        HINCRBY h f x => -ERR value is not an integer or out of range
        HSET h f 9223372036854775807 => :0
        HINCRBY h f 1 => -ERR increment or decrement would overflow
        HSET h f word => :0
        HINCRBY h f 1 => -ERR hash value is not an integer
        HINCRBYFLOAT h f 1 => -ERR hash value is not a float
        HINCRBYFLOAT h g 1.5 => $3 1.5
        HINCRBYFLOAT h g 0.7 => $3 2.2
        HINCRBYFLOAT h g inf => -ERR value is NaN or Infinity
        HINCRBYFLOAT h g word => -ERR value is not a valid float
        HSET h g inf => :0
        HINCRBYFLOAT h g 1 => -ERR increment would produce NaN or Infinity
        HINCRBY none f 1.5 => -ERR value is not an integer or out of range
        EXISTS none => :0
        ",
    );
}

#[test]
fn random_fields_are_fields_and_their_number_is_as_asked() {
    check(
        "
        HRANDFIELD none => $-1
        HRANDFIELD none 3 => *0
        HSET h f 1 => :1
        HRANDFIELD h => $1 f
        HRANDFIELD h 5 => *1 $1 f
        HRANDFIELD h -2 => *2 $1 f $1 f
        HRANDFIELD h -2 WITHVALUES => *4 $1 f $1 1 $1 f $1 1
        HRANDFIELD h 0 => *0
        HRANDFIELD h x => -ERR value is not an integer or out of range
        HRANDFIELD h 1 WITH => -ERR syntax error
        HRANDFIELD h -9223372036854775807 WITHVALUES => -ERR value is out of range
        ",
    );
    let mut desk = Desk::new(Protocol::Resp3);
    desk.check(
        "
        HSET h f 1 => :1
        HRANDFIELD h -2 WITHVALUES => *2 *2 $1 f $1 1 *2 $1 f $1 1
        ",
    );
    for field in 0..50 {
        desk.run(&format!("HSET many {field} v"));
    }
    for count in [1, 10, 20, 49, 50] {
        let answer = desk.run(&format!("HRANDFIELD many {count}"));
        let mut fields: Vec<_> = answer.split(' ').skip(2).step_by(2).collect();
        fields.sort_unstable();
        fields.dedup();
        assert_eq!(fields.len(), count, "{answer}");
    }
}

#[test]
fn hscan_walks_over_fields() {
    check(
        "
        HSCAN none 0 => *2 $1 0 *0
        HSET h f 1 => :1
        HSCAN h 0 => *2 $1 0 *2 $1 f $1 1
        HSCAN h 0 MATCH g* => *2 $1 0 *0
        HSCAN h 0 COUNT 0 => -ERR syntax error
        HSCAN h 0 COUNT x => -ERR value is not an integer or out of range
        HSCAN h x => -ERR invalid cursor
        HSCAN h 0 TYPE hash => -ERR syntax error
        SET s 1 => +OK
        HSCAN s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
        ",
    );
}

#[test]
fn picks_are_the_same_however_they_are_cut() {
    let picked = |piece| {
        let mut desk = Desk::new(Protocol::Resp2);
        desk.piece = piece;
        desk.run("HSET h a 1 b 2 c 3 d 4 e 5");
        desk.run("HRANDFIELD h -40 WITHVALUES")
    };
    let whole = picked(usize::MAX);
    assert!(whole.starts_with("*80 "), "{whole}");
    for piece in [1, 7, 30] {
        assert_eq!(picked(piece), whole, "{piece}");
    }
}
