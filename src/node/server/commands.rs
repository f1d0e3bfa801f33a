//! COMMAND: the table as clients and people are told of it.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::key_flags::{self, Flags};
use crate::command::table::{self, Row};
use crate::node::Node;
use crate::resp::reply::Reply;
use crate::store::glob;

use super::Request;

impl Node {
    #[expect(clippy::unused_self, reason = "it is called as the other verbs are")]
    pub(super) fn command_verb(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            args, mut reply, ..
        } = request;
        if args.len() == 1 {
            reply.array(table::rows().len());
            for row in table::rows() {
                describe(row, &mut reply);
            }
        } else if args.is(1, "count") {
            reply.integer(table::rows().len() as i64);
        } else if args.is(1, "info") {
            info(args, &mut reply);
        } else if args.is(1, "docs") {
            docs(args, &mut reply);
        } else if args.is(1, "list") {
            return list(args, &mut reply);
        } else {
            let request = args.from(2);
            let (row, places) = table::getkeys(request)?;
            let places: Vec<usize> = places.collect();
            let with_flags = args.is(1, "getkeysandflags");
            reply.array(places.len());
            for (nth, place) in places.into_iter().enumerate() {
                if with_flags {
                    reply.array(2);
                }
                reply.bulk(request.at(place));
                if with_flags {
                    let flags = key_flags::in_request(row, request, nth);
                    words(flags.iter().copied(), &mut reply);
                }
            }
        }
        Ok(())
    }
}

/// A row or a subcommand's, by a name such as `config|get`.
fn find(name: &[u8]) -> Option<&'static Row> {
    let mut parts = name.splitn(2, |byte| *byte == b'|');
    let row = table::find(parts.next()?)?;
    match parts.next() {
        None => Some(row),
        Some(sub) => row.subcommand(sub),
    }
}

fn info(args: Args<'_>, reply: &mut Reply<'_>) {
    if args.len() == 2 {
        reply.array(table::rows().len());
        for row in table::rows() {
            describe(row, reply);
        }
        return;
    }
    reply.array(args.len() - 2);
    for name in args.from(2).iter() {
        match find(name) {
            Some(row) => describe(row, reply),
            None => reply.null_array(),
        }
    }
}

fn describe(row: &Row, reply: &mut Reply<'_>) {
    let keys = row.keys;
    reply.array(10);
    reply.bulk(row.name.as_bytes());
    reply.integer(i64::from(row.arity));
    words(row.flags(), reply);
    let listed = if row.is_container() {
        table::Keys::NONE
    } else {
        keys
    };
    reply.integer(i64::from(listed.first));
    reply.integer(i64::from(listed.last));
    reply.integer(i64::from(listed.step));
    words(row.categories(), reply);
    reply.array(0);
    if listed.first == 0 {
        reply.array(0);
    } else {
        let all = key_flags::of(row);
        reply.array(all.len());
        for (nth, flags) in (0..).zip(all) {
            let keys = match all.len() {
                1 => row.keys,
                _ => table::Keys {
                    first: keys.first + nth,
                    last: 0,
                    step: 1,
                },
            };
            key_specification(keys, flags, reply);
        }
    }
    reply.array(row.subcommands.len());
    row.subcommands.iter().for_each(|sub| describe(sub, reply));
}

fn words(words: impl Iterator<Item = &'static str>, reply: &mut Reply<'_>) {
    let words: Vec<&str> = words.collect();
    reply.set(words.len());
    for word in words {
        reply.simple(word);
    }
}

/// Where keys of a request begin, how they go on, and what becomes of them.
fn key_specification(keys: table::Keys, flags: Flags, reply: &mut Reply<'_>) {
    reply.map(3);
    reply.bulk(b"flags");
    words(flags.iter().copied(), reply);
    reply.bulk(b"begin_search");
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(b"index");
    reply.bulk(b"spec");
    reply.map(1);
    reply.bulk(b"index");
    reply.integer(i64::from(keys.first));
    reply.bulk(b"find_keys");
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(b"range");
    reply.bulk(b"spec");
    reply.map(3);
    reply.bulk(b"lastkey");
    let last = if keys.last < 0 {
        keys.last
    } else {
        (keys.last - keys.first as i32).max(0)
    };
    reply.integer(i64::from(last));
    reply.bulk(b"keystep");
    reply.integer(i64::from(keys.step));
    reply.bulk(b"limit");
    reply.integer(0);
}

fn docs(args: Args<'_>, reply: &mut Reply<'_>) {
    let rows: Vec<&Row> = if args.len() == 2 {
        table::rows().iter().collect()
    } else {
        args.from(2).iter().filter_map(find).collect()
    };
    reply.map(rows.len());
    for row in rows {
        document(row, reply);
    }
}

fn document(row: &Row, reply: &mut Reply<'_>) {
    let facts = [
        ("summary", row.summary),
        ("since", row.since),
        ("group", row.group),
        ("complexity", row.complexity),
    ];
    reply.bulk(row.name.as_bytes());
    reply.map(facts.len() + usize::from(row.is_container()));
    for (name, fact) in facts {
        reply.bulk(name.as_bytes());
        reply.bulk(fact.as_bytes());
    }
    if row.is_container() {
        reply.bulk(b"subcommands");
        reply.map(row.subcommands.len());
        row.subcommands.iter().for_each(|sub| document(sub, reply));
    }
}

/// The names of rows and of their subcommands.
fn list(args: Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut listed: Vec<&Row> = table::rows()
        .iter()
        .flat_map(|row| [row].into_iter().chain(row.subcommands))
        .collect();
    if args.len() > 2 {
        if args.len() != 5 || !args.is(2, "filterby") {
            return Err(Error::SYNTAX);
        }
        let wanted = args.at(4);
        if args.is(3, "pattern") {
            listed.retain(|row| glob::matches_nocase(wanted, row.name.as_bytes()));
        } else if args.is(3, "aclcat") {
            let is = |category: &str| category.as_bytes()[1..].eq_ignore_ascii_case(wanted);
            listed.retain(|row| row.categories().any(is));
        } else if args.is(3, "module") {
            listed.clear();
        } else {
            return Err(Error::SYNTAX);
        }
    }
    reply.array(listed.len());
    for row in listed {
        reply.bulk(row.name.as_bytes());
    }
    Ok(())
}
