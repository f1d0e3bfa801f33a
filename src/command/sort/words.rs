//! The arguments of SORT, and what its patterns make of an item.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::pace::Pace;
use crate::command::sorting::Wanted;

/// The place of the first word behind the key.
const FIRST: usize = 2;

/// The words that stand before one or two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Asc,
    Desc,
    Alpha,
    Limit,
    Store,
    By,
    Get,
}

impl Word {
    /// The word at a place that has as many others behind it as it needs, and the place behind
    /// those.
    fn at(args: Args<'_>, place: usize) -> Option<(Self, usize)> {
        const WORDS: [(&str, Word, usize); 7] = [
            ("asc", Word::Asc, 0),
            ("desc", Word::Desc, 0),
            ("alpha", Word::Alpha, 0),
            ("limit", Word::Limit, 2),
            ("store", Word::Store, 1),
            ("by", Word::By, 1),
            ("get", Word::Get, 1),
        ];
        let mut words = WORDS.into_iter();
        let (_, word, needs) = words.find(|(text, ..)| args.is(place, text))?;
        let behind = place + 1 + needs;
        (behind <= args.len()).then_some((word, behind))
    }
}

/// Reads on, as far as the pace allows. STORE is no word of a command that only reads.
pub(super) fn read(
    wanted: &mut Wanted,
    pace: &mut Pace,
    args: Args<'_>,
    may_store: bool,
) -> Outcome {
    while FIRST + wanted.read < args.len() {
        let place = FIRST + wanted.read;
        pace.step(place as u64, 1)?;
        let word = Word::at(args, place);
        let word = word.filter(|(word, _)| may_store || *word != Word::Store);
        let (word, behind) = word.ok_or(Error::SYNTAX)?;
        match word {
            Word::Asc => wanted.descends = false,
            Word::Desc => wanted.descends = true,
            Word::Alpha => wanted.is_alpha = true,
            Word::Limit => {
                wanted.offset = args.integer(place + 1)?;
                wanted.count = Some(args.integer(place + 2)?);
            }
            Word::Store => wanted.target = Some(place + 1),
            Word::By => wanted.by = Some(place + 1),
            Word::Get => wanted.gets.push(place + 1),
        }
        wanted.read = behind - FIRST;
    }
    Ok(())
}

/// The place of the key behind STORE, the last one where there are several.
pub(super) fn store_place(args: Args<'_>) -> Option<usize> {
    let (mut place, mut found) = (FIRST, None);
    while place < args.len() {
        let Some((word, behind)) = Word::at(args, place) else {
            place += 1;
            continue;
        };
        if word == Word::Store {
            found = Some(place + 1);
        }
        place = behind;
    }
    found
}

/// A pattern that makes keys of items: its first `*` stands for the item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern<'a> {
    before: &'a [u8],
    behind: &'a [u8],
    /// The field of a hash at that key; empty: the key holds a string.
    pub(super) field: &'a [u8],
}

impl<'a> Pattern<'a> {
    /// The pattern of a text; `None` where it has no `*`.
    pub(super) fn of(text: &'a [u8]) -> Option<Self> {
        let star = text.iter().position(|byte| *byte == b'*')?;
        let (before, behind) = (&text[..star], &text[star + 1..]);
        let arrow = behind.windows(2).position(|two| two == b"->");
        let arrow = arrow.filter(|arrow| arrow + 2 < behind.len());
        let field = arrow.map_or(&[][..], |arrow| &behind[arrow + 2..]);
        Some(Self {
            before,
            behind: &behind[..arrow.unwrap_or(behind.len())],
            field,
        })
    }

    /// The key that an item makes of it.
    pub(super) fn key(&self, item: &[u8], key: &mut Vec<u8>) {
        key.clear();
        for part in [self.before, item, self.behind] {
            key.extend_from_slice(part);
        }
    }
}
