//! Whether this member still leads: a round of questions that every heartbeat carries, so that one
//! round answers for all reads that wait (thesis 6.4, ReadIndex).

use super::Raft;
use super::role::Role;

impl Raft {
    /// Asks all members whether this one still leads; rounds are numbered by whoever asks, upwards.
    pub fn read(&mut self, round: u64) {
        if let Role::Leader(leadership) = &mut self.role {
            leadership.round = leadership.round.max(round);
            self.send_heartbeats();
        }
    }

    /// The latest round that a quorum has answered; 0 where this member does not lead, or does not
    /// know yet what is committed.
    pub fn read_up_to(&self) -> u64 {
        let Role::Leader(leadership) = &self.role else {
            return 0;
        };
        if !self.has_committed_own_term() {
            return 0;
        }
        let me = self.settings.id;
        let answered = |id| {
            if id == me {
                return leadership.round;
            }
            let peer = leadership.peers.iter().find(|peer| peer.member.id == id);
            peer.map_or(0, |peer| peer.round)
        };
        self.history.in_force().reached(&answered)
    }
}
