//! A follower's part in replication: what it takes from its leader, and when it says so (thesis
//! 3.5).

use crate::ids::LogIndex;
use crate::rng;
use crate::time::Mono;

use super::log::{Accept, TermAt};
use super::member::Raft;
use super::membership::Member;
use super::message::{Append, Message};
use super::role::Role;
use super::wire::WireError;

/// Draws of tokens.
const TOKEN_STREAM: u64 = 0x746f_6b65;

impl Raft {
    /// Takes entries of the leader, or says where the logs may agree.
    pub(super) fn on_append(&mut self, from: Member, append: &mut Append) -> Result<(), WireError> {
        let round = append.round;
        if !self.is_installing() {
            self.take_entries(from, append)?;
        }
        if let Role::Follower(following) = &self.role
            && round > following.round
        {
            // Whether it leads is no question for the disk.
            self.answer_round(from, round);
        }
        Ok(())
    }

    fn take_entries(&mut self, from: Member, append: &mut Append) -> Result<(), WireError> {
        if self.conflicts.is_lasting {
            return Err(WireError::Contradiction);
        }
        let (at, commit) = (append.prev.0, append.commit);
        // What a leader has said in a term it does not take back (thesis 3.5).
        let settled = match &self.role {
            Role::Follower(following) => self.commit.max(following.matched),
            _ => self.commit,
        };
        match self.log.accept(append, settled) {
            Accept::Contradiction { own, leaders } => {
                self.contradicted(from, own, leaders);
                return Err(WireError::Contradiction);
            }
            Accept::Unknown { hint } => {
                let message = Message::Rejected { at, hint };
                self.send(from, &message, self.term_seq);
            }
            Accept::Matched { matched, from } => {
                self.agrees();
                self.has_arrived();
                if let Some(from) = from {
                    self.history.truncated(from);
                    let known = LogIndex(from.0 - 1);
                    let new = self.log.behind(known, usize::MAX, usize::MAX);
                    for entry in new.unwrap_or_default() {
                        self.history.appended(entry);
                    }
                }
                if let Role::Follower(following) = &mut self.role {
                    following.matched = following.matched.max(matched);
                    following.owes_answer = true;
                }
                self.learn_commit(commit);
                self.answer_append();
            }
        }
        Ok(())
    }

    /// Gives up the parts of a large entry that is here, or can never be: another is committed in
    /// its place. One that another leader's entry keeps the place of goes on arriving.
    fn has_arrived(&mut self) {
        let Self { log, commit, .. } = self;
        self.arriving.take_if(|arriving| {
            let (index, term) = arriving.place;
            index <= *commit || log.term_at(index) == TermAt::Known(term)
        });
    }

    /// The leader has committed up to an index; what of it is here, and as the leader has it, is
    /// committed here too (thesis 3.5).
    pub(super) fn learn_commit(&mut self, commit: LogIndex) {
        let is_installing = self.is_installing();
        if let Role::Follower(following) = &mut self.role {
            following.told_commit = following.told_commit.max(commit);
            if is_installing {
                return;
            }
            self.commit = self.commit.max(commit.min(following.matched));
            self.forget_old_state();
        }
    }

    /// Tells the leader how far the log is durable here, once for all appends that one sync has
    /// made so (thesis 10.2.1).
    pub(super) fn answer_append(&mut self) {
        let durable = self.log.durable();
        let Role::Follower(following) = &mut self.role else {
            return;
        };
        let (Some(leader), true) = (following.leader, following.owes_answer) else {
            return;
        };
        let index = durable.min(following.matched);
        let has_all = index == following.matched;
        if self.persisted < self.term_seq || !(has_all || index > following.answered) {
            return;
        }
        following.answered = index;
        following.owes_answer = !has_all;
        self.send(leader, &Message::Accepted { index }, self.term_seq);
    }

    /// The leader has said how far the log is committed; from when that is at least, by this
    /// member's clock.
    ///
    /// When a word came says nothing of when it was said. But where it says back a token of this
    /// member, it was said after an answer with that token had come to the leader, hence after the
    /// first of those was given; and so long before it was said no other led yet.
    pub(super) fn learn_freshness(&mut self, echo: u64, led_before: Option<u64>) {
        let Role::Follower(following) = &mut self.role else {
            return;
        };
        if let Some((token, answered)) = following.token
            && echo == token
        {
            following.token = None;
            let since = led_before.and_then(|nanos| answered.0.checked_sub(nanos).map(Mono));
            following.fresh = following.fresh.max(since);
        }
    }

    /// Confirms that the sender leads, and says how far its log has come here.
    pub(super) fn answer_round(&mut self, leader: Member, round: u64) {
        let Role::Follower(following) = &mut self.role else {
            return;
        };
        following.round = following.round.max(round);
        let (now, seed) = (self.now, self.settings.seed);
        // No round will do: another life of this process, or this one before it campaigned, may
        // have answered the same. The time makes it another number in each.
        let (token, _) = *following.token.get_or_insert_with(|| {
            let token = rng::draw(seed, TOKEN_STREAM, now.0, round);
            (token.max(1), now)
        });
        let received = following.matched;
        let reply = Message::HeartbeatReply {
            round,
            received,
            durable: self.log.durable().min(received),
            token,
            is_strained: self.is_strained,
            contradicts: self.contradicts_leader(),
        };
        self.send(leader, &reply, self.term_seq);
    }
}
