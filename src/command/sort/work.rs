//! The work of SORT, in pieces: items are taken and weighed, put in order, and answered or stored.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::mem;

use super::words::{self, Pattern};
use crate::command::args::Args;
use crate::command::context::Change;
use crate::command::error::{Error, Outcome};
use crate::command::pace::{Kept, Pace};
use crate::command::sorting::{Arena, Entry, Sorting, Span, Stage, Weight};
use crate::command::strings::answer;
use crate::command::zset::score;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Reply;
use crate::store::{DbId, End, List, Set, Store, Text, Value, Zset};
use crate::time::Stamp;

/// The most items that are taken in one step.
const ITEMS_AT_ONCE: usize = 256;

/// The store as the command sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'s> {
    pub(super) store: &'s Store,
    pub(super) db: DbId,
    pub(super) at: Stamp,
    /// A key that is dead only by this clock must be asked for again.
    pub(super) clock: Stamp,
}

impl<'s> Look<'s> {
    fn get(&self, key: &[u8]) -> Result<Option<Value<'s>>, Error> {
        let Some(value) = self.store.get(self.db, key, self.at) else {
            return Ok(None);
        };
        match self.store.expiry(self.db, key) {
            Some(expiry) if expiry <= self.clock => Err(Error::Due),
            _ => Ok(Some(value)),
        }
    }

    /// The text that a pattern finds for an item.
    fn find(
        &self,
        pattern: &Pattern<'_>,
        item: &[u8],
        key: &mut Vec<u8>,
    ) -> Result<Option<Text<'s>>, Error> {
        pattern.key(item, key);
        Ok(match self.get(key)? {
            Some(Value::String(text)) if pattern.field.is_empty() => Some(text),
            Some(Value::Hash(hash)) if !pattern.field.is_empty() => {
                hash.get(pattern.field).map(Text::Bytes)
            }
            _ => None,
        })
    }
}

