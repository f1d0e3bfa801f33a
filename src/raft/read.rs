//! Reads that are no entries: a leader asks whether it still leads, or relies on a lease (thesis
//! 6.4).
//!
//! A round is a question to all members, numbered and timed; whoever answers it has heard of the
//! leader after the round began. All reads that came before a round share it. The same rounds give
//! the lease: what a quorum has heard, a quorum will not vote against for an election timeout.

use alloc::vec::Vec;
use core::time::Duration;

use crate::time::Mono;

use super::member::Raft;
use super::role::Role;
use super::rounds::ReadDone;
use super::settings::{Refused, Settings};

/// With so many rounds unanswered, reads wait for the next heartbeat.
const OPEN_ROUNDS: usize = 4;

impl Settings {
    /// How long a lease lasts from the beginning of its round: a voter's clock may run fast while
    /// the leader's runs slow (thesis 6.4.1).
    fn lease(&self) -> Duration {
        let parts = 1_000_000_u64;
        let drift = self.drift_ppm.min(parts);
        let nanos = self.election_min().as_nanos() * u128::from(parts - drift);
        Duration::from_nanos((nanos / u128::from(parts + drift)) as u64)
    }
}

impl Raft {
    /// Asks from which state a read may be served, so that it sees all that was written before now
    /// (thesis 6.4). The outcome comes out of `ready_reads`.
    pub fn read(&mut self, now: Mono, id: u64) {
        self.now = self.now.max(now);
        let most = self.settings.pending_reads;
        let outcome = match &mut self.role {
            Role::Leader(leadership) => {
                let reads = &mut leadership.reads;
                if reads.fresh.len() + reads.asked.len() < most {
                    reads.fresh.push(id);
                    return;
                }
                Err(Refused::Full)
            }
            _ => Err(Refused::NotLeader {
                leader: self.leader(),
            }),
        };
        self.reads_done.push(ReadDone { id, outcome });
    }

    /// Reads whose fate is known.
    pub fn ready_reads(&mut self, out: &mut Vec<ReadDone>) {
        self.begin_round(false);
        out.append(&mut self.reads_done);
    }

    /// Returns true if this member may serve reads from what it has applied, without asking
    /// anybody: no other can have been elected by now, if no clock drifts by more than the settings
    /// say (thesis 6.4.1). To be asked again when the answer leaves.
    pub fn has_lease(&self, now: Mono) -> bool {
        let Role::Leader(leadership) = &self.role else {
            return false;
        };
        if self.applied < leadership.first || leadership.reads.no_lease {
            return false;
        }
        if self.history.in_force().is_sole_voter(self.settings.id) {
            return true;
        }
        let from = leadership.reads.lease_from;
        from.is_some_and(|from| now.max(self.now) < from + self.settings.lease())
    }

    /// The clock has jumped, or stood still: what was measured across that is void.
    pub fn clock_jumped(&mut self) {
        match &mut self.role {
            Role::Leader(leadership) => {
                leadership.reads.void = leadership.reads.round;
                leadership.reads.lease_from = None;
            }
            Role::Follower(following) => (following.token, following.fresh) = (None, None),
            Role::PreCandidate(_) | Role::Candidate(_) => {}
        }
    }

    /// How long ago this leader certainly led, in nanoseconds: when the latest round began that a
    /// quorum has answered. Nothing where it does not know what its predecessors have committed.
    pub(super) fn led_before(&self) -> Option<u64> {
        let Role::Leader(leadership) = &self.role else {
            return None;
        };
        let from = leadership.reads.lease_from?;
        let nanos = u64::try_from(self.now.since(from).as_nanos()).ok();
        nanos.filter(|_| self.has_committed_own_term())
    }

    /// Begins a round if reads wait for one, or because it is time to.
    pub(super) fn begin_round(&mut self, is_due: bool) {
        let may_read = self.has_committed_own_term();
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        let reads = &mut leadership.reads;
        let wanted = may_read && !reads.fresh.is_empty() && reads.open.len() < OPEN_ROUNDS;
        if is_due || wanted {
            reads.begin(self.commit, may_read, self.now);
            self.close_rounds();
        }
    }

    /// Looks which rounds a quorum has answered by now.
    pub(super) fn close_rounds(&mut self) {
        let me = self.settings.id;
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        let peers = &leadership.peers;
        let round = self.history.in_force().reached(&|id| {
            if id == me {
                return leadership.reads.round;
            }
            let peer = peers.iter().find(|peer| peer.member.id == id);
            peer.map_or(0, |peer| peer.round)
        });
        leadership.reads.answered(round, &mut self.reads_done);
    }
}
