//! The answer that each request must get, at the moment when the node answers it.

use seedis::node::witness::Answer;

use super::dialogue::{Asked, Owed, Question, Seen, Transaction, Watched};
use super::history::{Command, Executed, Step, Words, is_write, spelled};
use super::invariant::{Id, Verdict, Violation};
use super::memory::{self, grows};
use super::waiting::{may_end_wait, wrong_wait};
use super::{Circumstances, Judge, Member, is_silent_error, is_step};
use crate::goals::Goal;
use crate::model::{self, Class, Moment, Row, Want};

const ABORTED: &str = "EXECABORT Transaction discarded because of previous errors.";
const LOADING: &str = "LOADING Redis is loading the dataset in memory";

/// The commands that a server answers while it loads, besides those about the connection.
pub(super) const WHILE_LOADING: [&str; 8] = [
    "client", "config", "echo", "info", "lastsave", "raft", "role", "time",
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
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            // The client has gone and does not care.
            return Ok(());
        };
        let (resp3, db) = (dialogue.resp3, dialogue.db);
        let bound_ms = dialogue.bound_ms;
        let Some(Question {
            asked,
            at: asked_at,
            number,
            floor,
        }) = dialogue.asked.pop_front()
        else {
            let text = format!("c{conn} is answered without having asked");
            return Err(Violation::new(Id::P4, text));
        };
        if dialogue.closing {
            let text = format!("c{conn} is answered after its last reply");
            return Err(Violation::new(Id::P5, text));
        }
        let blind = dialogue.blind;
        let held_at = dialogue.held_at.take();
        // Of a transaction that looks at no key it does not matter how old the state is.
        let is_exec = matches!(&asked, Asked::Request(words) if is_named(words, &["exec"]));
        let looks = !is_exec || dialogue.looks_at_keys();
        let (want, entry) = match &asked {
            asked if answer == Answer::Elsewhere => (self.elsewhere(conn, asked), None),
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
                    dialogue.wants_reads(&words);
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
                    Answer::Waited => self.waited(member, (conn, &words), asked_at, around),
                    _ => self.reply_to(member, conn, &words, answer, around)?,
                };
                if loading {
                    want = Want::OneOf(vec![want, Want::Error(LOADING.to_owned())]);
                }
                if matches!(answer, Answer::Read | Answer::Waited) {
                    want = self.or_worthless(want);
                }
                if self.group.is_some() && is_named(&words, &["hello", "info", "role"]) {
                    if !around.leads {
                        self.goals.reach(Goal::AskedFollower);
                        want = Want::NotMaster(Box::new(want));
                    } else if around.hears < self.members.len() - 1 {
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
        if let Some(index) = entry {
            self.members[member]
                .durability
                .answered(index, around.age)?;
        }
        let suspect = match &asked {
            Asked::Request(words) if matches!(answer, Answer::Read | Answer::Old) => {
                let row = words.first().and_then(|name| model::find(name));
                row.and_then(|row| self.suspect(member, db, row, words))
            }
            _ => None,
        };
        if answer == Answer::Old {
            self.goals.reach(Goal::OldRead);
            if is_exec && held_at.is_some() {
                self.goals.reach(Goal::OldExecCut);
            }
            if let Some(bound_ms) = bound_ms.filter(|_| looks) {
                self.goals.reach(Goal::BoundedRead);
                self.is_recent(member, bound_ms, held_at.unwrap_or(around.time))?;
            }
        }
        let standing = match answer {
            Answer::Step | Answer::Read => self.standing(member, &asked, floor),
            Answer::Waited => self.standing_in_vain(member, &asked, floor),
            // Who does not mind an old state may be told one; that it is one that was is judged.
            Answer::Old | Answer::Other | Answer::Elsewhere => None,
        };
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(());
        };
        // HELLO is answered in the protocol that it chooses, RESET in that which it goes back to.
        let spoken = match &asked {
            Asked::Request(words) if is_named(words, &["hello", "reset"]) => dialogue.resp3,
            _ => resp3,
        };
        dialogue.owed.push_back(Owed {
            want,
            resp3: spoken,
            asked,
            standing,
            suspect,
        });
        Ok(())
    }

    fn reply_to(
        &mut self,
        member: usize,
        conn: u64,
        words: &Words,
        answer: Answer,
        around: Circumstances,
    ) -> Result<Want, Violation> {
        let queues = self
            .dialogues
            .get(&conn)
            .is_some_and(|d| d.transaction.is_some());
        let refused = self.refusal(member, words, answer, around, queues);
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(Want::Anything);
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
            if row.name == "raft" {
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
        let db = dialogue.db;
        match row.class {
            Class::Session => self.session(member, conn, row, words, answer, around),
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
            Class::Server if row.name == "client" => Ok(self.client_kill(member, conn, words)),
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

    /// Why a request is not even looked at, if so.
    fn refusal(
        &mut self,
        member: usize,
        words: &Words,
        answer: Answer,
        around: Circumstances,
        queues: bool,
    ) -> Result<&'static Row, Want> {
        let name = words.first().map_or(&[][..], |word| &word[..]);
        let Some(row) = model::find(name) else {
            self.goals.reach(Goal::UnknownCommand);
            return Err(Want::Error(unknown(words)));
        };
        if !row.takes(words.len()) {
            self.goals.reach(Goal::WrongArity);
            let text = format!("wrong number of arguments for '{}' command", row.name);
            let code = if row.name == "exec" {
                "EXECABORT Transaction discarded because of:"
            } else {
                "ERR"
            };
            return Err(Want::Error(format!("{code} {text}")));
        }
        if row.name == "object"
            && let Some(text) = model::refusal_of_object(words)
        {
            self.goals.reach(Goal::WrongArity);
            return Err(Want::Error(text.replace(['\r', '\n'], " ")));
        }
        let always = row.class == Class::Session
            || WHILE_LOADING.contains(&row.name)
            || row.is_strange_server()
            || model::is_help_for_object(words);
        if !self.members[member].serving && !always {
            self.goals.reach(Goal::Loading);
            return Err(Want::Error(LOADING.to_owned()));
        }
        if is_write(words) && !is_step(answer) && !queues {
            let mut wants = Vec::new();
            if around.tight {
                self.goals.reach(Goal::NoSpace);
                wants = around.reasons.refusals("");
            }
            if around.memory.may && (grows(words) || !row.is_known) {
                wants.push(Want::Error(memory::REFUSAL.to_owned()));
            }
            if !wants.is_empty() {
                wants.extend(wrong_wait(words).map(Want::Error));
                return Err(Want::OneOf(wants));
            }
        }
        Ok(row)
    }

    fn session(
        &mut self,
        member: usize,
        conn: u64,
        row: &Row,
        words: &Words,
        answer: Answer,
        around: Circumstances,
    ) -> Result<Want, Violation> {
        let error = |text: &str| Ok(Want::Error(text.to_owned()));
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(Want::Anything);
        };
        let Member {
            history, states, ..
        } = &self.members[member];
        match row.name {
            "select" => match model::select(&words[1]) {
                Ok(db) => dialogue.db = db,
                Err(text) => return Ok(Want::Error(text)),
            },
            "hello" => return Ok(hello(&mut dialogue.resp3, words)),
            "multi" if dialogue.transaction.is_some() => {
                return error("ERR MULTI calls can not be nested");
            }
            "multi" => {
                let db = dialogue.db;
                dialogue.transaction = Some(Transaction {
                    db,
                    ..Transaction::default()
                });
            }
            "discard" => {
                if dialogue.transaction.take().is_none() {
                    return error("ERR DISCARD without MULTI");
                }
                dialogue.watched.clear();
            }
            "watch" if dialogue.transaction.is_some() => {
                return error("ERR WATCH inside MULTI is not allowed");
            }
            "watch" => {
                for key in &words[1..] {
                    let db = dialogue.db;
                    let known = dialogue.watched.iter().any(|w| w.db == db && w.key == *key);
                    if !known {
                        dialogue.watched.push(Watched {
                            db,
                            key: key.clone(),
                            version: history.model.version(db, key),
                            alive: history.model.get(db, key, history.stamp).is_some(),
                            is_old: answer == Answer::Old,
                            states: *states,
                            seen: Seen::Nothing,
                        });
                    }
                }
            }
            "readonly" | "readwrite" => {}
            "unwatch" => dialogue.watched.clear(),
            "quit" => dialogue.closing = true,
            "reset" => {
                (dialogue.db, dialogue.resp3) = (0, false);
                dialogue.transaction = None;
                dialogue.watched.clear();
                return Ok(Want::Simple("RESET"));
            }
            "exec" => return self.exec(member, conn, words, answer, around),
            _ => return Ok(Want::Anything),
        }
        Ok(Want::OK)
    }

    /// S5: EXEC runs what was queued, all of it, unless a watched key was written.
    fn exec(
        &mut self,
        member: usize,
        conn: u64,
        words: &Words,
        answer: Answer,
        around: Circumstances,
    ) -> Result<Want, Violation> {
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(Want::Anything);
        };
        let Some(transaction) = dialogue.transaction.take() else {
            return Ok(Want::Error("ERR EXEC without MULTI".to_owned()));
        };
        let watched = std::mem::take(&mut dialogue.watched);
        if transaction.failed {
            self.goals.reach(Goal::ExecAborted);
            return Ok(Want::Error(ABORTED.to_owned()));
        }
        if answer == Answer::Old {
            return self.exec_of_old(member, conn, &transaction, &watched);
        }
        let member = &self.members[member];
        if !is_step(answer) {
            let opening = around.loading || !member.serving;
            let mut wants = Vec::new();
            if transaction.unsure {
                wants.push(Want::Error(ABORTED.to_owned()));
            }
            if !watched.is_empty() {
                self.goals.reach(Goal::ExecRefused);
                wants.push(Want::NullArray);
            }
            if around.tight {
                let aborted = "EXECABORT Transaction discarded because of: ";
                wants.extend(around.reasons.refusals(aborted));
            }
            if around.memory.may && transaction.queued.iter().any(|c| grows(&c.words)) {
                wants.push(Want::Error(memory::REFUSAL_OF_EXEC.to_owned()));
            }
            if opening {
                wants.push(Want::Error(LOADING.to_owned()));
            }
            return match wants.len() {
                0 => {
                    let text = format!("c{conn}: EXEC was not executed, and nothing was watched");
                    Err(Violation::new(Id::S5, text))
                }
                _ => Ok(Want::OneOf(wants)),
            };
        }
        // The versions are those behind the transaction: its own writes are no reason to refuse it.
        let executed = member.history.last.clone();
        for watch in &watched {
            let version = member.history.model.version_before(watch.db, &watch.key);
            if version != watch.version || matches!(watch.seen, Seen::Changed) {
                let key = crate::wire::shown(&watch.key);
                let text = format!("c{conn}: EXEC ran although {key} was written since WATCH");
                return Err(Violation::new(Id::S5, text));
            }
        }
        if !watched.is_empty() {
            self.goals.reach(Goal::ExecWatched);
        }
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.db = transaction.db;
        }
        self.goals.reach(Goal::ExecDone);
        let whole = |e: &Executed| e.step == Step::Transaction(transaction.queued.clone());
        if !executed.as_ref().is_some_and(whole) {
            let text = format!("c{conn}: EXEC did not execute what was queued as one");
            return Err(Violation::new(Id::S5, text));
        }
        let step = Step::Transaction(transaction.queued);
        is_bounded(conn, &step, around)?;
        let mut want = executed_for(conn, words, answer, executed, &step)?;
        if let (Want::Array(wants), Step::Transaction(queued)) = (&mut want, &step) {
            self.speak(conn, wants, queued);
        }
        Ok(want)
    }

    /// HELLO is answered in the protocol that it chooses, and so is all behind it; READONLY acts on
    /// what comes behind the transaction.
    pub(super) fn speak(&mut self, conn: u64, wants: &mut [Want], queued: &[Command]) {
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return;
        };
        for (want, command) in wants.iter_mut().zip(queued) {
            let mut own = std::mem::replace(want, Want::Anything);
            if is_named(&command.words, &["hello"]) {
                self.goals.reach(Goal::HelloQueued);
                own = hello(&mut dialogue.resp3, &command.words);
            }
            dialogue.wants_reads(&command.words);
            let (resp3, own) = (dialogue.resp3, Box::new(own));
            *want = Want::Spoken { resp3, want: own };
        }
    }
}