/// The collection that is sorted.
#[derive(Clone, Copy, Debug)]
enum Source<'s> {
    Nothing,
    List(List<'s>),
    Set(Set<'s>),
    Zset(Zset<'s>),
}

impl<'s> Source<'s> {
    fn of(value: Option<Value<'s>>) -> Result<Self, Error> {
        match value {
            None => Ok(Self::Nothing),
            Some(Value::List(list)) => Ok(Self::List(list)),
            Some(Value::Set(set)) => Ok(Self::Set(set)),
            Some(Value::Zset(zset)) => Ok(Self::Zset(zset)),
            Some(Value::String(_) | Value::Hash(_)) => Err(Error::WRONG_TYPE),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::List(list) => list.len(),
            Self::Set(set) => set.len(),
            Self::Zset(zset) => zset.len(),
        }
    }

    /// Shows items from `from` on: an index from one end of a list or a sorted set, the cursor of a
    /// walk over a set. Returns where to go on.
    fn show(self, from: u64, count: usize, backwards: bool, show: &mut dyn FnMut(&[u8])) -> u64 {
        let len = self.len();
        let nth = (from as usize).min(len);
        let left = count.min(len - nth);
        match self {
            Self::Nothing => {}
            Self::Set(set) => {
                return set.walk(from, count, &mut |member| {
                    show(&member.as_bytes(&mut [0; 20]));
                });
            }
            Self::List(_) | Self::Zset(_) if left == 0 => {}
            Self::List(list) => {
                let items = if backwards {
                    list.walk(len - nth - 1, End::Front)
                } else {
                    list.walk(nth, End::Back)
                };
                for item in items.take(left) {
                    show(&item.as_bytes(&mut [0; 20]));
                }
            }
            Self::Zset(zset) if backwards => {
                let members = zset.walk_back(len - nth).take(left);
                members.for_each(|(member, _)| show(member));
            }
            Self::Zset(zset) => {
                let members = zset.walk(nth).take(left);
                members.for_each(|(member, _)| show(member));
            }
        }
        (nth + left) as u64
    }
}

impl Sorting {
    /// The work that stands in its middle, or new work.
    pub(super) fn of(pace: &mut Pace) -> Box<Self> {
        match mem::take(&mut pace.kept) {
            Kept::Sorting(sorting) => sorting,
            _ => Box::default(),
        }
    }

    /// Goes on until the answers are given, or gathered to be stored.
    pub(super) fn run(
        &mut self,
        pace: &mut Pace,
        look: Look<'_>,
        args: Args<'_>,
        may_store: bool,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        if self.stage == Stage::Read {
            words::read(&mut self.wanted, pace, args, may_store)?;
            self.prepare(Source::of(look.get(args.at(1))?)?, args);
            self.stage = Stage::Take;
        }
        if self.stage == Stage::Take {
            self.take(pace, look, args)?;
            self.stage = Stage::Order;
        }
        if self.stage == Stage::Order {
            self.order(pace, args)?;
            let stores = self.wanted.target.is_some();
            if !stores {
                reply.array(self.answers());
            } else if !self.wanted.gets.is_empty() {
                self.found = Some(Vec::with_capacity(self.answers()));
            }
            (self.stage, self.given) = (Stage::Answer, 0);
        }
        if self.stage == Stage::Answer {
            self.answer(pace, look, args, reply)?;
            self.stage = match self.wanted.target {
                Some(_) => Stage::Replace,
                None => Stage::Free,
            };
        }
        if self.stage == Stage::Free {
            self.free(pace)?;
        }
        Ok(())
    }

    /// The number of answers.
    fn answers(&self) -> usize {
        self.range.1.saturating_mul(self.wanted.gets.len().max(1))
    }

    /// Returns true if items are put in order, by themselves or by the texts of a pattern.
    fn sorts(&self, args: Args<'_>) -> bool {
        let is_pattern = |place: usize| args.at(place).contains(&b'*');
        self.wanted.by.is_none_or(is_pattern)
    }

    fn prepare(&mut self, source: Source<'_>, args: Args<'_>) {
        // The order in which a set keeps its members is nothing to be stored.
        if self.wanted.target.is_some() && !self.sorts(args) && matches!(source, Source::Set(_)) {
            (self.wanted.is_alpha, self.wanted.by) = (true, None);
        }
        self.is_set = matches!(source, Source::Set(_));
        self.range = self.wanted.range(source.len());
        let takes = if self.sorts(args) {
            source.len()
        } else {
            match source {
                // Lists and sorted sets are in order, and what is wanted of them is a range.
                Source::List(_) | Source::Zset(_) => {
                    self.cursor = mem::take(&mut self.range.0) as u64;
                    self.range.1
                }
                Source::Set(_) | Source::Nothing => self.range.0 + self.range.1,
            }
        };
        self.taken = takes;
        self.merging.reserve(takes);
    }

    /// Takes items and weighs them.
    fn take(&mut self, pace: &mut Pace, look: Look<'_>, args: Args<'_>) -> Outcome {
        let source = Source::of(look.get(args.at(1))?)?;
        let sorts = self.sorts(args);
        let by = self.wanted.by.filter(|_| sorts);
        let by = by.and_then(|place| Pattern::of(args.at(place)));
        let backwards = self.wanted.descends && !sorts;
        let each = 1 + usize::from(by.is_some());
        while self.merging.entries().len() < self.taken {
            let left = self.taken - self.merging.entries().len();
            let most = pace.steps(each).min(ITEMS_AT_ONCE).min(left);
            pace.step(0, most * each)?;
            let (mut bytes, mut done) = (0, Ok(()));
            let mut key = mem::take(&mut self.key);
            let next = source.show(self.cursor, most, backwards, &mut |item| {
                if done.is_err() || self.merging.entries().len() == self.taken {
                    return;
                }
                bytes += item.len();
                done = self
                    .weigh(item, look, by.as_ref(), sorts, &mut key)
                    .map(|entry| {
                        self.merging.push(entry);
                    });
            });
            self.key = key;
            self.cursor = next;
            pace.pay(bytes / BYTES_PER_WORK);
            done?;
        }
        Ok(())
    }

    /// The entry of an item.
    fn weigh(
        &mut self,
        item: &[u8],
        look: Look<'_>,
        by: Option<&Pattern<'_>>,
        sorts: bool,
        key: &mut Vec<u8>,
    ) -> Result<Entry, Error> {
        let span = self.texts.push(item);
        let found = match by {
            Some(by) => look.find(by, item, key)?.map(text),
            None => Some(Cow::Borrowed(item)),
        };
        let weight = match found {
            _ if !sorts => Weight::Text(None),
            Some(found) if self.wanted.is_alpha => Weight::Text(Some(match by {
                Some(_) => self.texts.push(&found),
                None => span,
            })),
            None if self.wanted.is_alpha => Weight::Text(None),
            Some(found) => Weight::Number(number(&found).ok_or(Error::SCORES_NOT_FLOATS)?),
            None => Weight::Number(0.0),
        };
        Ok(Entry { item: span, weight })
    }

    /// Puts the entries in order.
    fn order(&mut self, pace: &mut Pace, args: Args<'_>) -> Outcome {
        if !self.sorts(args) {
            return Ok(());
        }
        let (texts, descends, is_set) = (&self.texts, self.wanted.descends, self.is_set);
        while let Some(work) = self.merging.work() {
            pace.step(0, work)?;
            let mut bytes = 0;
            self.merging.step(&mut |one, other| {
                let order = compare(texts, one, other, is_set, &mut bytes);
                if descends { order.reverse() } else { order }
            });
            pace.pay(bytes / BYTES_PER_WORK);
        }
        Ok(())
    }

    /// Answers the items or what patterns find for them, or gathers that.
    fn answer(
        &mut self,
        pace: &mut Pace,
        look: Look<'_>,
        args: Args<'_>,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        let gets = self.wanted.gets.len();
        if self.wanted.target.is_some() && gets == 0 {
            return Ok(());
        }
        let each = gets.max(1);
        while self.given < self.answers() {
            pace.step(0, 1)?;
            let entry = self.merging.entries()[self.range.0 + self.given / each];
            let get = self.wanted.gets.get(self.given % each);
            let get = get.map_or(&b"#"[..], |place| args.at(*place));
            let item = self.texts.get(entry.item);
            if get == b"#" {
                pace.pay(item.len() / BYTES_PER_WORK);
                match &mut self.found {
                    Some(gathered) => gathered.push(entry.item),
                    None => reply.bulk(item),
                }
            } else {
                let found = match Pattern::of(get) {
                    Some(pattern) => look.find(&pattern, item, &mut self.key)?,
                    None => None,
                };
                pace.pay(found.map_or(0, Text::len) / BYTES_PER_WORK);
                match &mut self.found {
                    Some(gathered) => {
                        gathered.push(self.texts.push(&found.map(text).unwrap_or_default()));
                    }
                    None => answer(reply, found),
                }
            }
            self.given += 1;
        }
        Ok(())
    }

    /// Lets the key behind STORE hold a list of the answers, whatever it held. Without any, the key
    /// goes away.
    pub(super) fn store(&mut self, change: &mut Change<'_>, args: Args<'_>) -> Outcome {
        let Some(target) = self.wanted.target.map(|place| args.at(place)) else {
            return Ok(());
        };
        if self.stage == Stage::Free {
            // It was cut before its end, which has come by now.
            return Ok(());
        }
        let answers = self.answers();
        if self.stage == Stage::Replace {
            change.store.remove(change.db, target, change.at);
            (self.stage, self.given) = (Stage::Store, 0);
        }
        if self.stage == Stage::Store {
            let mut list = change.store.list_or_new(change.db, target, change.at)?;
            while self.given < answers {
                let span = match &self.found {
                    Some(found) => found[self.given],
                    None => self.merging.entries()[self.range.0 + self.given].item,
                };
                let item = self.texts.get(span);
                change.pace.step(0, 1 + item.len() / BYTES_PER_WORK)?;
                list.push(item, End::Back);
                self.given += 1;
            }
            change.reply.integer(answers as i64);
            self.stage = Stage::Free;
        }
        self.free(change.pace)
    }

    fn free(&mut self, pace: &mut Pace) -> Outcome {
        loop {
            pace.step(0, 1)?;
            if !self.texts.free() {
                return Ok(());
            }
        }
    }
}

/// The bytes of a text.
fn text(text: Text<'_>) -> Cow<'_, [u8]> {
    match text {
        Text::Bytes(bytes) | Text::Raw(bytes) => Cow::Borrowed(bytes),
        Text::Integer(_) | Text::Rope(_) => Cow::Owned(text.to_vec()),
    }
}

/// The number that a text begins with, as C's `strtod` reads it: nothing is 0, blanks may stand in
/// front, and a zero byte ends it. `None` if anything stands behind it, or if it is none.
fn number(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|byte| *byte == 0);
    let text = &text[..end.unwrap_or(text.len())];
    if text.is_empty() {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let digits = text.iter().position(|byte| !is_blank(byte))?;
    score::parse(&text[digits..])
}

/// The order of two entries, the lower one first. Equal numbers are told apart by their items, and
/// so are equal texts if `is_set` says so.
fn compare(texts: &Arena, one: &Entry, other: &Entry, is_set: bool, bytes: &mut usize) -> Ordering {
    let mut compare = |one: Span, other: Span| {
        let (one, other) = (texts.get(one), texts.get(other));
        *bytes += one.len().min(other.len());
        one.cmp(other)
    };
    let (order, goes_on) = match (one.weight, other.weight) {
        (Weight::Number(first), Weight::Number(second)) => (first.partial_cmp(&second), true),
        (Weight::Text(Some(first)), Weight::Text(Some(second))) => {
            (Some(compare(first, second)), is_set)
        }
        (Weight::Text(first), Weight::Text(second)) => {
            (Some(first.is_some().cmp(&second.is_some())), is_set)
        }
        (Weight::Number(_), Weight::Text(_)) | (Weight::Text(_), Weight::Number(_)) => (None, true),
    };
    match order {
        Some(Ordering::Equal) | None if goes_on => compare(one.item, other.item),
        order => order.unwrap_or(Ordering::Equal),
    }
}
