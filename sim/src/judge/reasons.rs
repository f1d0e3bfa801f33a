//! The errors that a disk has given: a refused write may name any of them.

use crate::model::Want;

/// The errors of a fake disk, in the operating system's words.
const WORDS: [&str; 4] = [
    "No space left on device",
    "Too many open files",
    "Disk quota exceeded",
    "Input/output error",
];

/// A write was on its way when its member ceased to lead.
pub(super) const DEPOSED: &str =
    "UNCERTAIN the write may have been applied: this member no longer leads";

/// Some of these words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reasons(u8);

impl Reasons {
    pub(crate) fn note(&mut self, words: &str) {
        if let Some(at) = WORDS.iter().position(|known| *known == words) {
            self.0 |= 1 << at;
        }
    }

    /// Returns true if the disk has given any.
    pub(crate) fn are_any(self) -> bool {
        self.0 != 0
    }

    /// Returns true if a text names one of them.
    pub(crate) fn are_told(self, text: &str) -> bool {
        // A start without room says what room it needs.
        let needs = self.0 & 1 != 0 && text.contains("there is not enough space");
        let said = (0..WORDS.len()).filter(|at| self.0 & 1 << at != 0);
        needs || said.into_iter().any(|at| text.contains(WORDS[at]))
    }

    /// The answers that tell no lie to a client whose write has found no room for long.
    pub(super) fn doubts(self) -> Vec<Want> {
        self.each("UNCERTAIN the write may still be made: the log has found no room for it yet: ")
    }

    /// The refusals of a write that tell no lie, each behind a prefix.
    pub(super) fn refusals(self, prefix: &str) -> Vec<Want> {
        self.each(&format!("{prefix}MISCONF Errors writing to the AOF file: "))
    }

    /// Errors with each of the reasons behind the same text.
    fn each(self, text: &str) -> Vec<Want> {
        let said = (0..WORDS.len()).filter(|at| self.0 & 1 << at != 0);
        said.map(|at| Want::Error(format!("{text}{}", WORDS[at])))
            .collect()
    }
}
