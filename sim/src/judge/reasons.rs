//! The errors that a disk has given: a refused write may name any of them.

use crate::model::Want;

/// The errors of a fake disk, in the operating system's words.
const WORDS: [&str; 4] = [
    "No space left on device",
    "Too many open files",
    "Disk quota exceeded",
    "Input/output error",
];

/// Some of these words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reasons(u8);

impl Reasons {
    pub(crate) fn note(&mut self, words: &str) {
        if let Some(at) = WORDS.iter().position(|known| *known == words) {
            self.0 |= 1 << at;
        }
    }

    /// Returns true if a text names one of them.
    pub(crate) fn are_told(self, text: &str) -> bool {
        // A start without room says what room it needs.
        let needs = self.0 & 1 != 0 && text.contains("there is not enough space");
        let said = (0..WORDS.len()).filter(|at| self.0 & 1 << at != 0);
        needs || said.into_iter().any(|at| text.contains(WORDS[at]))
    }

    /// The refusals of a write that tell no lie, each behind a prefix.
    pub(super) fn refusals(self, prefix: &str) -> Vec<Want> {
        let said = (0..WORDS.len()).filter(|at| self.0 & 1 << at != 0);
        let error = |at: usize| {
            let words = WORDS[at];
            Want::Error(format!(
                "{prefix}MISCONF Errors writing to the AOF file: {words}"
            ))
        };
        said.map(error).collect()
    }
}
