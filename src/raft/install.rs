//! States that a leader sends where its log does not reach back: taken piece by piece, put in force
//! when they are durable (thesis 5).
//!
//! While the owner puts a state in force the log stands still: no entry is taken, nothing is
//! committed and no campaign begun, so that what was decided when the last piece came still holds
//! when the state is durable.

use super::member::Raft;
use super::membership::Membership;
use super::message::{Chunk, EntryId, Message, SnapshotId};
use super::receiving::{ReceivedChunk, Receiving};
use super::role::Role;

impl Raft {
    /// Returns true while the owner is putting a state in force.
    pub(super) fn is_installing(&self) -> bool {
        self.receiving.as_ref().is_some_and(Receiving::is_whole)
    }

    /// The state that is being received; pieces of any other may be forgotten.
    pub fn receiving(&self) -> Option<SnapshotId> {
        self.receiving.as_ref().map(|receiving| receiving.id)
    }

    /// The leader has a state for this member. One that says nothing new is answered as an append
    /// would be.
    pub(super) fn on_snapshot_offer(&mut self, id: SnapshotId, membership: Membership) {
        if self.is_installing() {
            // What became of it is said when that is known.
            return;
        }
        self.forget_old_state();
        if id.base.0 <= self.commit {
            self.agree_on_committed();
            return;
        }
        match &self.receiving {
            Some(receiving) if receiving.id == id => {}
            _ => {
                self.receiving = (id.bytes > 0).then_some(Receiving {
                    id,
                    membership,
                    taken: 0,
                    piece: None,
                });
            }
        }
        self.answer_chunk();
    }

    /// A piece of the state that was offered. One at a time is kept.
    pub(super) fn on_snapshot_chunk(&mut self, chunk: Chunk) {
        let Some(receiving) = &mut self.receiving else {
            return;
        };
        let left = receiving.id.bytes - receiving.taken;
        let fits = !chunk.data.is_empty() && chunk.data.len() as u64 <= left;
        let is_next = chunk.id == receiving.id && chunk.offset == receiving.taken;
        if is_next && fits && receiving.piece.is_none() {
            receiving.piece = Some(chunk.data);
        }
    }

    /// The next piece of a state that a leader sends; taking it asks for the one behind it.
    ///
    /// With the last piece the owner must verify the whole, make it durable together with its
    /// membership and, if `term_of` knows the entry at its base with the base's term, the entries
    /// behind that, otherwise without any entries; and then say `installed`, or `snapshot_refused`.
    pub fn received_chunk(&mut self) -> Option<ReceivedChunk> {
        let follows = matches!(self.role, Role::Follower(_));
        let receiving = self.receiving.as_mut()?;
        let data = receiving.piece.take()?;
        if !follows {
            return None;
        }
        let (id, offset) = (receiving.id, receiving.taken);
        receiving.taken += data.len() as u64;
        let whole = receiving.is_whole().then(|| receiving.membership.clone());
        self.answer_chunk();
        Some(ReceivedChunk {
            id,
            offset,
            data,
            whole,
        })
    }

    /// Tells the leader which byte is wanted next, unless that depends on the owner.
    fn answer_chunk(&mut self) {
        if let Some(receiving) = &self.receiving
            && receiving.piece.is_none()
            && let Role::Follower(following) = &self.role
            && let Some(leader) = following.leader
        {
            let (id, offset) = (receiving.id, receiving.taken);
            let reply = Message::ChunkReply { id, offset };
            self.send(leader, &reply, self.term_seq);
        }
    }

    /// The state up to `base` is durable and in force, with the membership at its last entry: the
    /// log goes on behind it. Entries behind it stay if they follow on it (thesis 5.3). False, and
    /// nothing is done, where the log is committed as far already.
    pub fn installed(&mut self, base: EntryId, membership: Membership) -> bool {
        self.receiving = None;
        if base.0 <= self.commit {
            return false;
        }
        let is_cut = self.log.install(base);
        self.history.installed(base.0, membership, is_cut);
        self.compares_anew();
        (self.commit, self.applied) = (base.0, base.0);
        self.pay();
        self.agree_on_committed();
        true
    }

    /// The state that was received whole cannot be put in force; another may come.
    pub fn snapshot_refused(&mut self) {
        self.receiving = None;
    }

    /// The entries that are committed here agree with the leader's (thesis 3.6.3), and the leader
    /// is to know.
    fn agree_on_committed(&mut self) {
        let commit = self.commit;
        if let Role::Follower(following) = &mut self.role
            && following.leader.is_some()
        {
            following.matched = following.matched.max(commit);
            following.owes_answer = true;
            self.answer_append();
        }
    }

    /// A state is not wanted any more when the log has come as far without it.
    pub(super) fn forget_old_state(&mut self) {
        let commit = self.commit;
        self.receiving
            .take_if(|receiving| !receiving.is_whole() && receiving.id.base.0 <= commit);
    }
}
