//! The requests and replies of clients, for the judge that knows nothing else (C1 to C3).

use std::collections::{BTreeMap, VecDeque};

use super::invariant::{Id, Violation};
use crate::digest::Digest;
use crate::linear::{self, Action, Cell, Operation, Reply};
use crate::wire::Value;
use crate::workload::Request;

/// How many states a search may look at before it is given up.
const BUDGET: usize = 2_000_000;
/// A history of more operations is not looked at.
const OPERATIONS_MAX: usize = 20_000;
/// Nor is one with more operations that may have happened, or not, in any order, or more sums among
/// them.
const OPEN_MAX: usize = 200;
const SUMS_MAX: usize = 30;

/// A request whose answer has not come, and when it was asked.
#[derive(Clone, Debug)]
struct Asked {
    words: Request,
    at: u64,
}

/// The state of a connection.
#[derive(Clone, Debug, Default)]
struct Line {
    db: u32,
    asked: VecDeque<Asked>,
    /// The steps of a transaction that are queued.
    queued: Option<Vec<(Cell, Action)>>,
    /// A step could not be queued: the transaction will be refused.
    doomed: bool,
    /// It has said itself which reads it wants: those may be old, and are judged elsewhere.
    is_old: bool,
}

/// The record of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Clients do only what is understood here.
    is_kept: bool,
    lines: BTreeMap<u64, Line>,
    history: Vec<Operation>,
}

/// The verdict on a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing was kept, or too much.
    Nothing,
    Order,
    GaveUp,
}

impl Ledger {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self {
            is_kept,
            ..Self::default()
        }
    }

    /// A client has asked.
    pub(crate) fn asked(&mut self, conn: u64, words: &Request, at: u64) {
        if self.is_kept {
            let line = self.lines.entry(conn).or_default();
            let words = words.clone();
            line.asked.push_back(Asked { words, at });
        }
    }

    /// A client has its answer.
    pub(crate) fn answered(&mut self, conn: u64, value: &Value, now: u64) {
        let Some(line) = self.lines.get_mut(&conn) else {
            return;
        };
        if let Some(Asked { words, at }) = line.asked.pop_front()
            && let Some((steps, answer)) = line.heard(&words, Some(value))
        {
            self.history.push(Operation {
                conn,
                asked: at,
                answered: answer.map(|replies| (now, replies)),
                steps,
            });
        }
    }

    /// A client will not hear any more of this connection: what it has asked may happen.
    pub(crate) fn ended(&mut self, conn: u64) {
        let Some(mut line) = self.lines.remove(&conn) else {
            return;
        };
        while let Some(Asked { words, at }) = line.asked.pop_front() {
            if let Some((steps, _)) = line.heard(&words, None) {
                self.history.push(Operation {
                    conn,
                    asked: at,
                    answered: None,
                    steps,
                });
            }
        }
    }

    /// C1: whether what clients have seen can have happened one thing at a time.
    pub(crate) fn judge(&mut self) -> Result<Found, Violation> {
        let conns: Vec<u64> = self.lines.keys().copied().collect();
        for conn in conns {
            self.ended(conn);
        }
        let open = |one: &&Operation| one.answered.is_none();
        let sums = self.history.iter().filter(|one| one.may_add()).count();
        let is_doubtful = sums > SUMS_MAX || self.history.iter().filter(open).count() > OPEN_MAX;
        if self.history.is_empty() || self.history.len() > OPERATIONS_MAX || is_doubtful {
            return Ok(Found::Nothing);
        }
        match linear::judge(&self.history, BUDGET) {
            linear::Verdict::Linearizable => Ok(Found::Order),
            linear::Verdict::GaveUp => Ok(Found::GaveUp),
            linear::Verdict::Illegal(shown) => Err(illegal(&shown)),
        }
    }

    /// The shortest history that no order explains, by connection and when it was asked; nothing
    /// where there is an order.
    pub(crate) fn illegal(&self) -> Vec<(u64, u64)> {
        match linear::judge(&self.history, BUDGET) {
            linear::Verdict::Illegal(shown) => {
                shown.iter().map(|one| (one.conn, one.asked)).collect()
            }
            linear::Verdict::Linearizable | linear::Verdict::GaveUp => Vec::new(),
        }
    }
}

fn illegal(shown: &[Operation]) -> Violation {
    const SHOWN: usize = 20;
    let lines: Vec<String> = shown.iter().map(ToString::to_string).collect();
    let from = lines.len().saturating_sub(SHOWN);
    let text = format!(
        "not linearizable: no order explains the last of these {} operations, and each of them is \
         needed for that:\n    {}",
        lines.len(),
        lines[from..].join("\n    ")
    );
    Violation::new(Id::C1, text)
}

type Happened = (Vec<(Cell, Action)>, Option<Vec<Reply>>);

