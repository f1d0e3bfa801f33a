//! S11: what is refused because `maxmemory` is exceeded, and what must be.
//!
//! A request is looked at when it comes, and answered later. So what the account of memory, which
//! S8 judges, has said in between is kept by the numbers of requests.

use super::Judge;
use super::history::Step;

pub(super) const REFUSAL: &str = "OOM command not allowed when used memory > 'maxmemory'.";
pub(super) const REFUSAL_OF_EXEC: &str = concat!(
    "EXECABORT Transaction discarded because of: ",
    "OOM command not allowed when used memory > 'maxmemory'."
);

/// What clients may take between two looks.
const CLIENTS_BYTES: usize = 128 << 10;

/// Redis's list of what takes memory.
const GROWS: [&str; 20] = [
    "append",
    "copy",
    "decr",
    "decrby",
    "getset",
    "hincrby",
    "hincrbyfloat",
    "hmset",
    "hset",
    "hsetnx",
    "incr",
    "incrby",
    "incrbyfloat",
    "mset",
    "msetnx",
    "psetex",
    "set",
    "setex",
    "setnx",
    "setrange",
];

/// Whether a command takes memory.
pub(super) fn grows(words: &[Vec<u8>]) -> bool {
    let is = |known: &&str| words[0].eq_ignore_ascii_case(known.as_bytes());
    GROWS.iter().any(is)
}

/// Whether a step has a command that takes memory.
pub(super) fn has_growth(step: &Step) -> bool {
    match step {
        Step::Command(command) => grows(&command.words),
        Step::Transaction(commands) => commands.iter().any(|command| grows(&command.words)),
    }
}

/// What a member had left when it was looked at, and how many requests had been asked by then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    /// There is a bound.
    is_limited: bool,
    /// It may have had too little.
    is_short: bool,
    pub(super) short_asked: u64,
    /// It may have had enough.
    is_roomy: bool,
    roomy_asked: u64,
}

/// Whether a request may be refused, or must.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) may: bool,
    pub(crate) must: bool,
}

impl Judge {
    /// A member's account of its memory, of which so much is keys and values. What one look says
    /// holds for what was asked since the look before, and may hold until the next.
    pub(crate) fn uses_memory(&mut self, number: usize, store: usize, all: usize, most: usize) {
        let asked = self.asked;
        let member = &mut self.members[number];
        let memory = &mut member.memory;
        let is_short = all + CLIENTS_BYTES > most;
        if is_short || memory.is_short {
            memory.short_asked = asked;
        }
        let is_roomy = store <= most;
        if is_roomy || memory.is_roomy {
            memory.roomy_asked = asked;
        }
        (memory.is_short, memory.is_roomy) = (is_short, is_roomy);
        memory.is_limited = true;
        if is_short {
            self.may_skip(number);
        }
    }

    /// What becomes of a request with this number that takes memory.
    pub(super) fn memory_refuses(&self, member: usize, number: u64) -> Refusal {
        let memory = &self.members[member].memory;
        if !memory.is_limited {
            return Refusal::default();
        }
        Refusal {
            may: memory.is_short || number <= memory.short_asked,
            must: !memory.is_roomy && number > memory.roomy_asked,
        }
    }
}
