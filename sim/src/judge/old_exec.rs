//! EXEC on a member that does not lead: all replies are of one state, and a refusal has a reason.

use super::Judge;
use super::dialogue::{Dialogue, Seen, Transaction, Watched};
use super::history::{Command, History, is_write, spelled};
use super::invariant::{Id, Violation};
use crate::goals::Goal;
use crate::model::{self, Class, Moment, WILD, Want};

/// The outcome that a transaction must have had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Run,
    Refused,
    Either,
}

impl Dialogue {
    /// Returns true if one of the queued commands looks at keys.
    pub(super) fn looks_at_keys(&self) -> bool {
        let queued = self.transaction.iter().flat_map(|open| &open.queued);
        let queued = queued.filter(|command| !model::is_help_for_object(&command.words));
        let mut rows = queued.filter_map(|command| model::find(command.words.first()?));
        rows.any(|row| row.class == Class::Read && !row.looks_at_nothing())
    }
}

impl Watched {
    /// The outcome that a watched key forces on a transaction that looks at a member's state as it
    /// is now.
    fn fate(&self, history: &History, states: u64) -> Fate {
        let (model, at) = (&history.model, history.stamp);
        if self.states != states {
            // Another state was loaded: whatever is in it, nobody has watched that.
            return Fate::Refused;
        }
        if self.db == WILD {
            return match self.seen {
                Seen::Changed => Fate::Refused,
                // What the model does not know has perhaps been written, or has died.
                Seen::Nothing | Seen::Always(_) => Fate::Either,
            };
        }
        if model.version(self.db, &self.key) != self.version {
            return Fate::Refused;
        }
        if !self.is_old {
            // A leader may have watched before it said so, behind a write of this client, and the
            // key may have been dead by its clock.
            return Fate::Either;
        }
        if self.alive && model.get(self.db, &self.key, at).is_none() {
            return Fate::Refused;
        }
        Fate::Run
    }
}

impl Judge {
    /// S5: a member that does not lead runs what changes nothing, on one state, unless a key has
    /// changed there since WATCH; and only then it refuses.
    pub(super) fn exec_of_old(
        &mut self,
        member: usize,
        conn: u64,
        (transaction, since): (&Transaction, u64),
        watched: &[Watched],
    ) -> Result<Want, Violation> {
        let written = transaction.queued.iter().find(|one| is_write(&one.words));
        if let Some(command) = written {
            let words = spelled(&command.words);
            let text = format!("c{conn}: member {member} does not lead, and has run {words}");
            return Err(Violation::new(Id::S5, text));
        }
        let states = self.members[member].states;
        let history = &mut self.members[member].history;
        let fates = watched.iter().map(|watch| watch.fate(history, states));
        let fate = fates.fold(Fate::Run, |all, one| match (all, one) {
            (Fate::Refused, _) | (_, Fate::Refused) => Fate::Refused,
            (Fate::Either, _) | (_, Fate::Either) => Fate::Either,
            (Fate::Run, Fate::Run) => Fate::Run,
        });
        if fate == Fate::Refused {
            self.goals.reach(Goal::OldExecNil);
            return Ok(Want::NullArray);
        }
        let moment = Moment::exactly(history.stamp, history.offset);
        let run = |command: &Command| {
            let args: Vec<&[u8]> = command.words.iter().map(|word| &word[..]).collect();
            let row = model::find(args.first().copied().unwrap_or_default());
            row.map_or(Want::Anything, |row| {
                history.model.run(row, command.db, moment, &args)
            })
        };
        let mut wants: Vec<Want> = transaction.queued.iter().map(run).collect();
        self.goals.reach(Goal::OldExec);
        self.speak(
            member,
            conn,
            &mut wants,
            &transaction.queued,
            since,
            fate == Fate::Run,
        );
        if fate != Fate::Run {
            self.may_have_run(conn, &transaction.queued);
        }
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            // Where it was refused the database is what it was.
            dialogue.blind |= fate == Fate::Either && dialogue.db != transaction.db;
            dialogue.db = transaction.db;
        }
        let want = Want::Array(wants);
        Ok(match fate {
            Fate::Either => Want::OneOf(vec![Want::NullArray, want]),
            _ => want,
        })
    }
}
