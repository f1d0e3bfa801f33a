//! Q3, Q4, P4: clients that wait for a key: the order in which they are served, and what they are
//! answered when nothing has come.

use seedis::node::witness::Answer;
use seedis::store::Store;
use seedis::time::Stamp;

use super::dialogue::Asked;
use super::group::Standing;
use super::history::{Executed, Words, spelled};
use super::invariant::{Id, Verdict, Violation};
use super::known::Sentence;
use super::queues::{Waiting, taken_from};
use super::{Circumstances, Judge};
use crate::goals::Goal;
use crate::model::waits::{has_taken, may_wait, timeout_of};
use crate::model::{self, Want};
use crate::states::RareState;
use crate::wire::shown;

/// The answer to a client whose wait CLIENT UNBLOCK ends with an error.
const UNBLOCKED: &str = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

impl Judge {
    /// Q3: a client begins to wait, or goes on.
    pub(super) fn begins_to_wait(&mut self, member: usize, conn: u64, ticket: u64) -> Verdict {
        let Some(dialogue) = self.dialogues.get(&conn).filter(|d| !d.blind) else {
            return Ok(());
        };
        let front = dialogue.asked.front();
        let words = match front.map(|question| &question.asked) {
            Some(Asked::Request(words)) if may_wait(words) => words,
            _ => {
                let text = format!("c{conn} waits for a key, and has not asked for one");
                return Err(Violation::new(Id::P4, text));
            }
        };
        let number = front.map_or(0, |question| question.number);
        if let Some(before) = self.waiting.get(&conn) {
            if before.ticket == ticket {
                return Ok(());
            }
            let text = format!(
                "c{conn} asked {}, found nothing, and its place is {ticket}, not {}",
                spelled(words),
                before.ticket
            );
            return Err(Violation::new(Id::Q3, text));
        }
        let waiting = Waiting {
            member,
            ticket,
            since: self.asked,
            db: dialogue.db,
            words: Words::clone(words),
            end: None,
        };
        let is_late = |other: &Waiting| number > other.since && ticket <= other.ticket;
        let late = self
            .waiting
            .iter()
            .find(|(_, other)| other.stands_with(&waiting) && is_late(other));
        if let Some((other, _)) = late {
            let text = format!(
                "c{conn} asked {} while c{other} waited, and stands before it",
                spelled(words)
            );
            return Err(Violation::new(Id::Q3, text));
        }
        self.waiting.insert(conn, waiting);
        Ok(())
    }

    /// Returns true if clients wait at a member for a key.
    pub(crate) fn has_waiters(&self, member: usize) -> bool {
        self.waiting
            .values()
            .any(|waiting| waiting.member == member)
    }

    /// Q3: the next request of a client is answered. If it has waited, and is given something, then
    /// nobody has waited longer for that.
    pub(super) fn is_first(&mut self, member: usize, conn: u64, answer: Answer) -> Verdict {
        let Some(own) = self.waiting.get(&conn).filter(|_| answer == Answer::Step) else {
            return Ok(());
        };
        let Some(Executed { want, .. }) = &self.members[member].history.last else {
            return Ok(());
        };
        let Some(key) = taken_from(&own.words, want).filter(|_| has_taken(want)) else {
            return Ok(());
        };
        let waits_too = |other: &&Waiting| {
            other.stands_with(own) && other.keys().iter().any(|awaited| awaited == key)
        };
        let mut others = self
            .waiting
            .iter()
            .filter(|(other, waiting)| **other != conn && waits_too(waiting));
        let (mut is_alone, mut longer) = (true, None);
        for (other, waiting) in &mut others {
            is_alone = false;
            if waiting.ticket < own.ticket && self.sentence(*other) == Sentence::None {
                longer = Some(*other);
            }
        }
        if let Some(other) = longer {
            let text = format!(
                "c{conn} is given something of {}, and c{other} has waited longer for that",
                shown(key)
            );
            return Err(Violation::new(Id::Q3, text));
        }
        if !is_alone {
            self.goals.reach(Goal::ServedFirst);
        }
        let entry = Some((member, self.members[member].history.applied));
        if self.served == entry {
            self.goals.met(RareState::ServedTogether);
        }
        self.served = entry;
        Ok(())
    }

    /// Q4, P4: behind a turn of a leader, with nothing on its way, nobody waits for what is there,
    /// nor behind an end that another was told of.
    pub(crate) fn check_waits(&self, member: usize, store: &Store) -> Verdict {
        let at = Stamp(self.members[member].history.stamp);
        for (conn, waiting) in &self.waiting {
            if waiting.member != member || self.sentence(*conn) != Sentence::None {
                continue;
            }
            if waiting.end.is_some() {
                let text = format!("c{conn} waits on, and CLIENT UNBLOCK has answered 1");
                return Err(Violation::new(Id::P4, text));
            }
            let holds = |key: &&Vec<u8>| {
                if waiting.is_of_lists() {
                    matches!(store.list(waiting.db, key, at), Ok(Some(_)))
                } else {
                    matches!(store.zset(waiting.db, key, at), Ok(Some(_)))
                }
            };
            if let Some(key) = waiting.keys().iter().find(holds) {
                let text = format!(
                    "c{conn} asked {} and waits, and {} is there",
                    spelled(&waiting.words),
                    shown(key)
                );
                return Err(Violation::new(Id::Q4, text));
            }
        }
        Ok(())
    }

