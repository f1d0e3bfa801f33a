//! How old a state is from which a client may be answered that does not mind an old one.

use std::collections::VecDeque;

use super::Judge;
use super::invariant::{Id, Verdict, Violation};
use crate::goals::Goal;
use crate::model::Want;

/// No bound is longer, in nanoseconds.
const BOUND_MAX: u64 = 5_000_000_000;

/// When clients were told of which entries: of an entry with the reply to its write.
#[derive(Clone, Debug, Default)]
pub(super) struct Tellings {
    /// True time, in nanoseconds, and the last entry that anybody had been told of then.
    told: VecDeque<(u64, u64)>,
}

impl Tellings {
    /// The last entry that anybody has been told of.
    pub(super) fn last(&self) -> u64 {
        self.told.back().map_or(0, |(_, entry)| *entry)
    }

    /// Somebody is told of an entry.
    pub(super) fn note(&mut self, time: u64, entry: u64) {
        if self.last() < entry {
            self.told.push_back((time, entry));
        }
        // The last one before the longest bound stays: it holds at the moment where that begins.
        while self
            .told
            .get(1)
            .is_some_and(|(next, _)| next + BOUND_MAX < time)
        {
            self.told.pop_front();
        }
    }

    /// The last entry that anybody had been told of at a moment.
    fn at(&self, time: u64) -> u64 {
        let known = self.told.partition_point(|(told, _)| *told <= time);
        let last = known.checked_sub(1).and_then(|last| self.told.get(last));
        last.map_or(0, |(_, entry)| *entry)
    }
}

/// The reads that a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The leader's.
    #[default]
    Leader,
    /// Any member's, as old as the configuration says.
    Configured,
    /// Any member's, from no older state than this, in milliseconds; 0: from any.
    Old { most_ms: u64 },
    /// It has asked for something, and was not told whether that was done.
    Unknown,
}

impl Wish {
    /// The wish that a request expresses; nothing where it does not, or is refused.
    fn of(words: &[Vec<u8>], leases: bool) -> Option<Self> {
        let is = |place: usize, name: &str| {
            let word = words.get(place);
            word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        match words.len() {
            1 if is(0, "readonly") => Some(Self::Configured),
            1 if is(0, "readwrite") || is(0, "reset") => Some(Self::Leader),
            _ if !is(0, "raft") || !is(1, "reads") => None,
            3 if is(2, "follower") => Some(Self::Configured),
            3 if is(2, "local") => Some(Self::Old { most_ms: 0 }),
            3 if is(2, "default") || is(2, "linearizable") || leases && is(2, "lease") => {
                Some(Self::Leader)
            }
            4 if is(2, "bounded") => {
                let ms = std::str::from_utf8(&words[3]).ok()?;
                let most_ms = ms.parse().ok().filter(|number| *number > 0)?;
                (u64::to_string(&most_ms) == ms && i64::try_from(most_ms).is_ok())
                    .then_some(Self::Old { most_ms })
            }
            _ => None,
        }
    }
}

impl Judge {
    /// The answer to RAFT READS.
    pub(super) fn read_level(&self, words: &[Vec<u8>]) -> Want {
        match (words.len(), Wish::of(words, self.leases)) {
            (..3, _) => Want::Anything,
            (_, Some(_)) => Want::OK,
            (_, None) => Want::ErrorCode("ERR "),
        }
    }

    /// A client wants other reads from now on, or may.
    pub(super) fn wants_reads(&mut self, conn: u64, words: &[Vec<u8>], is_sure: bool) {
        let wish = Wish::of(words, self.leases);
        if let (Some(wish), Some(dialogue)) = (wish, self.dialogues.get_mut(&conn))
            && dialogue.wish != wish
        {
            dialogue.wish = if is_sure { wish } else { Wish::Unknown };
        }
    }

    /// R17, R22: a member that does not lead has answered from what it has applied, at this true
    /// time, a client that must not mind that.
    pub(super) fn may_be_old(
        &mut self,
        member: usize,
        conn: u64,
        wish: Wish,
        time: u64,
    ) -> Verdict {
        let most_ms = match wish {
            Wish::Leader => {
                let text = format!("c{conn} wants the leader's state, and has that of {member}");
                return Err(Violation::new(Id::R17, text));
            }
            Wish::Configured => self.staleness_ms,
            Wish::Old { most_ms } => most_ms,
            Wish::Unknown => 0,
        };
        if most_ms == 0 {
            return Ok(());
        }
        self.goals.reach(Goal::BoundedRead);
        self.is_recent(member, most_ms, time)
    }

    /// R22: a member answers from what it has applied, at this true time, a client that wants no
    /// older state than `bound_ms`.
    fn is_recent(&self, member: usize, bound_ms: u64, time: u64) -> Verdict {
        let Some(group) = &self.group else {
            return Ok(());
        };
        // The clocks that measure it may run a fifth too slow.
        let bound = bound_ms.saturating_mul(1_000_000 / 4 * 5);
        if bound > BOUND_MAX {
            return Ok(());
        }
        let at = self.members[member].history.applied;
        let floor = group.tellings.at(time.saturating_sub(bound));
        if at < floor {
            let text = format!(
                "member {member} answers from entry {at} who wants nothing older than {bound_ms} \
                 ms, and {floor} had been told by then"
            );
            return Err(Violation::new(Id::R22, text));
        }
        Ok(())
    }
}
