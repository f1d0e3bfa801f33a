//! When a leader raises the version of its group's entries, and by which one a member applies.

use alloc::format;
use alloc::string::String;

use crate::command::args::Args;
use crate::command::error::Error;
use crate::command::row::Row;
use crate::ids::NodeId;
use crate::node::replica::versions::EntryVersion;
use crate::node::requests::lookup::row_of;
use crate::node::{Node, Phase};
use crate::raft::{Member, Raft};

impl Node {
    /// The version by which this member applies entries.
    pub fn entry_version(&self) -> EntryVersion {
        self.replicated.version()
    }

    /// The versions that this member could apply.
    pub fn entry_versions(&self) -> (u8, u8) {
        self.config.entry_versions
    }

    /// The newest version that every member knows; nothing where one has not said so.
    ///
    /// Who has answered in this term has done so in the life of its process that has greeted last:
    /// it speaks only behind its greeting.
    pub(in crate::node) fn newest_of_all(&self) -> Option<u8> {
        let raft = self.replica.raft.as_ref()?;
        let own = self.config.entry_versions;
        let known = |member: &Member| {
            if member.id == self.config.id {
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

    /// What another member has said that it knows, with this disk.
    fn versions_of(&self, member: &Member) -> Option<(u8, u8)> {
        let met = self.replica.met.get(&member.id)?;
        // Who has never had company is written down without the life of its disk.
        let is_same = [met.incarnation.0, 0].contains(&member.incarnation.0);
        is_same.then_some(met.entry_versions)
    }

    /// The version that entries will have behind all that this member has proposed.
    fn version_ahead(&self) -> u8 {
        let term = self.leads();
        let raising = self.replica.raising.filter(|(of, _)| Some(*of) == term);
        let number = self.replicated.version().number;
        raising.map_or(number, |(_, to)| to.max(number))
    }

    /// The version to which this leader is to raise its group now.
    pub(in crate::node) fn version_to_raise(&self) -> Option<u8> {
        let ahead = self.version_ahead();
        if self.config.entry_versions.1 <= ahead || self.phase != Phase::Serving {
            return None;
        }
        // A newcomer that waits for that may know no more than is spoken now.
        if self.replica.leadership.first_change.is_some() {
            return None;
        }
        let leads = self.replica.raft.as_ref().is_some_and(Raft::is_leader);
        let newest = self.newest_of_all().filter(|_| leads && self.serves());
        newest.filter(|newest| *newest > ahead)
    }

    /// Returns true if one that knows up to this version may be taken in.
    pub(in crate::node) fn takes_in(&self, newest: u8) -> bool {
        newest >= self.version_ahead()
    }

    /// Why a member that has said what it knows cannot be taken in.
    pub(in crate::node) fn refuses_member(&self, id: NodeId) -> Option<String> {
        let (_, newest) = self.replica.met.get(&id)?.entry_versions;
        let ahead = self.version_ahead();
        (!self.takes_in(newest)).then(|| {
            format!(
                "member {} knows versions of entries up to {newest}, and this group speaks \
                 version {ahead}: upgrade it",
                id.0
            )
        })
    }

    /// The row of a command that the log holds.
    ///
    /// A command that is not in the table is one of a later version. A member that answered it with
    /// an error, as it does its clients, would go on with another state than the members that know
    /// it: it stops instead.
    pub(in crate::node) fn logged_row(&mut self, args: Args<'_>) -> Result<&'static Row, Error> {
        let found = row_of(args);
        if found.is_err() {
            let name = String::from_utf8_lossy(args.name()).to_ascii_lowercase();
            self.fail(format!(
                "the log holds a command that this binary does not know, '{name}': use the version \
                 that wrote it, or a later one"
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::ids::LogIndex;
    use crate::node::config::Config;
    use crate::node::effect::{Effect, Effects};
    use crate::node::requests::entry;
    use crate::time::{Mono, Now, Stamp};

    /// What a member says when it stops over an entry with one command of this name in it.
    fn applied(name: &'static [u8], in_transaction: bool) -> Option<String> {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let config = Config {
            append_only: false,
            ..Config::default()
        };
        let mut node = Node::new(config, now);
        let mut command = Vec::new();
        let request = [name, b"k1"].concat();
        let end = name.len() as u32;
        let words = [0..end, end..end + 1, end + 1..end + 2];
        entry::put_command(&mut command, 0, Args::new(&request, &words));
        let mut payload = Vec::new();
        if in_transaction {
            entry::put_transaction(&mut payload, 1, &command);
        } else {
            payload = command;
        }
        node.apply_whole(LogIndex(1), Stamp(1), payload.into());
        let mut effects = Effects::new();
        node.flush(now, &mut effects);
        effects.drain(..).find_map(|effect| match effect {
            Effect::Stopped { failure } => failure.map(|why| *why),
            _ => None,
        })
    }

    #[test]
    fn a_command_that_a_later_version_has_logged_stops_the_member() {
        for in_transaction in [false, true] {
            assert_eq!(applied(b"set", in_transaction), None);
            let why = applied(b"FUTURE", in_transaction).expect("it stops");
            assert!(why.contains("does not know, 'future'"), "{why}");
        }
    }
}
