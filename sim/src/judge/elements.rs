//! Q1, Q2: elements that clients push and pop, by what the clients have seen and nothing else.
//!
//! Every element is another one. A push that was acknowledged has happened, one that was refused
//! has not, and one of which nobody was told may have; a pop of which nobody was told may have
//! taken as many as it asked for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::invariant::{Id, Verdict, Violation};
use crate::wire::{Value, shown};
use crate::workload::Request;

/// The first letters of keys of queues: of lists, and of sorted sets.
const LETTERS: [u8; 2] = *b"qp";
/// The list that is pushed to at its end and popped from at its front, and nothing else.
const IN_ORDER: &[u8] = b"q0";

/// The fate of an element.
#[derive(Clone, Debug)]
struct Fate {
    key: Vec<u8>,
    asked: u64,
    /// When its client was told that it is in.
    told: Option<u64>,
    is_refused: bool,
    /// When the pop was asked that took it, and when that was told.
    popped: Option<(u64, u64)>,
}

/// The record of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Elements {
    /// Everything that is acknowledged must stay.
    is_kept: bool,
    /// The requests of each connection that are not answered, with the time of asking.
    asked: BTreeMap<u64, VecDeque<(Request, u64)>>,
    fates: BTreeMap<Vec<u8>, Fate>,
    /// How many elements pops may have taken of which nobody was told.
    doubtful: u64,
}

/// The meaning of a request.
enum Deed<'a> {
    Push(&'a [Vec<u8>], usize),
    /// So many at most; the place of the first element in the answer, and how far the next is.
    Pop(u64, usize, usize),
}

/// A request about a queue; nothing, where it is about something else or moves an element.
fn deed(words: &Request) -> Option<Deed<'_>> {
    let name = words.first()?.to_ascii_lowercase();
    let key = words.get(1)?;
    if key.len() != 2 || !LETTERS.contains(&key[0]) {
        return None;
    }
    let count = || {
        let count = words
            .get(2)
            .and_then(|count| std::str::from_utf8(count).ok());
        count.and_then(|count| count.parse().ok()).unwrap_or(1)
    };
    Some(match &name[..] {
        b"lpush" | b"rpush" => Deed::Push(&words[2..], 1),
        b"zadd" => Deed::Push(&words[3..], 2),
        b"lpop" | b"rpop" => Deed::Pop(count(), 0, 1),
        b"zpopmin" | b"zpopmax" => Deed::Pop(1, 0, 2),
        b"blpop" | b"brpop" | b"bzpopmin" | b"bzpopmax" => Deed::Pop(1, 1, 2),
        _ => return None,
    })
}

/// How many elements a request takes at most.
fn most_popped(words: &Request) -> u64 {
    match deed(words) {
        Some(Deed::Pop(most, ..)) => most,
        Some(Deed::Push(..)) | None => 0,
    }
}