    /// The answer to CLIENT UNBLOCK. A wait that has ended just now before its time has ended by
    /// that.
    pub(super) fn client_unblock(&mut self, member: usize, words: &Words) -> Want {
        let reason = words.get(3).map(|word| word.to_ascii_lowercase());
        let end = match reason.as_deref() {
            _ if words.len() > 4 => None,
            None | Some(b"timeout") => Some(Want::NullArray),
            Some(b"error") => Some(Want::Error(UNBLOCKED.to_owned())),
            Some(_) => None,
        };
        let id = words.get(2).and_then(|id| std::str::from_utf8(id).ok());
        let id: Option<u64> = id.and_then(|id| id.parse().ok());
        let Some((id, end)) = id.zip(end) else {
            return Want::OneOf(vec![Want::Integer(0), Want::ErrorCode("ERR ")]);
        };
        let end = self.or_worthless(end);
        let ended = &mut self.members[member].ended;
        let ends_of = |early: bool| ended.iter().position(|end| *end == (id, early));
        // A wait whose time was over may have ended in the same turn, before this one.
        if let Some(place) = ends_of(true).or_else(|| ends_of(false)) {
            let (_, is_early) = ended.remove(place);
            self.is_answered_so(id, end);
            return if is_early {
                self.goals.reach(Goal::Unblocked);
                Want::Integer(1)
            } else {
                Want::Between(0, 1)
            };
        }
        let is_known = self.sentence(id) == Sentence::None;
        let here = |waiting: &&mut Waiting| waiting.member == member && is_known;
        if let Some(waiting) = self.waiting.get_mut(&id).filter(here) {
            waiting.end = Some(end);
            return Want::Integer(1);
        }
        let front = self.dialogues.get(&id).and_then(|d| d.asked.front());
        match front.map(|question| &question.asked) {
            // It is not looked at yet, or something is on its way before it has waited.
            Some(Asked::Request(words)) if may_wait(words) && is_known => Want::Integer(0),
            _ => Want::Between(0, 1),
        }
    }

    /// The last answer of a client may be, or must be, the end of a wait by another.
    fn is_answered_so(&mut self, conn: u64, end: Want) {
        let dialogue = self.dialogues.get_mut(&conn).filter(|d| !d.blind);
        if let Some(owed) = dialogue.and_then(|dialogue| dialogue.owed.back_mut()) {
            let before = std::mem::replace(&mut owed.want, Want::Anything);
            owed.want = Want::OneOf(vec![before, end]);
        }
    }

    /// A wait has ended because its member leads no more, or by a client that has ended it then.
    pub(super) fn is_told_of_end(&mut self, member: usize, conn: u64, answer: Answer) {
        if answer == Answer::Elsewhere && self.waiting.contains_key(&conn) {
            self.members[member].ended.push((conn, false));
        }
    }

    /// P4: every wait that has ended before its time was ended by a client that was told so.
    pub(super) fn check_ends(&mut self, member: usize) -> Verdict {
        let ended = std::mem::take(&mut self.members[member].ended);
        match ended.iter().find(|(_, is_early)| *is_early) {
            Some((conn, _)) => {
                let text = format!("the wait of c{conn} has ended before its time");
                Err(Violation::new(Id::P4, text))
            }
            None => Ok(()),
        }
    }

    /// Nobody waits at a member any more.
    pub(super) fn nobody_waits(&mut self, member: usize) {
        self.members[member].ended.clear();
        self.waiting.retain(|_, waiting| waiting.member != member);
    }

    /// The standing of a member when it says that nothing has come.
    pub(super) fn standing_in_vain(
        &self,
        member: usize,
        asked: &Asked,
        floor: u64,
    ) -> Option<Standing> {
        let standing = self.standing(member, asked, floor)?;
        Some(Standing {
            writes: false,
            ..standing
        })
    }

    /// The answers allowed to a request that has waited for a key and was given nothing: its time
    /// is over, or its client has said that it will send nothing more.
    pub(super) fn waited(
        &mut self,
        member: usize,
        (conn, words): (u64, &Words),
        since: u64,
        around: Circumstances,
    ) -> Want {
        self.goals.reach(Goal::Waited);
        let has_ended = self.dialogues.get(&conn).is_some_and(|d| d.ended);
        let row = model::find(&words[0]).filter(|row| row.takes(words.len()));
        let timeout = row.and_then(|_| timeout_of(words).ok());
        let passed = around.time.saturating_sub(since) / 1_000_000;
        // Its monotonic clock may go faster than true time, but not much.
        let is_over = timeout.is_some_and(|ms| ms > 0 && passed * 2 + 20 >= ms);
        if !may_wait(words) || timeout.is_none() {
            return Want::OneOf(Vec::new());
        }
        let by_another = self.waiting.get(&conn).and_then(|w| w.end.clone());
        if let Some(end) = by_another {
            self.goals.reach(Goal::Unblocked);
            return end;
        }
        let is_early = !is_over && !has_ended;
        if self.members[member].kills_unheard {
            let wants = [Want::NullArray, Want::Error(UNBLOCKED.to_owned())];
            return Want::OneOf(wants.to_vec());
        }
        self.members[member].ended.push((conn, is_early));
        if is_early {
            // The one that has ended it says how.
            Want::OneOf(Vec::new())
        } else {
            Want::NullArray
        }
    }
}

/// P4: a client that may wait is told of a command that has taken something, or was refused.
pub(super) fn may_end_wait(conn: u64, words: &Words, want: Want) -> Result<Want, Violation> {
    if !may_wait(words) || !matches!(want, Want::Null | Want::NullArray) {
        return Ok(want);
    }
    let text = format!("c{conn} is told that nothing has come, and has not waited");
    Err(Violation::new(Id::P4, text))
}

/// Redis's words for what is wrong with a request that may wait: it is refused before it waits.
pub(super) fn wrong_wait(words: &Words) -> Option<String> {
    may_wait(words).then(|| timeout_of(words).err()).flatten()
}
