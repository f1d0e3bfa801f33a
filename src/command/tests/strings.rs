//! Strings: whole, in part, as numbers, and compared.

use proptest::prelude::*;

use super::*;

#[test]
fn set_obeys_its_conditions_and_answers_the_old_value_where_asked() {
    check(
        "
        SET a 1 => +OK
        SET a 2 NX => $-1
        GET a => $1 1
        SET b 2 XX => $-1
        EXISTS b => :0
        SET a 3 XX GET => $1 1
        SET a 4 NX GET => $1 3
        SET b 5 NX GET => $-1
        GET b => $1 5
        SET a 1 NX XX => -ERR syntax error
        SET a 1 XX NX => -ERR syntax error
        SET a 1 BOGUS => -ERR syntax error
        HSET h f 1 => :1
        SET h x GET => -WRONGTYPE Operation against a key holding the wrong kind of value
        SET h x => +OK
        TYPE h => +string
        ",
    );
}

#[test]
fn set_keeps_drops_or_makes_an_expiry() {
    check(
        "
        SET a 1 EX 10 => +OK
        PTTL a => :10000
        SET a 2 KEEPTTL => +OK
        PTTL a => :10000
        SET a 2 => +OK
        PTTL a => :-1
        SET a 2 px 1500 => +OK
        PTTL a => :1500
        SET a 2 exat 2000 => +OK
        PEXPIRETIME a => :2000000
        SET a 2 pxat 1000500 => +OK
        TTL a => :1
        SET a 2 EX 1 EX 2 => +OK
        PTTL a => :2000
        SET a 2 EX 1 PX 2 => -ERR syntax error
        SET a 2 KEEPTTL EX 1 => -ERR syntax error
        SET a 2 EX 1 KEEPTTL => -ERR syntax error
        SET a 2 PERSIST => -ERR syntax error
        SET a 2 EX => -ERR syntax error
        SET a 2 EX 0 => -ERR invalid expire time in 'set' command
        SET a 2 EX x => -ERR value is not an integer or out of range
        SET a 2 EX 9223372036854775807 => -ERR invalid expire time in 'set' command
        SET a 2 PX 9223372036854775807 => -ERR invalid expire time in 'set' command
        SETEX a 0 v => -ERR invalid expire time in 'setex' command
        PSETEX a -1 v => -ERR invalid expire time in 'psetex' command
        SETEX a 3 v => +OK
        PTTL a => :3000
        PSETEX a 3 v => +OK
        PTTL a => :3
        SET a 2 EXAT 1 => +OK
        GET a => $-1
        ",
    );
}

#[test]
fn what_reads_and_writes_at_once_answers_the_old_value() {
    check(
        "
        GETSET a 1 => $-1
        SET a 1 EX 9 => +OK
        GETSET a 2 => $1 1
        PTTL a => :-1
        GETDEL a => $1 2
        GETDEL a => $-1
        SETNX a 1 => :1
        SETNX a 2 => :0
        GETEX a EX 10 => $1 1
        PTTL a => :10000
        GETEX a => $1 1
        PTTL a => :10000
        GETEX a PERSIST => $1 1
        PTTL a => :-1
        GETEX a EX 0 => -ERR invalid expire time in 'getex' command
        GETEX a KEEPTTL => -ERR syntax error
        GETEX a EX 1 PERSIST => -ERR syntax error
        GETEX none EX 0 => $-1
        GETEX none EX 1 2 => -ERR syntax error
        GETEX a PXAT 1 => $1 1
        EXISTS a => :0
        ",
    );
}

#[test]
fn many_strings_at_once() {
    check(
        "
        MSET a 1 b 2 => +OK
        HSET h f 1 => :1
        MGET a h none b => *4 $1 1 $-1 $-1 $1 2
        MSET a 1 b => -ERR wrong number of arguments for 'mset' command
        MSETNX c 1 a 9 => :0
        EXISTS c => :0
        MSETNX c 1 c 2 => :1
        GET c => $1 2
        MSETNX c => -ERR wrong number of arguments for 'msetnx' command
        ",
    );
    check3("MGET a => *1 _");
}

