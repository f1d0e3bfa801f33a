//! The work of a command, as instructions of the script that calls it.
//!
//! The budget of a script decides where it ends, on every member: so work is counted by what all of
//! them see alike, which is what the command takes and answers, and how large the values are that
//! it may look at.

use alloc::vec::Vec;

use super::host::Host;
use crate::command::args::Args;
use crate::command::geo;
use crate::command::reach::Reach;
use crate::command::row::Row;
use crate::limits::BYTES_PER_WORK;
use crate::store::{DbId, Value};

/// So many instructions are about as much work as a small request.
pub(super) const INSTRUCTIONS_PER_WORK: u64 = 64;
/// So many arguments are about as much work as a small request.
const ARGUMENTS_PER_WORK: usize = 8;
/// A place that a search within an area looks at takes so many.
const PER_PLACE: u64 = 100;
/// So many bytes of a string are looked at for one instruction.
const BYTES_PER_INSTRUCTION: u64 = 16;
/// An element of a list, and a part of any other collection, take so many.
const PER_ELEMENT: u64 = 4;
const PER_PART: u64 = 32;
/// Each part of a value that is put in order takes so many.
const PER_SORTED: u64 = 128;
/// Each meeting of a unit of one string with one of another takes so many.
const PER_PAIR: u64 = 128;
/// A part that is picked by chance takes so many.
const PER_PICK: u64 = 256;
/// A key that is looked at takes so many.
const PER_KEY: u64 = 4;

/// The instructions for what a command may look at, as the state is before it is run.
pub(super) fn of_state(row: &Row, args: Args<'_>, host: &Host<'_, '_>, db: DbId) -> u64 {
    let (store, at) = (host.store(), host.at());
    let mut sizes = Vec::new();
    if !matches!(row.reach, Reach::Parts | Reach::Counted | Reach::Area) {
        row.each_key(args, |place, _| {
            sizes.extend(store.peek(db, args.at(place), at).map(size_of));
        });
    }
    match row.reach {
        Reach::Parts | Reach::Counted => 0,
        Reach::Area => {
            let zset = |place: usize| store.peek(db, args.at(place), at).and_then(Value::as_zset);
            geo::looks_at(row.name, args, zset).saturating_mul(PER_PLACE)
        }
        Reach::Picks => {
            let parts = sizes.iter().map(|(size, _)| *size).sum();
            let wanted = args.integer(2).unwrap_or(1);
            let picks = u64::try_from(wanted).map_or(wanted.unsigned_abs(), |few| few.min(parts));
            if parts == 0 {
                0
            } else {
                picks.saturating_mul(PER_PICK)
            }
        }
        Reach::Values => sizes.iter().map(|(size, each)| size * each).sum(),
        Reach::Sorted => sizes.iter().map(|(size, _)| size * PER_SORTED).sum(),
        Reach::Pairs => match sizes[..] {
            [(one, _), (other, _)] => one.saturating_mul(other).saturating_mul(PER_PAIR),
            _ => 0,
        },
        Reach::Keys => store.live_len(db, at).saturating_mul(PER_KEY),
    }
}

/// How large a value is, and the instructions for each unit of that.
fn size_of(value: Value<'_>) -> (u64, u64) {
    match value {
        Value::String(text) => (text.len() as u64 / BYTES_PER_INSTRUCTION, 1),
        Value::List(list) => (list.len() as u64, PER_ELEMENT),
        Value::Hash(hash) => (hash.len() as u64, PER_PART),
        Value::Set(set) => (set.len() as u64, PER_PART),
        Value::Zset(zset) => (zset.len() as u64, PER_PART),
    }
}

/// The units of work, and the instructions, for what a command has taken and answered, which is so
/// many bytes together.
pub(super) fn of_words(
    row: Option<&Row>,
    args: Args<'_>,
    bytes: usize,
    answer: &[u8],
) -> (usize, u64) {
    let work = 1 + args.len() / ARGUMENTS_PER_WORK + bytes / BYTES_PER_WORK;
    let counted = row.filter(|row| row.reach == Reach::Counted);
    let counted = counted.and_then(|_| number(answer)).unwrap_or(0);
    let instructions = work as u64 * INSTRUCTIONS_PER_WORK;
    (
        work,
        instructions.saturating_add(counted.saturating_mul(PER_PART)),
    )
}

/// The number that a reply is.
fn number(answer: &[u8]) -> Option<u64> {
    let digits = answer.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}
