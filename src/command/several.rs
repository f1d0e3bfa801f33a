//! LMPOP, ZMPOP and their kin that wait: elements off the first of several keys that has any.

use core::ops::Range;

use super::args::Args;
use super::context::Change;
use super::error::{Error, Outcome};
use super::pace::Kept;

/// The request of such a command: where its keys stand, the end `E` from which it takes, and how
/// many elements.
#[derive(Clone, Debug)]
pub(super) struct Several<E> {
    keys: Range<usize>,
    pub(super) end: E,
    pub(super) count: u64,
}

impl<E: Copy> Several<E> {
    /// Reads a request in which the number of keys stands at `place`; `end` reads which end a word
    /// names.
    pub(super) fn read(
        args: Args<'_>,
        place: usize,
        end: fn(Args<'_>, usize) -> Result<E, Error>,
    ) -> Result<Self, Error> {
        let behind = args.end_of_keys(place)?.filter(|at| *at < args.len());
        let behind = behind.ok_or(Error::SYNTAX)?;
        let end = end(args, behind)?;
        let count = args.last_count(behind + 1)?;
        Ok(Self {
            keys: place + 1..behind,
            end,
            count,
        })
    }

    /// Takes elements off the first key that has any: `has_any` looks, and `pop` takes and answers
    /// so many. False where none has, which is answered too.
    pub(super) fn take(
        self,
        change: &mut Change<'_>,
        args: Args<'_>,
        has_any: fn(&Change<'_>, &[u8]) -> Result<bool, Error>,
        pop: fn(&mut Change<'_>, &[u8], u64, E) -> Outcome,
    ) -> Result<bool, Error> {
        let place = if let Kept::Place(place) = change.pace.kept {
            place
        } else {
            let Some(place) = self.find(change, args, has_any)? else {
                change.reply.null_array();
                return Ok(false);
            };
            change.pace.begin_behind(place);
            change.reply.array(2);
            change.reply.bulk(args.at(place));
            place
        };
        pop(change, args.at(place), self.count, self.end)?;
        Ok(true)
    }

    /// The place of the first key that has any elements.
    fn find(
        &self,
        change: &mut Change<'_>,
        args: Args<'_>,
        has_any: fn(&Change<'_>, &[u8]) -> Result<bool, Error>,
    ) -> Result<Option<usize>, Error> {
        let first = change.pace.from(self.keys.start as u64);
        for place in first as usize..self.keys.end {
            change.pace.step(place as u64, 1)?;
            if has_any(change, args.at(place))? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}
