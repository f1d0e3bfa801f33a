//! What a command does with the keys that it names, as COMMAND INFO and COMMAND GETKEYSANDFLAGS
//! tell it.

use super::args::Args;
use super::table::Row;

/// The flags of one key: first how its value as a whole is touched, then what becomes of its data.
pub type Flags = &'static [&'static str];

const LOOKED_AT: Flags = &["RO"];
const READ: Flags = &["RO", "access"];
const REPLACED: Flags = &["OW", "update"];
const CREATED: Flags = &["OW", "insert"];
const REMOVED: Flags = &["RM", "delete"];
const TAKEN: Flags = &["RW", "access", "delete"];
const CHANGED: Flags = &["RW", "access", "update"];
const ADDED_TO: Flags = &["RW", "insert"];
const UPDATED: Flags = &["RW", "update"];
const CUT: Flags = &["RW", "delete"];
const SET: Flags = &["RW", "access", "update", "variable_flags"];

/// The flags of a command's keys in the order of its keys; the last stands for all that follow.
///
/// Two mean that COMMAND INFO tells of two places, each with one key.
pub fn of(row: &Row) -> &'static [Flags] {
    match row.name {
        "append" | "hsetnx" => &[ADDED_TO],
        "copy" => &[READ, REPLACED],
        "decr" | "decrby" | "incr" | "incrby" | "incrbyfloat" | "getex" | "getset" | "hincrby"
        | "hincrbyfloat" => &[CHANGED],
        "del" | "unlink" => &[REMOVED],
        "getdel" | "move" => &[TAKEN],
        "hdel" => &[CUT],
        "mset" | "psetex" | "setex" => &[REPLACED],
        "msetnx" | "setnx" => &[CREATED],
        "rename" => &[TAKEN, REPLACED],
        "renamenx" => &[TAKEN, CREATED],
        "set" => &[SET],
        "exists" | "hexists" | "hlen" | "hstrlen" | "strlen" | "touch" | "type" | "watch" => {
            &[LOOKED_AT]
        }
        // OBJECT and MEMORY look at how a value is kept, and not into it.
        name if name.contains('|') => &[LOOKED_AT],
        _ if row.is_write() => &[UPDATED],
        _ => &[READ],
    }
}

/// The flags of the key that is number `nth`, from 0, in a request for this command.
pub fn in_request(row: &Row, args: Args<'_>, nth: usize) -> Flags {
    if row.name == "set" {
        let answers_old = (3..args.len()).any(|place| args.is(place, "get"));
        return if answers_old { CHANGED } else { REPLACED };
    }
    let all = of(row);
    all.get(nth).or(all.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table;

    fn flags(request: &str) -> Vec<Flags> {
        let ranges: Vec<_> = request
            .split(' ')
            .map(|word| {
                let start = word.as_ptr().addr() - request.as_ptr().addr();
                start as u32..(start + word.len()) as u32
            })
            .collect();
        let args = Args::new(request.as_bytes(), &ranges);
        let row = table::find(args.name()).expect("the table has it");
        let places = row.keys.places(args.len());
        places
            .enumerate()
            .map(|(nth, _)| in_request(row, args, nth))
            .collect()
    }

    #[test]
    fn each_key_of_a_request_has_the_flags_of_its_place() {
        assert_eq!(flags("set k v"), [&["OW", "update"]]);
        assert_eq!(flags("set k v px 9 GET"), [&["RW", "access", "update"]]);
        assert_eq!(flags("set k get"), [&["OW", "update"]]);
        assert_eq!(flags("mset a 1 b 2"), [&["OW", "update"]; 2]);
        assert_eq!(flags("get k"), [&["RO", "access"]]);
        assert_eq!(flags("rename a b"), [TAKEN, REPLACED]);
        assert_eq!(flags("persist k"), [&["RW", "update"]]);
    }

    #[test]
    fn what_writes_never_says_that_it_only_reads() {
        for row in table::rows().iter().filter(|row| row.keys.first > 0) {
            let first = of(row)[0][0];
            assert_eq!(
                row.is_write() && row.name != "copy",
                first != "RO",
                "{}",
                row.name
            );
        }
    }
}
