//! `find`, `match`, `gmatch` and `gsub`.

use alloc::vec::Vec;

use super::pattern::{Bad, CAPTURES_MAX, Matcher, Taken};
use crate::lua::heap::thread::{Give, Scratch};
use crate::lua::libraries::making::{function, set_upvalue, upvalue};
use crate::lua::machine::{Call, Definition, Found, Outcome, Resumed, State, Thrown};
use crate::lua::value::{StringRef, Value};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("find", |state, call| search(state, call, true)),
    Definition::new("gmatch", each_match),
    Definition::waiting("gsub", substitute, substitute_resumed),
    Definition::new("match", |state, call| search(state, call, false)),
];

/// A part that is longer is not copied once more.
const COPIED_MAX: usize = 4096;
/// The units of the budget that a search takes besides its steps.
const UNITS_PER_SEARCH: u64 = 8;
/// Steps of a match that are one unit of the budget.
const STEPS_PER_UNIT: u64 = 4;

fn bad(state: &State, bad: &Bad) -> Thrown {
    state.error(match bad {
        Bad::Text(text) => text,
        Bad::Capture => "invalid capture index",
    })
}

/// A match: where it begins and ends, and what its captures have taken; nil of one that is open.
struct Match {
    from: usize,
    to: usize,
    captures: Vec<Value>,
}

impl Match {
    /// Fails if one of the first captures is still open.
    fn check(&self, state: &State, count: usize) -> Result<()> {
        if self
            .captures
            .iter()
            .take(count)
            .any(|capture| capture.is_nil())
        {
            return Err(state.error("unfinished capture"));
        }
        Ok(())
    }
}

/// Looks for a pattern from a place on; only there if it is anchored.
fn find(
    state: &mut State,
    subject: StringRef,
    pattern: StringRef,
    from: usize,
    whole_if_none: bool,
) -> Result<Option<Match>> {
    let read = state.bytes(pattern).len() as u64 / 16;
    state.charge(UNITS_PER_SEARCH + read);
    let (text, source) = (state.bytes(subject), ended(state.bytes(pattern)));
    let is_anchored = source.first() == Some(&b'^');
    let mut matcher = Matcher::new(text, source, state.limits.pattern_steps);
    let mut at = from;
    let found = loop {
        match matcher.match_at(at, usize::from(is_anchored)) {
            Err(why) => {
                let steps = matcher.steps;
                state.charge(steps / STEPS_PER_UNIT);
                return Err(bad(state, &why));
            }
            Ok(Some(to)) => break Some((at, to)),
            Ok(None) if is_anchored || at >= text.len() => break None,
            Ok(None) => at += 1,
        }
    };
    let steps = matcher.steps;
    let Some((from, to)) = found else {
        state.charge(steps / STEPS_PER_UNIT);
        return Ok(None);
    };
    let count = matcher.captures().len().max(usize::from(whole_if_none));
    let mut taken = [None; CAPTURES_MAX];
    for (at, place) in taken.iter_mut().take(count).enumerate() {
        *place = match matcher.capture(at, from, to) {
            Ok((capture, _)) if capture.taken == Taken::Position => Some((capture.from, None)),
            Ok((capture, length)) => Some((capture.from, Some(length))),
            Err(_) => None,
        };
    }
    state.charge(steps / STEPS_PER_UNIT);
    let captures = taken.iter().take(count).map(|place| match place {
        None => Ok(Value::Nil),
        Some((from, None)) => Ok(Value::Number((from + 1) as f64)),
        Some((from, Some(length))) => state.substring(subject, *from, *length),
    });
    let captures = captures.collect::<Result<_>>()?;
    Ok(Some(Match { from, to, captures }))
}

