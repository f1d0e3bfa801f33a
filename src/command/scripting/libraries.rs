//! The libraries that are kept: FUNCTION LOAD, DELETE, LIST and FLUSH.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::installing::Installing;
use super::library::Library;
use super::{evaluate, name};
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::found::Found;
use crate::command::object::help as answer_help;
use crate::command::pace::Kept;
use crate::limits::{BYTES_PER_WORK, LIBRARIES_MAX};
use crate::resp::reply::Reply;
use crate::store::{Store, glob};

pub(super) fn load(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let code = args.len() - 1;
    for place in 2..code {
        if !args.is(place, "replace") {
            return Err(Error::of(&[b"ERR Unknown option given: ", args.at(place)]));
        }
    }
    let policy = if code > 2 {
        Policy::Replace
    } else {
        Policy::Append
    };
    let mut installing = Box::new(installing(change));
    let done = load_on(change, args.at(code), policy, &mut installing);
    let installing = change.pace.keep(Kept::Installing, done, installing)?;
    install(change, &installing.libraries, policy)?;
    if let Some(library) = installing.libraries.first() {
        change.reply.bulk(&library.name);
    }
    Ok(())
}

fn load_on(
    change: &mut Change<'_>,
    text: &[u8],
    policy: Policy,
    installing: &mut Installing,
) -> Outcome {
    let store = &*change.store;
    let is_taken = |name: &[u8]| policy == Policy::Append && store.has_library(name);
    if installing.loading.is_none() {
        let loading = evaluate::begin(text, change.pace, is_taken)?;
        installing.loading = Some((loading, text.to_vec()));
    }
    go_on(change, installing)
}

/// Goes on with the library that is being loaded, to its end.
pub(super) fn go_on(change: &mut Change<'_>, installing: &mut Installing) -> Outcome {
    let Some((mut loading, text)) = installing.loading.take() else {
        return Ok(());
    };
    let done = evaluate::go_on(&mut loading, change.pace);
    change.pace.says(loading.take_lines());
    if done? {
        let library = loading.library(&text);
        for function in &library.functions {
            if !installing.functions.insert(function.key()) {
                return Err(function_exists(&function.name));
            }
        }
        installing.libraries.push(library);
        return Ok(());
    }
    installing.loading = Some((loading, text));
    Err(Error::Unfinished)
}

/// The libraries of the command that is run, so far.
pub(super) fn installing(change: &mut Change<'_>) -> Installing {
    match mem::take(&mut change.pace.kept) {
        Kept::Installing(installing) => *installing,
        _ => Installing::default(),
    }
}

/// The way in which new libraries meet those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// All that are there go.
    Flush,
    /// None goes.
    Append,
    /// Those of the same names go.
    Replace,
}

/// Keeps libraries, all or none. Each has another name, and no two have a function in common.
pub(super) fn install(
    change: &mut Change<'_>,
    libraries: &[Library],
    policy: Policy,
) -> Result<(), Error> {
    let store = &mut *change.store;
    let goes = |name: &[u8]| match policy {
        Policy::Flush => true,
        Policy::Append => false,
        Policy::Replace => libraries.iter().any(|library| library.name == name),
    };
    let mut count = if policy == Policy::Flush {
        0
    } else {
        store.libraries()
    };
    for library in libraries {
        let is_there = policy != Policy::Flush && store.has_library(&library.name);
        if is_there && policy == Policy::Append {
            return Err(Error::of(&[
                b"ERR Library ",
                &library.name,
                b" already exists",
            ]));
        }
        count += u64::from(!is_there);
    }
    if count > LIBRARIES_MAX {
        return Err(Error::TOO_MANY_LIBRARIES);
    }
    let functions = libraries.iter().flat_map(|library| &library.functions);
    for function in functions {
        let there = store.function(&function.key());
        if there.is_some_and(|(_, of)| !goes(&of)) {
            return Err(function_exists(&function.name));
        }
    }
    if policy == Policy::Flush {
        store.flush_libraries();
    }
    // All go before the first comes: a function may move from one to another.
    for library in libraries {
        remove(store, &library.name);
    }
    for library in libraries {
        let body = library.body();
        let digest = name::of(&library.text);
        change.pace.pay(1 + body.len() / BYTES_PER_WORK);
        let keys: Vec<Vec<u8>> = library.functions.iter().map(|one| one.key()).collect();
        let keys = keys.iter().map(|key| &key[..]);
        store.keep_library((&library.name, &body), &digest, keys, change.at);
    }
    Ok(())
}

