//! A reply that has reached its client: it must be what is owed.

use super::history::spelled;
use super::invariant::{Id, Violation};
use super::{Asked, Judge};
use super::{blame, reasons};
use crate::goals::Goal;
use crate::wire::Value;

/// How the refusal ends of a change that would leave too few voters who answer.
const TOO_FEW: &[u8] = b"bring it back, or remove it first";

impl Judge {
    /// P4: a reply has reached its client, or a message. Returns true if it ends the reply to a
    /// request.
    pub(crate) fn replied(
        &mut self,
        conn: u64,
        value: &Value,
        time: u64,
    ) -> Result<bool, Violation> {
        if self.hears_invalid(conn, value)?
            || self.heard(conn, value)?
            || self.was_shown(conn, value)?
        {
            return Ok(false);
        }
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(true);
        };
        let fell_at = self.members[dialogue.member].fell_at;
        let Some(owed) = dialogue.owed.pop_front() else {
            let text = format!("c{conn} received {value} and was owed nothing");
            return Err(Violation::new(Id::P4, text));
        };
        self.replies += 1;
        if !owed.want.is_met_by(value, owed.resp3) {
            let asked = match &owed.asked {
                Asked::Request(words) | Asked::Behind(words) => spelled(words),
                Asked::Garbage { .. } => "garbage".to_owned(),
            };
            let id = blame::of_reply(&owed, value);
            let text = format!(
                "c{conn} asked {asked}: wanted {}, received {value}",
                owed.want
            );
            return Err(Violation::new(id, text));
        }
        if let Value::Error(text) = value
            && (text.starts_with(b"CLUSTERDOWN") && owed.may_fall
                || text == reasons::DEPOSED.as_bytes())
            && fell_at < Some(owed.asked_at)
        {
            let text = format!("c{conn} is told {value}, and its member has led all the while");
            return Err(Violation::new(Id::C6, text));
        }
        if let Some(step) = owed.step {
            let steps = dialogue.walks.take(conn, step, value)?;
            if steps > 1 {
                self.goals.reach(Goal::Walked);
            }
        }
        if let Value::Error(text) = value {
            if text.starts_with(b"UNCERTAIN") {
                self.goals.reach(Goal::Uncertain);
            } else if text.starts_with(b"OOM") {
                self.goals.reach(Goal::OutOfMemory);
            } else if text.ends_with(TOO_FEW) {
                self.goals.reach(Goal::TooFew);
            }
        }
        let is_exec = matches!(value, Value::Array(_));
        self.keeps(conn, &owed.changes, (value, owed.resp3))?;
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.listener.hears_of(owed.changes, is_exec);
        }
        self.has_heard_all(conn, owed.moment)?;
        if let Some(standing) = owed.standing {
            self.told(standing, value, time)?;
        }
        Ok(owed.is_last)
    }
}
