//! Commands with subcommands that only ask: OBJECT, MEMORY and FUNCTION.
//!
//! There are no functions to call: FUNCTION exists because test suites and tools flush and list
//! them before all else.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use alloc::format;
use alloc::string::String;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::table::{Keys, Kind, Row};
use crate::limits::DATABASES;
use crate::store::{Text, Value};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "object",
        arity: -2,
        kind: Kind::Read(object),
        keys: Keys::SECOND,
        flags: &[],
        group: "generic",
        since: "2.2.3",
        summary: "How a key's value is kept.",
        complexity: "Depends on the subcommand.",
        categories: &[],
        container: true,
    },
    Row {
        name: "memory",
        arity: -2,
        kind: Kind::Read(memory),
        keys: Keys::SECOND,
        flags: &[],
        group: "server",
        since: "4.0.0",
        summary: "How much memory is used, and for what.",
        complexity: "Depends on the subcommand.",
        categories: &[],
        container: true,
    },
    Row {
        name: "function",
        arity: -2,
        kind: Kind::Read(function),
        keys: Keys::NONE,
        flags: &[],
        group: "scripting",
        since: "7.0.0",
        summary: "Lists and flushes functions, of which there are none.",
        complexity: "Depends on the subcommand.",
        categories: &[],
        container: true,
    },
];

