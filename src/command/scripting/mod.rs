//! Scripts: programs in Lua that call other commands.
//!
//! A script that may write is a command of the log like any other: its text, or its name, and its
//! arguments are what members share, and each runs it when its entry is applied. It gets the same
//! everywhere: the entry's stamp for a clock, draws that depend on its place in the log for chance,
//! and bounds that the leader has put into the entry. Scripts that are kept are part of the state.

mod answer;
mod charges;
mod convert;
mod functions;
mod happenings;
mod host;
mod name;
mod number;
mod order;
mod program;
pub mod run;
pub(super) mod running;
mod stored;

use super::flag::Flag;
use super::grammar::{Arg, integer, key, many, one_of, opt, string, word};
use super::group::Group;
use super::key::{CHANGED, Keys, READ};
use super::row::Row;
use super::tip;
use super::verb::{ScriptVerb, ServerVerb};

const BY_TEXT: &[Arg] = &[
    string("script"),
    integer("numkeys"),
    opt(many(key("key", 0))),
    opt(many(string("arg"))),
];

const BY_NAME: &[Arg] = &[
    string("sha1"),
    integer("numkeys"),
    opt(many(key("key", 0))),
    opt(many(string("arg"))),
];

/// How the work of a script grows.
const COSTS: &str = "Depends on the script that is executed.";

const fn script(name: &'static str, by_name: bool, only_reads: bool) -> Row {
    let verb = ScriptVerb {
        by_name,
        only_reads,
    };
    Row::script(name, -3, verb)
        .group(Group::Scripting)
        .flags(&[
            Flag::NoScript,
            Flag::Stale,
            Flag::SkipMonitor,
            Flag::NoMandatoryKeys,
        ])
        .costs(COSTS)
        .args(if by_name { BY_NAME } else { BY_TEXT })
}

pub(super) const ROWS: &[Row] = &[
    script("eval", false, false)
        .since("2.6.0")
        .says("Runs a script in Lua.")
        .keys(&[Keys::counted(2, CHANGED)]),
    script("evalsha", true, false)
        .since("2.6.0")
        .says("Runs a script in Lua that is kept, by its SHA-1 digest.")
        .keys(&[Keys::counted(2, CHANGED)]),
    script("eval_ro", false, true)
        .since("7.0.0")
        .says("Runs a script in Lua that changes nothing.")
        .keys(&[Keys::counted(2, READ)]),
    script("evalsha_ro", true, true)
        .since("7.0.0")
        .says("Runs a script in Lua that is kept and changes nothing, by its SHA-1 digest.")
        .keys(&[Keys::counted(2, READ)]),
    Row::container("script", SCRIPT)
        .group(Group::Scripting)
        .since("2.6.0")
        .says("A container for commands about the scripts that are kept."),
];

const SCRIPT: &[Row] = &[
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
