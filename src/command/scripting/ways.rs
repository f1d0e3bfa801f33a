//! The ways in which a script or a function is to be run, as it says itself.

/// The way in which a script is to be run, as its first line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    /// It has said so.
    pub(super) is_declared: bool,
    /// It changes nothing.
    pub(super) no_writes: bool,
    /// It may take memory where there is none left.
    pub(super) allow_oom: bool,
}

/// The words for them, in the order in which FUNCTION LIST shows them.
const WORDS: [&str; 5] = [
    "no-writes",
    "allow-oom",
    "allow-stale",
    "no-cluster",
    "allow-cross-slot-keys",
];

/// The words of a script's first line, or with which a function was registered, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ScriptFlags(pub(super) u8);

impl ScriptFlags {
    /// Adds a word, in any case; false where there is none like it.
    pub(super) fn add(&mut self, word: &[u8]) -> bool {
        self.add_exactly(&word.to_ascii_lowercase())
    }

    /// Adds a word that is spelled as it is shown; false where there is none like it.
    pub(super) fn add_exactly(&mut self, word: &[u8]) -> bool {
        let place = WORDS.iter().position(|known| known.as_bytes() == word);
        self.0 |= place.map_or(0, |place| 1 << place);
        place.is_some()
    }

    /// The words that were added.
    pub(super) fn words(self) -> impl Iterator<Item = &'static str> + Clone {
        let all = WORDS.iter().enumerate();
        all.filter(move |(place, _)| self.0 & 1 << place != 0)
            .map(|(_, word)| *word)
    }

    /// The way in which what has said so is to be run.
    pub(super) fn ways(self) -> Ways {
        Ways {
            is_declared: true,
            no_writes: self.0 & 1 != 0,
            allow_oom: self.0 & 2 != 0,
        }
    }
}
