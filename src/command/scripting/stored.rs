//! The scripts that are kept: SCRIPT LOAD, EXISTS, SHOW and FLUSH.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::{name, program};
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::object::help as list;
use crate::limits::{LOADED_SCRIPTS_MAX, SCRIPT_BYTES_MAX};

pub(super) fn exists(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    query.reply.array(args.len() - 2);
    for word in args.from(2).iter() {
        let name = name::given(word);
        let is_kept = name.is_some_and(|name| query.store.has_script(&name));
        query.reply.integer(i64::from(is_kept));
    }
    Ok(())
}

/// Scripts are never debugged, so that nothing is to be switched off.
pub(super) fn debug(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if args.is(2, "yes") || args.is(2, "sync") {
        return Err(Error::NO_SCRIPT_DEBUGGER);
    }
    if !args.is(2, "no") {
        return Err(Error::SCRIPT_DEBUG_MODE);
    }
    query.reply.ok();
    Ok(())
}

pub(super) fn show(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let name = name::given(args.at(2));
    let text = name.and_then(|name| query.store.script(&name));
    query.reply.bulk(&text.ok_or(Error::NO_SCRIPT)?);
    Ok(())
}

pub(super) fn flush(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => {}
        3 if args.is(2, "async") || args.is(2, "sync") => {}
        _ => return Err(Error::SCRIPT_FLUSH_OPTION),
    }
    change.store.flush_scripts();
    change.reply.ok();
    Ok(())
}

pub(super) fn load(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let text = args.at(2);
    if text.len() > SCRIPT_BYTES_MAX {
        return Err(Error::SCRIPT_TOO_LONG);
    }
    program::compile(text, change.pace)?;
    let name = name::of(text);
    let is_full = change.store.loaded_scripts() >= LOADED_SCRIPTS_MAX;
    if is_full && !change.store.has_script(&name) {
        return Err(Error::TOO_MANY_SCRIPTS);
    }
    change.store.load_script(&name, text, change.at);
    change.reply.bulk(&name);
    Ok(())
}

pub(super) fn help(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "DEBUG (YES|SYNC|NO)",
        "    Debug scripts; only NO is taken, for there is no debugger.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Return information about the existence of the scripts in the script cache.",
        "FLUSH [ASYNC|SYNC]",
        "    Flush the Lua scripts cache. Very dangerous on replicas.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the scripts cache.",
        "    * SYNC: Synchronously flush the scripts cache.",
        "KILL",
        "    Kill the currently executing Lua script.",
        "LOAD <script>",
        "    Load a script into the scripts cache without executing it.",
        "SHOW <sha1>",
        "    Return the text of a script in the script cache.",
    ];
    list(query, "SCRIPT", LINES)
}