impl State {
    /// A part of a string, which is there.
    pub(in crate::lua::libraries) fn substring(
        &mut self,
        string: StringRef,
        from: usize,
        length: usize,
    ) -> Result<Value> {
        let bytes = self.heap.text(string);
        if from == 0 && length == bytes.len() {
            return Ok(Value::String(string));
        }
        if length > COPIED_MAX {
            self.check_room(length)?;
            self.charge(length as u64 / 64);
            let bytes = self.heap.text(string);
            let part = bytes.get(from..from + length).unwrap_or_default().to_vec();
            return Ok(self.interned_owned(part));
        }
        self.check_room(0)?;
        self.charge(length as u64 / 64);
        let mut part = core::mem::take(&mut self.buffer);
        part.clear();
        let bytes = self.heap.text(string);
        part.extend_from_slice(bytes.get(from..from + length).unwrap_or_default());
        let value = self.interned(&part);
        self.buffer = part;
        Ok(value)
    }
}

/// The place in a text of some length at which a search from `start` begins.
fn start_of(start: i64, length: usize) -> usize {
    let from = if start < 0 {
        length as i64 + start
    } else {
        start.saturating_sub(1)
    };
    usize::try_from(from).unwrap_or(0).min(length)
}

/// A pattern up to its first zero byte, which ends it as in C.
fn ended(pattern: &[u8]) -> &[u8] {
    let end = pattern.iter().position(|byte| *byte == 0);
    pattern
        .get(..end.unwrap_or(pattern.len()))
        .unwrap_or(pattern)
}

fn is_plain(pattern: &[u8]) -> bool {
    !ended(pattern)
        .iter()
        .any(|byte| b"^$*+?.([%-".contains(byte))
}

fn search(state: &mut State, call: Call, wants_place: bool) -> Result {
    let (subject, pattern) = (
        state.string_argument(call, 0)?,
        state.string_argument(call, 1)?,
    );
    let start = state.integer_or(call, 2, 1)?;
    let from = start_of(start, state.bytes(subject).len());
    let read = state.bytes(pattern).len() as u64 / 16;
    state.charge(read);
    if wants_place && (state.argument(call, 3).is_true() || is_plain(state.bytes(pattern))) {
        let (text, sought) = (state.bytes(subject), state.bytes(pattern));
        let length = sought.len();
        let found = position(text.get(from..).unwrap_or_default(), sought);
        let passed = found.map_or(text.len() - from, |at| at) + length;
        state.charge(passed as u64 / 16);
        return Ok(match found {
            Some(at) => Outcome::Two(
                Value::Number((from + at + 1) as f64),
                Value::Number((from + at + length) as f64),
            ),
            None => Outcome::One(Value::Nil),
        });
    }
    let Some(found) = find(state, subject, pattern, from, !wants_place)? else {
        return Ok(Outcome::One(Value::Nil));
    };
    found.check(state, CAPTURES_MAX)?;
    if !wants_place {
        return Ok(Outcome::Many(found.captures));
    }
    let mut values = Vec::with_capacity(found.captures.len() + 2);
    values.push(Value::Number((found.from + 1) as f64));
    values.push(Value::Number(found.to as f64));
    values.extend(found.captures);
    Ok(Outcome::Many(values))
}

/// The first place of a text within another, found in time linear in both.
fn position(text: &[u8], sought: &[u8]) -> Option<usize> {
    let Some(first) = sought.first() else {
        return Some(0);
    };
    // How many bytes of the beginning still match when a byte behind so many does not.
    let mut kept = Vec::with_capacity(sought.len());
    kept.push(0_usize);
    let mut length = 0;
    for byte in sought.get(1..)? {
        length = matched(sought, &kept, length, *byte);
        kept.push(length);
    }
    length = 0;
    let mut at = text.iter().position(|byte| byte == first)?;
    while let Some(byte) = text.get(at) {
        length = matched(sought, &kept, length, *byte);
        at += 1;
        if length == sought.len() {
            return Some(at - length);
        }
    }
    None
}

/// How many bytes of the beginning of `sought` match behind one more byte.
fn matched(sought: &[u8], kept: &[usize], mut length: usize, byte: u8) -> usize {
    while length > 0 && sought.get(length) != Some(&byte) {
        length = kept.get(length - 1).copied().unwrap_or(0);
    }
    length + usize::from(sought.get(length) == Some(&byte))
}

