//! How old a state is from which a client may be answered that does not mind an old one.

use std::collections::VecDeque;

use super::Judge;
use super::dialogue::Dialogue;
use super::history::Words;
use super::invariant::{Id, Verdict, Violation};

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

impl Dialogue {
    /// Takes note of which reads a client wants from now on.
    pub(super) fn wants_reads(&mut self, words: &Words) {
        let is = |place: usize, name: &str| {
            let word = words.get(place);
            word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        if is(0, "raft") && is(1, "reads") && words.len() > 2 {
            let ms = words.get(3).and_then(|ms| std::str::from_utf8(ms).ok());
            let ms = ms.and_then(|ms| ms.parse().ok()).filter(|ms| *ms > 0);
            self.bound_ms = ms.filter(|_| is(2, "bounded"));
        } else if is(0, "readonly") || is(0, "readwrite") || is(0, "reset") {
            self.bound_ms = None;
        }
    }
}

impl Judge {
    /// R22: a member answers from what it has applied, at this true time, a client that wants no
    /// older state than `bound_ms`.
    pub(super) fn is_recent(&self, member: usize, bound_ms: u64, time: u64) -> Verdict {
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
