//! States for members to whom the log does not reach back: a leader asks its owner for one and
//! sends it piece by piece (thesis 5).
//!
//! A member is offered a state, says which byte it wants, and is sent one piece at a time; so the
//! same question finds out where to go on after a loss, a restart or a change of leaders. Pieces
//! never wait in line before entries or votes: they are frames of the last class, one per member.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::ids::{LogIndex, NodeId};

use super::entry::Entry;
use super::log::TermAt;
use super::member::Raft;
use super::membership::{Member, Membership};
use super::message::{Chunk, Message, SnapshotId};
use super::progress::{Peer, Progress};
use super::role::Role;
use super::sending::{ChunkWanted, Sending, SnapshotWanted, Stage, Supply};

/// For how many election timeouts a member that says nothing is still thought to want its state.
const PATIENCE: u32 = 10;

impl Peer {
    fn supply(&mut self) -> Option<&mut Supply> {
        match &mut self.progress {
            Progress::Snapshot(supply) if self.leaving.is_none() => Some(supply),
            _ => None,
        }
    }
}

impl Raft {
    /// Members that wait for a state; each is named until it is supplied or needs none any more.
    pub fn snapshots_wanted(&self) -> impl Iterator<Item = SnapshotWanted> {
        let at_least = self.log.base().0;
        let waits = |peer: &&Peer| {
            let wanted = matches!(peer.progress, Progress::Snapshot(Supply::Wanted));
            wanted && peer.leaving.is_none()
        };
        self.peers().iter().filter(waits).map(move |peer| {
            let to = peer.member.id;
            SnapshotWanted { to, at_least }
        })
    }

    /// The states that are being sent: their bytes will be asked for. A member that has not been
    /// heard of for some time does not count, or the log would grow for as long as it is dead.
    pub fn snapshots_in_use(&self) -> impl Iterator<Item = SnapshotId> {
        let patience = self.settings.election_max() * PATIENCE;
        let now = self.now;
        self.peers()
            .iter()
            .filter_map(move |peer| match &peer.progress {
                Progress::Snapshot(Supply::Sending(sending))
                    if now.since(peer.heard) < patience =>
                {
                    Some(sending.id)
                }
                _ => None,
            })
    }

    /// Gives a state for a member that waits for one: its name, and the membership at its last
    /// entry. False where it is of no use: nobody waits, or the log does not go on behind it.
    pub fn supply(&mut self, to: NodeId, id: SnapshotId, membership: Membership) -> bool {
        let (index, term) = id.base;
        let goes_on = index <= self.applied && self.log.term_at(index) == TermAt::Known(term);
        let now = self.now;
        let Some(peer) = self.peer_of(to) else {
            return false;
        };
        match peer.supply() {
            Some(supply @ Supply::Wanted) if goes_on && id.bytes > 0 => {
                *supply = Supply::Sending(Box::new(Sending {
                    id,
                    membership,
                    stage: Stage::Offer,
                }));
                peer.moved = now;
                true
            }
            _ => false,
        }
    }

    /// A state can be read no longer: whoever was being sent it waits for another.
    pub fn snapshot_lost(&mut self, id: &SnapshotId) {
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        for peer in &mut leadership.peers {
            if let Progress::Snapshot(supply) = &mut peer.progress
                && supply.sending(id).is_some()
            {
                *supply = Supply::Wanted;
            }
        }
    }

    /// The next piece to read; each is named once, and is to be answered by `chunk` or
    /// `snapshot_lost`.
    pub fn chunk_wanted(&mut self) -> Option<ChunkWanted> {
        let most = self.settings.chunk_bytes.max(1);
        let Role::Leader(leadership) = &mut self.role else {
            return None;
        };
        leadership.peers.iter_mut().find_map(|peer| {
            let to = peer.member.id;
            let Some(Supply::Sending(sending)) = peer.supply() else {
                return None;
            };
            let Stage::Read(offset) = sending.stage else {
                return None;
            };
            sending.stage = Stage::Reading(offset);
            let left = sending.id.bytes - offset;
            Some(ChunkWanted {
                to,
                id: sending.id,
                offset,
                bytes: usize::try_from(left).map_or(most, |left| left.min(most)),
            })
        })
    }

