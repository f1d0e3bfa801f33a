//! The abilities that every large value has, whatever its type.
//!
//! A value is large when a call may not copy it: it is written to a base, loaded and freed in
//! parts, while it goes on changing. The parts are the type's own, and only it can read them.

use alloc::vec::Vec;

use crate::store::dict::Tables;

/// Shows one item of a value: what sums it up are all of its items, in any order.
pub(in crate::store) type Show<'a> = &'a mut dyn FnMut(&[&[u8]]);

/// A value that is written, loaded and freed in parts.
///
/// Each part of it bears the number of a base, its epoch: the base of that number holds the part
/// already, or it was made after that base began. A method that changes a part covers it before
/// (`Cover`), and lets it bear the epoch of the present base. Of a value that is always covered as
/// a whole, since a clone shares nearly all of it, parts need bear nothing. A clone is the same
/// value whose parts bear the same epochs.
pub(in crate::store) trait Parts: Clone {
    /// The type as TYPE names it.
    const TYPE: &'static str;

    /// One without parts, to be loaded.
    fn empty(tables: Tables) -> Self;

    /// The bytes of memory that it takes, itself not included.
    fn memory(&self) -> usize;

    /// As `memory`, counted anew, also of one that is being taken apart.
    #[cfg(test)]
    fn recount(&self) -> usize;

    /// Asserts what must be so of it as long as it is whole.
    #[cfg(test)]
    fn check(&self);

    /// Lets the clones that are made from now on share what can be shared.
    fn share(&mut self);

    /// A copy without parts, to which `copy_on` adds them; `None` if it need not be made in parts,
    /// since a clone shares nearly all of it.
    fn hollow(&self) -> Option<Self> {
        None
    }

    /// Adds some parts to a copy that `hollow` has made, and lets them bear `epoch`. Returns how
    /// many bytes that has cost; `None` if the copy is whole. Meanwhile the value does not change,
    /// but for the epochs of its parts.
    fn copy_on(&self, _copy: &mut Self, _epoch: u8) -> Option<usize> {
        None
    }

    /// The bytes of memory that are its own where it shares with a clone all that can be shared.
    fn unshared_memory(&self) -> usize;

    /// Lets all parts bear `epoch`.
    fn restamp(&mut self, epoch: u8);

    /// Appends to `part`, which is empty, about `room` bytes of what does not bear `epoch`, from
    /// the place `from` on, and lets it bear that. Returns the place to go on from; `None` at the
    /// end. Places begin with 0, and a clone has the same.
    ///
    /// One call looks at about a segment of a table and no more, also where there is nothing to
    /// write.
    fn write_part(&mut self, from: u64, epoch: u8, room: usize, part: &mut Vec<u8>) -> Option<u64>;

    /// Adds what a part says; `None` where it cannot be one.
    fn load_part(&mut self, part: &[u8], epoch: u8) -> Option<()>;

    /// Shows the items of a part, which `load_part` has accepted or `write_part` written.
    fn show_part(part: &[u8], show: Show<'_>);

    /// Frees as much as `budget` allows, at least something, and takes that off it: a unit is a
    /// segment of a table, or about a megabyte in one run. Returns true if anything is left.
    fn dismantle(&mut self, budget: &mut usize) -> bool;
}

/// Keeps parts for the base that still owes them.
pub(in crate::store) trait Cover {
    /// The epoch that parts must bear which are new or were covered.
    fn epoch(&self) -> u8;

    /// Covers a part that bears `epoch`, which is about to change; `write` writes it as
    /// `write_part` would.
    fn part(&mut self, epoch: u8, write: impl FnOnce(&mut Vec<u8>));
}
