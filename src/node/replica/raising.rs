//! When a leader raises the version of its group's entries.

use alloc::format;
use alloc::string::String;

use crate::node::config::Config;
use crate::raft::{Member, Raft};

use super::Replica;

impl Replica {
    /// The newest version that every member knows; nothing where one has not said so.
    ///
    /// A member that has answered in this term has done so in the life of its process that has
    /// greeted last: it speaks only behind its greeting.
    pub(in crate::node) fn newest_of_all(&self, config: &Config) -> Option<u8> {
        let raft = self.raft.as_ref()?;
        let own = config.entry_versions;
        let known = |member: &Member| {
            if member.id == config.id {
                return Some(own);
            }
            let has_answered = raft.has_answered(member.id) || !raft.is_leader();
            self.versions_of(member).filter(|_| has_answered)
        };
        let mut common = own;
        for member in raft.in_force().members() {
            let (oldest, newest) = known(member)?;
            common = (common.0.max(oldest), common.1.min(newest));
        }
        (common.0 <= common.1).then_some(common.1)
    }

    /// The versions that another member knows, as it has said with this disk.
    fn versions_of(&self, member: &Member) -> Option<(u8, u8)> {
        self.peers.of(member).map(|met| met.entry_versions)
    }

    /// The version that entries will have behind all that this member has proposed; `number` is the
    /// one in force.
    fn version_ahead(&self, number: u8) -> u8 {
        let term = self.leads();
        let raising = self.raising.filter(|(of, _)| Some(*of) == term);
        raising.map_or(number, |(_, to)| to.max(number))
    }

    /// The version to which this leader is to raise its group now.
    pub(in crate::node) fn version_to_raise(&self, config: &Config, number: u8) -> Option<u8> {
        let ahead = self.version_ahead(number);
        if config.entry_versions.1 <= ahead {
            return None;
        }
        // A newcomer that waits for that may know no more than is spoken now.
        if self.leadership.first_change.is_some() {
            return None;
        }
        let leads = self.raft.as_ref().is_some_and(Raft::is_leader);
        let newest = self
            .newest_of_all(config)
            .filter(|_| leads && self.serves());
        newest.filter(|newest| *newest > ahead)
    }

    /// Returns true if one that knows up to this version may be taken in.
    pub(in crate::node) fn takes_in(&self, newest: u8, number: u8) -> bool {
        newest >= self.version_ahead(number)
    }

    /// Why a member that has said what it knows cannot be taken in. The words of another life of
    /// its disk do not count.
    pub(in crate::node) fn refuses_member(&self, member: &Member, number: u8) -> Option<String> {
        let (_, newest) = self.versions_of(member)?;
        let ahead = self.version_ahead(number);
        (!self.takes_in(newest, number)).then(|| {
            format!(
                "member {} knows versions of entries up to {newest}, and this group speaks \
                 version {ahead}: upgrade it",
                member.id.0
            )
        })
    }
}
