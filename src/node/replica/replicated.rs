//! How far the state has come that all members share, as the last applied entry has it: replicated
//! time, the version of entries, and the count of commands.

use alloc::string::String;

use crate::command::context::Dice;
use crate::ids::LogIndex;
use crate::node::requests::entry;
use crate::time::{Mono, Now, Offset, Stamp};

use super::timekeeping::Timekeeper;
use super::versions::{ENTRY_VERSIONS, EntryVersion};

/// Replicated time, the version of entries, and the count of commands.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Replicated {
    /// Replicated time: the stamp of the last applied entry.
    stamp: Stamp,
    /// How far the wall clock is ahead of replicated time, as that entry has it.
    offset: Offset,
    /// The version of that entry.
    version: EntryVersion,
    /// The clock from which the next stamp follows.
    time: Timekeeper,
    /// Commands applied since this node started.
    commands_applied: u64,
    /// Commands in proposed entries since this node started.
    commands_in_entries: u64,
}

/// The part of an entry before its commands.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct EntryHead {
    pub(in crate::node) index: LogIndex,
    pub(in crate::node) stamp: Stamp,
    /// The version to which it raises the group.
    pub(in crate::node) version: Option<u8>,
    /// How far the wall clock is ahead of replicated time, where that has changed.
    pub(in crate::node) offset: Option<Offset>,
}

impl Replicated {
    /// Replicated time.
    pub(in crate::node) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// How far the wall clock is ahead of replicated time.
    pub(in crate::node) fn offset(&self) -> Offset {
        self.offset
    }

    /// The version by which entries are applied.
    pub(in crate::node) fn version(&self) -> EntryVersion {
        self.version
    }

    /// How many commands were applied since this node started.
    pub(in crate::node) fn commands_applied(&self) -> u64 {
        self.commands_applied
    }

    /// How many commands stand in proposed entries since this node started.
    pub(in crate::node) fn commands_in_entries(&self) -> u64 {
        self.commands_in_entries
    }

    /// A command was applied.
    pub(in crate::node) fn count_applied(&mut self) {
        self.commands_applied += 1;
    }

    /// An entry with so many commands is proposed.
    pub(in crate::node) fn count_proposed(&mut self, commands: u64) {
        self.commands_in_entries += commands;
    }

    /// An entry with so many commands was refused, before which this offset was in force.
    pub(in crate::node) fn withdraw(&mut self, commands: u64, before: Offset) {
        self.commands_in_entries -= commands;
        self.time.goes_by(before);
    }

    /// Everything that was proposed is applied, or is nobody's any more: the two counts go
    /// together from here on.
    pub(super) fn align_counts(&mut self) {
        self.commands_in_entries = self.commands_applied;
    }

    /// Replicated time, if an entry were made now.
    pub(in crate::node) fn clock(&self, now: Now) -> Stamp {
        self.time.reading(now).0.max(self.stamp)
    }

    /// The stamp and the offset of an entry that is made now, behind one of this stamp.
    pub(in crate::node) fn stamp_behind(&mut self, last: Stamp, now: Now) -> (Stamp, Offset) {
        let (stamp, offset) = self.time.reading(now);
        // While a wall clock is waited for, the count may stand behind what others have stamped and
        // the log does not hold any more.
        let given = (stamp.max(last).max(self.stamp), offset);
        self.time.gives(given, now);
        given
    }

    /// The offset of the last entry that was proposed or applied.
    pub(in crate::node) fn last_offset(&self) -> Offset {
        self.time.offset()
    }

    /// Looks at the wall clock.
    pub(super) fn watch_clock(&mut self, now: Now) {
        self.time.watch(now);
    }

    /// When replicated time will follow a wall clock that is ahead.
    pub(in crate::node) fn follows_at(&self) -> Option<Mono> {
        self.time.follows_at()
    }

    /// This member begins to lead: its own wall clock is watched from here on.
    pub(in crate::node) fn leads(&mut self) {
        self.time.leads();
    }

    /// Entries that this member has proposed may be gone: the offset in force is that of the last
    /// applied one.
    pub(super) fn fall_back(&mut self) {
        self.time.goes_by(self.offset);
    }

    /// An entry is being applied; `is_settled` where none that was proposed is left.
    pub(in crate::node) fn enter(&mut self, entry: EntryHead, now: Now, is_settled: bool) {
        self.stamp = self.stamp.max(entry.stamp);
        self.time.reaches(self.stamp, now);
        self.version = self.version_at(entry.index, entry.version);
        self.offset = entry.offset.unwrap_or(self.offset);
        if is_settled {
            self.fall_back();
        }
    }

    /// The version that is in force from an entry on, which says so or not.
    fn version_at(&self, index: LogIndex, raised: Option<u8>) -> EntryVersion {
        match raised {
            Some(number) if number > self.version.number => EntryVersion {
                number,
                since: index,
            },
            _ => self.version,
        }
    }

    /// Why a committed entry cannot be applied, in words for the operator: it is of a version that
    /// this member does not know.
    pub(in crate::node) fn refuses(
        &self,
        index: LogIndex,
        payload: &[u8],
        known: (u8, u8),
    ) -> Option<String> {
        let version = self.version_at(index, entry::Reader::new(payload).version());
        version.beyond(known).filter(|_| !payload.is_empty())
    }

    /// The dice of a command.
    ///
    /// A version that is newer than this code exists only where a simulation says so, and has to
    /// differ in something: its dice fall otherwise.
    pub(in crate::node) fn dice(&self, index: LogIndex, nth: u64) -> Dice {
        let beyond = self.version.number.saturating_sub(ENTRY_VERSIONS.1);
        Dice::new(index.0 | u64::from(beyond) << 56, nth)
    }

    /// A base is loaded, whose state is of this time and version.
    pub(in crate::node) fn load(&mut self, stamp: Stamp, offset: Offset, version: EntryVersion) {
        (self.stamp, self.offset, self.version) = (stamp, offset, version);
    }

    /// The state is forgotten, to be loaded again.
    pub(in crate::node) fn forget(&mut self) {
        self.load(Stamp::default(), Offset::default(), EntryVersion::default());
    }

    /// There is no disk to read a state from.
    pub(super) fn begin_without_disk(&mut self, now: Now) {
        self.time.begins(Stamp(0), Offset(0), now);
    }

    /// The state was read from the disk, whose last entry has this stamp.
    pub(in crate::node) fn begin(&mut self, logged_last: Stamp, now: Now) {
        self.time
            .begins(self.stamp.max(logged_last), self.offset, now);
    }
}
