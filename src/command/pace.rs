//! Commands that are long by nature, cut into pieces.
//!
//! The function of such a command says before each step what the step costs. If nothing is left for
//! now, it gets `Error::Unfinished` and hands it on. Later it is called again, with the same
//! arguments, on the same store and at the same moment: nobody has touched the store meanwhile, nor
//! looked at it. It goes on where it stopped, and its reply does too.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::bit_work::{Fields, Joining};
use super::combining::Combining;
use super::dumping::{Dumping, Restoring};
use super::error::{Error, Outcome};
use super::found::Found;
use super::making::Making;
use super::scripting::installing::Installing;
use super::scripting::lines::ScriptLine;
use super::searching::Searching;
use super::sketching::Sketching;
use super::sorting::Sorting;
use super::subsequence::Table;
use crate::store::NewCopy;

/// The work of freeing a part of something large, and how many are freed in one step.
const PART_WORK: usize = 16;

/// How far a command has come, and how much of it may be done now.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    left: usize,
    spent: usize,
    is_cut: bool,
    place: u64,
    /// Its count so far.
    pub(super) count: i64,
    /// Its other findings so far.
    pub(super) kept: Kept,
    /// The lines for the server's log that scripts have written in its last piece.
    lines: Vec<ScriptLine>,
}

/// The findings of a command so far that are no reply yet.
#[derive(Clone, Debug, Default)]
pub(super) enum Kept {
    /// Nothing.
    #[default]
    Nothing,
    /// The place of the argument that it has looked for.
    Place(usize),
    /// Members of sets, or a set that is made of them.
    Making(Box<Making>),
    /// Members of sorted sets, or a sorted set that is made of them.
    Combining(Box<Combining>),
    /// A copy of a value.
    Copying(Box<NewCopy>),
    /// Names and values.
    Found(Found),
    /// Items on their way into order.
    Sorting(Box<Sorting>),
    /// A part of the table of subsequences.
    Table(Box<Table>),
    /// Strings that are joined bit by bit.
    Joining(Box<Joining>),
    /// Fields of bits that are read and written.
    Fields(Box<Fields>),
    /// Members within a part of Earth.
    Searching(Box<Searching>),
    /// HyperLogLogs.
    Sketching(Box<Sketching>),
    /// A payload that is written.
    Dumping(Box<Dumping>),
    /// A payload that is read.
    Restoring(Box<Restoring>),
    /// Libraries that are loaded.
    Installing(Box<Installing>),
}

impl Pace {
    /// Lets the next piece do so much work.
    pub fn allow(&mut self, work: usize) {
        (self.left, self.spent) = (work.max(1), 0);
    }

    /// Returns true if more may be done now.
    pub(super) fn has_room(&self) -> bool {
        self.left > 0
    }

    /// How much may still be done now.
    pub(super) fn room(&self) -> usize {
        self.left
    }

    /// The work of the last piece.
    pub fn spent(&self) -> usize {
        self.spent
    }

    /// Returns true if a command stands in its middle.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Takes lines for the server's log.
    pub(super) fn says(&mut self, lines: impl IntoIterator<Item = ScriptLine>) {
        self.lines.extend(lines);
    }

    /// The lines for the server's log of the last piece, which are asked for once.
    pub fn take_lines(&mut self) -> Vec<ScriptLine> {
        mem::take(&mut self.lines)
    }

    /// Forgets a command that has come to its end, or shall never do so.
    pub fn forget(&mut self) {
        *self = Self {
            left: self.left,
            spent: self.spent,
            lines: mem::take(&mut self.lines),
            ..Self::default()
        };
    }

    /// The bytes of a reply that are found so far and not written yet.
    pub fn collected(&self) -> usize {
        match &self.kept {
            Kept::Found(found) => found.bytes.len(),
            Kept::Making(making) => making.found.bytes.len(),
            Kept::Dumping(dumping) => dumping.bytes.len(),
            Kept::Nothing
            | Kept::Place(_)
            | Kept::Combining(_)
            | Kept::Copying(_)
            | Kept::Sorting(_)
            | Kept::Table(_)
            | Kept::Joining(_)
            | Kept::Fields(_)
            | Kept::Searching(_)
            | Kept::Sketching(_)
            | Kept::Restoring(_)
            | Kept::Installing(_) => 0,
        }
    }

    /// The members of sets found so far, to be given back by `keep`.
    pub(super) fn making(&mut self) -> Box<Making> {
        match mem::take(&mut self.kept) {
            Kept::Making(making) => making,
            _ => Box::default(),
        }
    }

    /// The members of sorted sets found so far, to be given back by `keep`.
    pub(super) fn combining(&mut self) -> Box<Combining> {
        match mem::take(&mut self.kept) {
            Kept::Combining(combining) => combining,
            _ => Box::default(),
        }
    }

    /// Keeps the findings so far, as such, if the command is not at its end. Returns them if it is.
    pub(super) fn keep<T>(
        &mut self,
        kept: fn(Box<T>) -> Kept,
        done: Outcome,
        found: Box<T>,
    ) -> Result<Box<T>, Error> {
        if done == Err(Error::Unfinished) {
            self.kept = kept(found);
            return Err(Error::Unfinished);
        }
        done.map(|()| found)
    }

    /// The command has found the argument that it has looked for, and begins with the rest of its
    /// work: that was not cut yet.
    pub(super) fn begin_behind(&mut self, place: usize) {
        (self.is_cut, self.kept) = (false, Kept::Place(place));
    }

    /// The place at which the command goes on; it begins at `first`.
    pub(super) fn from(&self, first: u64) -> u64 {
        if self.is_cut { self.place } else { first }
    }

    /// Frees what was made in passing: `dismantle` frees some parts of something large, and says
    /// whether any are left.
    pub(super) fn free(
        &mut self,
        is_large: bool,
        dismantle: &mut dyn FnMut(&mut usize) -> bool,
    ) -> Outcome {
        let mut is_left = is_large;
        while is_left {
            let mut parts = self.steps(PART_WORK).min(PART_WORK);
            self.step(0, parts * PART_WORK)?;
            is_left = dismantle(&mut parts);
        }
        Ok(())
    }

    /// Asks for leave to do the step at `place`. At least one of each piece is done.
    pub(super) fn step(&mut self, place: u64, work: usize) -> Result<(), Error> {
        if self.left == 0 {
            (self.is_cut, self.place) = (true, place);
            return Err(Error::Unfinished);
        }
        self.left = self.left.saturating_sub(work);
        self.spent = self.spent.saturating_add(work);
        Ok(())
    }

    /// How many steps of this cost may be done now, at least one.
    pub(super) fn steps(&self, work: usize) -> usize {
        (self.left / work.max(1)).max(1)
    }

    /// Adds the cost of the step just done beyond what was said before it.
    pub(super) fn pay(&mut self, work: usize) {
        self.left = self.left.saturating_sub(work);
        self.spent = self.spent.saturating_add(work);
    }
}
