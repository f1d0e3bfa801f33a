//! Clients that wait for a key, and the keys that their requests name.

use super::history::Words;
use crate::model::Want;

/// A client that waits for a key, or for which something of it is on its way.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) member: usize,
    /// Its place, as its member has it.
    pub(super) ticket: u64,
    /// How many requests had been asked when it began to wait.
    pub(super) since: u64,
    pub(super) db: u32,
    pub(super) words: Words,
    /// CLIENT UNBLOCK was told that this wait ends, unless it is given something: by this answer.
    pub(super) end: Option<Want>,
}

impl Waiting {
    /// The keys that it waits for.
    pub(super) fn keys(&self) -> &[Vec<u8>] {
        keys_of(&self.words)
    }

    pub(super) fn is_of_lists(&self) -> bool {
        is_of_lists(&self.words)
    }

    /// Returns true if both wait for a key of one database to hold a value of one type.
    pub(super) fn stands_with(&self, other: &Self) -> bool {
        self.member == other.member
            && self.db == other.db
            && self.is_of_lists() == other.is_of_lists()
    }
}

fn named(words: &Words, names: &[&str]) -> bool {
    let mut names = names.iter();
    names.any(|name| words[0].eq_ignore_ascii_case(name.as_bytes()))
}

fn is_of_lists(words: &Words) -> bool {
    !words[0].to_ascii_lowercase().starts_with(b"bz")
}

/// The keys for which the client of a request may wait.
fn keys_of(words: &Words) -> &[Vec<u8>] {
    if named(words, &["blmove", "brpoplpush"]) {
        return &words[1..2];
    }
    if named(words, &["blmpop", "bzmpop"]) {
        let count = std::str::from_utf8(&words[2]).ok();
        let count: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        return words.get(3..3 + count).unwrap_or_default();
    }
    &words[1..words.len() - 1]
}

/// The key from which such a request has taken something, by its reply.
pub(super) fn taken_from<'a>(words: &'a Words, reply: &'a Want) -> Option<&'a [u8]> {
    match reply {
        Want::Array(items) => match items.first() {
            Some(Want::Bulk(key)) => Some(key),
            _ => None,
        },
        Want::Bulk(_) => Some(&words[1]),
        _ => None,
    }
}
