//! Scripts: programs in Lua that call other commands.
//!
//! A script that may write is a command of the log like any other: its text, or its name, and its
//! arguments are what members share, and each runs it when its entry is applied. It gets the same
//! everywhere: the entry's stamp for a clock, draws that depend on its place in the log for chance,
//! and bounds that the leader has put into the entry. Scripts that are kept are part of the state,
//! and so are libraries, whose functions are called in the same way.

mod answer;
mod charges;
mod convert;
mod evaluate;
mod finding;
mod functions;
mod happenings;
mod header;
mod host;
pub(super) mod installing;
mod libraries;
mod library;
pub mod lines;
mod loading;
mod machines;
mod name;
mod number;
mod order;
mod payload;
mod program;
pub mod run;
pub(super) mod running;
mod shelf;
mod stored;
mod ways;

use super::flag::Flag;
use super::grammar::{Arg, integer, key, many, one_of, opt, string, word};
use super::group::Group;
use super::key::{CHANGED, Keys, READ};
use super::row::Row;
use super::tip;
use super::verb::{Called, ScriptVerb, ServerVerb};

/// The arguments of a call, of which the first says what is called.
const fn called_with(first: Arg) -> [Arg; 4] {
    [
        first,
        integer("numkeys"),
        opt(many(key("key", 0))),
        opt(many(string("arg"))),
    ]
}

const BY_TEXT: &[Arg] = &called_with(string("script"));
const BY_NAME: &[Arg] = &called_with(string("sha1"));
const BY_FUNCTION: &[Arg] = &called_with(string("function"));

/// Notes about the keys of scripts.
const CHANGED_NOTE: &str = "Nobody knows what becomes of them: at worst they are read and changed.";
const READ_NOTE: &str = "Nobody knows what becomes of them: at worst they are read.";

/// How the work of a script grows.
const COSTS: &str = "Depends on the script that is executed.";

const fn script(name: &'static str, called: Called, only_reads: bool) -> Row {
    let verb = ScriptVerb { called, only_reads };
    let (args, costs) = match called {
        Called::Text => (BY_TEXT, COSTS),
        Called::Name => (BY_NAME, COSTS),
        Called::Function => (BY_FUNCTION, "Depends on the function that is called."),
    };
    Row::script(name, -3, verb)
        .group(Group::Scripting)
        .flags(&[
            Flag::NoScript,
            Flag::Stale,
            Flag::SkipMonitor,
            Flag::NoMandatoryKeys,
        ])
        .costs(costs)
        .args(args)
}

pub(super) const ROWS: &[Row] = &[
    script("eval", Called::Text, false)
        .since("2.6.0")
        .says("Runs a script in Lua.")
        .keys(&[Keys::counted(2, CHANGED).note(CHANGED_NOTE)]),
    script("evalsha", Called::Name, false)
        .since("2.6.0")
        .says("Runs a script in Lua that is kept, by its SHA-1 digest.")
        .keys(&[Keys::counted(2, CHANGED)]),
    script("eval_ro", Called::Text, true)
        .since("7.0.0")
        .says("Runs a script in Lua that changes nothing.")
        .keys(&[Keys::counted(2, READ).note(READ_NOTE)]),
    script("evalsha_ro", Called::Name, true)
        .since("7.0.0")
        .says("Runs a script in Lua that is kept and changes nothing, by its SHA-1 digest.")
        .keys(&[Keys::counted(2, READ)]),
    script("fcall", Called::Function, false)
        .since("7.0.0")
        .says("Calls a function of a library.")
        .keys(&[Keys::counted(2, CHANGED).note(CHANGED_NOTE)]),
    script("fcall_ro", Called::Function, true)
        .since("7.0.0")
        .says("Calls a function of a library that changes nothing.")
        .keys(&[Keys::counted(2, READ).note(READ_NOTE)]),
    Row::container("function", FUNCTION)
        .group(Group::Scripting)
        .since("7.0.0")
        .says("A container for commands about libraries of functions."),
    Row::container("script", SCRIPT)
        .group(Group::Scripting)
        .since("2.6.0")
        .says("A container for commands about the scripts that are kept."),
];

