//! The answer that each request must get, at the moment when the node answers it.

use seedis::node::witness::Answer;

use super::dialogue::{Asked, Owed, Question};
use super::history::{Command, Executed, Step, Words, is_named, is_write, spelled};
use super::invariant::{Id, Verdict, Violation};
use super::memory;
use super::monitors::{ONLY_MONITORS, is_about_data};
use super::verbs::pong;
use super::waiting::{may_end_wait, wrong_wait};
use super::{Circumstances, Judge, is_silent_error, is_step, walks};
use crate::goals::Goal;
use crate::model::{self, Class, Moment, Want};

pub(super) const LOADING: &str = "LOADING Redis is loading the dataset in memory";

/// The commands that a server answers while it loads, besides those about the connection.
pub(super) const WHILE_LOADING: [&str; 12] = [
    "client", "config", "debug", "echo", "info", "lastsave", "publish", "pubsub", "raft", "role",
    "spublish", "time",
];

/// The verbs that a transaction does not queue.
const NOT_QUEUED: [&str; 6] = ["multi", "exec", "discard", "watch", "quit", "reset"];

impl Judge {
    /// The next request of a connection is answered: from here on the reply is owed.
    pub(super) fn answered(
        &mut self,
        member: usize,
        conn: u64,
        answer: Answer,
        around: Circumstances,
    ) -> Verdict {
        self.channels.moment += 1;
        let moment = self.channels.moment;
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            // The client has gone and does not care.
            return Ok(());
        };
        let (resp3, db, wish) = (dialogue.resp3, dialogue.db, dialogue.wish);
        let Some(question) = dialogue.asked.pop_front() else {
            let text = format!("c{conn} is answered without having asked");
            return Err(Violation::new(Id::P4, text));
        };
        let Question { asked, number, .. } = &question;
        let (number, floor) = (*number, question.floor);
        if dialogue.closing {
            let text = format!("c{conn} is answered after its last reply");
            return Err(Violation::new(Id::P5, text));
        }
        let blind = dialogue.blind;
        let was_queuing = dialogue.transaction.is_some();
        let held_at = dialogue.held_at.take();
        // Of a transaction that looks at no key it does not matter how old the state is.
        let is_exec = matches!(asked, Asked::Request(words) if is_named(words, &["exec"]));
        let looks = !is_exec || dialogue.looks_at_keys();
        let (want, entry) = match asked {
            _ if answer == Answer::Elsewhere => {
                (self.elsewhere(member, conn, &question, around)?, None)
            }
            Asked::Behind(_) => {
                let text = format!("c{conn}: bytes after a protocol error are answered");
                return Err(Violation::new(Id::P5, text));
            }
            asked if is_silent_error(asked) => {
                let text = format!("c{conn}: bytes that end the conversation at once are answered");
                return Err(Violation::new(Id::P5, text));
            }
            Asked::Garbage { complaint, .. } => {
                dialogue.closing = true;
                self.goals.reach(Goal::ProtocolError);
                (Want::Error(complaint.clone()), None)
            }
            Asked::Request(words) => {
                let words = Words::clone(words);
                if dialogue.transaction.is_none() {
                    self.wants_reads(conn, &words, true);
                }
                // A refusal may be told long after it was decided, behind a write that was not.
                let early = number <= self.members[member].serves_from;
                let loading = self.members[member].serving
                    && (early || !around.serving)
                    && answer == Answer::Other;
                let was_tight = number <= self.members[member].tight_asked;
                let tight = around.tight || was_tight && answer == Answer::Other;
                let around = Circumstances {
                    loading,
                    tight,
                    memory: self.members[member].memory.refuses(number),
                    ..around
                };
                let mut want = match answer {
                    Answer::Waited => self.waited(member, (conn, &words), question.at, around),
                    _ => self.reply_to(member, conn, (&question, &words), answer, around)?,
                };
                if loading && !matches!(want, Want::Several(_)) {
                    want = Want::OneOf(vec![want, Want::Error(LOADING.to_owned())]);
                }
                if matches!(answer, Answer::Read | Answer::Waited) {
                    want = self.or_worthless(want);
                }
                if self.group.is_some() && is_named(&words, &["hello", "info", "role"]) {
                    // One that has only begun to serve may begin to lead in the same turn.
                    let follows = !around.leads && self.members[member].serving;
                    if follows {
                        self.goals.reach(Goal::AskedFollower);
                        want = Want::NotMaster(Box::new(want));
                    } else if around.leads && around.hears < self.members.len() - 1 {
                        self.goals.reach(Goal::AskedLeader);
                        want = Want::Connected(around.hears, Box::new(want));
                    }
                }
                if blind {
                    want = Want::whatever();
                }
                let applied = self.members[member].history.applied;
                (want, is_step(answer).then_some(applied))
            }
        };
        if let Asked::Request(words) = asked {
            self.is_shown(member, conn, words, answer);
        }
        if let Some(index) = entry {
            self.members[member]
                .durability
                .answered(index, around.age)?;
        }
        let suspect = match asked {
            Asked::Request(words) if matches!(answer, Answer::Read | Answer::Old) => {
                let row = words.first().and_then(|name| model::find(name));
                row.and_then(|row| self.suspect(member, db, row, words))
            }
            _ if answer == Answer::Elsewhere => Some(Id::C6),
            // It was refused, for which there must be a reason.
            _ if is_exec && answer == Answer::Other => Some(Id::S5),
            _ => None,
        };
        if answer == Answer::Old {
            self.goals.reach(Goal::OldRead);
            if is_exec && held_at.is_some() {
                self.goals.reach(Goal::OldExecCut);
            }
            if looks {
                self.may_be_old(member, conn, wish, held_at.unwrap_or(around.time))?;
            }
        }
        let standing = match answer {
            Answer::Step | Answer::Read => self.standing(member, asked, floor),
            Answer::Waited => self.standing_in_vain(member, asked, floor),
            // Who does not mind an old state may be told one; that it is one that was is judged.
            Answer::Old | Answer::Other | Answer::Elsewhere => None,
        };
        let step = match asked {
            Asked::Request(words) => walks::step_of(db, words, &want),
            _ => None,
        };
        let may_fall = matches!(answer, Answer::Read | Answer::Waited);
        if let Asked::Request(words) = asked {
            let how = (was_queuing, is_step(answer));
            self.about_keeping(member, conn, words, how);
        }
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(());
        };
        if is_step(answer) {
            self.members[member].writes.was_of((conn, number));
            dialogue.wrote = self.members[member].history.applied;
        }
        // HELLO is answered in the protocol that it chooses, RESET in that which it goes back to.
        let spoken = match asked {
            Asked::Request(words) if is_named(words, &["hello", "reset"]) => dialogue.resp3,
            _ => resp3,
        };
        let mut changes = std::mem::take(&mut dialogue.changes);
        let wants = match want {
            Want::Several(wants) => wants,
            want => vec![want],
        };
        let count = wants.len();
        for (place, want) in wants.into_iter().enumerate() {
            // Each reply is about one name, and so are the changes.
            let is_last = place + 1 == count;
            let own = if is_last {
                changes.len()
            } else {
                1.min(changes.len())
            };
            dialogue.owed.push_back(Owed {
                want,
                resp3: spoken,
                asked: question.asked.clone(),
                standing,
                suspect,
                asked_at: question.at,
                may_fall,
                step: step.clone().filter(|_| is_last),
                moment,
                changes: changes.drain(..own).collect(),
                is_last,
            });
        }
        Ok(())
    }

    fn reply_to(
        &mut self,
        member: usize,
        conn: u64,
        (question, words): (&Question, &Words),
        answer: Answer,
        around: Circumstances,
    ) -> Result<Want, Violation> {
        let queues = self
            .dialogues
            .get(&conn)
            .is_some_and(|d| d.transaction.is_some());
        let listens = self
            .dialogues
            .get(&conn)
            .is_some_and(|d| d.listener.listens() && !d.resp3);
        let monitors = self
            .dialogues
            .get(&conn)
            .is_some_and(|d| d.listener.monitor.is_on);
        let monitors = monitors && is_about_data(words);
        let refused = self.refusal(member, words, answer, around, (queues, listens));
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(Want::Anything);
        };
        let refused = match refused {
            refused if !monitors => refused,
            refused => {
                let mut wants = around.reasons.refusals("");
                wants.extend([ONLY_MONITORS, memory::REFUSAL].map(|one| Want::Error(one.into())));
                wants.extend(refused.err());
                Err(Want::OneOf(wants))
            }
        };
        let row = match refused {
            Ok(row) => row,
            Err(want) => {
                if is_named(words, &["exec"]) {
                    dialogue.transaction = None;
                    dialogue.watched.clear();
                } else if let Some(transaction) = &mut dialogue.transaction {
                    transaction.failed = true;
                }
                return Ok(want);
            }
        };
        if let Some(transaction) = &mut dialogue.transaction
            && !NOT_QUEUED.contains(&row.name)
        {
            let without_memory = || Want::Error(memory::REFUSAL.to_owned());
            let mut wants = Vec::new();
            if around.memory.may {
                transaction.unsure = true;
                wants.push(without_memory());
            }
            if matches!(row.name, "raft" | "save") {
                transaction.failed = true;
                let text = "ERR Command not allowed inside a transaction";
                wants.push(Want::Error(text.to_owned()));
                return Ok(Want::OneOf(wants));
            }
            // Whether it is answered by a server that loads its row says, and nothing else.
            let may_load =
                row.is_strange_server() && (around.loading || !self.members[member].serving);
            if around.memory.must && !around.tight && !around.loading && !may_load {
                transaction.failed = true;
                return Ok(without_memory());
            }
            let db = transaction.db;
            transaction.queued.push(Command {
                db,
                words: Words::clone(words),
            });
            if row.name == "select"
                && let Ok(db) = model::select(&words[1])
            {
                transaction.db = db;
            }
            // When a transaction has others closed its own client has not heard of it yet.
            self.members[member].kills_unheard |= row.name == "client";
            let queued = Want::Simple("QUEUED");
            transaction.unsure |= around.loading;
            if may_load {
                transaction.unsure = true;
                wants.push(Want::Error(LOADING.to_owned()));
            }
            if around.tight && is_write(words) {
                transaction.unsure = true;
                wants.extend(around.reasons.refusals(""));
            }
            wants.push(queued);
            return Ok(Want::OneOf(wants));
        }
        if row.name == "ping" && listens {
            return Ok(pong(words));
        }
        if let Some((wants, changes)) = self.about_channels(member, conn, words, None) {
            if let Some(dialogue) = self.dialogues.get_mut(&conn) {
                dialogue.changes = changes;
            }
            return Ok(Want::Several(wants));
        }
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(Want::Anything);
        };
        let db = dialogue.db;
        match row.class {
            Class::Session => self.session(member, conn, row, (question, words), answer, around),
            Class::Write => {
                let executed = self.members[member].history.last.clone();
                let step = Step::Command(Command {
                    db,
                    words: Words::clone(words),
                });
                let wrong = wrong_wait(words).filter(|_| answer == Answer::Other);
                if around.loading {
                    let wants = std::iter::once(LOADING.to_owned()).chain(wrong);
                    return Ok(Want::OneOf(wants.map(Want::Error).collect()));
                }
                if let Some(text) = wrong {
                    return Ok(Want::Error(text));
                }
                if !is_step(answer) {
                    // Whatever the reply is, it is wrong; it tells what is.
                    return Ok(Want::OneOf(Vec::new()));
                }
                is_bounded(conn, &step, around)?;
                may_end_wait(
                    conn,
                    words,
                    executed_for(conn, words, answer, executed, &step)?,
                )
            }
            // Nothing is said before the file is written.
            Class::Server if row.name == "config" => {
                let written = self.members[member].configuration.take();
                Ok(written.unwrap_or(Want::OneOf(Vec::new())))
            }
            Class::Server if row.name == "debug" => Ok(Self::debug(question, words, around)),
            Class::Server if row.name == "save" => Ok(self.save(member, question)),
            Class::Server if row.name == "wait" => {
                Ok(self.wait(member, conn, (question, words), around))
            }
            Class::Server if row.name == "client" => Ok(self.client(member, conn, words)),
            Class::Server if row.name == "raft" && words[1].eq_ignore_ascii_case(b"reads") => {
                Ok(self.read_level(words))
            }
            Class::Read | Class::Server => {
                let moment = self.moment(member);
                let model = &self.members[member].history.model;
                if words
                    .get(1)
                    .is_some_and(|key| model.has_expired(db, key, moment.at))
                {
                    self.goals.reach(Goal::Expired);
                }
                let args: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
                let model = &mut self.members[member].history.model;
                let want = model.run(row, db, moment, &args);
                Ok(want)
            }
        }
    }

    /// When a read is served: at replicated time, by a clock that lies between it and the wall.
    fn moment(&self, member: usize) -> Moment {
        let member = &self.members[member];
        let at = member.history.stamp;
        let latest = at.max(member.high.0);
        let offset = member.history.offset;
        Moment { at, offset, latest }
    }
}

/// The reply to what the log has executed for a client, which must be what it asked.
pub(super) fn executed_for(
    conn: u64,
    words: &Words,
    answer: Answer,
    executed: Option<Executed>,
    step: &Step,
) -> Result<Want, Violation> {
    let Some(executed) = executed.filter(|_| is_step(answer)) else {
        let text = format!("c{conn} asked {} and nothing was executed", spelled(words));
        return Err(Violation::new(Id::P4, text));
    };
    if executed.step != *step {
        let text = format!(
            "c{conn} asked {step:?} and got the reply of {:?}",
            executed.step
        );
        return Err(Violation::new(Id::P4, text));
    }
    Ok(executed.want)
}

/// S11: what takes memory was executed, and had not to be refused.
pub(super) fn is_bounded(conn: u64, step: &Step, around: Circumstances) -> Verdict {
    if around.memory.must && !around.loading && memory::has_growth(step) {
        let text = format!("c{conn} had {step:?} executed although maxmemory is exceeded");
        return Err(Violation::new(Id::S11, text));
    }
    Ok(())
}
