//! S11: what is refused because `maxmemory` is exceeded, and what must be.
//!
//! A request is looked at when it comes, and answered later. So what the account of memory, which
//! S8 judges, has said in between is kept by the numbers of requests.

use super::history::Step;

pub(super) const REFUSAL: &str = "OOM command not allowed when used memory > 'maxmemory'.";
pub(super) const REFUSAL_OF_EXEC: &str = concat!(
    "EXECABORT Transaction discarded because of: ",
    "OOM command not allowed when used memory > 'maxmemory'."
);

/// The memory that clients may take between two looks, in bytes.
pub(crate) const CLIENTS_BYTES: usize = 128 << 10;

/// Redis's list of what takes memory.
const GROWS: [&str; 54] = [
    "append",
    "bitfield",
    "bitop",
    "blmove",
    "brpoplpush",
    "copy",
    "decr",
    "decrby",
    "function|load",
    "function|restore",
    "geoadd",
    "georadius",
    "georadiusbymember",
    "geosearchstore",
    "getset",
    "hincrby",
    "hincrbyfloat",
    "hmset",
    "hset",
    "hsetnx",
    "incr",
    "incrby",
    "incrbyfloat",
    "linsert",
    "lmove",
    "lpush",
    "lpushx",
    "lset",
    "mset",
    "msetnx",
    "pfadd",
    "pfdebug",
    "pfmerge",
    "psetex",
    "restore",
    "rpoplpush",
    "rpush",
    "rpushx",
    "sadd",
    "sdiffstore",
    "set",
    "setbit",
    "setex",
    "setnx",
    "setrange",
    "sinterstore",
    "sort",
    "sunionstore",
    "zadd",
    "zdiffstore",
    "zincrby",
    "zinterstore",
    "zrangestore",
    "zunionstore",
];

/// Returns true if a command takes memory.
pub(super) fn grows(words: &[Vec<u8>]) -> bool {
    let is = |known: &&str| {
        let mut names = known.split('|').enumerate();
        names.all(|(place, name)| {
            let word = words.get(place);
            word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        })
    };
    GROWS.iter().any(is)
}

/// Returns true if a step has a command that takes memory.
pub(super) fn has_growth(step: &Step) -> bool {
    match step {
        Step::Command(command) => grows(&command.words),
        Step::Transaction(commands) => commands.iter().any(|command| grows(&command.words)),
        Step::Victims(_) => false,
    }
}

/// A member's account of its memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    /// Of keys and values.
    pub(crate) store: usize,
    /// Of all.
    pub(crate) all: usize,
    pub(crate) most: usize,
    /// How many keys may be evicted that live for some time; none where the policy allows none.
    pub(crate) evictable: usize,
    /// How many keys may perhaps be evicted.
    pub(crate) perhaps: usize,
}

/// So many keys are there for some time.
const MANY: usize = 8;

/// The free memory of a member when it was looked at, and how many requests had been asked by then.
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
    /// How many keys might have been evicted, certainly and perhaps.
    evictable: usize,
    perhaps: usize,
}

/// The refusals that are allowed, or due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) may: bool,
    pub(crate) must: bool,
}

impl Memory {
    /// A look at the account, when so many requests had been asked. The figures hold for the
    /// requests since the look before, and may hold until the next. Returns true if a request may
    /// be refused.
    pub(super) fn looked_at(&mut self, asked: u64, account: Account) -> bool {
        let Account {
            store,
            all,
            most,
            evictable,
            perhaps,
        } = account;
        // Where there is enough to be evicted nothing is refused.
        let has_many = evictable.min(self.evictable) >= MANY;
        let has_any = perhaps.max(self.perhaps) > 0;
        (self.evictable, self.perhaps) = (evictable, perhaps);
        let is_short = all + CLIENTS_BYTES > most && !has_many;
        if is_short || self.is_short {
            self.short_asked = asked;
        }
        let is_roomy = store <= most || has_any;
        if is_roomy || self.is_roomy {
            self.roomy_asked = asked;
        }
        (self.is_short, self.is_roomy, self.is_limited) = (is_short, is_roomy, true);
        is_short
    }

    /// The fate of a request with this number that takes memory.
    pub(super) fn refuses(&self, number: u64) -> Refusal {
        if !self.is_limited {
            return Refusal::default();
        }
        Refusal {
            may: self.is_short || number <= self.short_asked,
            must: !self.is_roomy && number > self.roomy_asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use seedis::command::flag::Flag;
    use seedis::command::table;

    use super::*;

    /// The flags of rows are compared with Redis's own: so a command that takes memory cannot be
    /// missing in both.
    #[test]
    fn the_list_of_what_takes_memory_is_that_of_the_rows() {
        let rows = table::all().filter(|row| row.has(Flag::DenyOom));
        let mut flagged: Vec<&str> = rows.map(|row| row.name).collect();
        flagged.sort_unstable();
        assert_eq!(flagged, GROWS);
    }
}
