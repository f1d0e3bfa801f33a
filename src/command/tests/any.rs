//! Any request of any command: no panic, one whole reply, and no change where none may be.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::command::table::rows;

/// Words that mean something to some command, and some that mean nothing.
const WORDS: &[&str] = &[
    "a",
    "b",
    "h",
    "",
    "0",
    "1",
    "-1",
    "2",
    "15",
    "16",
    "-9223372036854775808",
    "*",
    "nx",
    "XX",
    "9223372036854775807",
    "536870912",
    "1e4932",
    "-1e4932",
    "inf",
    "0x1p-16445",
    "nan",
    "get",
    "EX",
    "px",
    "exat",
    "PXAT",
    "keepttl",
    "persist",
    "gt",
    "LT",
    "match",
    "count",
    "TYPE",
    "idx",
    "len",
    "minmatchlen",
    "withmatchlen",
    "withvalues",
    "withscores",
    "weights",
    "aggregate",
    "limit",
    "left",
    "RIGHT",
    "min",
    "MAX",
    "before",
    "rank",
    "byscore",
    "BYLEX",
    "rev",
    "incr",
    "ch",
    "(1",
    "[b",
    "-",
    "+",
    "db",
    "replace",
    "async",
    "encoding",
    "refcount",
    "usage",
    "samples",
    "list",
    "help",
    "[a-",
    "\\",
    "100",
    "1000001",
    "\r\n",
    "hash",
];

/// Names of what runs on a store alone.
fn names() -> Vec<&'static str> {
    let on_store = |row: &Row| match row.kind {
        Kind::Read(_) | Kind::Write(_) => true,
        Kind::Session(_) | Kind::Server(_) | Kind::Script(_) | Kind::Container => false,
    };
    let names = rows()
        .iter()
        .filter(|row| on_store(row) || row.is_container() && row.subcommands.iter().all(on_store));
    names.map(|row| row.name).collect()
}

/// The end of the reply at the start of `bytes`.
fn end_of_reply(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let number = || -> Option<i64> { std::str::from_utf8(&bytes[1..line]).ok()?.parse().ok() };
    let mut end = line + 2;
    let children = match bytes[0] {
        b'+' | b'-' | b'_' | b',' => 0,
        b':' => number().map(|_| 0)?,
        b'$' | b'=' => {
            if let Ok(len) = usize::try_from(number()?) {
                end += len + 2;
            }
            0
        }
        b'*' | b'~' => number()?.max(0),
        b'%' => number()? * 2,
        _ => return None,
    };
    for _ in 0..children {
        end += end_of_reply(bytes.get(end..)?)?;
    }
    (end <= bytes.len()).then_some(end)
}

proptest! {
    #[test]
    fn any_request_has_one_reply_and_an_error_changes_nothing(
        requests in prop::collection::vec(
            (select(names()), prop::collection::vec(select(WORDS), 0..6)),
            1..40,
        ),
        resp3: bool,
    ) {
        let protocol = if resp3 { Protocol::Resp3 } else { Protocol::Resp2 };
        let mut desk = Desk::new(protocol);
        for (name, words) in requests {
            // Strings that are half a gigabyte long would only take time.
            if name == "setrange" && words.contains(&"536870912") {
                continue;
            }
            let request: Vec<Vec<u8>> =
                [name].iter().chain(&words).map(|word| word.as_bytes().to_vec()).collect();
            let before = desk.store.digest(desk.at);
            let reply = desk.answer(&request).expect("nothing is due where the clocks agree");
            prop_assert_eq!(end_of_reply(&reply), Some(reply.len()), "{} {:?}", name, words);
            let is_write = table::find(name.as_bytes()).is_some_and(Row::is_write);
            if reply.starts_with(b"-") || !is_write {
                prop_assert_eq!(desk.store.digest(desk.at), before, "{} {:?}", name, words);
            }
        }
    }
}