const SCRIPT: &[Row] = &[
    Row::answer("script|debug", 3, stored::debug)
        .group(Group::Scripting)
        .since("3.2.0")
        .flags(&[Flag::NoScript])
        .says("Would set how scripts are debugged: only NO is taken.")
        .args(&[one_of("mode", &[word("YES"), word("SYNC"), word("NO")])]),
    Row::answer("script|exists", -3, stored::exists)
        .looks_at_scripts()
        .group(Group::Scripting)
        .since("2.6.0")
        .flags(&[Flag::NoScript])
        .tips(tip::ALL_SAY_SO_ON_ALL_SHARDS)
        .costs("O(N), where N is the number of digests.")
        .says("Tells of each digest whether a script with it is kept.")
        .args(&[many(string("sha1"))]),
    Row::logged("script|flush", -2, stored::flush)
        .group(Group::Scripting)
        .since("2.6.0")
        .flags(&[Flag::NoScript])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .says("Removes all scripts that are kept.")
        .args(&[opt(
            one_of("flush-type", &[word("ASYNC"), word("SYNC")]).since("6.2.0")
        )]),
    Row::answer("script|help", 2, stored::help)
        .group(Group::Scripting)
        .since("5.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("script|kill", 2, ServerVerb::ScriptKill)
        .group(Group::Scripting)
        .since("2.6.0")
        .flags(&[Flag::NoScript, Flag::AllowBusy])
        .tips(tip::ONE_SUCCEEDS_OF_ALL_SHARDS)
        .says("Ends the script that is being run, if it only reads."),
    Row::logged("script|load", 3, stored::load)
        .group(Group::Scripting)
        .since("2.6.0")
        .flags(&[Flag::NoScript, Flag::Stale])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .costs("O(N), where N is the length of the script.")
        .says("Keeps a script, without running it.")
        .args(&[string("script")]),
    Row::answer("script|show", 3, stored::show)
        .looks_at_scripts()
        .group(Group::Scripting)
        .since("8.0.0")
        .flags(&[Flag::NoScript])
        .says("Returns the text of a script that is kept, by its SHA-1 digest.")
        .args(&[string("sha1")]),
];

const FUNCTION: &[Row] = &[
    Row::write("function|delete", 3, libraries::delete)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript])
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .says("Removes a library with its functions.")
        .args(&[string("library-name")]),
    Row::answer("function|dump", 2, payload::dump)
        .looks_at_scripts()
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript])
        .costs("O(N), where N is the length of all libraries.")
        .says("Returns all libraries in the form of Redis's payloads."),
    Row::write("function|flush", -2, libraries::flush)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript])
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .says("Removes all libraries.")
        .args(&[opt(one_of("flush-type", &[word("ASYNC"), word("SYNC")]))]),
    Row::answer("function|help", 2, libraries::help)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("function|kill", 2, ServerVerb::FunctionKill)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript, Flag::AllowBusy])
        .tips(tip::ONE_SUCCEEDS_OF_ALL_SHARDS)
        .says("Ends the function that is being run, if it only reads."),
    Row::answer("function|list", -2, libraries::list)
        .looks_at_scripts()
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript])
        .tips(tip::ORDER_VARIES)
        .costs("O(N), where N is the length of all libraries.")
        .says("Lists the libraries with their functions.")
        .args(&[
            opt(string("library-name-pattern").behind("LIBRARYNAME")),
            opt(word("WITHCODE")),
        ]),
    Row::write("function|load", -3, libraries::load)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript, Flag::DenyOom])
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .costs("O(N), where N is the length of the library and the work of loading it.")
        .says("Loads a library and keeps it with its functions.")
        .args(&[opt(word("REPLACE")), string("function-code")]),
    Row::write("function|restore", -3, payload::restore)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript, Flag::DenyOom])
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .costs("O(N), where N is the length of all libraries and the work of loading them.")
        .says("Loads the libraries of a payload that FUNCTION DUMP has returned.")
        .args(&[
            string("serialized-value"),
            opt(one_of(
                "policy",
                &[word("FLUSH"), word("APPEND"), word("REPLACE")],
            )),
        ]),
    Row::server("function|stats", 2, ServerVerb::FunctionStats)
        .group(Group::Scripting)
        .since("7.0.0")
        .flags(&[Flag::NoScript, Flag::AllowBusy])
        .tips(tip::VARIES_OF_ALL_SHARDS)
        .says("Returns the function that is being run, and how many libraries there are."),
];
