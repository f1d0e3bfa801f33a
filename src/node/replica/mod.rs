//! This server as a member of its group: the log, leadership, membership, states sent and received,
//! recovery and replicated time.

pub mod arrival;
pub(super) mod base;
mod commit;
pub mod greeting;
mod joining;
mod leadership;
mod leaving;
pub(super) mod peers;
mod policy;
mod proposed;
mod raising;
mod records;
mod recovering;
mod recovery;
mod removal;
mod repair;
pub(super) mod replicated;
pub(super) mod rewrite;
mod rewriting;
mod snapshot;
pub(super) mod standing;
mod strain;
mod supply;
pub(super) mod telling;
mod timekeeping;
mod transfer;
mod turn;
pub mod versions;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::aof::{Log, LogSize, Op};
use crate::ids::{LogIndex, NodeId, PersistSeq, Term};
use crate::raft::{ChangeRefused, MembershipChange, Outgoing, Raft, TransferRefused};
use crate::time::Mono;

use super::requests::Waiter;
use peers::{Met, Peers};
use recovering::Recovering;
use rewrite::Rewrite;
use snapshot::Snapshots;
use standing::Leadership;
use strain::Strain;
use telling::Telling;
use versions::Raising;

use proposed::Proposed;

pub(super) use proposed::{Committed, SEARCHED_BYTES_MAX};

/// This server as a member of its group.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    /// Nothing before recovery has ended.
    raft: Option<Raft>,
    /// Nothing while recovering, and where there is no disk.
    log: Option<Log>,
    recovering: Option<Box<Recovering>>,
    rewrite: Rewrite,
    snapshots: Snapshots,
    strain: Strain,
    /// The entries that were proposed, with the clients that wait for them.
    proposed: VecDeque<Proposed>,
    proposed_bytes: usize,
    /// Which of Raft's hand-overs each of the log's appends held.
    appended: VecDeque<(PersistSeq, PersistSeq)>,
    /// Waiter lists that are empty and are used again.
    spare: Vec<Vec<Waiter>>,
    ops: Vec<Op>,
    body: Vec<u8>,
    /// Empty between turns.
    messages: Vec<Outgoing>,
    /// Messages for the subscribers of other members.
    pub(super) telling: Telling,
    /// The last entry that was applied.
    applied: LogIndex,
    last_time_entry: Mono,
    had_trouble: Option<&'static str>,
    was_full: bool,
    closed_log: bool,
    /// The state in memory is to be forgotten and recovered from the log.
    reload_wanted: bool,
    leadership: Leadership,
    /// Peers that have said who they are.
    peers: Peers,
    /// The version to which this leader has proposed to raise its group.
    raising: Raising,
    /// The bytes that recovery has read.
    recovered_bytes: u64,
}

impl Replica {
    /// The agreement with other members; nothing while recovering.
    pub(super) fn raft(&self) -> Option<&Raft> {
        self.raft.as_ref()
    }

    /// The log; nothing while recovering, and where there is no disk.
    pub(super) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// The last entry that was applied.
    pub(super) fn applied(&self) -> LogIndex {
        self.applied
    }

    /// The state of a rewrite, and the outcome of the last one.
    pub(super) fn rewrite(&self) -> &Rewrite {
        &self.rewrite
    }

    /// The entry at which the base stands that counts.
    pub(super) fn base_index(&self) -> LogIndex {
        self.snapshots.base_index()
    }

    /// Returns true if a received state is taking the place of the log.
    pub(super) fn is_receiving_state(&self) -> bool {
        self.snapshots.is_arriving()
    }

    /// Returns true if the group has other members, or had.
    pub(super) fn is_grouped(&self) -> bool {
        self.leadership.grouped
    }

    /// The member that led last, as far as is known.
    pub(super) fn last_leader(&self) -> Option<NodeId> {
        self.leadership.last_leader
    }

    /// The group's number as its disk has it; 0 before that is read.
    pub(super) fn cluster(&self) -> u64 {
        let identity = self.leadership.identity.as_ref();
        identity.map_or(0, |own| own.cluster.0)
    }

    /// Returns true if the first change of members waits for the disk.
    pub(super) fn is_first_change_waiting(&self) -> bool {
        self.leadership.first_change.is_some()
    }

    /// The facts that the member with this number has told with its present disk; where nobody has
    /// the number, those of the process that has greeted last with it.
    pub(super) fn met(&self, id: NodeId) -> Option<&Met> {
        let raft = self.raft.as_ref();
        match raft.and_then(|raft| raft.in_force().get(id)) {
            Some(member) => self.peers.of(member),
            None => self.peers.last(id),
        }
    }

    /// How large the log is, and the last entry in its base.
    pub(super) fn log_size(&self) -> Option<(LogSize, LogIndex)> {
        let log = self.log.as_ref()?;
        Some((log.size(), self.snapshots.base_index()))
    }

    /// A peer has said who it is.
    pub(super) fn meet(&mut self, id: NodeId, met: Met) {
        let raft = self.raft.as_ref();
        let member = raft.and_then(|raft| raft.in_force().get(id));
        self.peers.meet(id, met, member);
    }

    /// The process stood still from one moment to another.
    pub(super) fn paused(&mut self, from: Mono, to: Mono) {
        if let Some(raft) = &mut self.raft {
            raft.paused(from, to);
        }
    }

    /// Begins a change of members; nothing while recovering.
    pub(super) fn change(&mut self, change: MembershipChange) -> Option<Result<(), ChangeRefused>> {
        let raft = self.raft.as_mut()?;
        Some(raft.change(&[change]).map(|_| ()))
    }

    /// Begins a transfer of leadership, to any voter where none is named; nothing while recovering.
    pub(super) fn transfer(&mut self, to: Option<NodeId>) -> Option<Result<(), TransferRefused>> {
        Some(self.raft.as_mut()?.transfer(to))
    }

    /// This leader has proposed to raise the version of entries.
    pub(super) fn raises(&mut self, term: Term, version: u8) {
        self.raising = Some((term, version));
    }

    /// The state in memory is to be forgotten and loaded again.
    pub(super) fn want_reload(&mut self) {
        self.reload_wanted = true;
    }

    /// The term that this member leads, if it does.
    pub(super) fn leads(&self) -> Option<Term> {
        let raft = self.raft.as_ref()?;
        raft.is_leader().then(|| raft.term())
    }

    /// Returns true if this member may propose and read for clients.
    pub(super) fn serves(&self) -> bool {
        !self.leadership.grouped || self.leadership.term.is_some()
    }
}
