//! S5: WATCH as a leader judges it. A refusal needs a reason, and a reason refuses.
//!
//! A watched key has changed if it was written since WATCH was asked, has died, or if a write of it
//! was on its way when EXEC was looked at: what a member hands to its log it witnesses. Between the
//! asking of a request and its answer nobody sees when the member has looked at it, so that there
//! both outcomes may be right. WATCH is looked at behind what its own client has asked before: that
//! is no reason.

use super::Member;
use super::dialogue::{Question, Seen, Watched};
use super::invariant::{Id, Violation};
use crate::model::WILD;
use crate::wire::shown;

impl Member {
    /// A client watches a key from now on, as it has asked.
    pub(super) fn watches(
        &self,
        (db, key): (u32, &[u8]),
        (conn, asked): (u64, &Question),
        is_old: bool,
    ) -> Watched {
        let place = (conn, asked.number);
        let Self {
            history, writes, ..
        } = self;
        let (model, at) = (&history.model, history.stamp);
        let item = model.get(db, key, at);
        // Whoever looks by a clock may have found it dead.
        let by_clock = model.get(db, key, at.max(self.high.0));
        Watched {
            db,
            key: key.to_vec(),
            version: model.version(db, key),
            alive: item.is_some(),
            may_be_alive: !model.has_expired(db, key, asked.stamp),
            may_be_dead: by_clock.is_none(),
            dies: by_clock.and_then(|item| item.expiry),
            // While it loads any key may come to be another.
            is_doubtful: !self.serving
                || asked.number <= self.serves_from
                || writes.is_crowded()
                || writes.may_have_changed((db, key), asked.at, place),
            is_old,
            place,
            states: self.states,
            seen: Seen::Nothing,
        }
    }

    /// Returns true if a leader may have refused an EXEC because of this key.
    fn may_break(&self, watch: &Watched, exec: &Question) -> bool {
        let (db, key) = (watch.db, &watch.key[..]);
        let model = &self.history.model;
        let latest = self.history.stamp.max(self.high.0);
        // A command that finds it dead may have cleared it away, and has written nothing.
        let is_gone = watch.alive && model.get(db, key, latest).is_none();
        let has_died = is_gone || watch.may_be_alive && model.has_expired(db, key, latest);
        db == WILD
            || watch.is_doubtful
            || watch.states != self.states
            || model.version(db, key) != watch.version
            || has_died
            || self.writes.is_crowded()
            || self.writes.may_be_written((db, key), exec.at, watch.place)
    }

    /// S5: a leader has refused an EXEC, for which one of the watched keys must be the reason.
    pub(super) fn has_reason(&self, watched: &[Watched], exec: &Question) -> bool {
        watched.iter().any(|watch| self.may_break(watch, exec))
    }

    /// S5: a leader has executed a transaction, which no watched key must have prevented. The
    /// versions are those behind it: its own writes are no reason to refuse it.
    pub(super) fn runs_rightly(
        &self,
        conn: u64,
        watched: &[Watched],
        exec: &Question,
    ) -> Result<(), Violation> {
        let model = &self.history.model;
        for watch in watched {
            let (db, key) = (watch.db, &watch.key[..]);
            let writes = model.version_before(db, key) - watch.version;
            // A clock that runs ahead of the log's may have shown it dead to WATCH. Where one write
            // has cleared it away since, the client has seen nothing change.
            let is_cleared = writes == 1 && watch.may_be_dead && model.get(db, key, 0).is_none();
            let is_changed = writes > 0 && !is_cleared || matches!(watch.seen, Seen::Changed);
            // By the time of which the member knew when EXEC was asked.
            let died = watch.dies.filter(|dies| *dies <= exec.stamp);
            let what = match died {
                _ if is_changed => "was written",
                Some(_) => "has died",
                None => continue,
            };
            let key = shown(key);
            let text = format!("c{conn}: EXEC ran although {key} {what} since WATCH");
            return Err(Violation::new(Id::S5, text));
        }
        Ok(())
    }
}
