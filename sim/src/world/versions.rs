//! Two neighbouring versions of entries in one group: a member comes back now with the older binary
//! and now with the newer one, and its group is raised when all have come with the newer.
//!
//! The newer version exists in simulations alone. A raised version is never lowered: a member that
//! comes back with the older binary then has to stop, and say why.

use seedis::ids::{Incarnation, NodeId};
use seedis::node::versions::ENTRY_VERSIONS;
use seedis::raft::{Member as RaftMember, Membership, Raft};

use super::World;
use super::agreement::broken;
use super::arrivals::machine_of;
use crate::draws::Stream;
use crate::goals::{Fault, Goal};
use crate::judge::End;
use crate::judge::invariant::{Id, Verdict};

/// The version that is newer than the code.
const NEWER: u8 = ENTRY_VERSIONS.1 + 1;
/// The words of a member that stops because it does not know a version.
const OUTDATED: &str = "this group speaks version ";

impl World {
    /// The versions of entries with which a member's process begins.
    pub(super) fn draw_versions(&mut self, number: usize) {
        let member = &self.members[number];
        let is_first = member.life == 0;
        let before = member.config.entry_versions.1;
        let mut newest = ENTRY_VERSIONS.1;
        if self.scenario.upgrades > 0 {
            let mut dice = self.dice(Stream::VERSION, number as u64, member.life);
            // When all is over everybody is upgraded.
            if self.healed || dice.permille(self.scenario.upgrades) {
                newest = NEWER;
            }
        }
        let fault = match newest.cmp(&before) {
            std::cmp::Ordering::Less => Some(Fault::Downgrade),
            std::cmp::Ordering::Greater => Some(Fault::Upgrade),
            std::cmp::Ordering::Equal => None,
        };
        if let Some(fault) = fault.filter(|_| !is_first) {
            self.fired(fault);
        }
        self.members[number].config.entry_versions.1 = newest;
    }

    /// The upgrade ends with all faults: every member that is behind comes back with the newer
    /// binary.
    pub(super) fn end_upgrade(&mut self) {
        if self.scenario.upgrades == 0 {
            return;
        }
        for number in 0..self.members.len() {
            let member = &self.members[number];
            if self.is_gone(number) || member.config.entry_versions.1 == NEWER {
                continue;
            }
            if member.node.is_some() {
                self.end(number, End::Stop);
            } else if member.arrival.is_some() {
                self.leaves(number, 0, "it is upgraded");
            }
        }
    }

    /// Takes note of what a member is told.
    pub(super) fn greets(&mut self, number: usize, other: (NodeId, Incarnation), newest: u8) {
        let (id, incarnation) = other;
        let greeted = &mut self.members[number].greeted;
        greeted.insert((id, incarnation), newest);
    }

    /// V1: a leader raises its group to what every member has told it to know.
    pub(super) fn check_raise(&mut self, number: usize, version: u8) -> Verdict {
        self.judge.reached(Goal::Raised);
        let member = &self.members[number];
        let raft = member.node.as_ref().and_then(|node| node.raft());
        let members = raft.map(Raft::in_force).into_iter();
        for other in members.flat_map(|membership| membership.members()) {
            let is_any = other.incarnation == Incarnation(0);
            let told = member.greeted.iter().filter(|((id, life), _)| {
                *id == other.id && (is_any || *life == other.incarnation)
            });
            let told: Vec<u8> = told.map(|(_, newest)| *newest).collect();
            let knows = told.iter().any(|newest| *newest >= version);
            if other.id != member.config.id && !knows {
                let text = format!(
                    "member {number} raises the version to {version}, and {} has said {told:?}",
                    other.id.0
                );
                return broken(Id::V1, text);
            }
        }
        self.versions_raised = self.versions_raised.max(version);
        Ok(())
    }

    /// Returns true if a member had to stop: its group was raised beyond what it knows.
    pub(super) fn is_outdated(&self, number: usize, failure: &str) -> bool {
        let newest = self.members[number].config.entry_versions.1;
        failure.starts_with(OUTDATED) && newest < self.versions_raised
    }

    /// L8: a group of which all know a later version speaks it.
    pub(super) fn check_raised(&self) -> Verdict {
        let Some(leader) = self.leader() else {
            return Ok(());
        };
        // A disk that was wiped may be a member still, and says nothing any more.
        let knows = |other: &RaftMember| {
            let machine = &self.members[machine_of(other.incarnation)];
            let node = machine.node.as_ref();
            let is_same = machine.incarnation() == other.incarnation;
            is_same && node.is_some_and(|node| node.entry_versions().1 == NEWER)
        };
        let members = leader.membership().into_iter();
        let mut members = members.flat_map(Membership::members);
        let speaks = leader.entry_version().number;
        if speaks < NEWER && members.all(knows) {
            let text = format!("all know version {NEWER} of entries, and {speaks} is spoken");
            return broken(Id::L8, text);
        }
        Ok(())
    }
}
