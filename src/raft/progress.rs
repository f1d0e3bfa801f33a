//! How far another member is, as its leader knows it (thesis 3.5, 10.2.1).

use alloc::collections::VecDeque;

use crate::ids::LogIndex;
use crate::time::Mono;

use super::entry::Entry;
use super::log::{Log, TermAt};
use super::membership::Member;
use super::message::EntryId;
use super::part::{Parting, Piece};
use super::sending::Supply;
use super::settings::Settings;

/// The leader's knowledge of another member.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    /// When it last said anything in this term; before it has, when this member began to care for
    /// it.
    pub(super) heard: Mono,
    /// It has said anything in this term.
    pub(super) has_answered: bool,
    /// Up to here its log is as the leader's, durably.
    pub(super) matched: LogIndex,
    /// The furthest that it has ever said so in this term.
    pub(super) acknowledged: LogIndex,
    /// Up to here it has said that it has received the log, durable or not.
    received: LogIndex,
    /// When `received` or a state last moved, or entries began to be sent.
    pub(super) moved: Mono,
    /// The latest round of questions whether this member still leads that it has answered.
    pub(super) round: u64,
    /// The token that came with its latest answer and is to be returned.
    pub(super) token: u64,
    /// True if its disk has room and is quick enough to lead, as it has said in this term.
    pub(super) is_fit: bool,
    /// Its log contradicts the leader's, as it says.
    pub(super) contradicts: bool,
    /// It claims to hold entries up to here that were never in the leader's log; 0: it does not.
    pub(super) beyond: LogIndex,
    /// It was sent an entry that it has, so that it can compare the two.
    is_compared: bool,
    /// The latest round that it was told of.
    pub(super) told: u64,
    /// Up to here it was told that what it has is committed.
    pub(super) told_commit: LogIndex,
    /// It is no member any more: since which entry, and until when it may learn that.
    pub(super) leaving: Option<(LogIndex, Mono)>,
    /// It has been sent a state and not all that came after it: entries are kept for it.
    pub(super) catches_up: bool,
    pub(super) progress: Progress,
}

/// The state of the leader's work on a member's log.
#[derive(Clone, Debug)]
pub(super) enum Progress {
    /// It looks for the place up to which the logs agree, one question at a time.
    Probe {
        /// The first entry that may be missing.
        next: LogIndex,
        /// The question is asked and not answered.
        asked: bool,
        /// The question carries entries, in the hope that it is the right place.
        hopeful: bool,
    },
    /// It sends entry after entry without waiting for answers.
    Replicate {
        /// The first entry that was not sent.
        next: LogIndex,
        /// The entries sent and not acknowledged.
        in_flight: InFlight,
        /// How much of that first entry was sent, where it goes in parts.
        parting: Option<Parting>,
    },
    /// The log does not reach back to what it lacks: it is sent a state.
    Snapshot(Supply),
}

/// Appends that are on their way.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight {
    /// The last entry and the size of each, in order.
    appends: VecDeque<(LogIndex, usize)>,
    bytes: usize,
}

