//! The one table of options: files, the environment, arguments and CONFIG all read and write it.
//!
//! A row says what a directive is called, what its value may be, what it is where nobody says
//! anything, who may change it, and what it means here. Nothing else in the server keeps a list of
//! them: the shell takes its own options from `Settings`, CONFIG GET, SET and REWRITE walk the
//! rows, and so does the page for operators.

mod directive;
pub mod form;
mod known;
mod peculiar;
pub mod rewrite;
pub mod settings;
mod table;
mod values;
pub mod words;

use alloc::string::String;
use alloc::vec::Vec;

pub use directive::{Access, Directive, Meaning};
pub use form::Form;

impl Directive {
    /// Returns true if a value is in force here once it is set.
    pub fn is_in_force(&self, value: &[u8]) -> bool {
        let plain = matches!(self.meaning, Meaning::Acts | Meaning::Needless);
        plain || value == self.default.as_bytes() || table::means_nothing(self.name, value)
    }
}

/// All directives: our own and those that act first, then what is known from Redis.
pub fn all() -> impl Iterator<Item = &'static Directive> {
    table::DIRECTIVES.iter().chain(known::DIRECTIVES)
}

/// The directive of this name, in any case.
pub fn find(name: &[u8]) -> Option<&'static Directive> {
    all().find(|directive| {
        let alias = directive.alias.as_bytes();
        directive.name.as_bytes().eq_ignore_ascii_case(name)
            || !alias.is_empty() && alias.eq_ignore_ascii_case(name)
    })
}

/// The name that is nearest to one that is none, where one is near enough.
pub fn nearest(name: &[u8]) -> Option<&'static str> {
    const NAME_BYTES_MAX: usize = 64;
    let name = name.to_ascii_lowercase();
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let shown = all().filter(|directive| directive.access != Access::Hidden);
    let names = shown.map(|directive| directive.name);
    let far = |own: &&str| distance(own.as_bytes(), &name);
    let best = names.min_by_key(far)?;
    (far(&best) <= 1 + name.len() / 4).then_some(best)
}

/// How many letters must be put in, left out or exchanged to make one of the other.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (at, against) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != against);
            diagonal = row[at + 1];
            row[at + 1] = exchanged.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

/// Bytes for people: what is no plain text is escaped, and what is long is cut.
pub(super) fn shown(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 80;
    let mut text = String::new();
    for byte in bytes.iter().take(SHOWN_BYTES_MAX) {
        text.extend(byte.escape_ascii().map(char::from));
    }
    if bytes.len() > SHOWN_BYTES_MAX {
        text.push('…');
    }
    text
}

/// Returns true if a name is one that a pattern of `include` means.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    crate::store::glob::matches(pattern, name)
}

#[cfg(test)]
mod tests;
