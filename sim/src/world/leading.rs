//! R25, R26, L12: what a leader owes to those that it leads: it tells them that they are removed,
//! keeps for them what the settings want, and ceases to lead when it hears too few of them.

use bytes::Bytes;
use seedis::ids::{LogIndex, NodeId};
use seedis::node::Node;
use seedis::raft::message::{Envelope, Message};
use seedis::raft::{EntryKind, Membership, Raft, Settings, wire};

use super::World;
use super::arrivals::machine_of;
use super::member::{Member, Passed};
use super::owed::{Leading, Leaving};
use crate::judge::invariant::{Id, Verdict, Violation};

/// For how long a leader may hear too few others, in nanoseconds: some longest election timeouts.
const UNHEARD: u64 = 2_000_000_000;

/// The longest frame that asks something, in bytes.
const ASKED_BYTES_MAX: usize = 200;

/// How many bytes of entries stand in memory behind one, and the largest of them.
fn held(raft: &Raft) -> (usize, usize) {
    let mut sums = (0, 0);
    for entry in raft.entries_after(LogIndex(0)) {
        let bytes = entry.encoded_bytes();
        sums = (sums.0 + bytes, bytes.max(sums.1));
    }
    sums
}

impl Leading {
    /// R25: those that are removed are told so, or are not to be told in time.
    fn tells(&mut self, who: (usize, NodeId), node: &Node, raft: &Raft, now: Passed) -> Verdict {
        let in_force = raft.in_force();
        let members: Vec<NodeId> = in_force.members().map(|one| one.id).collect();
        let changes = raft.entries_after(LogIndex(0));
        let changes = changes.filter(|entry| entry.kind == EntryKind::Membership);
        let index = changes.map(|entry| entry.index).last();
        let since = self.looked;
        self.looked = now.mono;
        let is_gone = |id: &&NodeId| **id != who.1 && !members.contains(id);
        for gone in self.members.iter().filter(is_gone) {
            if let Some(index) = index {
                let leaving = Leaving { index, since };
                self.leaving.entry(*gone).or_insert(leaving);
            }
        }
        self.leaving.retain(|id, _| !members.contains(id));
        self.members = members;
        let patience = 2 * Settings::default().election_ms_max * 1_000_000;
        let mut untold = None;
        self.leaving.retain(|id, leaving| {
            let speaks = node.speaks_to(*id);
            let told = self.told.get(id).copied().unwrap_or_default();
            let owes = told < leaving.index && now.mono < leaving.since + patience;
            if !speaks && owes {
                untold = Some((*id, leaving.index));
            }
            speaks
        });
        untold.map_or(Ok(()), |(id, index)| {
            let who = who.0;
            let text = format!("member {who} has not told {id} of {index}, by which it is removed");
            Err(Violation::new(Id::R25, text))
        })
    }

    /// R26: entries go only as far as the settings want, where there are others.
    fn keeps(&mut self, who: &Member, raft: &Raft, had_company: bool) -> Verdict {
        let first = raft.entries_after(LogIndex(0)).next();
        let first = first.map_or(raft.last().next(), |entry| entry.index);
        let (bytes, largest) = held(raft);
        self.largest = self.largest.max(largest);
        let moved = self
            .first
            .replace(first)
            .is_some_and(|before| before < first);
        let kept = who.config.retained_bytes;
        if moved && had_company && self.members.len() > 1 && bytes + self.largest < kept {
            let number = who.number;
            let text = format!("member {number} has let entries go, and keeps {bytes} of {kept}");
            return Err(Violation::new(Id::R26, text));
        }
        Ok(())
    }
}

impl Member {
    /// Returns true if a leader hears so many that they are a majority with itself.
    fn hears_enough(&self, members: &Membership, raft: &Raft, now: Passed, from: Passed) -> bool {
        let lately = |number: usize| {
            let heard = self.heard.get(&number).copied().unwrap_or_default();
            now.since(heard.max(from)) <= UNHEARD
        };
        let own = raft.incarnation();
        let hears = |id: NodeId| {
            members
                .get(id)
                .is_some_and(|one| one.incarnation == own || lately(machine_of(one.incarnation)))
        };
        members.reached(&|id| u64::from(hears(id))) == 1
    }
}

