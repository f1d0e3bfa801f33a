//! N7: nobody keeps what is old without a word on its way.
//!
//! A client that tracks keeps the last value that it has read of each key, and drops it when it
//! hears that it is so no more. A member tells of all that it has applied before it applies more
//! than one step: by each reply that is given later the word must have come.

use super::Judge;
use super::channels::Change;
use super::invariant::{Id, Verdict, Violation};
use super::keeper::Kept;
use crate::goals::Goal;
use crate::model::{Moment, find};
use crate::wire::{Value, shown};
use crate::workload::GET_BY_SCRIPT;

impl Judge {
    /// A request is answered: what that brings to what its client keeps.
    pub(super) fn about_keeping(&mut self, member: usize, conn: u64, words: &[Vec<u8>]) {
        let steps = self.members[member].touches.steps;
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return;
        };
        let lower = |place: usize| words.get(place).map(|word| word.to_ascii_lowercase());
        let name = lower(0).unwrap_or_default();
        let is_tracking = name == b"client" && lower(1).as_deref() == Some(b"tracking");
        let keeper = &mut dialogue.keeper;
        if is_tracking {
            let is_plain = words.len() == 3 || lower(3).as_deref() == Some(b"noloop");
            keeper.is_unsure |= !is_plain || dialogue.transaction.is_some();
            keeper.tracks = dialogue.resp3 && lower(2).as_deref() == Some(b"on");
        }
        // A word that comes in another protocol, or not at all, says nothing.
        let is_other = name == b"exec" || name == b"hello" && lower(1).as_deref() != Some(b"3");
        keeper.is_unsure |= keeper.tracks && is_other;
        keeper.tracks &= name != b"reset";
        if name == b"reset" || is_tracking && !keeper.tracks {
            dialogue.changes.push(Change::Forgets);
            return;
        }
        if !keeper.tracks || keeper.is_unsure {
            return;
        }
        let db = dialogue.db;
        dialogue.changes.push(match (&name[..], words) {
            (b"get", [_, key]) => Change::Keeps(key.clone(), db, steps),
            (b"eval" | b"eval_ro", [_, script, _, key]) if *script == GET_BY_SCRIPT.as_bytes() => {
                Change::Keeps(key.clone(), db, steps)
            }
            // What it writes itself it need not hear of.
            (b"set" | b"del", [_, key, ..]) => Change::Drops(key.clone(), steps),
            _ => Change::Shows(steps),
        });
    }

    /// A word has come to a client that tracks; false where the value is none.
    pub(super) fn hears_invalid(&mut self, conn: u64, value: &Value) -> bool {
        let (Value::Push(items) | Value::Array(items)) = value else {
            return false;
        };
        let is_push = matches!(value, Value::Push(_));
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return false;
        };
        let kept = &mut dialogue.keeper.kept;
        match &items[..] {
            [name, Value::Array(keys)] if is_push && name.text() == Some(b"invalidate") => {
                for key in keys.iter().filter_map(Value::text) {
                    if kept.remove(key).is_some() {
                        self.goals.reach(Goal::Invalidated);
                    }
                }
                true
            }
            [name, Value::Null] if is_push && name.text() == Some(b"invalidate") => {
                kept.clear();
                true
            }
            // Such as nobody here keeps anything by.
            [name, _] => is_push && name.text() == Some(b"tracking-redir-broken"),
            [name, channel, _] => {
                let is_message = name.text() == Some(b"message");
                is_message && channel.text() == Some(b"__redis__:invalidate")
            }
            _ => false,
        }
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
                Change::Drops(key, steps) => {
                    kept.remove(key);
                    *steps
                }
                Change::Keeps(key, db, since) => {
                    kept.remove(key);
                    if !value.is_error() {
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
        if dialogue.keeper.is_unsure
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