fn each_match(state: &mut State, call: Call) -> Result {
    let (subject, pattern) = (
        state.string_argument(call, 0)?,
        state.string_argument(call, 1)?,
    );
    // No pattern is anchored here: a caret is matched as itself.
    let pattern = if state.bytes(pattern).first() == Some(&b'^') {
        let escaped = [b"%", state.bytes(pattern)].concat();
        state.new_string_owned(escaped)?
    } else {
        Value::String(pattern)
    };
    // The last is where the next search begins.
    let kept = [Value::String(subject), pattern, Value::Number(0.0)];
    Ok(Outcome::One(function(
        state,
        Definition::new("gmatch_next", next_match),
        &kept,
    )))
}

fn next_match(state: &mut State, call: Call) -> Result {
    let kept = [0, 1, 2].map(|at| upvalue(state, call, at));
    let [
        Value::String(subject),
        Value::String(pattern),
        Value::Number(from),
    ] = kept
    else {
        return Ok(Outcome::Nothing);
    };
    let from = from as usize;
    if from > state.bytes(subject).len() {
        return Ok(Outcome::One(Value::Nil));
    }
    let found = find(state, subject, pattern, from, true)?;
    let (next, outcome) = match found {
        // Behind an empty match the search goes on one further.
        Some(found) => {
            found.check(state, CAPTURES_MAX)?;
            let next = found.to + usize::from(found.to == found.from);
            (next, Outcome::Many(found.captures))
        }
        None => (usize::MAX, Outcome::One(Value::Nil)),
    };
    set_upvalue(state, call, 2, Value::Number(next as f64));
    Ok(outcome)
}

// The slots of `gsub` while it waits: subject, pattern, replacement, and the whole last match.
const SUBJECT: usize = 0;
const PATTERN: usize = 1;
const REPLACEMENT: usize = 2;
const MATCHED: usize = 3;
const SLOTS: usize = 4;

// Its numbers: where the search goes on, replacements made and allowed, and the last match.
const AT: usize = 0;
const MADE: usize = 1;
const ALLOWED: usize = 2;
const FROM: usize = 3;
const TO: usize = 4;

fn substitute(state: &mut State, call: Call) -> Result {
    let subject = state.string_argument(call, 0)?;
    state.string_argument(call, 1)?;
    match state.argument(call, 2) {
        Value::Number(_) => {
            state.string_argument(call, 2)?;
        }
        Value::String(_) | Value::Table(_) | Value::Function(_) | Value::Native(_) => {}
        _ => return Err(state.argument_error(2, "string/function/table expected")),
    }
    let length = state.bytes(subject).len() as i64;
    let allowed = state.int_or(call, 3, length.saturating_add(1))?;
    let mut scratch = Scratch::default();
    scratch.numbers[ALLOWED] = usize::try_from(allowed).unwrap_or(0);
    state.wait(call, SLOTS, scratch)?;
    let outcome = substitute_on(state, call.base);
    state.end_if_done(call, outcome)
}

/// Goes on until a function has to be called, or the end.
fn substitute_on(state: &mut State, base: usize) -> Result {
    let slots = [SUBJECT, PATTERN].map(|at| state.slot(base + at));
    let [Value::String(subject), Value::String(pattern)] = slots else {
        return Ok(Outcome::Nothing);
    };
    let length = state.bytes(subject).len();
    let is_anchored = state.bytes(pattern).first() == Some(&b'^');
    while state.scratch().numbers[MADE] < state.scratch().numbers[ALLOWED] {
        let at = state.scratch().numbers[AT];
        if at > length || (is_anchored && state.scratch().numbers[MADE] > 0) {
            break;
        }
        if state.pauses() {
            return Ok(Outcome::Later);
        }
        let Some(found) = find(state, subject, pattern, at, true)? else {
            break;
        };
        copy(state, subject, at, found.from)?;
        state.charge(1 + (found.from - at) as u64 / 64);
        let numbers = &mut state.scratch().numbers;
        numbers[MADE] += 1;
        numbers[FROM] = found.from;
        numbers[TO] = found.to;
        let whole = state.substring(subject, found.from, found.to - found.from)?;
        state.set_slot(base + MATCHED, whole);
        match state.slot(base + REPLACEMENT) {
            Value::String(replacement) => {
                fill(state, replacement, whole, &found.captures)?;
                pass(state, subject)?;
            }
            Value::Table(table) => {
                found.check(state, 1)?;
                let key = found.captures.first().copied().unwrap_or(whole);
                let give = Give::Native;
                match state.index(Value::Table(table), key, None, give)? {
                    Found::Value(value) => {
                        replace(state, value, whole)?;
                        pass(state, subject)?;
                    }
                    Found::Called => return Ok(Outcome::Later),
                }
            }
            replacement => {
                found.check(state, CAPTURES_MAX)?;
                state.call_with(replacement, &found.captures, Give::Native)?;
                return Ok(Outcome::Later);
            }
        }
    }
    let at = state.scratch().numbers[AT];
    copy(state, subject, at, length)?;
    let made = state.scratch().numbers[MADE];
    let text = state.take_kept();
    let text = state.new_string_owned(text)?;
    Ok(Outcome::Two(text, Value::Number(made as f64)))
}

