//! The promises of members in their frames, and the bounds of a frame: checked in every frame.

use std::collections::BTreeMap;

use bytes::Bytes;
use seedis::ids::{Incarnation, LogIndex, NodeId, Term};
use seedis::node::Node;
use seedis::raft::message::{Envelope, Message};
use seedis::raft::{Raft, Settings, wire};

use super::World;
use super::agreement::broken;
use crate::judge::invariant::{Id, Verdict};

/// The words of members that bind them.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    /// The vote of a life of a disk in a term.
    votes: BTreeMap<(NodeId, Incarnation, Term), NodeId>,
    /// The highest term that a life of a disk has spoken in.
    spoken: BTreeMap<(NodeId, Incarnation), Term>,
}

impl Promises {
    /// R11, R18, R19: what a member says binds the life of its disk.
    pub(super) fn hears(
        &mut self,
        envelope: &Envelope,
        message: &Message,
        append_bytes: usize,
    ) -> Verdict {
        let Envelope { from, to, term, .. } = *envelope;
        let own = (from.id, from.incarnation);
        let spoken = self.spoken.entry(own).or_default();
        if term < *spoken {
            let text = format!("{} speaks in {term}, and had spoken in {spoken}", from.id);
            return broken(Id::R18, text);
        }
        *spoken = term;
        let vote = match message {
            Message::Vote { .. } => from.id,
            Message::VoteReply { granted: true } => to.id,
            Message::Append(append) => {
                let most = Settings::default().append_entries;
                let bytes: usize = append.entries.iter().map(|e| e.payload.len()).sum();
                let many = append.entries.len() > most;
                if many || (append.entries.len() > 1 && bytes > append_bytes) {
                    let count = append.entries.len();
                    let text = format!("{} sends {count} entries, {bytes} bytes", from.id);
                    return broken(Id::R19, text);
                }
                return Ok(());
            }
            // Of these nothing is held against the sender that its disk has to remember.
            Message::PreVote { .. }
            | Message::PreVoteReply { .. }
            | Message::VoteReply { granted: false }
            | Message::Part(_)
            | Message::PartReply { .. }
            | Message::Accepted { .. }
            | Message::Rejected { .. }
            | Message::Heartbeat { .. }
            | Message::HeartbeatReply { .. }
            | Message::Reminder { .. }
            | Message::TimeoutNow
            | Message::SnapshotOffer { .. }
            | Message::SnapshotChunk(_)
            | Message::ChunkReply { .. } => return Ok(()),
        };
        match self.votes.insert((from.id, from.incarnation, term), vote) {
            Some(before) if before != vote => {
                let text = format!("{} votes for {before} and for {vote} in {term}", from.id);
                broken(Id::R11, text)
            }
            _ => Ok(()),
        }
    }

    /// R12: a member that has come back knows the terms in which it has spoken, and its vote.
    pub(super) fn check(&self, id: NodeId, raft: &Raft) -> Verdict {
        let (incarnation, term) = (raft.incarnation(), raft.term());
        let spoken = self.spoken.get(&(id, incarnation)).copied();
        if let Some(spoken) = spoken.filter(|spoken| term < *spoken) {
            let text = format!("{id} comes back in {term}, and had spoken in {spoken}");
            return broken(Id::R12, text);
        }
        let vote = self.votes.get(&(id, incarnation, term)).copied();
        if vote.is_some() && raft.vote() != vote {
            let own = raft.vote();
            let text = format!("{id} comes back with vote {own:?} in {term}, and gave {vote:?}");
            return broken(Id::R12, text);
        }
        Ok(())
    }
}

impl World {
    /// How a member stands that is about to be given a frame which is not for it, but for another
    /// life of its disk.
    pub(super) fn stands_before(&self, number: usize, frame: &Bytes) -> Option<String> {
        let (envelope, _) = wire::decode(frame).ok()?;
        let member = &self.members[number];
        let node = member.node.as_ref()?;
        let other = node.raft()?.incarnation() != envelope.to.incarnation;
        other.then(|| standing(node))
    }

    /// R19: a member of a group keeps no more than it may.
    pub(super) fn check_bounds(&self, number: usize) -> Verdict {
        let member = &self.members[number];
        let node = member.node.as_ref().filter(|_| self.members.len() > 1);
        node.map_or(Ok(()), |node| {
            check_limits(number, node, member.config.retained_bytes)
        })
    }

    /// R21: it stands as it did.
    pub(super) fn stands_still(&self, number: usize, before: Option<String>) -> Verdict {
        let (Some(before), Some(node)) = (before, &self.members[number].node) else {
            return Ok(());
        };
        let after = standing(node);
        if after != before {
            let text = format!(
                "member {number} acts on a frame for another life: {before}, \
                {after}"
            );
            return broken(Id::R21, text);
        }
        Ok(())
    }
}

/// The state that a frame may change.
fn standing(node: &Node) -> String {
    let leader = node.raft().and_then(Raft::leader);
    format!("{leader:?}, {:?}", node.standing())
}

/// R19: no member keeps or waits for more than its settings allow; the last entry may be larger.
fn check_limits(number: usize, node: &Node, retained: usize) -> Verdict {
    let Some(raft) = node.raft() else {
        return Ok(());
    };
    let limits = Settings::default();
    let (commit, is_feeding) = (raft.commit(), raft.feeds_somebody());
    let applied = node.applied();
    let (mut kept, mut open, mut largest) = (0, 0, 0);
    for entry in raft.entries_after(LogIndex(0)) {
        let bytes = entry.encoded_bytes();
        largest = bytes.max(largest);
        if entry.index > commit {
            open += bytes;
        } else if entry.index <= applied {
            kept += bytes;
        }
    }
    let allowed = if is_feeding {
        retained.max(limits.fed_bytes)
    } else {
        retained
    };
    if open > limits.uncommitted_bytes + largest || kept > allowed + largest {
        let text = format!("member {number} keeps {kept} of {allowed} bytes, and {open} open ones");
        return broken(Id::R19, text);
    }
    Ok(())
}
