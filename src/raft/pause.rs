//! Pauses of this very process: a long turn, or an operating system that ran others meanwhile.
//!
//! Timeouts measure the silence of other members (thesis 3.4, 6.2, 9.6). A member that does not
//! listen hears nothing, however much the others send: their messages from a pause wait to be read,
//! and are read when the pause is over. So the time of a pause is added to what a follower waits
//! for its leader and a leader for its followers, and nobody campaigns or steps down at the very
//! end of one.
//!
//! That is always safe. No rule of Raft's safety says that a member must campaign or step down by
//! some time. A lease runs from the moment when its round was asked (`read`) and ends by the clock;
//! a vote is withheld from the moment when a leader was heard (`is_sticky`); a follower's state is
//! as old as the answer behind which its leader spoke (`learn_freshness`). None of these moves
//! here.

use core::time::Duration;

use crate::time::Mono;

use super::member::Raft;
use super::role::Role;
use super::settings::Settings;

/// So many campaigns in a row are put off by the end of a pause. A process that is late each time
/// must still be able to campaign.
const PUT_OFF_MAX: u8 = 3;

impl Settings {
    /// A process that comes later than this has paused.
    fn lateness_max(&self) -> Duration {
        self.heartbeat() / 2
    }

    /// How long what was said in a pause may take to be read.
    fn listening(&self) -> Duration {
        self.heartbeat() / 2
    }
}

impl Raft {
    /// This process has read nothing of what others said between `since` and `now`: a turn took so
    /// long.
    pub fn paused(&mut self, since: Mono, now: Mono) {
        // A pause that is noticed twice is one.
        let pause = now.since(since.max(self.listened));
        if pause <= self.settings.lateness_max() {
            return;
        }
        self.listened = now;
        match &mut self.role {
            Role::Leader(leadership) => {
                for peer in &mut leadership.peers {
                    peer.heard = now.min(peer.heard + pause);
                }
            }
            _ if self.put_off < PUT_OFF_MAX => {
                self.put_off += 1;
                let listened = now + self.settings.listening();
                self.election_at = listened.max(self.election_at + pause);
            }
            _ => {}
        }
    }

    /// Looks whether this process comes late to what was due.
    pub(super) fn notice_pause(&mut self) {
        if let Some(due) = self.deadline() {
            self.paused(due, self.now);
        }
    }
}
