//! The host's part in the network: it gives its disk a new base, reads pieces of its own, and keeps
//! and puts in force those of others.

use super::net::Net;
use super::world::{What, Write};
use crate::ids::{LogIndex, NodeId};
use crate::raft::entry::checksum;
use crate::raft::*;
use bytes::Bytes;

impl Net {
    /// The state behind an entry, as anybody's must be.
    pub(super) fn state(&self, upto: LogIndex) -> Vec<u8> {
        let mut state = Vec::new();
        for (term, payload) in &self.committed[..upto.0 as usize] {
            state.extend_from_slice(&term.0.to_le_bytes());
            state.extend_from_slice(payload);
        }
        let sum = checksum(&state);
        let mut bytes = sum.to_le_bytes().to_vec();
        bytes.resize(30 + upto.0 as usize % 50, upto.0 as u8);
        bytes
    }

    /// The membership behind an entry.
    pub(super) fn membership_at(&self, upto: LogIndex) -> &Membership {
        let before = self.memberships.iter().rev();
        let found = before.into_iter().find(|(index, _)| *index <= upto);
        found.map_or(&self.founders, |(_, membership)| membership)
    }

    /// A member's disk gets a base as new as may be, and its memory need not go back any further.
    pub(super) fn compact(&mut self, id: NodeId) {
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        let Some(raft) = &mut host.raft else { return };
        let index = raft.applied;
        let Some(term) = raft.term_of(index) else {
            return;
        };
        if raft.is_installing() || host.disk.term_at(index) != Some(term) {
            return;
        }
        host.disk.entries.retain(|entry| entry.index > index);
        host.disk.base = (index, term);
        host.disk.membership = raft.membership().clone();
        raft.compacted(index, term);
        let membership = host.disk.membership.clone();
        assert_eq!(membership, *self.membership_at(index), "R14: membership");
    }

    /// Supplies what a leader wants to send.
    pub(super) fn supply(&mut self, id: NodeId) {
        if self.is_stingy {
            return;
        }
        let spoils = self.world.spoils;
        let wanted: Vec<SnapshotWanted> = self.raft(id).snapshots_wanted().collect();
        for SnapshotWanted { to, at_least } in wanted {
            let raft = self.raft(id);
            let (index, membership) = (raft.applied, raft.membership().clone());
            let base = (index, raft.term_of(index).expect("the last applied"));
            assert!(index >= at_least);
            let state = self.state(index);
            let snapshot = SnapshotId {
                base,
                bytes: state.len() as u64,
                sum: checksum(&state),
            };
            assert!(self.raft(id).supply(to, snapshot, membership));
        }
        while let Some(wanted) = self.raft(id).chunk_wanted() {
            let ChunkWanted {
                id: snapshot,
                offset,
                bytes,
                ..
            } = wanted;
            if self.below(100) < spoils {
                self.raft(id).snapshot_lost(&snapshot);
                continue;
            }
            let state = self.state(snapshot.base.0);
            let from = offset as usize;
            let data = Bytes::copy_from_slice(&state[from..from + bytes]);
            self.raft(id).chunk(&wanted, data);
        }
    }

    /// Keeps what a leader has sent.
    pub(super) fn keep_chunks(&mut self, id: NodeId) {
        while let Some(chunk) = self.raft(id).received_chunk() {
            let host = self.hosts.get_mut(&id).unwrap();
            if chunk.offset == 0 {
                host.incoming.clear();
            }
            assert_eq!(chunk.offset, host.incoming.len() as u64, "in order");
            host.incoming.extend_from_slice(&chunk.data);
            let Some(membership) = chunk.whole else {
                continue;
            };
            let (base, state) = (chunk.id.base, host.incoming.clone());
            assert_eq!(chunk.id.sum, checksum(&state));
            assert_eq!(state, self.state(base.0), "R14: a state equals replay");
            assert_eq!(base.1, self.committed[base.0.0 as usize - 1].0, "R14: term");
            assert_eq!(membership, *self.membership_at(base.0), "R14: membership");
            if self.below(100) < self.world.spoils {
                self.raft(id).snapshot_refused();
                continue;
            }
            let sync_us = self.world.sync_us;
            let due = self.now + self.below(sync_us * 1000 + 1);
            let host = self.hosts.get_mut(&id).unwrap();
            let due = host.writes.back().map_or(due, |write| write.due.max(due));
            let keeps_tail = host.raft.as_ref().unwrap().term_of(base.0) == Some(base.1);
            let what = What::Base {
                base,
                membership,
                keeps_tail,
            };
            host.writes.push_back(Write { due, what });
        }
    }
}
