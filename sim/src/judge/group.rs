//! The rules of a group: its members apply the same entries, and a reader is told of all that
//! anybody was told before.

use std::collections::BTreeSet;

use super::answer::WHILE_LOADING;
use super::dialogue::Asked;
use super::history::{Entry, History, is_write};
use super::invariant::{Id, Verdict, Violation};
use super::staleness::Tellings;
use super::{Circumstances, Judge};
use crate::goals::Goal;
use crate::model::{Row, Want, find, is_help_for_object};
use crate::wire::Value;

/// The record of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// The entry that was applied first at each index, from 1 on: the group's log as far as anybody
    /// has seen it committed.
    log: Vec<Entry>,
    /// Of which entries the reply to a write has reached a client, and when.
    pub(super) tellings: Tellings,
}

/// The entry at which a member stood when it answered, and the last one of which anybody had been
/// told when the request was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) at: u64,
    pub(crate) floor: u64,
    pub(crate) writes: bool,
}

/// Codes of errors that say that this member does not lead.
const ELSEWHERE: [&str; 3] = ["MOVED", "CLUSTERDOWN", "UNCERTAIN"];
/// And the one that ends a wait.
const UNBLOCKED: &str = "UNBLOCKED";

impl Judge {
    /// R5, R10, S3: an entry is applied by a member, for the first time or not.
    pub(super) fn group_entry(
        &mut self,
        number: usize,
        entry: &Entry,
        around: Circumstances,
    ) -> Verdict {
        let member = &mut self.members[number];
        member.history.check_done()?;
        let (index, applied) = (entry.index, member.history.applied);
        if index != applied + 1 {
            let text = format!("member {number} applies entry {index} after {applied}");
            return Err(Violation::new(Id::R10, text));
        }
        member.raise(around.now.wall_ms().max(entry.stamp), around.now.mono.0);
        member.history.begin(entry);
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        if let Some(known) = group.log.get(index as usize - 1) {
            if known != entry {
                let text = format!("member {number} applies {entry:?}, others {known:?}");
                return Err(Violation::new(Id::R5, text));
            }
            return Ok(());
        }
        // An entry that opens a term may know no stamp: nothing is executed by it.
        let before = group
            .log
            .iter()
            .rev()
            .find(|before| !before.steps.is_empty());
        if let Some(before) = before.filter(|before| before.stamp > entry.stamp)
            && !entry.steps.is_empty()
        {
            let text = format!(
                "entry {index} has stamp {} after {}",
                entry.stamp, before.stamp
            );
            return Err(Violation::new(Id::S3, text));
        }
        group.log.push(entry.clone());
        self.members[number].history.is_first = true;
        self.executes_steps(entry)
    }

    /// A member of a group is gone: it will apply everything again.
    pub(super) fn group_lost(&mut self, number: usize) {
        let member = &mut self.members[number];
        member.serving = false;
        member.history.forget();
    }

    /// R5: a member's memory holds the state behind an entry, which others have applied.
    pub(super) fn group_restored(&mut self, number: usize, index: u64) -> Verdict {
        let Some(group) = &self.group else {
            return Ok(());
        };
        let Some(entries) = group.log.get(..index as usize) else {
            let text = format!("member {number} has a state of entry {index}: nobody else has");
            return Err(Violation::new(Id::R5, text));
        };
        let here = self.dialogues.values().filter(|one| one.member == number);
        let kept = here.flat_map(|one| &one.keeper.kept);
        let kept: BTreeSet<_> = kept.map(|(key, one)| (one.db, key.clone())).collect();
        let history = &mut self.members[number].history;
        let held = |history: &History| {
            let item = |(db, key): &(u32, Vec<u8>)| history.model.get(*db, key, history.stamp);
            kept.iter()
                .map(item)
                .map(|item| item.cloned())
                .collect::<Vec<_>>()
        };
        let before = held(history);
        history.forget();
        for entry in entries {
            history.begin(entry);
            while history.execute(&self.draws).is_some() {}
        }
        history.from_base = true;
        // Whatever has changed has done so for those who keep it.
        let changed = kept.iter().zip(before.into_iter().zip(held(history)));
        let changed = changed.filter(|(_, (before, now))| before != now);
        let changed: Vec<Vec<u8>> = changed.map(|((_, key), _)| key.clone()).collect();
        if !changed.is_empty() {
            self.members[number].touches.step(changed);
        }
        self.members[number].states += 1;
        self.goals.reach(Goal::Restored);
        Ok(())
    }

    /// A member of a group begins to recover while it runs.
    pub(super) fn group_reloads(&mut self, number: usize) {
        self.members[number].serving = false;
        self.members[number].states += 1;
    }

    /// A member of a group has recovered.
    pub(super) fn group_serves(&mut self, number: usize) {
        let asked = self.asked;
        let member = &mut self.members[number];
        member.serving = true;
        member.states += 1;
        member.serves_from = asked;
    }

    /// The answers allowed to a read in a group: its reply may turn out to be worth nothing.
    pub(super) fn or_worthless(&self, want: Want) -> Want {
        if self.group.is_some() {
            Want::OneOf(vec![want, Want::ErrorCode("CLUSTERDOWN")])
        } else {
            want
        }
    }

    /// The standing of a member when it answers a request that was asked at `floor`.
    pub(super) fn standing(&self, member: usize, asked: &Asked, floor: u64) -> Option<Standing> {
        self.group.as_ref()?;
        let Asked::Request(words) = asked else {
            return None;
        };
        let name = words.first()?.to_ascii_lowercase();
        let is_alike_everywhere = |row: &Row| row.is_strange_server() || row.looks_at_nothing();
        if find(&name).is_some_and(is_alike_everywhere)
            || is_help_for_object(words)
            || WHILE_LOADING.iter().any(|known| known.as_bytes() == name)
        {
            return None;
        }
        Some(Standing {
            at: self.members[member].history.applied,
            floor,
            writes: is_write(words) || name == b"exec",
        })
    }

    /// R17, and what from now on everybody must be told: a reply has reached its client.
    pub(super) fn told(&mut self, standing: Standing, value: &Value, time: u64) -> Verdict {
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        if let Value::Error(text) = value
            && ELSEWHERE
                .iter()
                .chain([&UNBLOCKED])
                .any(|code| text.starts_with(code.as_bytes()))
        {
            return Ok(());
        }
        let Standing { at, floor, writes } = standing;
        if at < floor {
            let text = format!("answered from entry {at}, and {floor} had been told before");
            return Err(Violation::new(Id::R17, text));
        }
        if writes {
            group.tellings.note(time, at);
        }
        Ok(())
    }
}
