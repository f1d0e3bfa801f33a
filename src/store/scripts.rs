//! Texts of scripts, by name, in tables of their own beside those of the databases.
//!
//! They are a part of the state like keys: every base has them, and digests too. Scripts that were
//! loaded stay until all are removed. Of those that were only run a bounded number is kept, each
//! behind the time at which it came: the oldest makes room for the next.

use alloc::vec::Vec;

use super::{DbId, NewExpiry, Store};
use crate::limits::{DATABASES, RUN_SCRIPTS_MAX};
use crate::time::Stamp;

/// The table of scripts that were loaded.
const LOADED: DbId = DATABASES;
/// The table of scripts that were only run.
const RUN: DbId = DATABASES + 1;
/// The bytes in front of a script that was only run: the time at which it came.
const AGE_BYTES: usize = 8;

impl Store {
    /// Returns true if there is a script of this name.
    #[must_use]
    pub fn has_script(&self, name: &[u8]) -> bool {
        [LOADED, RUN]
            .iter()
            .any(|of| self.view(*of, name).is_some())
    }

    /// The text of a script.
    #[must_use]
    pub fn script(&self, name: &[u8]) -> Option<Vec<u8>> {
        let found = self.view(LOADED, name).map(|view| (view, 0));
        let found = found.or_else(|| self.view(RUN, name).map(|view| (view, AGE_BYTES)));
        let (view, from) = found?;
        let mut text = view.value().as_text()?.to_vec();
        text.drain(..from.min(text.len()));
        Some(text)
    }

    /// Keeps a script until all are removed.
    pub fn load_script(&mut self, name: &[u8], text: &[u8], at: Stamp) {
        if self.view(LOADED, name).is_none() {
            if let Some(place) = self.find(RUN, name) {
                self.take(RUN, place);
            }
            self.set_text(LOADED, name, text, NewExpiry::Never, at);
        }
    }

    /// Keeps a script that is run, for those who will call it by its name.
    pub fn keep_script(&mut self, name: &[u8], text: &[u8], at: Stamp) {
        if self.has_script(name) {
            return;
        }
        if self.len(RUN) >= RUN_SCRIPTS_MAX {
            self.drop_oldest_script();
        }
        let aged = [&at.0.to_le_bytes(), text].concat();
        self.set_text(RUN, name, &aged, NewExpiry::Never, at);
    }

    /// How many scripts were loaded.
    #[must_use]
    pub fn loaded_scripts(&self) -> u64 {
        self.len(LOADED)
    }

    /// How many scripts there are.
    #[must_use]
    pub fn scripts(&self) -> u64 {
        self.len(LOADED) + self.len(RUN)
    }

    /// The bytes of memory that scripts take.
    #[must_use]
    pub fn script_memory(&self) -> usize {
        self.dict(LOADED).memory() + self.dict(RUN).memory()
    }

    /// Removes all scripts.
    pub fn flush_scripts(&mut self) {
        self.flush(LOADED);
        self.flush(RUN);
    }

    /// Of those that came at once, the first in the order of names goes first.
    fn drop_oldest_script(&mut self) {
        let age = |value: super::Value<'_>| {
            let text = value.as_text();
            let bytes = (0..AGE_BYTES)
                .rev()
                .map(|place| text.map_or(0, |text| text.byte(place)));
            bytes.fold(0_u64, |age, byte| age << 8 | u64::from(byte))
        };
        let all = self.dict(RUN).iter();
        let oldest = all.map(|view| (age(view.value()), view.key)).min();
        let oldest = oldest.map(|(_, name)| name.to_vec());
        if let Some(place) = oldest.and_then(|name| self.find(RUN, &name)) {
            self.take(RUN, place);
        }
    }
}
