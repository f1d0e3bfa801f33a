//! MONITOR: who is shown all requests sees each that is run at its member, once, and those of one
//! client in the order in which it asked.
//!
//! Requests are kept from the moment when they are asked until they have been answered, and for
//! ever once somebody is shown them.

use std::fmt::Write;

use seedis::command::flag::Flag;
use seedis::node::witness::Answer;

use super::Judge;
use super::history::{Words, is_named, spelled};
use super::invariant::{Id, Verdict, Violation};
use super::known::Sentence;
use super::monitors::has_one;
use crate::goals::Goal;
use crate::model::waits::may_wait;
use crate::wire::Value;

/// So much of a long line is compared: the rest may not be shown.
const COMPARED: usize = 60_000;

impl Judge {
    /// A client has asked for something.
    pub(super) fn may_be_shown(&mut self, conn: u64, words: &[Vec<u8>]) {
        self.showing.numbers += 1;
        let number = self.showing.numbers;
        let asked = self.showing.asked.entry(conn).or_default();
        asked.push_back((number, words.to_vec().into()));
    }

    /// A member is told of a client.
    pub(super) fn shows_from(&mut self, conn: u64, address: &str) {
        let known = &mut self.showing.connections;
        known.entry(address.to_owned()).or_default().push(conn);
    }

    /// A client asks to be shown all requests.
    pub(super) fn monitors(&mut self, conn: u64) {
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            let monitor = &mut dialogue.listener.monitor;
            if !monitor.is_on {
                monitor.since = self.showing.numbers;
            }
            monitor.is_on = true;
            self.showing.has_begun = true;
        }
    }

    /// A client is answered: who is shown all requests must have been shown this one, if it was
    /// run.
    pub(super) fn is_shown(&mut self, member: usize, conn: u64, words: &Words, answer: Answer) {
        let asked = self.showing.asked.get(&conn);
        let last = self.showing.answered.get(&conn).copied().unwrap_or(0);
        let mut later = asked.into_iter().flatten().filter(|one| one.0 > last);
        let found = later.find(|(_, one)| one == words);
        let Some(number) = found.map(|(number, _)| *number) else {
            return;
        };
        self.showing.answered.insert(conn, number);
        let is_hidden = has_one(words, &[Flag::Admin, Flag::SkipMonitor]);
        // One that has waited was shown when it began to, perhaps before somebody monitored.
        let is_hidden = is_hidden || may_wait(words);
        let was_run = !is_hidden && matches!(answer, Answer::Step | Answer::Read | Answer::Old);
        let moment = self.channels.moment;
        let kills_unheard = self.members[member].kills_unheard;
        if self.showing.has_begun {
            let is_due = was_run && !kills_unheard;
            for (other, dialogue) in &mut self.dialogues {
                let was_early = dialogue.listener.monitor.early.remove(&number);
                let known = self.known.get(other);
                // One that was asked before may have begun before, and runs for several turns.
                let is_certain = is_due
                    && !was_early
                    && dialogue.member == member
                    && dialogue.listener.monitor.since < number
                    && dialogue.listener.monitor.is_on
                    && known.is_some_and(|known| known.sentence() == Sentence::None)
                    && !dialogue.closing
                    && !dialogue.ended
                    && !dialogue.blind;
                if is_certain {
                    let monitor = &mut dialogue.listener.monitor;
                    monitor.due.push_back((conn, number, moment));
                }
            }
        }
        // Commands that are queued are run when EXEC is.
        let queues = self
            .dialogues
            .get(&conn)
            .is_some_and(|one| one.transaction.is_some());
        if !self.showing.has_begun
            && !queues
            && let Some(asked) = self.showing.asked.get_mut(&conn)
        {
            asked.retain(|(other, _)| *other > number);
        }
    }

    /// N4: a line has come to a client. False where the value is none.
    pub(super) fn was_shown(&mut self, conn: u64, value: &Value) -> Result<bool, Violation> {
        let Some((address, text)) = line_in(value) else {
            return Ok(false);
        };
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(false);
        };
        let wrong = |why: &str| {
            let text = format!("c{conn} is shown {why}: {value}");
            Err(Violation::new(Id::N4, text))
        };
        let monitor = &mut dialogue.listener.monitor;
        if !monitor.is_known {
            return wrong("a request without having asked for that");
        }
        let from = self.showing.connections.get(&address);
        let from: Vec<u64> = from.into_iter().flatten().copied().collect();
        let asked = || {
            let all = from.iter().filter_map(|conn| self.showing.asked.get(conn));
            all.flatten().filter(|(_, words)| is_line(&text, words))
        };
        let seen = monitor.seen.entry((address, text.clone())).or_default();
        *seen += 1;
        if *seen > asked().count() {
            return wrong("what was not asked, or twice");
        }
        // One that is not due may be like one that is.
        let is_first = |conn: &&u64| {
            let first = monitor.due.iter().find(|due| due.0 == **conn);
            first.is_some_and(|due| asked().any(|(number, _)| *number == due.1))
        };
        let number = match from.iter().find(is_first) {
            Some(conn) => monitor
                .due
                .iter()
                .find(|due| due.0 == *conn)
                .map(|due| due.1),
            None => None,
        };
        if let Some(number) = number {
            monitor.due.retain(|due| due.1 != number);
        } else if asked().all(|(number, _)| monitor.due.iter().any(|due| due.1 == *number)) {
            return wrong("a request, and has missed one before");
        } else {
            let answered = |conn: &u64| self.showing.answered.get(conn).copied().unwrap_or(0);
            let unanswered = from.iter().rev().find_map(|conn| {
                let asked = self.showing.asked.get(conn).into_iter().flatten();
                let mut later = asked.filter(|(number, _)| *number > answered(conn));
                let found = later.find(|(number, words)| {
                    !monitor.early.contains(number) && is_line(&text, words)
                });
                found.map(|(number, _)| *number)
            });
            monitor.early.extend(unanswered);
        }
        self.goals.reach(Goal::Shown);
        Ok(true)
    }

    /// N4: a reply has come that was given at some moment, or all has that was sent.
    pub(super) fn was_shown_all(&self, conn: u64, moment: u64) -> Verdict {
        let Some(dialogue) = self.dialogues.get(&conn) else {
            return Ok(());
        };
        let due = &dialogue.listener.monitor.due;
        let Some((of, number, _)) = due.iter().find(|due| due.2 < moment) else {
            return Ok(());
        };
        let asked = self.showing.asked.get(of).into_iter().flatten();
        let mut found = asked.filter(|(other, _)| other == number);
        let words = found
            .next()
            .map_or_else(String::new, |(_, words)| spelled(words));
        let text = format!("c{conn} was not shown what c{of} has asked: {words}");
        Err(Violation::new(Id::N4, text))
    }
}