fn function_exists(name: &[u8]) -> Error {
    Error::of(&[b"ERR Function ", name, b" already exists"])
}

/// Removes a library; whether it was there.
fn remove(store: &mut Store, name: &[u8]) -> bool {
    let Some(body) = store.library(name) else {
        return false;
    };
    let library = Library::of(name, &body);
    let functions = library.map(|library| library.functions).unwrap_or_default();
    let keys: Vec<Vec<u8>> = functions.iter().map(|one| one.key()).collect();
    store.remove_library(name, keys.iter().map(|key| &key[..]));
    true
}

pub(super) fn delete(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    if !remove(change.store, args.at(2)) {
        return Err(Error::LIBRARY_NOT_FOUND);
    }
    change.reply.ok();
    Ok(())
}

pub(super) fn flush(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => {}
        3 if args.is(2, "async") || args.is(2, "sync") => {}
        3 => return Err(Error::FUNCTION_FLUSH_OPTION),
        _ => return Err(Error::subcommand_syntax("FUNCTION", args.at(1))),
    }
    change.store.flush_libraries();
    change.reply.ok();
    Ok(())
}

pub(super) fn list(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let (mut with_code, mut pattern) = (false, None);
    let mut place = 2;
    while let Some(word) = args.get(place) {
        if !with_code && args.is(place, "withcode") {
            with_code = true;
        } else if pattern.is_none() && args.is(place, "libraryname") {
            place += 1;
            pattern = Some(args.get(place).ok_or(Error::LIBRARY_NAME_MISSING)?);
        } else {
            return Err(Error::of(&[b"ERR Unknown argument ", word]));
        }
        place += 1;
    }
    let mut found = match mem::take(&mut query.pace.kept) {
        Kept::Found(found) => found,
        _ => Found::default(),
    };
    let is_wanted =
        |name: &&Vec<u8>| pattern.is_none_or(|pattern| glob::matches_nocase(pattern, name));
    let (store, protocol) = (query.store, query.reply.protocol());
    let names = store.library_names();
    let from = query.pace.from(0);
    let wanted = names.iter().filter(is_wanted);
    for (place, name) in (0..).zip(wanted).skip(from as usize) {
        if let Err(unfinished) = query.pace.step(place, 1) {
            query.pace.kept = Kept::Found(found);
            return Err(unfinished);
        }
        let body = store.library(name).unwrap_or_default();
        if let Some(library) = Library::of(name, &body) {
            query
                .pace
                .pay(body.len() / BYTES_PER_WORK + library.functions.len());
            found.add(|out| show(&mut Reply::new(out, protocol), &library, with_code));
        }
    }
    found.write_to(&mut query.reply);
    Ok(())
}

fn show(reply: &mut Reply<'_>, library: &Library, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(&library.name);
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&function.name);
        reply.bulk(b"description");
        match &function.description {
            Some(description) => reply.bulk(description),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        let words = function.flags.words();
        reply.set(words.clone().count());
        words.for_each(|word| reply.simple(word));
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.text);
    }
}

pub(super) fn help(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Create a new library with the given library name and code.",
        "DELETE <LIBRARY NAME>",
        "    Delete the given library.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Return general information on all the libraries:",
        "    * Library name",
        "    * The engine used to run the Library",
        "    * Library description",
        "    * Functions list",
        "    * Library code (if WITHCODE is given)",
        "    It also possible to get only function that matches a pattern using LIBRARYNAME \
         argument.",
        "STATS",
        "    Return information about the current function running:",
        "    * Function name",
        "    * Command used to run the function",
        "    * Duration in MS that the function is running",
        "    If no function is running, return nil",
        "    In addition, returns a list of available engines.",
        "KILL",
        "    Kill the current running function.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all the libraries.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the libraries.",
        "    * SYNC: Synchronously flush the libraries.",
        "DUMP",
        "    Return a serialized payload representing the current libraries, can be restored \
         using FUNCTION RESTORE command",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "    Restore the libraries represented by the given payload, it is possible to give \
         a restore policy to",
        "    control how to handle existing libraries (default APPEND):",
        "    * FLUSH: delete all existing libraries.",
        "    * APPEND: appends the restored libraries to the existing libraries. On \
         collision, abort.",
        "    * REPLACE: appends the restored libraries to the existing libraries, On \
         collision, replace the old",
        "      libraries with the new libraries (notice that even on this option there is a \
         chance of failure",
        "      in case of functions name collision with another library).",
    ];
    answer_help(query, "FUNCTION", LINES)
}
