//! Commands with subcommands on the store: OBJECT and MEMORY.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use alloc::format;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::flag::Flag;
use super::grammar::{KEY, integer, opt};
use super::group::Group;
use super::key::{Keys, LOOKED_AT};
use super::row::Row;
use super::tip;
use super::verb::{MemoryVerb, ServerVerb};
use crate::store::{Text, Tracking, Value};

pub(super) const ROWS: &[Row] = &[
    Row::container("object", OBJECT)
        .group(Group::Generic)
        .since("2.2.3")
        .says("A container for commands about the value at a key."),
    Row::container("memory", MEMORY)
        .group(Group::Server)
        .since("4.0.0")
        .says("A container for commands about memory."),
];

const OBJECT: &[Row] = &[
    Row::read("object|encoding", 3, object_encoding)
        .leaves_heat()
        .group(Group::Generic)
        .since("2.2.3")
        .tips(tip::VARIES)
        .says("Returns the encoding of the value at a key.")
        .keys(&[Keys::at(2, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("object|freq", 3, object_freq)
        .leaves_heat()
        .group(Group::Generic)
        .since("4.0.0")
        .tips(tip::VARIES)
        .says("Returns how often a key is used, as a logarithm, under an LFU policy.")
        .keys(&[Keys::at(2, LOOKED_AT)])
        .args(&[KEY]),
    Row::answer("object|help", 2, object_help)
        .group(Group::Generic)
        .since("6.2.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::read("object|idletime", 3, object_idletime)
        .leaves_heat()
        .group(Group::Generic)
        .since("2.2.3")
        .tips(tip::VARIES)
        .says("Returns for how many seconds a key was not used, under an LRU policy.")
        .keys(&[Keys::at(2, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("object|refcount", 3, object_refcount)
        .leaves_heat()
        .group(Group::Generic)
        .since("2.2.3")
        .tips(tip::VARIES)
        .says("Returns the number of references to the value at a key.")
        .keys(&[Keys::at(2, LOOKED_AT)])
        .args(&[KEY]),
];

const MEMORY: &[Row] = &[
    Row::server("memory|doctor", 2, ServerVerb::Memory(MemoryVerb::Doctor))
        .group(Group::Server)
        .since("4.0.0")
        .tips(tip::VARIES_OF_ALL_SHARDS)
        .says("Reports problems with memory."),
    Row::answer("memory|help", 2, memory_help)
        .group(Group::Server)
        .since("4.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::answer("memory|malloc-stats", 2, memory_malloc_stats)
        .group(Group::Server)
        .since("4.0.0")
        .tips(tip::VARIES_OF_ALL_SHARDS)
        .says("Returns statistics of the allocator."),
    Row::answer("memory|purge", 2, memory_purge)
        .group(Group::Server)
        .since("4.0.0")
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .says("Asks the allocator to give memory back."),
    Row::server("memory|stats", 2, ServerVerb::Memory(MemoryVerb::Stats))
        .group(Group::Server)
        .since("4.0.0")
        .tips(tip::VARIES_OF_ALL_SHARDS)
        .says("Returns the memory that is used, in parts."),
    Row::read("memory|usage", -3, memory_usage)
        .leaves_heat()
        .group(Group::Server)
        .since("4.0.0")
        .says("Returns the memory that a key uses.")
        .keys(&[Keys::at(2, LOOKED_AT)])
        .args(&[KEY, opt(integer("count").behind("SAMPLES"))]),
];

/// Writes what `HELP` answers: a line of the grammar, `lines`, and what HELP itself does.
pub(super) fn help(query: &mut Query<'_>, container: &str, lines: &[&str]) -> Outcome {
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
    match query.encoding(args.at(2))? {
        Some(encoding) => query.reply.bulk(encoding.as_bytes()),
        None => query.reply.null(),
    }
    Ok(())
}

fn object_freq(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if query.get(args.at(2))?.is_none() {
        query.reply.null();
        return Ok(());
    }
    let Tracking::Frequency { .. } = query.store.tracking() else {
        return Err(Error::NO_ACCESS_FREQUENCY);
    };
    let (at, now) = (query.at, query.clock);
    let frequency = query.store.frequency(query.db, args.at(2), at, now);
    query.reply.integer(i64::from(frequency.unwrap_or(0)));
    Ok(())
}

/// The last use of a key is noted only where a policy asks for it. A number would be taken for a
/// measurement, so that there is an error instead, as Redis has one where it notes something else.
fn object_idletime(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if query.get(args.at(2))?.is_none() {
        query.reply.null();
        return Ok(());
    }
    match query.store.tracking() {
        Tracking::Nothing => return Err(Error::NO_IDLE_TIME),
        Tracking::Frequency { .. } => return Err(Error::NO_IDLE_TIME_OF_LFU),
        Tracking::Uses | Tracking::Writes => {}
    }
    let (at, now) = (query.at, query.clock);
    let idle = query.store.idle_ms(query.db, args.at(2), at, now);
    // It is known to a quarter of a second, and whole seconds shall be seen as such.
    let seconds = (idle.unwrap_or(0) + 255) / 1000;
    query.reply.integer(seconds as i64);
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

fn memory_malloc_stats(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let nothing = b"Stats not supported for the current allocator";
    query.reply.bulk(nothing);
    Ok(())
}

fn memory_purge(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    query.reply.ok();
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