    /// The bytes of a piece. Bytes that are no longer wanted are dropped.
    pub fn chunk(&mut self, wanted: &ChunkWanted, data: Bytes) {
        let ChunkWanted { to, id, offset, .. } = *wanted;
        let Some(end) = offset.checked_add(data.len() as u64) else {
            return;
        };
        let now = self.now;
        let Some(peer) = self.peer_of(to) else {
            return;
        };
        let member = peer.member;
        // Also where the member is leaving: it may come back before that is committed.
        let Progress::Snapshot(supply) = &mut peer.progress else {
            return;
        };
        let Some(sending) = supply.sending(&id) else {
            return;
        };
        let is_piece = !data.is_empty() && end <= id.bytes;
        if sending.stage == Stage::Reading(offset) && is_piece {
            sending.stage = Stage::Sent(end);
            peer.moved = now;
            let message = Message::SnapshotChunk(Chunk { id, offset, data });
            self.send(member, &message, self.term_seq);
        }
    }

    /// Asks members that have a state to come which byte of it they want. If the log no longer
    /// reaches back to that state, since the member was silent for long, it waits for another.
    pub(super) fn offer_snapshots(&mut self) {
        let floor = self.log.base().0;
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        let mut offers = Vec::new();
        for peer in &mut leadership.peers {
            let member = peer.member;
            let Some(supply) = peer.supply() else {
                continue;
            };
            if let Supply::Sending(sending) = supply
                && sending.stage == Stage::Offer
            {
                if sending.id.base.0 < floor {
                    *supply = Supply::Wanted;
                    continue;
                }
                sending.stage = Stage::Offered;
                let (id, membership) = (sending.id, sending.membership.clone());
                offers.push((member, Message::SnapshotOffer { id, membership }));
            }
        }
        for (member, offer) in offers {
            self.send(member, &offer, self.term_seq);
        }
    }

    /// A member wants this byte of the state next.
    pub(super) fn on_chunk_reply(&mut self, from: Member, id: &SnapshotId, offset: u64) {
        let now = self.now;
        let Some(peer) = self.peer(from) else { return };
        let sending = peer.supply().and_then(|supply| supply.sending(id));
        if sending.is_some_and(|sending| sending.replied(offset)) {
            peer.moved = now;
        }
    }

    /// Returns true if entries are kept for a member that is being sent a state, or what came after
    /// it, or a large entry.
    pub fn feeds_somebody(&self) -> bool {
        let mut fed = self.fed();
        fed.any(|peer| peer.catches_up || peer.parted().is_some())
    }

    /// The members of which something was heard lately.
    fn fed(&self) -> impl Iterator<Item = &Peer> {
        let silent = self.settings.election_max();
        let peers = self.peers().iter();
        peers.filter(move |peer| self.now.since(peer.heard) < silent)
    }

    /// The size of the largest entry that is on its way to a member.
    pub(super) fn parted_bytes(&self) -> usize {
        let entries = self.fed().filter_map(|peer| self.log.get(peer.parted()?));
        entries.map(Entry::encoded_bytes).max().unwrap_or(0)
    }

    /// Up to where a member is known to hold the log, as long as this one leads.
    pub fn held_by(&self, id: NodeId) -> LogIndex {
        let peer = self.peers().iter().find(|peer| peer.member.id == id);
        peer.map_or(LogIndex(0), |peer| peer.matched)
    }

    /// How many other members are known to hold an entry, as long as this one leads.
    pub fn holders(&self, index: LogIndex) -> usize {
        let peers = self.peers().iter();
        peers.filter(|peer| peer.matched >= index).count()
    }

    /// Those to whom a leader speaks: the other members, and former ones until they are told of
    /// their removal, or cannot be. Nobody, where another leads.
    pub fn audience(&self) -> impl Iterator<Item = Member> {
        self.peers().iter().map(|peer| peer.member)
    }

    fn peers(&self) -> &[Peer] {
        match &self.role {
            Role::Leader(leadership) => &leadership.peers,
            _ => &[],
        }
    }

    fn peer_of(&mut self, id: NodeId) -> Option<&mut Peer> {
        match &mut self.role {
            Role::Leader(leadership) => leadership
                .peers
                .iter_mut()
                .find(|peer| peer.member.id == id),
            _ => None,
        }
    }
}
