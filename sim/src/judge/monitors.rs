//! Clients that are shown all requests, as the judge knows them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seedis::command::flag::Flag;
use seedis::command::table;

use super::history::{Words, is_named};

/// The refusal of whatever is about keys, to who is shown all requests.
pub(super) const ONLY_MONITORS: &str = "ERR Replica can't interact with the keyspace";

/// All that is known of what is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Showing {
    /// Somebody is shown all requests, or was.
    pub(super) has_begun: bool,
    /// The requests that each client has asked for, with numbers.
    pub(super) asked: BTreeMap<u64, VecDeque<(u64, Words)>>,
    /// The last of them that was answered.
    pub(super) answered: BTreeMap<u64, u64>,
    /// The connections from each address.
    pub(super) connections: BTreeMap<String, Vec<u64>>,
    pub(super) numbers: u64,
}

/// A client that may be shown all requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Monitor {
    /// It is, as its member has it.
    pub(super) is_on: bool,
    /// The number of the last request that anybody had asked for before.
    pub(super) since: u64,
    /// It is, as its client knows.
    pub(super) is_known: bool,
    /// How often it was shown the same words from the same address.
    pub(super) seen: BTreeMap<(String, String), usize>,
    /// The requests that it must be shown before it has a reply that is given after a moment.
    pub(super) due: VecDeque<(u64, u64, u64)>,
    /// The requests that it was shown before they were answered: one that runs for several turns is
    /// shown when it begins.
    pub(super) early: BTreeSet<u64>,
}

impl Monitor {
    /// Its member does not know it any more, and nobody whether it was shown all.
    pub(super) fn is_forgotten(&mut self) {
        self.is_on = false;
        self.due.clear();
        self.early.clear();
    }
}

impl Showing {
    /// Nothing of what a client has asked is run any more.
    pub(super) fn asks_no_more(&mut self, conn: u64) {
        if !self.has_begun {
            self.asked.remove(&conn);
            self.answered.remove(&conn);
        }
    }
}

/// Returns true if a request is refused to who is shown all others.
pub(super) fn is_about_data(words: &Words) -> bool {
    is_named(words, &["publish", "spublish"]) || has_one(words, &[Flag::ReadOnly, Flag::Write])
}

pub(super) fn has_one(words: &Words, flags: &[Flag]) -> bool {
    let row = table::find(&words[0]).and_then(|row| {
        let own = words.get(1).and_then(|word| row.subcommand(word));
        own.or(Some(row))
    });
    row.is_some_and(|row| flags.iter().any(|flag| row.has(*flag)))
}
