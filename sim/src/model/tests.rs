//! The model against answers that are known by heart.

use super::*;

fn play(model: &mut Model, at: u64, line: &str) -> Want {
    let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let row = find(args[0]).unwrap();
    assert!(row.takes(args.len()), "{line}");
    model.run(row, 0, Moment::exactly(at, 0), &args)
}

#[test]
fn a_short_life_of_strings_and_hashes() {
    let mut model = Model::default();
    let bulk = |text: &str| Want::Bulk(text.as_bytes().to_vec());
    let error = |text: &str| Want::Error(text.to_owned());
    let script = [
        ("SET a 1", Want::OK),
        ("INCRBY a 41", Want::Integer(42)),
        ("GET a", bulk("42")),
        ("SET a 5 NX", Want::Null),
        ("SET a 5 XX GET", bulk("42")),
        ("SET a 5 NX XX", error(SYNTAX)),
        (
            "SET a 5 EX 0",
            error("ERR invalid expire time in 'set' command"),
        ),
        ("HSET a f v", error(WRONG_TYPE)),
        ("HSET h f 1 g 2", Want::Integer(2)),
        ("HINCRBYFLOAT h f 0.5", bulk("1.5")),
        ("HDEL h f g", Want::Integer(2)),
        ("EXISTS h a a", Want::Integer(2)),
        ("APPEND a 6", Want::Integer(2)),
        ("GETRANGE a -1 -1", bulk("6")),
        ("SETRANGE b 2 x", Want::Integer(3)),
        ("GET b", bulk("\0\0x")),
        ("RENAME a b", Want::OK),
        ("MGET a b", Want::Array(vec![Want::Null, bulk("56")])),
        ("EXPIRE b 10 GT", Want::Integer(0)),
        ("EXPIRE b 10 LT", Want::Integer(1)),
        ("TTL b", Want::Integer(10)),
        ("COPY b c", Want::Integer(1)),
        ("PTTL c", Want::Integer(10_000)),
        ("PERSIST c", Want::Integer(1)),
        ("DBSIZE", Want::Integer(2)),
    ];
    for (line, want) in script {
        assert_eq!(play(&mut model, 1_000, line), want, "{line}");
    }
    assert_eq!(play(&mut model, 10_999, "EXISTS b"), Want::Integer(1));
    assert_eq!(play(&mut model, 11_000, "EXISTS b"), Want::Integer(0));
    assert_eq!(play(&mut model, 11_000, "TTL b"), Want::Integer(-2));
}

/// Commands that the model does not know are judged only by what holds of every command. So a
/// command is among these for a reason, and every other one has its row in `table.rs`.
#[test]
fn the_model_knows_every_command_but_these() {
    let mut unknown: Vec<&str> = strangers().iter().map(|row| row.name).collect();
    unknown.sort_unstable();
    let about_the_server = [
        "acl", "cluster", "command", "latency", "memory", "shutdown", "slowlog",
    ];
    // Its answer is one of many that are equally good, and its picture is of nothing.
    let of_their_own = ["lcs", "lolwut"];
    let mut known = [&about_the_server[..], &of_their_own].concat();
    known.sort_unstable();
    assert_eq!(unknown, known);
}
