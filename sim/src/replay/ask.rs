//! The commands of the prompt.

use super::breaks::{self, Break};

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Next(u64),
    Back(u64),
    Goto(Target),
    Break(Break),
    /// All conditions go.
    Clear,
    Continue,
    Why,
    State(Option<usize>),
    Diff(u64, u64),
    Faults,
    Trace,
    Help,
    Quit,
}

/// A place in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Event(u64),
    /// In nanoseconds of true time.
    Time(u64),
    End,
}

pub(super) const HELP: &str = "\
next [N], n        go one event forward, or N
back [N], b        go one event back, or N
goto EVENT|TIME    go to after an event (`goto 1200`), a time (`goto 3.5s`), or the `end`
break CONDITION    stop `continue` on: invariant [ID], leads N, term T, commit I, client N,
                   fault CLASS
clear              delete all conditions
continue, c        go forward until a condition holds or the run ends
why, w             show the chain of events that led to this one
state [nX], s      show a member in full; without nX, one line for each member
diff A B           show how the members changed between event A and event B
faults             show the faults that have fired so far
trace              switch between the full trace of an event and its one line
quit, q";

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

/// A member by its place (`0`) or by the number of its node (`n1`).
pub(super) fn member(text: &str) -> Result<usize, String> {
    match text.strip_prefix('n') {
        None => Ok(number(text)? as usize),
        Some(id) => (number(id)? as usize)
            .checked_sub(1)
            .ok_or("nodes are counted from n1".to_owned()),
    }
}

fn place(text: &str) -> Result<Target, String> {
    if text == "end" {
        return Ok(Target::End);
    }
    match text.strip_suffix('s') {
        None => number(text).map(Target::Event),
        Some(seconds) => {
            let seconds: f64 = seconds
                .parse()
                .map_err(|_| format!("{text} is not a time"))?;
            Ok(Target::Time((seconds.max(0.0) * 1e9).round() as u64))
        }
    }
}

/// Reads a question; an empty line asks for the next event.
pub(super) fn parse(line: &str) -> Result<Ask, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match words[..] {
        [] | ["next" | "n"] => Ask::Next(1),
        ["next" | "n", count] => Ask::Next(number(count)?),
        ["back" | "b"] => Ask::Back(1),
        ["back" | "b", count] => Ask::Back(number(count)?),
        ["goto" | "g", at] => Ask::Goto(place(at)?),
        ["break", ref condition @ ..] => Ask::Break(breaks::parse(condition)?),
        ["clear"] => Ask::Clear,
        ["continue" | "c"] => Ask::Continue,
        ["why" | "w"] => Ask::Why,
        ["state" | "s"] => Ask::State(None),
        ["state" | "s", which] => Ask::State(Some(member(which)?)),
        ["diff" | "d", from, to] => Ask::Diff(number(from)?, number(to)?),
        ["faults" | "f"] => Ask::Faults,
        ["trace" | "t"] => Ask::Trace,
        ["help" | "h" | "?"] => Ask::Help,
        ["quit" | "q"] => Ask::Quit,
        _ => {
            return Err(format!("unknown command `{line}`; see `help`"));
        }
    })
}
