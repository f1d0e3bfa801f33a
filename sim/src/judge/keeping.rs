//! N7: nobody keeps what is old without a word on its way. N8: no word comes without a reason.
//!
//! A client that tracks keeps the last value that it has read of each key, and drops it when it
//! hears that it is so no more. A member tells of all that it has applied before it applies more
//! than one step: by each reply that is given later the word must have come.

use std::collections::VecDeque;

use super::channels::Change;
use super::dialogue::Question;
use super::history::Command;
use super::invariant::{Id, Verdict, Violation};
use super::keeper::{Keeper, Kept};
use super::{Asked, Judge};
use crate::goals::Goal;
use crate::model::{Moment, Want, find};
use crate::wire::{Value, shown};
use crate::workload::GET_BY_SCRIPT;

/// The subcommands of CLIENT that a keeper may ask for and read nothing by.
const OF_CLIENT: [&[u8]; 4] = [b"tracking", b"caching", b"id", b"getredir"];

impl Keeper {
    /// The change that a command brings that was run in a database, and in a transaction at some
    /// place.
    fn change(&mut self, words: &[Vec<u8>], of: (u32, Option<usize>), steps: usize) -> Change {
        let name = words.first().map(|name| name.to_ascii_lowercase());
        let read = match (&name.unwrap_or_default()[..], words) {
            (b"get", [_, key]) => Some(key),
            (b"eval" | b"eval_ro", [_, script, _, key]) if *script == GET_BY_SCRIPT.as_bytes() => {
                Some(key)
            }
            // What it writes itself it need not hear of.
            (b"set" | b"del", [_, key, rest @ ..]) if self.caching.is_without_loop() => {
                return Change::Writes {
                    key: key.clone(),
                    value: rest.first().cloned(),
                    since: steps,
                    place: of.1,
                };
            }
            (
                b"set" | b"del" | b"ping" | b"multi" | b"exec" | b"discard" | b"readonly"
                | b"hello" | b"select",
                _,
            ) => None,
            (b"client", [_, own, ..]) if OF_CLIENT.contains(&&own.to_ascii_lowercase()[..]) => None,
            _ => {
                self.reads_otherwise = true;
                None
            }
        };
        let Some(key) = read.filter(|key| self.caching.keeps(key)) else {
            return Change::Shows(steps);
        };
        if !self.caching.is_broadcast() {
            self.reads.entry(key.clone()).or_default().push_back(steps);
        }
        let ((db, place), since) = (of, steps);
        Change::Keeps {
            key: key.clone(),
            db,
            since,
            place,
        }
    }
}