/// The data that a member should be sent next.
#[derive(Debug)]
pub(super) enum Want<'a> {
    /// It has all, or enough is on its way.
    Nothing,
    /// Entries behind a place; none of them, where only the place is in question.
    Append(EntryId, &'a [Entry]),
    /// A piece of the large entry behind a place.
    Part(EntryId, &'a Entry, Piece),
}

impl InFlight {
    fn is_full(&self, limits: &Settings) -> bool {
        debug_assert_eq!(
            self.bytes,
            self.appends.iter().map(|(_, bytes)| bytes).sum()
        );
        self.appends.len() >= limits.in_flight_appends || self.bytes >= limits.in_flight_bytes
    }

    fn sent(&mut self, last: LogIndex, bytes: usize) {
        self.appends.push_back((last, bytes));
        self.bytes += bytes;
    }

    fn acknowledged(&mut self, upto: LogIndex) {
        while let Some((_, bytes)) = self.appends.pop_front_if(|(last, _)| *last <= upto) {
            self.bytes -= bytes;
        }
    }
}

impl Peer {
    /// A member of whom nothing is known but that its log may be as long as the leader's.
    pub(super) fn new(member: Member, next: LogIndex, now: Mono) -> Self {
        Self {
            member,
            heard: now,
            has_answered: false,
            matched: LogIndex(0),
            acknowledged: LogIndex(0),
            received: LogIndex(0),
            moved: now,
            round: 0,
            token: 0,
            is_fit: false,
            contradicts: false,
            is_compared: false,
            beyond: LogIndex(0),
            told: 0,
            told_commit: LogIndex(0),
            leaving: None,
            catches_up: false,
            progress: Progress::Probe {
                next,
                asked: false,
                hopeful: true,
            },
        }
    }

    /// The data to send now; it counts as sent.
    pub(super) fn next_append<'a>(
        &mut self,
        log: &'a Log,
        limits: &Settings,
        now: Mono,
    ) -> Want<'a> {
        let (count, bytes) = (limits.append_entries, limits.append_bytes);
        match &mut self.progress {
            Progress::Probe {
                next,
                asked,
                hopeful,
            } => {
                if *asked {
                    return Want::Nothing;
                }
                let prev = LogIndex(next.0.saturating_sub(1));
                let TermAt::Known(term) = log.term_at(prev) else {
                    self.starve(log.term_at(prev));
                    return Want::Nothing;
                };
                *asked = true;
                let entries = hopeful.then(|| log.behind(prev, count, bytes)).flatten();
                let entries = entries.unwrap_or_default();
                let goes = entries.first().is_none_or(|entry| !limits.is_large(entry));
                Want::Append((prev, term), if goes { entries } else { &[] })
            }
            Progress::Replicate {
                next,
                in_flight,
                parting,
            } => {
                if let Some(whole) = parting.take_if(|parting| {
                    let entry = log.get(parting.index());
                    entry.is_none_or(|entry| parting.is_over(entry.payload.len()))
                }) && whole.index() == *next
                {
                    in_flight.sent(*next, bytes);
                    *next = next.next();
                }
                let before = LogIndex(next.0.saturating_sub(1));
                if *next <= self.matched && log.term_at(before) == TermAt::Compacted {
                    // What was to be compared is gone, and nothing is lacking.
                    *next = self.matched.next();
                }
                if *next > log.last().0 || in_flight.is_full(limits) {
                    return Want::Nothing;
                }
                let prev = LogIndex(next.0.saturating_sub(1));
                let TermAt::Known(term) = log.term_at(prev) else {
                    self.starve(log.term_at(prev));
                    return Want::Nothing;
                };
                let entries = log.behind(prev, count, bytes).unwrap_or_default();
                let Some(last) = entries.last() else {
                    return Want::Nothing;
                };
                let goes_on = parting.is_some_and(|parting| parting.index() == *next);
                if self.received.next() >= *next && !goes_on {
                    self.moved = now;
                }
                if limits.is_large(&entries[0]) {
                    if !goes_on {
                        *parting = Some(Parting::new(*next));
                    }
                    let length = entries[0].payload.len();
                    let piece = parting
                        .as_mut()
                        .and_then(|parting| parting.next(length, limits));
                    return match piece {
                        Some(piece) => Want::Part((prev, term), &entries[0], piece),
                        None => Want::Nothing,
                    };
                }
                // An entry that is only compared is held already: nobody waits for its answer.
                if last.index > self.matched {
                    in_flight.sent(last.index, entries.iter().map(Entry::encoded_bytes).sum());
                }
                *next = last.index.next();
                Want::Append((prev, term), entries)
            }
            Progress::Snapshot(_) => Want::Nothing,
        }
    }

    /// The entries that it lacks are gone from the log.
    fn starve(&mut self, prev: TermAt) {
        if prev == TermAt::Compacted {
            self.progress = Progress::Snapshot(Supply::Wanted);
            self.catches_up = true;
        }
    }

    /// It has all up to an index, durably; the log reaches back to behind `floor`, and is committed
    /// up to `commit`.
    pub(super) fn accepted(
        &mut self,
        index: LogIndex,
        floor: LogIndex,
        commit: LogIndex,
        now: Mono,
    ) {
        self.matched = self.matched.max(index);
        self.acknowledged = self.acknowledged.max(index);
        self.received(self.matched, now);
        let is_fed = match &mut self.progress {
            Progress::Probe { .. } => true,
            Progress::Replicate {
                next, in_flight, ..
            } => {
                in_flight.acknowledged(index);
                *next = self.matched.next().max(*next);
                self.catches_up &= *next <= commit;
                false
            }
            Progress::Snapshot(supply) => self.matched >= supply.base().unwrap_or(floor).min(floor),
        };
        if is_fed {
            self.progress = Progress::Replicate {
                next: self.matched.next(),
                in_flight: InFlight::default(),
                parting: None,
            };
            self.catches_up &= self.matched < commit;
        }
    }

    /// Sends it once, in front of what it lacks, the last entry that it has: places are compared by
    /// index and term alone, and after the loss of a vote two entries may have the same.
    pub(super) fn compare_once(&mut self) {
        let matched = self.matched;
        if let Progress::Replicate { next, .. } = &mut self.progress
            && *next == matched.next()
            && !core::mem::replace(&mut self.is_compared, true)
        {
            *next = matched;
        }
    }

    /// It does not know the place before what it was sent; `agreed` is the last entry of the
    /// leader's own log that may be in both.
    ///
    /// A member whose disk has forgotten what it acknowledged is believed: the log is sent again,
    /// and what is committed stays so. It is reminded of the rest (`repair.rs`).
    pub(super) fn rejected(&mut self, at: LogIndex, agreed: LogIndex, now: Mono) {
        match &self.progress {
            // The answer to an earlier question.
            Progress::Probe { next, .. } if Some(next.0) != at.0.checked_add(1) => return,
            Progress::Snapshot(_) => return,
            Progress::Probe { .. } | Progress::Replicate { .. } => {}
        }
        self.matched = self.matched.min(agreed);
        self.probe(agreed.next().min(at), false, now);
    }

    /// Returns true if it seems not to hold all that it has acknowledged, which it says to have
    /// received up to here in its present life: it has rejected a place before that, or is not
    /// asked, since a state is on its way to it.
    pub(super) fn has_shrunk(&self, received: LogIndex) -> bool {
        let is_fed_a_state = matches!(self.progress, Progress::Snapshot(_));
        received < self.acknowledged && (self.matched < self.acknowledged || is_fed_a_state)
    }

    fn probe(&mut self, next: LogIndex, hopeful: bool, now: Mono) {
        self.received = self.matched;
        self.moved = now;
        self.progress = Progress::Probe {
            next,
            asked: false,
            hopeful,
        };
    }

    /// It has received all up to an index, durable or not.
    fn received(&mut self, index: LogIndex, now: Mono) {
        if index > self.received {
            self.received = index;
            self.moved = now;
        }
    }

    /// It has answered a heartbeat: what was lost on the way is sent again. A slow disk is not a
    /// loss: what counts is what was received.
    pub(super) fn heartbeat_answered(&mut self, received: LogIndex, limits: &Settings, now: Mono) {
        let forgot = received < self.received;
        self.received(received, now);
        match &mut self.progress {
            Progress::Probe { asked, hopeful, .. } => {
                *asked = false;
                *hopeful = false;
            }
            Progress::Replicate { .. } if forgot => {
                // It has begun a new life since, and must show what it still has.
                self.probe(self.matched.next(), false, now);
            }
            Progress::Replicate { next, parting, .. } => {
                let waits = parting.is_some_and(|parting| parting.is_waiting());
                let missing = self.received.next() < *next || waits;
                if missing && now.since(self.moved) >= limits.election_max() {
                    let next = self.received.next();
                    self.probe(next, false, now);
                }
            }
            Progress::Snapshot(supply) => {
                if now.since(self.moved) >= limits.election_max() && supply.ask_again() {
                    self.moved = now;
                }
            }
        }
    }
}
