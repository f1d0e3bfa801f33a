//! A leader's rounds of questions, and the reads that wait for their answers (thesis 6.4).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::ids::LogIndex;
use crate::time::Mono;

use super::settings::Refused;

/// The outcome of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadDone {
    /// The number that its owner gave it.
    pub id: u64,
    /// It may be served as soon as the state machine has applied this index; or it must be asked
    /// of another member.
    pub outcome: Result<LogIndex, Refused>,
}

/// A leader's questions and what waits for their answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// Reads that are part of no round yet.
    pub(super) fresh: Vec<u64>,
    /// Reads that wait for a round, in order: number, index, round.
    pub(super) asked: VecDeque<(u64, LogIndex, u64)>,
    /// The latest round.
    pub(super) round: u64,
    /// Rounds without a quorum of answers, and when each began.
    pub(super) open: VecDeque<(u64, Mono)>,
    /// When the latest round began that a quorum has answered.
    pub(super) lease_from: Option<Mono>,
    /// Rounds up to here give no lease: the clock has jumped since.
    pub(super) void: u64,
    /// Another member was told to campaign at once: nobody's silence can be relied on any more.
    pub(super) no_lease: bool,
}

impl Reads {
    /// Begins a round, of which all reads so far become a part.
    pub(super) fn begin(&mut self, commit: LogIndex, may_read: bool, now: Mono) {
        self.round += 1;
        self.open.push_back((self.round, now));
        if may_read {
            let round = self.round;
            let fresh = self.fresh.drain(..);
            self.asked.extend(fresh.map(|id| (id, commit, round)));
        }
    }

    /// A quorum has answered a round.
    pub(super) fn answered(&mut self, round: u64, done: &mut Vec<ReadDone>) {
        while let Some((number, began)) = self.open.pop_front_if(|(number, _)| *number <= round) {
            if number > self.void {
                self.lease_from = Some(began);
            }
        }
        while let Some((id, index, _)) = self.asked.pop_front_if(|(_, _, own)| *own <= round) {
            let outcome = Ok(index);
            done.push(ReadDone { id, outcome });
        }
    }

    /// The leader is none any more.
    pub(super) fn refuse(&mut self, done: &mut Vec<ReadDone>) {
        let ids = self.asked.drain(..).map(|(id, _, _)| id);
        let outcome = Err(Refused::NotLeader { leader: None });
        done.extend(
            ids.chain(self.fresh.drain(..))
                .map(|id| ReadDone { id, outcome }),
        );
    }
}