/// The address and the words in a line that shows a request.
fn line_in(value: &Value) -> Option<(String, String)> {
    let Value::Simple(text) = value else {
        return None;
    };
    let text = std::str::from_utf8(text).ok()?;
    let (head, words) = text.split_once("] ")?;
    let (time, place) = head.split_once(" [")?;
    let is_time = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, rest) = time.split_once('.')?;
    if !is_time(seconds) || !is_time(rest) || rest.len() != 6 {
        return None;
    }
    let (_, address) = place.split_once(' ')?;
    Some((address.to_owned(), words.to_owned()))
}

/// Returns true if a line shows these words.
fn is_line(line: &str, words: &[Vec<u8>]) -> bool {
    let mut text = String::new();
    let is_auth = is_named(words, &["auth"]);
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        text.push('"');
        if is_auth && place > 0 {
            text.push_str("(redacted)");
        } else {
            for byte in word {
                quote(*byte, &mut text);
            }
        }
        text.push('"');
    }
    // It is shown as it was spelled last.
    if is_named(words, &["exec"]) {
        return text.eq_ignore_ascii_case(line);
    }
    if text.len() < COMPARED {
        return text == line;
    }
    line.get(..COMPARED) == text.get(..COMPARED)
}

fn quote(byte: u8, text: &mut String) {
    match byte {
        b'\\' => text.push_str("\\\\"),
        b'"' => text.push_str("\\\""),
        b'\n' => text.push_str("\\n"),
        b'\r' => text.push_str("\\r"),
        b'\t' => text.push_str("\\t"),
        7 => text.push_str("\\a"),
        8 => text.push_str("\\b"),
        0x20..0x7f => text.push(char::from(byte)),
        _ => _ = write!(text, "\\x{byte:02x}"),
    }
}
