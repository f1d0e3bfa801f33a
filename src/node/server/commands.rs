//! COMMAND: the table as clients and people are told of it.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::flag::Flag;
use crate::command::grammar::{Arg, Form};
use crate::command::key::{Keys, Places};
use crate::command::row::Row;
use crate::command::table::{self, find_full};
use crate::command::verb::CommandVerb;
use crate::resp::reply::Reply;
use crate::store::glob;

use super::request::Request;

/// COMMAND and its subcommands.
pub(super) fn command_verb(verb: CommandVerb, request: Request<'_, '_>) -> Outcome {
    let Request {
        args, mut reply, ..
    } = request;
    match verb {
        CommandVerb::All => describe_all(&mut reply),
        CommandVerb::Count => reply.integer(table::rows().len() as i64),
        CommandVerb::Info => info(args, &mut reply),
        CommandVerb::Docs => docs(args, &mut reply),
        CommandVerb::List => return list(args, &mut reply),
        CommandVerb::GetKeys => return keys_of(args.from(2), false, &mut reply),
        CommandVerb::GetKeysAndFlags => return keys_of(args.from(2), true, &mut reply),
    }
    Ok(())
}

/// The keys of a request, with what becomes of them where that is asked for.
fn keys_of(request: Args<'_>, with_flags: bool, reply: &mut Reply<'_>) -> Outcome {
    let row = table::with_keys(request)?;
    let mut keys = Vec::new();
    row.each_key(request, |place, access| keys.push((place, access)));
    if keys.is_empty() && !row.has(Flag::NoMandatoryKeys) {
        return Err(Error::INVALID_ARGUMENTS);
    }
    reply.array(keys.len());
    for (place, access) in keys {
        if with_flags {
            reply.array(2);
        }
        reply.bulk(request.at(place));
        if with_flags {
            words(access.names(), reply);
        }
    }
    Ok(())
}

fn describe_all(reply: &mut Reply<'_>) {
    reply.array(table::rows().len());
    for row in table::rows() {
        describe(row, reply);
    }
}

fn info(args: Args<'_>, reply: &mut Reply<'_>) {
    if args.len() == 2 {
        return describe_all(reply);
    }
    reply.array(args.len() - 2);
    for name in args.from(2).iter() {
        match find_full(name) {
            Some(row) => describe(row, reply),
            None => reply.null(),
        }
    }
}

fn describe(row: &Row, reply: &mut Reply<'_>) {
    reply.array(10);
    reply.bulk(row.name.as_bytes());
    reply.integer(i64::from(row.arity));
    words(row.flags.names(), reply);
    let (first, last, step) = row.key_range();
    reply.integer(i64::from(first));
    reply.integer(i64::from(last));
    reply.integer(i64::from(step));
    words(row.categories().names(), reply);
    reply.set(row.tips.len());
    row.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(row.keys.len());
    row.keys.iter().for_each(|keys| specify(keys, reply));
    reply.set(row.subcommands.len());
    row.subcommands.iter().for_each(|sub| describe(sub, reply));
}

fn words(words: impl Iterator<Item = &'static str>, reply: &mut Reply<'_>) {
    let words: Vec<&str> = words.collect();
    reply.set(words.len());
    for word in words {
        reply.simple(word);
    }
}

/// Writes where keys of a request begin, how they go on, and what becomes of them.
fn specify(keys: &Keys, reply: &mut Reply<'_>) {
    let has_note = !keys.note.is_empty();
    reply.map(3 + usize::from(has_note));
    if has_note {
        reply.bulk(b"notes");
        reply.bulk(keys.note.as_bytes());
    }
    reply.bulk(b"flags");
    words(keys.access.names(), reply);
    let (begin, find) = (b"begin_search", b"find_keys");
    match keys.places {
        Places::Range { first, last, step } => {
            part(begin, "index", &[("index", first.into())], reply);
            let last = if last < 0 {
                last
            } else {
                (last - first as i32).max(0)
            };
            let range = [
                ("lastkey", last.into()),
                ("keystep", step.into()),
                ("limit", 0),
            ];
            part(find, "range", &range, reply);
        }
        Places::Count { at } => {
            part(begin, "index", &[("index", at.into())], reply);
            let count = [("keynumidx", 0), ("firstkey", 1), ("keystep", 1)];
            part(find, "keynum", &count, reply);
        }
        Places::After {
            word,
            from,
            part: of,
        } => {
            part_map(begin, "keyword", 2, reply);
            reply.bulk(b"keyword");
            reply.bulk(word.to_ascii_uppercase().as_bytes());
            reply.bulk(b"startfrom");
            reply.integer(from.into());
            let (last, limit) = if of == 1 { (0, 0) } else { (-1, of.into()) };
            let range = [("lastkey", last), ("keystep", 1), ("limit", limit)];
            part(find, "range", &range, reply);
        }
        Places::With(_) => {
            part(begin, "unknown", &[], reply);
            part(find, "unknown", &[], reply);
        }
    }
}

