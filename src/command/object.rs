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

const fn container(
    name: &'static str,
    run: fn(&mut Query<'_>, Args<'_>) -> Outcome,
    subcommands: &'static [Row],
    group: &'static str,
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        name,
        arity: -2,
        kind: Kind::Read(run),
        keys: Keys::NONE,
        flags: &[],
        group,
        since,
        summary,
        complexity: "Depends on the subcommand.",
        categories: &[],
        subcommands,
    }
}

pub(super) const ROWS: &[Row] = &[
    container(
        "object",
        object,
        OBJECT,
        "generic",
        "2.2.3",
        "How a key's value is kept.",
    ),
    container(
        "memory",
        memory,
        MEMORY,
        "server",
        "4.0.0",
        "How much memory is used, and for what.",
    ),
    container(
        "function",
        function,
        FUNCTION,
        "scripting",
        "7.0.0",
        "Lists and flushes functions, of which there are none.",
    ),
];

const fn sub(
    name: &'static str,
    arity: i32,
    run: fn(&mut Query<'_>, Args<'_>) -> Outcome,
    flags: &'static [&'static str],
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        arity,
        flags,
        complexity: "O(1)",
        ..container(name, run, &[], "", since, summary)
    }
}

/// A subcommand of OBJECT that looks at a key.
const fn of_key(
    name: &'static str,
    run: fn(&mut Query<'_>, Args<'_>) -> Outcome,
    since: &'static str,
    summary: &'static str,
) -> Row {
    let row = sub(name, 3, run, &[], since, summary);
    row.at(Keys::SECOND).of("generic")
}

/// A subcommand of MEMORY about all keys.
const fn of_all(
    name: &'static str,
    run: fn(&mut Query<'_>, Args<'_>) -> Outcome,
    summary: &'static str,
) -> Row {
    sub(name, 2, run, &[], "4.0.0", summary).of("server")
}

/// Flags of HELP.
const HELP: &[&str] = &["loading", "stale"];

const OBJECT: &[Row] = &[
    of_key(
        "object|encoding",
        object_encoding,
        "2.2.3",
        "The encoding of a key's value.",
    ),
    of_key(
        "object|freq",
        object_freq,
        "4.0.0",
        "How often a key was used of late.",
    ),
    sub(
        "object|help",
        2,
        object_help,
        HELP,
        "6.2.0",
        "Tells the subcommands.",
    )
    .of("generic"),
    of_key(
        "object|idletime",
        object_idletime,
        "2.2.3",
        "How long a key was not used.",
    ),
    of_key(
        "object|refcount",
        object_refcount,
        "2.2.3",
        "How often a key's value is in use.",
    ),
];

const MEMORY: &[Row] = &[
    of_all(
        "memory|doctor",
        memory_doctor,
        "Tells what is wrong with the memory.",
    ),
    sub(
        "memory|help",
        2,
        memory_help,
        HELP,
        "4.0.0",
        "Tells the subcommands.",
    )
    .of("server"),
    of_all(
        "memory|malloc-stats",
        memory_malloc_stats,
        "What the allocator tells of itself.",
    ),
    of_all(
        "memory|purge",
        memory_purge,
        "Asks the allocator to give memory back.",
    ),
    of_all(
        "memory|stats",
        memory_stats,
        "How much memory is used, in parts.",
    ),
    sub(
        "memory|usage",
        -3,
        memory_usage,
        &[],
        "4.0.0",
        "How much memory a key takes.",
    )
    .at(Keys::SECOND)
    .of("server"),
];

const FUNCTION: &[Row] = &[
    sub(
        "function|flush",
        -2,
        function_flush,
        &["write", "noscript"],
        "7.0.0",
        "Removes all functions.",
    )
    .of("scripting"),
    sub(
        "function|help",
        2,
        function_help,
        HELP,
        "7.0.0",
        "Tells the subcommands.",
    )
    .of("scripting"),
    sub(
        "function|list",
        -2,
        function_list,
        &["noscript"],
        "7.0.0",
        "Lists the functions.",
    )
    .of("scripting"),
];

fn run(query: &mut Query<'_>, args: Args<'_>, container: &str, subs: &[Row]) -> Outcome {
    let Some(row) = subs.iter().find(|row| row.is_called(args.at(1))) else {
        let container = container.to_ascii_uppercase();
        return Err(Error::unknown_subcommand(&container, args.at(1)));
    };
    if !row.takes(args.len()) {
        return Err(Error::arity(row.name));
    }
    match row.kind {
        Kind::Read(run) => run(query, args),
        Kind::Write(_) | Kind::Session(_) | Kind::Server(_) => Ok(()),
    }
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
    run(query, args, "object", OBJECT)
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
    run(query, args, "memory", MEMORY)
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
    run(query, args, "function", FUNCTION)
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
