//! The invariants, asked after every event; their numbers are those of the simulator's.

use super::net::Net;
use crate::ids::{LogIndex, NodeId};
use crate::raft::log::TermAt;
use crate::raft::message::Message;
use crate::raft::*;
use bytes::Bytes;

impl Net {
    /// R16, R17: whoever may read without asking has applied all that is committed anywhere.
    pub(super) fn check_leases(&mut self) {
        for (id, host) in &self.hosts {
            let Some(raft) = &host.raft else { continue };
            if raft.has_lease(self.local(*id)) {
                self.leases += 1;
                let all = self.committed.len() as u64;
                assert!(
                    host.applied.0 >= all,
                    "R16: {id} relies on a lease that is none"
                );
            }
        }
    }

    pub(super) fn applied(&mut self, id: NodeId, entry: &Entry) {
        let host = self.hosts.get_mut(&id).unwrap();
        assert_eq!(
            entry.index,
            host.applied.next(),
            "R10: applied in order, each once"
        );
        host.applied = entry.index;
        let at = entry.index.0 as usize - 1;
        let known = (entry.term, entry.payload.clone());
        match self.committed.get(at) {
            Some(committed) => assert_eq!(*committed, known, "R5: one entry per index"),
            None => panic!("applied before it was committed anywhere"),
        }
    }

    pub(super) fn check_spoken(&mut self, from: NodeId, frame: &[u8]) {
        let frame = Bytes::copy_from_slice(frame);
        let (envelope, message) = wire::decode(&frame).expect("what is sent is a frame");
        let host = self.hosts.get_mut(&from).unwrap();
        assert!(
            envelope.term >= host.spoken,
            "R18: no lower term than before"
        );
        host.spoken = envelope.term;
        let disk = &host.disk;
        assert!(
            disk.term >= envelope.term,
            "R12: a term is durable before it is spoken of"
        );
        let mut voted = |candidate: NodeId| {
            let durable = disk.term > envelope.term || disk.vote == Some(candidate);
            assert!(durable, "R12: a vote is durable before it is spoken of");
            let first = self.votes.entry((from, envelope.term)).or_insert(candidate);
            assert_eq!(*first, candidate, "R11: one vote per term");
        };
        match &message {
            Message::Vote { .. } => voted(from),
            Message::VoteReply { granted: true } => voted(envelope.to.id),
            Message::Accepted { index } | Message::HeartbeatReply { durable: index, .. } => {
                let raft = host.raft.as_ref().unwrap();
                if *index > disk.base.0 {
                    let durable = disk.term_at(*index).map(TermAt::Known);
                    let own = raft.log.term_at(*index);
                    assert!(
                        durable == Some(own) || (own == TermAt::Compacted && durable.is_some()),
                        "R12: accepted is durable"
                    );
                }
            }
            _ => {}
        }
        if let Some(trace) = &mut self.trace {
            trace.push((from, envelope.to.id, message));
        }
    }

    /// The invariants that one member's event can break.
    pub(super) fn check(&mut self, id: NodeId) {
        let host = self.hosts.get_mut(&id).unwrap();
        let Some(raft) = &host.raft else { return };
        let (term, commit, applied) = host.shown;
        assert!(raft.term() >= term, "R8: terms only grow");
        assert!(raft.commit() >= commit, "R9: the commit index only grows");
        assert!(raft.applied >= applied, "R10: applied only grows");
        host.shown = (raft.term(), raft.commit(), raft.applied);
        let (base, last) = (raft.log.base().0, raft.last());
        let in_order =
            base <= raft.applied && raft.applied <= raft.commit() && raft.commit() <= last;
        assert!(in_order, "R13: base, applied, commit, last");
        assert_eq!(raft.applied, host.applied);
        host.led_in = raft.is_leader().then(|| raft.in_force().clone());
        if host.led_in.is_none() {
            return;
        }
        // It may not know yet what others have committed.
        let known = raft.commit().0.max(self.committed.len() as u64);
        let window = raft.log.window().iter();
        let uncommitted = window.filter(|entry| entry.index.0 > known);
        let changes = uncommitted.filter(|entry| entry.kind == EntryKind::Membership);
        assert!(changes.count() <= 1, "R15: one change at a time");
        let first = self.leaders.entry(raft.term()).or_insert(id);
        assert_eq!(*first, id, "R1: one leader per term");
        if raft.term() < self.committed_in {
            // It does not know yet that it leads no longer.
            return;
        }
        assert!(
            last.0 >= self.committed.len() as u64,
            "R4: a leader has all that is committed"
        );
        for entry in raft.log.window() {
            if let Some(committed) = self.committed.get(entry.index.0 as usize - 1) {
                assert_eq!(entry.term, committed.0, "R4: and as it was committed");
            }
        }
    }

    /// Entries that a leader calls committed must be durable on a quorum, before anybody applies
    /// them.
    pub(super) fn check_commit(&mut self, id: NodeId) {
        let raft = self.hosts[&id].raft.as_ref().unwrap();
        let (commit, known) = (raft.commit(), self.committed.len() as u64);
        if commit.0 <= known {
            return;
        }
        // A leader may have removed itself by it.
        assert!(
            raft.is_leader() || self.hosts[&id].led_in.is_some(),
            "only a leader commits what was not committed"
        );
        let term = raft.log.term_at(commit);
        let holds = |id: NodeId| {
            let disk = &self.hosts[&id].disk;
            disk.base.0 >= commit || disk.term_at(commit).map(TermAt::Known) == Some(term)
        };
        // What was in force when the event began has decided: what it commits may end a change.
        let decided = self.hosts[&id].led_in.as_ref();
        let decided = decided.unwrap_or(raft.in_force());
        let reached = decided.reached(&|id| u64::from(holds(id)));
        assert_eq!(reached, 1, "R7: committed is durable on a quorum");
        self.committed_in = self.committed_in.max(raft.term());
        for index in known + 1..=commit.0 {
            let entry = raft.log.get(LogIndex(index)).expect("not applied yet");
            self.committed.push((entry.term, entry.payload.clone()));
            let membership = entry.membership().map(|new| (entry.index, new));
            self.memberships.extend(membership);
        }
    }

    /// R3: two logs that agree at an index agree in all before it.
    pub(super) fn check_log_matching(&self) {
        let rafts: Vec<&Raft> = self
            .hosts
            .values()
            .filter_map(|h| h.raft.as_ref())
            .collect();
        for (at, one) in rafts.iter().enumerate() {
            for other in &rafts[..at] {
                let mut agree = false;
                for entry in one.log.window().iter().rev() {
                    let Some(twin) = other.log.get(entry.index) else {
                        continue;
                    };
                    agree |= twin.term == entry.term;
                    assert!(!agree || twin == entry, "R3: log matching");
                }
            }
        }
    }
}