impl Elements {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self {
            is_kept,
            ..Self::default()
        }
    }

    /// A client has asked.
    pub(crate) fn asked(&mut self, conn: u64, words: &Request, at: u64) {
        if !self.is_kept {
            return;
        }
        if let Some(Deed::Push(elements, step)) = deed(words) {
            for element in elements.iter().step_by(step) {
                let fate = Fate {
                    key: words[1].clone(),
                    asked: at,
                    told: None,
                    is_refused: false,
                    popped: None,
                };
                self.fates.insert(element.clone(), fate);
            }
        }
        let line = self.asked.entry(conn).or_default();
        line.push_back((words.clone(), at));
    }

    /// A client has its answer.
    pub(crate) fn answered(&mut self, conn: u64, value: &Value, now: u64) -> Verdict {
        let Some((words, at)) = self.asked.get_mut(&conn).and_then(VecDeque::pop_front) else {
            return Ok(());
        };
        let is_unsure = matches!(value, Value::Error(text) if text.starts_with(b"UNCERTAIN"));
        match deed(&words) {
            Some(Deed::Push(elements, step)) if !is_unsure => {
                for element in elements.iter().step_by(step) {
                    if let Some(fate) = self.fates.get_mut(element) {
                        fate.told = (!value.is_error()).then_some(now);
                        fate.is_refused = value.is_error();
                    }
                }
            }
            Some(Deed::Pop(most, ..)) if is_unsure => self.doubtful += most,
            Some(Deed::Pop(_, first, step)) => {
                let items = match value {
                    Value::Array(items) => &items[first.min(items.len())..],
                    one => std::slice::from_ref(one),
                };
                for item in items.iter().step_by(step) {
                    if let Value::Bulk(element) = item {
                        self.popped(conn, element, (at, now))?;
                    }
                }
            }
            Some(Deed::Push(..)) | None => {}
        }
        Ok(())
    }

    /// Q1: an element was given to a client.
    fn popped(&mut self, conn: u64, element: &[u8], times: (u64, u64)) -> Verdict {
        let wrong = |why: &str| {
            let text = format!("c{conn} was given {}, {why}", shown(element));
            Err(Violation::new(Id::Q1, text))
        };
        match self.fates.get_mut(element) {
            None => wrong("which nobody has pushed"),
            Some(fate) if fate.is_refused => wrong("whose push was refused"),
            Some(fate) if fate.popped.is_some() => wrong("which was given before"),
            Some(fate) => {
                fate.popped = Some(times);
                Ok(())
            }
        }
    }

    /// A client will not hear any more of this connection.
    pub(crate) fn ended(&mut self, conn: u64) {
        let asked = self.asked.remove(&conn).unwrap_or_default();
        for (words, _) in asked {
            self.doubtful += most_popped(&words);
        }
    }

    /// Q1, Q2: all is at its end, and these elements are left.
    pub(crate) fn judge(&self, left: &BTreeSet<Vec<u8>>) -> Verdict {
        if !self.is_kept {
            return Ok(());
        }
        let mut lost = Vec::new();
        for (element, fate) in &self.fates {
            let is_left = left.contains(element);
            if is_left && (fate.popped.is_some() || fate.is_refused) {
                let why = if fate.is_refused {
                    "its push was refused"
                } else {
                    "was given away"
                };
                let text = format!("{} is there, and {why}", shown(element));
                return Err(Violation::new(Id::Q1, text));
            }
            if fate.told.is_some() && fate.popped.is_none() && !is_left {
                lost.push(shown(element));
            }
        }
        let open = self.asked.values().flatten();
        let open: u64 = open.map(|(words, _)| most_popped(words)).sum();
        let doubtful = self.doubtful + open;
        if lost.len() as u64 > doubtful {
            let text = format!(
                "{} elements are lost, and pops without an answer have taken {} at most: {}",
                lost.len(),
                doubtful,
                lost[..lost.len().min(8)].join(" ")
            );
            return Err(Violation::new(Id::Q1, text));
        }
        self.in_order(left)
    }

    /// Q2: what was pushed behind something else was not given before that.
    fn in_order(&self, left: &BTreeSet<Vec<u8>>) -> Verdict {
        let own = self.fates.iter().filter(|(_, fate)| fate.key == IN_ORDER);
        let mut taken: Vec<(u64, u64, &Vec<u8>)> = own
            .clone()
            .filter_map(|(element, fate)| Some((fate.asked, fate.popped?.1, element)))
            .collect();
        taken.sort_unstable();
        // The first of those that were pushed from some time on to be given away.
        let mut soonest = taken.clone();
        for place in (1..soonest.len()).rev() {
            if soonest[place].1 < soonest[place - 1].1 {
                (soonest[place - 1].1, soonest[place - 1].2) = (soonest[place].1, soonest[place].2);
            }
        }
        for (element, fate) in own {
            let until = match fate.popped {
                Some((asked, _)) => asked,
                None if left.contains(element) => u64::MAX,
                None => continue,
            };
            let Some(told) = fate.told else {
                continue;
            };
            let behind = taken.partition_point(|(asked, ..)| *asked <= told);
            if let Some((_, given, other)) = soonest.get(behind)
                && *given < until
            {
                let (one, other) = (shown(element), shown(other));
                let text = format!("{other} was pushed behind {one}, and was given first");
                return Err(Violation::new(Id::Q2, text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Request {
        text.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    /// Two elements in a queue, pushed one behind the other.
    fn two() -> Elements {
        let mut elements = Elements::new(true);
        for (at, text) in [(10, "RPUSH q0 a"), (20, "RPUSH q0 b")] {
            elements.asked(1, &words(text), at);
            elements.answered(1, &Value::Integer(1), at + 5).unwrap();
        }
        elements
    }

    #[test]
    fn an_element_is_given_once_and_is_not_lost() {
        let mut elements = two();
        elements.asked(2, &words("LPOP q0"), 30);
        elements.answered(2, &bulk("a"), 35).unwrap();
        let lost = elements.judge(&BTreeSet::new()).unwrap_err();
        assert_eq!(lost.id, Id::Q1);
        let left = BTreeSet::from([b"b".to_vec()]);
        assert_eq!(elements.judge(&left), Ok(()));
        elements.asked(2, &words("BLPOP q0 1"), 40);
        let pair = Value::Array(vec![bulk("q0"), bulk("a")]);
        assert_eq!(elements.answered(2, &pair, 45).unwrap_err().id, Id::Q1);
    }

    #[test]
    fn a_pop_that_nobody_was_told_of_may_have_taken_one() {
        let mut elements = two();
        elements.asked(2, &words("BLPOP q0 0"), 30);
        elements.ended(2);
        assert_eq!(elements.judge(&BTreeSet::from([b"b".to_vec()])), Ok(()));
        assert!(elements.judge(&BTreeSet::new()).is_err());
    }

    #[test]
    fn the_first_in_is_the_first_out() {
        let mut elements = two();
        elements.asked(2, &words("LPOP q0"), 30);
        elements.answered(2, &bulk("b"), 35).unwrap();
        let left = BTreeSet::from([b"a".to_vec()]);
        assert_eq!(elements.judge(&left).unwrap_err().id, Id::Q2);
    }
}