impl Line {
    /// The effect of a request that was answered so, or perhaps was not; `None` if it had none.
    fn heard(&mut self, words: &Request, value: Option<&Value>) -> Option<Happened> {
        let unsure = match value {
            Some(Value::Error(text)) if text.starts_with(b"UNCERTAIN") => true,
            // Whatever else is refused has not happened.
            Some(Value::Error(_)) => {
                self.doomed = self.queued.is_some();
                if is_named(words, "exec") {
                    self.queued = None;
                }
                return None;
            }
            value => value.is_none(),
        };
        if is_named(words, "select") {
            let number = std::str::from_utf8(words.get(1)?).ok()?;
            self.db = number.parse().ok()?;
            return None;
        }
        self.is_old |= is_named(words, "raft") || is_named(words, "readonly");
        if self.is_old {
            return None;
        }
        if is_named(words, "multi") {
            (self.queued, self.doomed) = (Some(Vec::new()), false);
            return None;
        }
        if is_named(words, "discard") {
            self.queued = None;
            return None;
        }
        if is_named(words, "exec") {
            let steps = self.queued.take().filter(|_| !self.doomed)?;
            let replies = match value {
                _ if unsure => None,
                Some(Value::Array(items)) => {
                    let of = |(step, item): (&(Cell, Action), &Value)| reply(&step.1, item);
                    Some(steps.iter().zip(items).map(of).collect::<Option<_>>()?)
                }
                // A watched key was written.
                _ => return None,
            };
            return Some((steps, replies));
        }
        let steps = steps(self.db, words)?;
        if let Some(queued) = &mut self.queued {
            queued.extend(steps);
            return None;
        }
        let replies = match value {
            Some(value) if !unsure => Some(vec![reply(&steps.first()?.1, value)?]),
            _ => None,
        };
        Some((steps, replies))
    }
}

/// The steps of a request, if it is one of those that are understood.
fn steps(db: u32, words: &Request) -> Option<Vec<(Cell, Action)>> {
    let name = words.first()?.to_ascii_lowercase();
    let word = |place: usize| words.get(place).map(|word| kept(word));
    // Other keys have other workloads, which do more than is understood here.
    if !b"rnaw".contains(words.get(1)?.first()?) {
        return None;
    }
    let number =
        |place: usize| -> Option<i64> { std::str::from_utf8(words.get(place)?).ok()?.parse().ok() };
    let (field, action) = match (&name[..], words.len()) {
        (b"get", 2) => (Vec::new(), Action::Get),
        (b"set", 3) => (Vec::new(), Action::Set(word(2)?)),
        (b"getset", 3) => (Vec::new(), Action::GetSet(word(2)?)),
        (b"del", 2) => (Vec::new(), Action::Delete),
        (b"incr", 2) => (Vec::new(), Action::Add(1)),
        (b"incrby", 3) => (Vec::new(), Action::Add(number(2)?)),
        (b"hget", 3) => (word(2)?, Action::Get),
        (b"hset", 4) => (word(2)?, Action::Put(word(3)?)),
        (b"hincrby", 4) => (word(2)?, Action::Add(number(3)?)),
        _ => return None,
    };
    Some(vec![((db, word(1)?, field), action)])
}

/// The meaning of an answer to an action.
fn reply(action: &Action, value: &Value) -> Option<Reply> {
    Some(match value {
        Value::NullBulk | Value::Null => Reply::Nothing,
        Value::Bulk(bytes) => Reply::Value(kept(bytes)),
        Value::Integer(number) => Reply::Number(*number),
        Value::Simple(_) if matches!(action, Action::Set(_)) => Reply::Done,
        _ => return None,
    })
}

/// Returns true if a request has this name, which is written in lower case.
fn is_named(words: &Request, name: &str) -> bool {
    words
        .first()
        .is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// A value as it is compared: of a long one the beginning, and a digest.
fn kept(bytes: &[u8]) -> Vec<u8> {
    const LONG: usize = 40;
    if bytes.len() <= LONG {
        return bytes.to_vec();
    }
    let mut digest = Digest::new();
    digest.bytes(bytes);
    [&bytes[..20], b"#", digest.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_read_is_reported_with_what_makes_it_stale_alone() {
        let mut ledger = Ledger::new(true);
        let mut ask = |conn: u64, at: u64, words: &str, value: Value| {
            let words: Request = words.split(' ').map(|word| word.into()).collect();
            ledger.asked(conn, &words, at);
            ledger.answered(conn, &value, at + 5);
        };
        let ok = || Value::Simple(b"OK".to_vec());
        for turn in 0..10 {
            ask(1, 10 * turn, &format!("SET r1 v{turn}"), ok());
            ask(2, 10 * turn, "SET r2 other", ok());
        }
        ask(2, 200, "GET r1", Value::Bulk(b"v4".to_vec()));
        let violation = ledger.judge().expect_err("an old value is not seen");
        assert_eq!(violation.id, Id::C1);
        let lines: Vec<&str> = violation.text.lines().map(str::trim).collect();
        assert!(
            lines[0].contains("the last of these 3 operations"),
            "{lines:?}"
        );
        assert_eq!(lines[1], r#"c1 40 45 0 "r1" set "v4" = OK"#);
        assert_eq!(lines[3], r#"c2 200 205 0 "r1" get = "v4""#);
    }

    #[test]
    fn the_operations_that_no_order_explains_are_named() {
        let words = |text: &str| -> Request { text.split(' ').map(|word| word.into()).collect() };
        let mut ledger = Ledger::new(true);
        ledger.asked(1, &words("SET r1 new"), 10);
        ledger.answered(1, &Value::Simple(b"OK".to_vec()), 20);
        ledger.asked(2, &words("GET r1"), 30);
        assert!(ledger.illegal().is_empty());
        ledger.answered(2, &Value::Bulk(b"old".to_vec()), 40);
        assert_eq!(ledger.illegal(), [(2, 30)]);
    }
}
