//! Which invariant is broken where something differs: the reply, or the store, from what it should
//! be.

use seedis::store::Store;

use super::dialogue::{Asked, Owed};
use super::history::{Command, History, Words};
use super::invariant::{Id, Verdict, Violation};
use super::memory;
use super::state::item_of;
use super::{Judge, Member};
use crate::model::want::{connected, says_master};
use crate::model::{Class, Item, Row, Want, find};
use crate::wire::{Value, shown};

/// Redis's code for what is refused because the log cannot be written.
const NO_SPACE: &[u8] = b"MISCONF";
/// From so many bytes on, a request is there to try a limit.
const LONG_BYTES: usize = 60_000;
/// Words that are longer are no keys.
const KEY_BYTES_MAX: usize = 16;

/// The invariant that a wrong reply breaks.
pub(super) fn of_reply(owed: &Owed, value: &Value) -> Id {
    let text: &[u8] = match value {
        Value::Error(text) => text,
        _ => b"",
    };
    let wants_space =
        |want: &Want| matches!(want, Want::Error(text) if names_space(text.as_bytes()));
    let value_wanted = match &owed.want {
        Want::Error(text) => text,
        _ => "",
    };
    match &owed.asked {
        _ if matches!(owed.want, Want::NotMaster(_)) && says_master(value) => Id::R23,
        _ if matches!(owed.want, Want::Connected(most, _) if connected(value) > most) => Id::R24,
        _ if text.starts_with(b"OOM") || *value_wanted == *memory::REFUSAL => Id::S11,
        _ if names_space(text) || wants_space(&owed.want) => Id::A9,
        Asked::Garbage { limit: true, .. } => Id::P6,
        Asked::Garbage { .. } | Asked::Behind(_) => Id::P5,
        Asked::Request(words) if text.starts_with(b"ERR Protocol error") => {
            let bytes: usize = words.iter().map(Vec::len).sum();
            if bytes >= LONG_BYTES { Id::P6 } else { Id::P1 }
        }
        Asked::Request(_) => owed.suspect.unwrap_or(Id::P4),
    }
}

fn names_space(text: &[u8]) -> bool {
    text.windows(NO_SPACE.len()).any(|part| part == NO_SPACE)
}

impl Judge {
    /// The invariant that a wrong reply to a reading request would break, by the keys that it
    /// names.
    pub(super) fn suspect(&self, member: usize, db: u32, row: &Row, words: &Words) -> Option<Id> {
        if row.class != Class::Read {
            return None;
        }
        let history = &self.members[member].history;
        let dies = |key: &Vec<u8>| history.model.expiry(db, key).is_some();
        if words[1..].iter().any(dies) {
            return Some(Id::S4);
        }
        let spoilt = |key: &Vec<u8>| history.spoilt.contains(&(db, key.clone()));
        words[1..].iter().any(spoilt).then_some(Id::S6)
    }

    /// S6: what the errors since the last time have named is as it was.
    pub(crate) fn check_spoilt(&mut self, member: usize, store: &Store) -> Verdict {
        let Member {
            history, serving, ..
        } = &mut self.members[member];
        let spoilt = std::mem::take(&mut history.spoilt);
        let at = history.stamp;
        for (db, key) in spoilt.iter().filter(|_| *serving) {
            let (found, wanted) = (
                item_of(store, *db, key, at),
                history.model.get(*db, key, at),
            );
            if found.as_ref() != wanted {
                let key = shown(key);
                let text = format!("an error named {key} of db {db}: {wanted:?} became {found:?}");
                return Err(Violation::new(Id::S6, text));
            }
        }
        Ok(())
    }
}

impl History {
    /// Keeps in mind which keys a command has named that answered an error.
    pub(super) fn note_outcome(&mut self, command: &Command, want: &Want) {
        let name = command.words.first().map_or(&[][..], |word| &word[..]);
        let writes = find(name).is_some_and(|row| row.class == Class::Write);
        if !writes || !matches!(want, Want::Error(_) | Want::ErrorCode(_)) {
            return;
        }
        let keys = command.words[1..]
            .iter()
            .filter(|word| word.len() <= KEY_BYTES_MAX);
        let places = keys.map(|key| (command.db, key.clone()));
        self.spoilt.extend(places);
    }

    /// The invariant that a key breaks at which the store holds something else than the model.
    pub(super) fn blame(
        &self,
        (db, key): (u32, &[u8]),
        store: Option<&Item>,
        recovered: bool,
    ) -> Id {
        let model = self.model.get(db, key, self.stamp);
        match (store, model) {
            (Some(store), Some(model)) if store.datum == model.datum => Id::S3,
            (Some(_), None) if self.model.has_expired(db, key, self.stamp) => Id::S4,
            (None, Some(model)) if model.expiry.is_some() => Id::S4,
            _ if recovered && self.from_base => Id::A6,
            _ if recovered => Id::A2,
            _ => Id::S1,
        }
    }
}