/// A part of what tells where keys stand: its type, and its numbers.
fn part(name: &[u8], of_type: &str, numbers: &[(&str, i64)], reply: &mut Reply<'_>) {
    part_map(name, of_type, numbers.len(), reply);
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(*number);
    }
}

fn part_map(name: &[u8], of_type: &str, len: usize, reply: &mut Reply<'_>) {
    reply.bulk(name);
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(of_type.as_bytes());
    reply.bulk(b"spec");
    reply.map(len);
}

fn docs(args: Args<'_>, reply: &mut Reply<'_>) {
    let rows: Vec<&Row> = if args.len() == 2 {
        table::rows().iter().collect()
    } else {
        args.from(2).iter().filter_map(find_full).collect()
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
        ("group", row.group.name()),
        ("complexity", row.complexity),
    ];
    let more = [
        row.deprecated.is_some(),
        row.deprecated.is_some(),
        row.deprecated.is_some(),
        !row.args.is_empty(),
        row.is_container(),
    ];
    reply.bulk(row.name.as_bytes());
    reply.map(facts.len() + more.into_iter().filter(|is_told| *is_told).count());
    for (name, fact) in facts {
        reply.bulk(name.as_bytes());
        reply.bulk(fact.as_bytes());
    }
    if let Some((since, instead)) = row.deprecated {
        reply.bulk(b"doc_flags");
        words(["deprecated"].into_iter(), reply);
        reply.bulk(b"deprecated_since");
        reply.bulk(since.as_bytes());
        reply.bulk(b"replaced_by");
        reply.bulk(instead.as_bytes());
    }
    if !row.args.is_empty() {
        document_args(row.args, reply);
    }
    if row.is_container() {
        reply.bulk(b"subcommands");
        reply.map(row.subcommands.len());
        row.subcommands.iter().for_each(|sub| document(sub, reply));
    }
}

/// The grammar of arguments, as redis-cli reads it for its hints.
fn document_args(args: &[Arg], reply: &mut Reply<'_>) {
    reply.bulk(b"arguments");
    reply.array(args.len());
    for arg in args {
        let word = arg.token.to_ascii_lowercase();
        let name = if arg.name.is_empty() { &word } else { arg.name };
        let shown = if arg.shown.is_empty() {
            name
        } else {
            arg.shown
        };
        let parts = arg.form.parts();
        let facts = [
            ("name", name),
            ("type", arg.form.name()),
            ("display_text", if parts.is_some() { "" } else { shown }),
            ("token", arg.token),
            ("since", arg.since),
            ("deprecated_since", arg.deprecated),
        ];
        let told = || facts.iter().filter(|(_, fact)| !fact.is_empty());
        let flags = [
            (arg.optional, "optional"),
            (arg.multiple, "multiple"),
            (arg.repeats_token, "multiple_token"),
        ];
        let flags = || flags.iter().filter(|(is_so, _)| *is_so);
        let is_key = matches!(arg.form, Form::Key(_) | Form::KeyPattern(_));
        let has_flags = flags().count() > 0;
        let more = [is_key, has_flags, parts.is_some()];
        let more = more.into_iter().filter(|is_told| *is_told);
        reply.map(told().count() + more.count());
        for (name, fact) in told() {
            reply.bulk(name.as_bytes());
            reply.bulk(fact.as_bytes());
        }
        if let Form::Key(keys) | Form::KeyPattern(keys) = arg.form {
            reply.bulk(b"key_spec_index");
            reply.integer(keys.into());
        }
        if has_flags {
            reply.bulk(b"flags");
            words(flags().map(|(_, name)| *name), reply);
        }
        if let Some(parts) = parts {
            document_args(parts, reply);
        }
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
            listed.retain(|row| row.categories().names().any(is));
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
