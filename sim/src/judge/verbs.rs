//! The verbs of a session, and what a transaction makes of them.

use seedis::node::witness::Answer;

use super::answer::{LOADING, executed_for, is_bounded};
use super::channels::Change;
use super::dialogue::{Question, Transaction};
use super::history::{Command, Executed, Step, Words, is_named};
use super::invariant::{Id, Violation};
use super::memory::{self, grows};
use super::{Circumstances, Judge, is_step};
use crate::goals::Goal;
use crate::model::{self, Row, Want};

const ABORTED: &str = "EXECABORT Transaction discarded because of previous errors.";

impl Judge {
    /// The answer to a verb of the session, and what follows from it for the connection.
    pub(super) fn session(
        &mut self,
        member: usize,
        conn: u64,
        row: &Row,
        (question, words): (&Question, &Words),
        answer: Answer,
        around: Circumstances,
    ) -> Result<Want, Violation> {
        let error = |text: &str| Ok(Want::Error(text.to_owned()));
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(Want::Anything);
        };
        match row.name {
            "select" => match model::select(&words[1]) {
                Ok(db) => dialogue.db = db,
                Err(text) => return Ok(Want::Error(text)),
            },
            "hello" => return Ok(hello(conn, &mut dialogue.resp3, words)),
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
                let Some(transaction) = dialogue.transaction.take() else {
                    return error("ERR DISCARD without MULTI");
                };
                dialogue.watched.clear();
                self.were_not_run(&transaction.queued);
            }
            "watch" if dialogue.transaction.is_some() => {
                return error("ERR WATCH inside MULTI is not allowed");
            }
            "watch" => {
                let is_old = answer == Answer::Old;
                for key in &words[1..] {
                    let db = dialogue.db;
                    let known = dialogue.watched.iter().any(|w| w.db == db && w.key == *key);
                    if !known {
                        let asked = (conn, question);
                        let watched = self.members[member].watches((db, key), asked, is_old);
                        dialogue.watched.push(watched);
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
                dialogue.listener.begun = None;
                self.ends_listening(conn);
                return Ok(Want::Simple("RESET"));
            }
            "monitor" => {
                dialogue.changes = vec![Change::Monitors];
                self.monitors(conn);
            }
            "exec" => return self.exec(member, conn, (question, words), answer, around),
            _ => return Ok(Want::Anything),
        }
        Ok(Want::OK)
    }

    /// S5: EXEC runs what was queued, all of it, unless a watched key was written.
    fn exec(
        &mut self,
        member: usize,
        conn: u64,
        (question, words): (&Question, &Words),
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
            self.were_not_run(&transaction.queued);
            return Ok(Want::Error(ABORTED.to_owned()));
        }
        if answer == Answer::Old {
            return self.exec_of_old(member, conn, (&transaction, question.moment), &watched);
        }
        let member_number = member;
        let member = &self.members[member];
        if !is_step(answer) {
            let opening = around.loading || !member.serving;
            let mut wants = Vec::new();
            if transaction.unsure {
                wants.push(Want::Error(ABORTED.to_owned()));
            }
            if member.has_reason(&watched, question) {
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
            return Ok(Want::OneOf(wants));
        }
        let executed = member.history.last.clone();
        member.runs_rightly(conn, &watched, question)?;
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
            self.speak(member_number, conn, wants, queued, question.moment, true);
        }
        Ok(want)
    }

    /// HELLO is answered in the protocol that it chooses, and so is all behind it; READONLY acts on
    /// what comes behind the transaction.
    pub(super) fn speak(
        &mut self,
        member: usize,
        conn: u64,
        wants: &mut [Want],
        queued: &[Command],
        since: u64,
        is_sure: bool,
    ) {
        let mut all = Vec::new();
        for (place, (want, command)) in wants.iter_mut().zip(queued).enumerate() {
            self.wants_reads(conn, &command.words, is_sure);
            let Some(dialogue) = self.dialogues.get_mut(&conn) else {
                return;
            };
            let mut own = std::mem::replace(want, Want::Anything);
            if is_named(&command.words, &["hello"]) {
                self.goals.reach(Goal::HelloQueued);
                own = hello(conn, &mut dialogue.resp3, &command.words);
            }
            let resp3 = dialogue.resp3;
            let listens = dialogue.listener.listens();
            let (said, change) = self.keeps_of_transaction(member, conn, (command, place));
            all.extend(change);
            own = said.unwrap_or(own);
            if is_named(&command.words, &["ping"]) && listens && !resp3 {
                own = pong(&command.words);
            }
            let about = self.about_channels(member, conn, &command.words, Some(since));
            if let Some((mut wants, changes)) = about {
                all.extend(changes);
                own = wants.pop().unwrap_or(Want::Anything);
            }
            let own = Box::new(own);
            *want = Want::Spoken { resp3, want: own };
        }
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.listener.heard_late(since, self.channels.moment);
            dialogue.changes = all;
        }
    }
}

/// The answer to PING of one that listens in RESP2.
pub(super) fn pong(words: &Words) -> Want {
    let text = words.get(1).cloned().unwrap_or_default();
    Want::Array(vec![Want::Bulk(b"pong".to_vec()), Want::Bulk(text)])
}

/// The answer to HELLO: the protocol is the one chosen, the number that of the connection.
fn hello(conn: u64, resp3: &mut bool, words: &Words) -> Want {
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
    let protocol = if *resp3 { 3 } else { 2 };
    Want::Greeting { protocol, conn }
}