/// The reply to what the log has executed for a client, which must be what it asked.
fn executed_for(
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
fn is_bounded(conn: u64, step: &Step, around: Circumstances) -> Verdict {
    if around.memory.must && !around.loading && memory::has_growth(step) {
        let text = format!("c{conn} had {step:?} executed although maxmemory is exceeded");
        return Err(Violation::new(Id::S11, text));
    }
    Ok(())
}

fn is_named(words: &Words, names: &[&str]) -> bool {
    let name = words.first().map(|name| name.to_ascii_lowercase());
    name.is_some_and(|name| names.iter().any(|known| known.as_bytes() == name))
}

fn hello(resp3: &mut bool, words: &Words) -> Want {
    match words.get(1).map(|word| &word[..]) {
        None => {}
        Some(b"2") => *resp3 = false,
        Some(b"3") => *resp3 = true,
        Some(other) if std::str::from_utf8(other).is_ok_and(|o| o.parse::<i64>().is_ok()) => {
            return Want::Error("NOPROTO unsupported protocol version".to_owned());
        }
        Some(_) => {
            let text = "ERR Protocol version is not an integer or out of range";
            return Want::Error(text.to_owned());
        }
    }
    Want::Anything
}

/// Redis's words for a command that it does not know.
fn unknown(words: &Words) -> String {
    let text = |word: &[u8], most: usize| {
        String::from_utf8_lossy(&word[..word.len().min(most)]).into_owned()
    };
    let mut given = String::new();
    for word in &words[1..] {
        if given.len() >= 128 {
            break;
        }
        given = format!("{given}'{}' ", text(word, 128 - given.len()));
    }
    let name = text(&words[0], 128);
    let all = format!("ERR unknown command '{name}', with args beginning with: {given}");
    all.replace(['\r', '\n'], " ")
}