impl World {
    /// A member tells another how far the log is committed.
    pub(super) fn tells_commit(&mut self, number: usize, spoken: &(Envelope, Message)) {
        let (envelope, message) = spoken;
        let leading = &mut self.members[number].leading;
        let commit = match message {
            Message::Heartbeat { commit, .. } => *commit,
            Message::Append(append) => append.commit,
            Message::Part(part) => part.commit,
            _ => return,
        };
        let told = leading.told.entry(envelope.to.id).or_default();
        *told = commit.max(*told);
    }

    /// A member is given a leader's heartbeat, or asked whether it would vote for another.
    pub(super) fn hears_leader(&mut self, number: usize, frame: &Bytes) {
        if frame.len() > ASKED_BYTES_MAX {
            return;
        }
        let Ok((envelope, message)) = wire::decode(frame) else {
            return;
        };
        let member = &mut self.members[number];
        let now = member.passed(self.time).mono;
        let Some(raft) = member.node.as_ref().and_then(Node::raft) else {
            return;
        };
        let (term, turn) = (raft.term(), member.turns);
        let is_for_it = raft.incarnation() == envelope.to.incarnation;
        match message {
            Message::Heartbeat { .. } if term == envelope.term && is_for_it => {
                member.was_told = Some((term, now, turn));
            }
            Message::PreVote { .. } => {
                let deaf = Settings::default().election_ms_min * 1_000_000 / 2;
                let hears = member.hears_leader.is_some_and(|(of, heard, before)| {
                    of == term && before < turn && now.saturating_sub(heard) < deaf
                });
                *member.asked_beside.entry(envelope.from.id).or_insert(true) &= hears;
            }
            _ => {}
        }
    }

    /// R27: a member that hears a leader lets nobody depose it.
    pub(super) fn check_grant(&mut self, number: usize, spoken: &(Envelope, Message)) -> Verdict {
        let granted = match spoken.1 {
            Message::PreVoteReply { granted, .. } => granted,
            Message::HeartbeatReply { .. } => {
                // A word that it leaves unanswered came from a link that has ended meanwhile.
                let member = &mut self.members[number];
                member.hears_leader = member.was_told.or(member.hears_leader);
                return Ok(());
            }
            _ => return Ok(()),
        };
        // The answer may wait for the disk: what counts is when it was asked.
        let to = spoken.0.to.id;
        let asked = self.members[number].asked_beside.remove(&to);
        if granted && asked == Some(true) {
            let text = format!("member {number} hears a leader, and would vote for {to}");
            return Err(Violation::new(Id::R27, text));
        }
        Ok(())
    }

    /// Looks at a leader behind its turn.
    pub(super) fn check_leading(&mut self, number: usize) -> Verdict {
        self.look_at_base(number)?;
        if self.members.len() == 1 {
            return Ok(());
        }
        let member = &mut self.members[number];
        let now = member.passed(self.time);
        let mut leading = std::mem::take(&mut member.leading);
        let Some(node) = &member.node else {
            return Ok(());
        };
        let Some(raft) = node.raft().filter(|raft| raft.is_leader()) else {
            return Ok(());
        };
        if (leading.life, leading.term) != (member.life, raft.term()) {
            leading = Leading {
                life: member.life,
                term: raft.term(),
                ..Leading::default()
            };
        }
        let had_company = leading.members.len() > 1;
        leading.tells((number, member.config.id), node, raft, now)?;
        leading.keeps(member, raft, had_company)?;
        let (ran, mono) = *leading.since.get_or_insert((now.ran, now.mono));
        let since = Passed { ran, mono };
        if now.since(since) > UNHEARD {
            let enough = member.hears_enough(raft.in_force(), raft, now, since);
            if !enough {
                let text = format!("member {number} leads, and hears no majority any more");
                return Err(Violation::new(Id::L12, text));
            }
        }
        self.members[number].leading = leading;
        Ok(())
    }
}