/// A subcommand: its name in small letters, its arity with both names, and its function.
type Sub = (&'static str, i32, fn(&mut Query<'_>, Args<'_>) -> Outcome);

fn run(query: &mut Query<'_>, args: Args<'_>, container: &str, subs: &[Sub]) -> Outcome {
    let Some((name, arity, run)) = subs.iter().find(|(name, ..)| args.is(1, name)) else {
        let container = container.to_ascii_uppercase();
        return Err(Error::unknown_subcommand(&container, args.at(1)));
    };
    let wanted = arity.unsigned_abs() as usize;
    if args.len() < wanted || *arity > 0 && args.len() > wanted {
        return Err(Error::arity(&format!("{container}|{name}")));
    }
    run(query, args)
}

/// Writes what `HELP` answers: a line of the grammar, `lines`, and what HELP itself does.
fn help(query: &mut Query<'_>, container: &str, lines: &[&str]) -> Outcome {
    query.reply.array(lines.len() + 3);
    query.reply.simple(&format!(
        "{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    ));
    for line in lines {
        query.reply.simple(line);
    }
    query.reply.simple("HELP");
    query.reply.simple("    Print this help.");
    Ok(())
}

fn object(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    const SUBS: &[Sub] = &[
        ("encoding", 3, object_encoding),
        ("freq", 3, object_freq),
        ("help", 2, object_help),
        ("idletime", 3, object_idletime),
        ("refcount", 3, object_refcount),
    ];
    run(query, args, "object", SUBS)
}

fn object_help(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
    ];
    help(query, "OBJECT", LINES)
}

fn object_encoding(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    match query.get(args.at(2))? {
        Some(value) => query.reply.bulk(value.encoding().as_bytes()),
        None => query.reply.null(),
    }
    Ok(())
}

/// Nothing counts accesses, as under every policy of Redis but LFU.
fn object_freq(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if query.get(args.at(2))?.is_some() {
        return Err(Error::NO_ACCESS_FREQUENCY);
    }
    query.reply.null();
    Ok(())
}

/// When a key was last used is not kept, since members would not agree on it: every key counts as
/// just used.
fn object_idletime(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    match query.get(args.at(2))? {
        Some(_) => query.reply.integer(0),
        None => query.reply.null(),
    }
    Ok(())
}

/// One, except for the small integers, which Redis shares and calls immortal.
fn object_refcount(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    match query.get(args.at(2))? {
        Some(Value::String(Text::Integer(0..10_000))) => {
            query.reply.integer(i64::from(i32::MAX));
        }
        Some(_) => query.reply.integer(1),
        None => query.reply.null(),
    }
    Ok(())
}

fn memory(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    const SUBS: &[Sub] = &[
        ("doctor", 2, memory_doctor),
        ("help", 2, memory_help),
        ("malloc-stats", 2, memory_malloc_stats),
        ("purge", 2, memory_purge),
        ("stats", 2, memory_stats),
        ("usage", -3, memory_usage),
    ];
    run(query, args, "memory", SUBS)
}

fn memory_help(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "DOCTOR",
        "    Return memory problems reports.",
        "MALLOC-STATS",
        "    Return internal statistics report from the memory allocator.",
        "PURGE",
        "    Attempt to purge dirty pages for reclamation by the allocator.",
        "STATS",
        "    Return information about the memory usage of the server.",
        "USAGE <key> [SAMPLES <count>]",
        "    Return memory in bytes used by <key> and its value. Nested values are",
        "    sampled up to <count> times (default: 5, 0 means sample all).",
    ];
    help(query, "MEMORY", LINES)
}

fn memory_doctor(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    const HEALTHY: &str = "Hi Sam, I can't find any memory issue in your instance. \
        I can only account for what occurs on this base.\n";
    query.reply.verbatim(*b"txt", HEALTHY);
    Ok(())
}

fn memory_malloc_stats(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let nothing = b"Stats not supported for the current allocator";
    query.reply.bulk(nothing);
    Ok(())
}

fn memory_purge(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    query.reply.ok();
    Ok(())
}

/// The entries of Redis's map that the store alone can answer.
fn memory_stats(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let store = query.store;
    let bytes = store.memory() as u64;
    let count: u64 = (0..DATABASES).map(|db| store.len(db)).sum();
    let entries = [
        ("total.allocated", bytes),
        ("keys.count", count),
        ("keys.bytes-per-key", bytes.checked_div(count).unwrap_or(0)),
        ("dataset.bytes", bytes),
    ];
    query.reply.map(entries.len());
    for (name, value) in entries {
        query.reply.bulk(name.as_bytes());
        query.reply.integer(value as i64);
    }
    Ok(())
}

/// SAMPLES is checked and has no effect: the store knows what a value takes.
fn memory_usage(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    for place in (3..args.len()).step_by(2) {
        if !args.is(place, "samples") || place + 1 == args.len() {
            return Err(Error::SYNTAX);
        }
        if args.integer(place + 1)? < 0 {
            return Err(Error::SYNTAX);
        }
    }
    let key = args.at(2);
    let usage = match query.get(key)? {
        Some(_) => query.store.memory_usage(query.db, key),
        None => None,
    };
    match usage {
        Some(bytes) => query.reply.integer(bytes as i64),
        None => query.reply.null(),
    }
    Ok(())
}

fn function(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    const SUBS: &[Sub] = &[
        ("flush", -2, function_flush),
        ("help", 2, function_help),
        ("list", -2, function_list),
    ];
    run(query, args, "function", SUBS)
}

fn function_help(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Return general information on all the libraries:",
        "    * Library name",
        "    * The engine used to run the Library",
        "    * Library description",
        "    * Functions list",
        "    * Library code (if WITHCODE is given)",
        "    It also possible to get only function that matches a pattern using LIBRARYNAME \
         argument.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all the libraries.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the libraries.",
        "    * SYNC: Synchronously flush the libraries.",
    ];
    help(query, "FUNCTION", LINES)
}

fn function_flush(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => {}
        3 if args.is(2, "async") || args.is(2, "sync") => {}
        3 => return Err(Error::FUNCTION_FLUSH_OPTION),
        _ => return Err(Error::subcommand_syntax("FUNCTION", args.at(1))),
    }
    query.reply.ok();
    Ok(())
}

fn function_list(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let (mut with_code, mut named) = (false, false);
    let mut place = 2;
    while let Some(word) = args.get(place) {
        if !with_code && args.is(place, "withcode") {
            with_code = true;
        } else if !named && args.is(place, "libraryname") {
            named = true;
            place += 1;
            if place == args.len() {
                return Err(Error::LIBRARY_NAME_MISSING);
            }
        } else {
            let word = String::from_utf8_lossy(word);
            return Err(Error::text(format!("ERR Unknown argument {word}")));
        }
        place += 1;
    }
    query.reply.array(0);
    Ok(())
}
