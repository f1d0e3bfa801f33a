//! Loads libraries in pieces.

use alloc::boxed::Box;

use super::charges::INSTRUCTIONS_PER_WORK;
use super::loading::Loading;
use super::program::COMPILED_PER_WORK;
use crate::command::error::Error;
use crate::command::pace::Pace;

/// Begins to load a library. One for whose name `is_taken` says so is there already.
pub(super) fn begin(
    text: &[u8],
    pace: &mut Pace,
    is_taken: impl FnOnce(&[u8]) -> bool,
) -> Result<Box<Loading>, Error> {
    pace.pay(text.len() / COMPILED_PER_WORK);
    Loading::begin(text, is_taken)
}

/// Goes on with it; false where it is not at its end.
pub(super) fn go_on(loading: &mut Loading, pace: &mut Pace) -> Result<bool, Error> {
    let (before, room) = (loading.used(), pace.room().max(1) as u64);
    let done = loading.go_on(room.saturating_mul(INSTRUCTIONS_PER_WORK));
    let work = loading.used().saturating_sub(before) / INSTRUCTIONS_PER_WORK;
    pace.pay(work as usize + 1);
    done
}
