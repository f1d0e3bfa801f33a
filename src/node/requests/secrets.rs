//! Which arguments of a request are secrets: they are kept out of the log, and out of what is shown
//! of requests.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::node::config::options;

/// The word in place of a secret.
pub(in crate::node) const REDACTED: &[u8] = b"(redacted)";

/// Returns true if the argument at `place` is a secret.
pub(in crate::node) fn is_secret(args: Args<'_>, place: usize) -> bool {
    let name = args.name();
    let is_named = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
    // The words behind an option that asks for so many of them.
    let follows = |word: &str, from: usize, count: usize| {
        (1..=count).any(|back| {
            place
                .checked_sub(back)
                .is_some_and(|at| at >= from && args.is(at, word))
        })
    };
    match name.len() {
        3 if is_named("acl") => {
            let takes = ["setuser", "getuser", "deluser", "dryrun"];
            place >= 2 && takes.iter().any(|word| args.is(1, word))
        }
        4 if is_named("auth") => place >= 1,
        5 if is_named("hello") => follows("auth", 2, 2),
        6 if is_named("config") => {
            let is_value = args.is(1, "set") && place >= 3 && !place.is_multiple_of(2);
            is_value && options::find(args.at(place - 1)).is_some_and(|found| found.is_secret())
        }
        7 if is_named("migrate") => follows("auth", 6, 1) || follows("auth2", 6, 2),
        _ => false,
    }
}

/// The request with its secrets replaced, as a buffer and the places in it; `None` where it has
/// none.
pub(super) fn redacted(args: Args<'_>) -> Option<(Vec<u8>, Vec<core::ops::Range<u32>>)> {
    if !(1..args.len()).any(|place| is_secret(args, place)) {
        return None;
    }
    let (mut buffer, mut ranges) = (Vec::new(), Vec::with_capacity(args.len()));
    for (place, arg) in args.iter().enumerate() {
        let from = buffer.len() as u32;
        buffer.extend_from_slice(if is_secret(args, place) {
            REDACTED
        } else {
            arg
        });
        ranges.push(from..buffer.len() as u32);
    }
    Some((buffer, ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let mut ranges = Vec::new();
        let mut at = 0;
        for word in line.split(' ') {
            ranges.push(at..at + word.len() as u32);
            at += word.len() as u32 + 1;
        }
        let args = Args::new(line.as_bytes(), &ranges);
        let (buffer, ranges) =
            redacted(args).unwrap_or_else(|| (line.as_bytes().to_vec(), ranges.clone()));
        let words = Args::new(&buffer, &ranges);
        let words: Vec<_> = words
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        words.join(" ").replace("(redacted)", "…")
    }

    #[test]
    fn secrets_are_replaced_and_nothing_else_is() {
        for (line, wanted) in [
            ("AUTH pw", "AUTH …"),
            ("auth user pw more", "auth … … …"),
            ("HELLO 3", "HELLO 3"),
            ("HELLO 3 SETNAME n AUTH u p", "HELLO 3 SETNAME n AUTH … …"),
            (
                "CONFIG SET maxmemory 1 requirepass x",
                "CONFIG SET maxmemory 1 requirepass …",
            ),
            ("CONFIG GET requirepass", "CONFIG GET requirepass"),
            ("ACL SETUSER u >pw", "ACL SETUSER … …"),
            ("ACL WHOAMI", "ACL WHOAMI"),
            (
                "MIGRATE h 1 k 0 9 AUTH2 u p KEYS a",
                "MIGRATE h 1 k 0 9 AUTH2 … … KEYS a",
            ),
            ("MIGRATE h 1 k 0 9 AUTH p", "MIGRATE h 1 k 0 9 AUTH …"),
            ("SET auth pw", "SET auth pw"),
        ] {
            assert_eq!(shown(line), wanted);
        }
    }
}