impl Judge {
    /// A request is answered: what that brings to what its client keeps. It may have stood in a
    /// transaction, and then was queued.
    pub(super) fn about_keeping(
        &mut self,
        member: usize,
        conn: u64,
        words: &[Vec<u8>],
        (is_queued, is_step): (bool, bool),
    ) {
        let steps = self.members[member].touches.steps;
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return;
        };
        let keeper = &mut dialogue.keeper;
        let name = words.first().map(|name| name.to_ascii_lowercase());
        let name = name.unwrap_or_default();
        if !is_queued {
            keeper.caching.begins(&name);
        }
        // A word that comes in another protocol, or not at all, says nothing.
        let is_other = name == b"hello" && words.get(1).is_none_or(|version| version != b"3");
        keeper.caching.is_unsure |= keeper.caching.tracks() && is_other;
        if name == b"reset" {
            keeper.caching.ends();
        }
        if !keeper.caching.tracks() || keeper.caching.is_unsure || !dialogue.resp3 {
            if !keeper.kept.is_empty() || matches!(&name[..], b"client" | b"reset") {
                dialogue.changes.push(Change::Forgets);
            }
            return;
        }
        if is_step {
            keeper.own.insert(steps.saturating_sub(1));
        }
        let ends = matches!(&name[..], b"exec" | b"discard");
        let change = if is_queued && !ends {
            Change::Shows(steps)
        } else {
            keeper.change(words, (dialogue.db, None), steps)
        };
        dialogue.changes.push(change);
    }

    /// A command of a transaction was run that stands at some place in it: what that brings to what
    /// its client keeps, and the answer to what it has said of that.
    pub(super) fn keeps_of_transaction(
        &mut self,
        member: usize,
        conn: u64,
        (command, place): (&Command, usize),
    ) -> (Option<Want>, Option<Change>) {
        let steps = self.members[member].touches.steps;
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return (None, None);
        };
        let (keeper, words) = (&mut dialogue.keeper, &command.words);
        let own = keeper.caching.request(words, steps, true);
        if own.is_some() {
            self.goals.reach(Goal::CachingQueued);
        }
        let tracks = keeper.caching.tracks() && !keeper.caching.is_unsure && dialogue.resp3;
        let change = tracks.then(|| keeper.change(words, (command.db, Some(place)), steps));
        (own, change)
    }

    /// A word has come to a client that tracks; false where the value is none.
    pub(super) fn hears_invalid(&mut self, conn: u64, value: &Value) -> Result<bool, Violation> {
        let (Value::Push(items) | Value::Array(items)) = value else {
            return Ok(false);
        };
        let is_push = matches!(value, Value::Push(_));
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(false);
        };
        let member = dialogue.member;
        Ok(match &items[..] {
            [name, Value::Array(keys)] if is_push && name.text() == Some(b"invalidate") => {
                for key in keys.iter().filter_map(Value::text) {
                    self.hears_of_key(member, conn, key)?;
                }
                true
            }
            [name, Value::Null] if is_push && name.text() == Some(b"invalidate") => {
                dialogue.keeper.kept.clear();
                true
            }
            // Such as nobody here keeps anything by.
            [name, _] => is_push && name.text() == Some(b"tracking-redir-broken"),
            [name, channel, _] => {
                let is_message = name.text() == Some(b"message");
                is_message && channel.text() == Some(b"__redis__:invalidate")
            }
            _ => false,
        })
    }

    /// N8: a client hears of a key that it has read, once for each time, or that begins with one of
    /// its prefixes, once for each step that has touched it; and where it does not want to hear of
    /// what it writes itself something else has touched it.
    fn hears_of_key(&mut self, member: usize, conn: u64, key: &[u8]) -> Verdict {
        let touches = &self.members[member].touches;
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(());
        };
        let names = |question: &Question| match &question.asked {
            Asked::Request(words) => words.iter().any(|word| word == key),
            _ => false,
        };
        let is_reading = dialogue.asked.iter().any(names);
        let keeper = &mut dialogue.keeper;
        if keeper.kept.remove(key).is_some() {
            self.goals.reach(Goal::Invalidated);
        }
        if keeper.caching.is_unsure || keeper.reads_otherwise || dialogue.blind || is_reading {
            return Ok(());
        }
        let read = keeper.reads.get_mut(key).and_then(VecDeque::pop_front);
        if read.is_none() && keeper.hears_of_prefix(key, touches) {
            self.goals.reach(Goal::PrefixInvalidated);
            return Ok(());
        }
        let why = match read {
            // A read that finds it dead may be tried again, and count twice.
            None if touches.may_die(key) => return Ok(()),
            None => "has not read it, or not so that it would hear of it",
            Some(_) if !keeper.caching.was_never_in_loop() => return Ok(()),
            Some(since) if touches.has_reason(key, since, &keeper.own) => return Ok(()),
            Some(_) => "nobody else has written it",
        };
        let text = format!("c{conn} hears of {}, and {why}", shown(key));
        Err(Violation::new(Id::N8, text))
    }

    /// N7: a reply has come to a client that tracks.
    pub(super) fn keeps(
        &mut self,
        conn: u64,
        changes: &[Change],
        (value, resp3): (&Value, bool),
    ) -> Verdict {
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(());
        };
        let touches = &self.members[dialogue.member].touches;
        for change in changes {
            let kept = &mut dialogue.keeper.kept;
            let shown_at = match change {
                Change::Writes {
                    key,
                    value: written,
                    since,
                    place,
                } => {
                    let own = part_of(value, *place).filter(|value| !value.is_error());
                    let now = written.clone().map_or(Value::Null, Value::Bulk);
                    match kept.get_mut(key) {
                        Some(one) if own.is_some() => (one.value, one.since) = (now, *since),
                        _ => {
                            kept.remove(key);
                        }
                    }
                    *since
                }
                Change::Keeps {
                    key,
                    db,
                    since,
                    place,
                } => {
                    let own = part_of(value, *place);
                    if let Some(value) = own.filter(|value| !value.is_error()) {
                        let (value, db, since) = (value.clone(), *db, *since);
                        let one = Kept {
                            value,
                            db,
                            resp3,
                            since,
                        };
                        kept.insert(key.clone(), one);
                    }
                    *since
                }
                Change::Forgets => {
                    kept.clear();
                    continue;
                }
                Change::Shows(steps) => *steps,
                _ => continue,
            };
            // That of the last step may be on its way, and that for which applying pauses.
            let until = shown_at.saturating_sub(2);
            let is_old = |(key, one): &(&Vec<u8>, &Kept)| touches.has(key, one.since, until);
            if let Some((key, one)) = kept.iter().find(is_old) {
                let text = format!(
                    "c{conn} keeps {} of {}, which was written before its last reply",
                    one.value,
                    shown(key)
                );
                return Err(Violation::new(Id::N7, text));
            }
        }
        Ok(())
    }

    /// N7: all that was sent has arrived.
    pub(super) fn all_kept_is_so(&self, conn: u64) -> Verdict {
        let Some(dialogue) = self.dialogues.get(&conn) else {
            return Ok(());
        };
        let member = &self.members[dialogue.member];
        if dialogue.keeper.caching.is_unsure
            || dialogue.blind
            || dialogue.closing
            || dialogue.ended
            || !member.serving
        {
            return Ok(());
        }
        let history = &member.history;
        for (key, one) in &dialogue.keeper.kept {
            // Where nobody frees what is dead nobody is told of it.
            if self.debugs && history.model.has_expired(one.db, key, history.stamp) {
                continue;
            }
            let moment = Moment::exactly(history.stamp, history.offset);
            let Some(row) = find(b"get") else {
                continue;
            };
            let want = history
                .model
                .clone()
                .run(row, one.db, moment, &[b"get", key]);
            if !want.is_met_by(&one.value, one.resp3) {
                let text = format!(
                    "c{conn} keeps {} of {}, and its member has {want}",
                    one.value,
                    shown(key)
                );
                return Err(Violation::new(Id::N7, text));
            }
        }
        Ok(())
    }
}

/// A reply, or the part of that to a transaction; nothing where that was not run.
fn part_of(value: &Value, place: Option<usize>) -> Option<&Value> {
    place.map_or(Some(value), |place| value.items()?.get(place))
}