#[test]
fn parts_of_strings() {
    check(
        r#"
        APPEND a hello => :5
        APPEND a " world" => :11
        STRLEN a => :11
        GETRANGE a 0 -1 => $11 hello world
        GETRANGE a -5 -1 => $5 world
        SUBSTR a 0 4 => $5 hello
        GETRANGE a -1 -5 => $0
        GETRANGE a 5 3 => $0
        GETRANGE a 9223372036854775807 -9223372036854775808 => $0
        GETRANGE a -9223372036854775808 9223372036854775807 => $11 hello world
        GETRANGE none 0 -1 => $0
        GETRANGE a 0 x => -ERR value is not an integer or out of range
        SETRANGE a 6 Redis => :11
        GET a => $11 hello Redis
        SETRANGE none 3 "" => :0
        EXISTS none => :0
        SETRANGE new 2 x => :3
        STRLEN new => :3
        SETRANGE a -1 x => -ERR offset is out of range
        SETRANGE a 536870912 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        SETRANGE a 9223372036854775807 "" => :11
        HSET h f 1 => :1
        APPEND h x => -WRONGTYPE Operation against a key holding the wrong kind of value
        SETRANGE h 1 "" => -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn counters_stop_at_the_ends_of_64_bits() {
    check(
        r#"
        INCR a => :1
        INCRBY a 9 => :10
        DECR a => :9
        DECRBY a -1 => :10
        PEXPIRE a 5000 => :1
        INCR a => :11
        PTTL a => :5000
        SET a 9223372036854775807 => +OK
        INCR a => -ERR increment or decrement would overflow
        GET a => $19 9223372036854775807
        DECRBY a -9223372036854775808 => -ERR decrement would overflow
        INCRBY a 1.5 => -ERR value is not an integer or out of range
        SET a " 1" => +OK
        INCR a => -ERR value is not an integer or out of range
        "#,
    );
}

#[test]
fn float_sums_are_those_of_a_mantissa_of_64_bits() {
    check(
        r#"
        SET a 10.50 => +OK
        INCRBYFLOAT a 0.1 => $4 10.6
        SET a 3 => +OK
        INCRBYFLOAT a 1.1 => $3 4.1
        INCRBYFLOAT a 5.0e3 => $22 5004.10000000000000009
        SET a 0.1 => +OK
        INCRBYFLOAT a 1000000000000000000 => $23 1000000000000000000.125
        SET a 100000000000000000000 => +OK
        INCRBYFLOAT a 1 => $21 100000000000000000000
        SET a -0.00000000000000000001 => +OK
        INCRBYFLOAT a 0 => $1 0
        SET a 1 => +OK
        INCRBYFLOAT a inf => -ERR increment would produce NaN or Infinity
        INCRBYFLOAT a nan => -ERR value is not a valid float
        INCRBYFLOAT a 1e5000 => -ERR value is not a valid float
        INCRBYFLOAT a 1e-5000 => -ERR value is not a valid float
        INCRBYFLOAT a " 1" => -ERR value is not a valid float
        INCRBYFLOAT a "1 " => -ERR value is not a valid float
        INCRBYFLOAT a 0x10p1 => $2 33
        SET a word => +OK
        INCRBYFLOAT a 1 => -ERR value is not a valid float
        "#,
    );
}

#[test]
fn floats_end_where_80_bits_end() {
    check(
        "
        INCRBYFLOAT a 3.6e-4951 => $1 0
        INCRBYFLOAT a 1.8225997659412373013e-4951 => $1 0
        INCRBYFLOAT a 1.8225997659412373012e-4951 => -ERR value is not a valid float
        INCRBYFLOAT a 1e99999999999999999999 => -ERR value is not a valid float
        INCRBYFLOAT a 0e99999999999999999999 => $1 0
        INCRBYFLOAT a 1.189731495357231765085e+4932 => -ERR value is not a valid float
        SET a 1.18973149535723176502e+4932 => +OK
        INCRBYFLOAT a 1.18973149535723176502e+4932 => -ERR increment would produce NaN or Infinity
        SET a 0x1p16383 => +OK
        INCRBYFLOAT a -0x1p16383 => $1 0
        INCRBYFLOAT a 0x.p1 => -ERR value is not a valid float
        INCRBYFLOAT a 1e => -ERR value is not a valid float
        INCRBYFLOAT a . => -ERR value is not a valid float
        INCRBYFLOAT a +.5 => $3 0.5
        INCRBYFLOAT a -1. => $4 -0.5
        ",
    );
}

#[test]
fn lcs_answers_text_length_or_places() {
    check(
        "
        MSET a ohmytext b mynewtext => +OK
        LCS a b => $6 mytext
        LCS a b LEN => :6
        LCS a b IDX => *4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6
        LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN => *4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6
        LCS a none => $0
        LCS a b LEN IDX => -ERR If you want both the length and indexes, please just use IDX.
        LCS a b MINMATCHLEN => -ERR syntax error
        HSET h f 1 => :1
        LCS a h => -ERR The specified keys must contain string values
        ",
    );
    check3(
        "
        LCS a b IDX => %2 $7 matches *0 $3 len :0
        ",
    );
}

#[test]
fn lcs_refuses_what_would_take_too_much_memory() {
    let mut desk = Desk::new(Protocol::Resp2);
    desk.check(
        "
        SETRANGE a 11583 x => :11584
        SETRANGE b 11586 x => :11587
        LCS a b => -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len
        ",
    );
}

proptest! {
    #[test]
    fn lcs_is_a_subsequence_of_both_and_as_long_as_it_says(
        a in "[abc]{1,30}",
        b in "[abc]{1,30}",
    ) {
        let mut desk = Desk::new(Protocol::Resp2);
        desk.run(&format!("MSET a {a} b {b}"));
        let answer = desk.run("LCS a b");
        let shared = answer.split_once(' ').map_or("", |(_, text)| text);
        for whole in [&a, &b] {
            let mut letters = whole.chars();
            prop_assert!(shared.chars().all(|letter| letters.any(|other| other == letter)));
        }
        prop_assert_eq!(desk.run("LCS a b LEN"), format!(":{}", shared.len()));
        // No longer one is shared: the textbook's recursion says so.
        let (a, b) = (a.as_bytes(), b.as_bytes());
        let mut best = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                best[i][j] = if a[i - 1] == b[j - 1] {
                    best[i - 1][j - 1] + 1
                } else {
                    best[i - 1][j].max(best[i][j - 1])
                };
            }
        }
        prop_assert_eq!(shared.len(), best[a.len()][b.len()]);
    }

    #[test]
    fn a_float_sum_beyond_64_bits_is_rounded_to_the_nearest_even_one(a: u64, b: u64) {
        let exact = u128::from(a) + u128::from(b);
        let rounded = match (exact >> 64, exact % 4) {
            (0, _) | (_, 0 | 2) => exact,
            (_, 1) => exact - 1,
            _ => exact + 1,
        };
        let mut desk = Desk::new(Protocol::Resp2);
        desk.run(&format!("SET a {a}"));
        let wanted = rounded.to_string();
        let answer = desk.run(&format!("INCRBYFLOAT a {b}"));
        prop_assert_eq!(answer, format!("${} {wanted}", wanted.len()));
    }

    #[test]
    fn a_float_sum_of_eighths_is_exact(
        a in -1_000_000_i64..1_000_000,
        b in -1_000_000_i64..1_000_000,
    ) {
        // Sums of eighths need no rounding, so that integers can check them.
        let eighths = |number: i64| format!("{}", number as f64 / 8.0);
        let mut desk = Desk::new(Protocol::Resp2);
        desk.run(&format!("SET a {}", eighths(a)));
        let sum = eighths(a + b);
        let answer = desk.run(&format!("INCRBYFLOAT a {}", eighths(b)));
        prop_assert_eq!(answer, format!("${} {sum}", sum.len()));
    }
}