fn substitute_resumed(state: &mut State, resumed: Resumed) -> Result {
    if resumed.is_pause {
        return substitute_on(state, resumed.base);
    }
    let value = state.first_result(resumed);
    let whole = state.slot(resumed.base + MATCHED);
    replace(state, value, whole)?;
    if let Value::String(subject) = state.slot(resumed.base + SUBJECT) {
        pass(state, subject)?;
    }
    substitute_on(state, resumed.base)
}

/// Goes on behind the last match; behind an empty one, a byte further.
fn pass(state: &mut State, subject: StringRef) -> Result<()> {
    let numbers = &mut state.scratch().numbers;
    let (from, to) = (numbers[FROM], numbers[TO]);
    numbers[AT] = to;
    if from == to {
        numbers[AT] = to + 1;
        copy(state, subject, to, to + 1)?;
    }
    Ok(())
}

/// Appends a part of the subject to the result.
fn copy(state: &mut State, subject: StringRef, from: usize, to: usize) -> Result<()> {
    let bytes = state.heap.text(subject);
    let to = to.min(bytes.len());
    if from >= to {
        return Ok(());
    }
    state.keep_part(subject, from..to)
}

/// Appends what a table or function has given for a match.
fn replace(state: &mut State, value: Value, whole: Value) -> Result<()> {
    let value = match value {
        Value::Nil | Value::Boolean(false) => whole,
        Value::String(_) | Value::Number(_) => value,
        _ => {
            let name = value.type_name();
            return Err(state.error(&alloc::format!("invalid replacement value (a {name})")));
        }
    };
    append_value(state, value)
}

fn append_value(state: &mut State, value: Value) -> Result<()> {
    if let Value::String(string) = value {
        let length = state.bytes(string).len();
        return state.keep_part(string, 0..length);
    }
    let mut text = Vec::new();
    state.append_text(value, &mut text);
    state.keep(&text)
}

/// Appends a replacement in which `%0` is the whole match and `%1` … are its captures.
fn fill(state: &mut State, replacement: StringRef, whole: Value, captures: &[Value]) -> Result<()> {
    let mut at = 0;
    loop {
        let text = state.heap.text(replacement);
        let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else {
            return Ok(());
        };
        let plain = rest
            .iter()
            .position(|byte| *byte == b'%')
            .unwrap_or(rest.len());
        let behind = text.get(at + plain + 1).copied();
        let has_mark = plain < rest.len();
        state.keep_part(replacement, at..at + plain)?;
        at += plain;
        if !has_mark {
            return Ok(());
        }
        match behind {
            Some(b'0') => append_value(state, whole)?,
            Some(digit @ b'1'..=b'9') => match captures.get(usize::from(digit - b'1')) {
                Some(Value::Nil) => return Err(state.error("unfinished capture")),
                Some(capture) => append_value(state, *capture)?,
                None => return Err(state.error("invalid capture index")),
            },
            Some(_) => state.keep_part(replacement, at + 1..at + 2)?,
            // As C has it, where a text ends with a zero byte.
            None => state.keep(&[0])?,
        }
        at += 2;
    }
}
