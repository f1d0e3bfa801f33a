//! The members that commands have taken out of sets by chance: the model follows the first server
//! that says so, and all others must have drawn the same.

use std::rc::Rc;

use seedis::node::effect::ScriptLine;

use super::history::{Command, Drawn, Draws, Step};
use super::invariant::{Id, Verdict, Violation};
use crate::model::{Class, Template, find};
use crate::wire::{Decoder, Value, shown};

impl Draws {
    /// A member has executed a step, with this reply and lines of scripts.
    pub(super) fn note(
        &mut self,
        place: (u64, usize),
        step: &Step,
        (reply, lines): (&[u8], &[ScriptLine]),
    ) -> Verdict {
        self.note_lines(place, step, lines)?;
        let commands = step.commands();
        if !commands.iter().any(draws) {
            return Ok(());
        }
        let drawn = Rc::new(drawn(step, reply));
        let first = self.drawn.entry(place).or_insert_with(|| Rc::clone(&drawn));
        if *first == drawn {
            return Ok(());
        }
        let shown = |drawn: &Drawn| {
            let texts = drawn.iter().flatten().map(|text| shown(text));
            texts.collect::<Vec<_>>().join(" ")
        };
        let (one, other) = (shown(&drawn), shown(first));
        let text = format!("step {place:?} draws {one}, and drew {other}: {step:?}");
        Err(Violation::new(Id::S2, text))
    }

    /// The scripts of a step have written these lines: they write the same on every member, and
    /// whenever the step is run again.
    fn note_lines(&mut self, place: (u64, usize), step: &Step, lines: &[ScriptLine]) -> Verdict {
        if !step.commands().iter().any(may_write_lines) {
            return Ok(());
        }
        let first = self.lines.entry(place).or_insert_with(|| lines.to_vec());
        if *first == lines {
            return Ok(());
        }
        let text = format!(
            "step {place:?} writes the lines {lines:?} into the log, and wrote {first:?}: {step:?}"
        );
        Err(Violation::new(Id::S2, text))
    }
}

/// Returns true if a command runs a script or a library.
fn may_write_lines(command: &Command) -> bool {
    let names: [&[u8]; 4] = [b"eval", b"evalsha", b"fcall", b"function"];
    let name = command.words.first();
    name.is_some_and(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// Returns true if a command changes what it draws by chance.
fn draws(command: &Command) -> bool {
    let name = command.words.first();
    name.is_some_and(|name| name.eq_ignore_ascii_case(b"spop")) || Template::draws(&command.words)
}

/// The members that each command of a step has drawn, by the reply to the step.
fn drawn(step: &Step, reply: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let commands = step.commands();
    let is_array = matches!(step, Step::Transaction(_));
    let head = reply.iter().position(|byte| *byte == b'\n');
    let mut decoder = Decoder::default();
    decoder.feed(&reply[head.filter(|_| is_array).map_or(0, |end| end + 1)..]);
    let values = std::iter::from_fn(|| decoder.next().ok().flatten());
    let values: Vec<Value> = values.collect();
    // The member whose client asked answers all of it, up to the moment at which that client goes;
    // the others run only what writes.
    let reads = commands.iter().filter(|command| !writes(command)).count();
    let mut answered = (reads + values.len()).saturating_sub(commands.len());
    let mut values = values.iter();
    let of = |command: &Command| {
        let is_write = writes(command);
        if !is_write && answered == 0 {
            return Vec::new();
        }
        answered -= usize::from(!is_write);
        let value = values.next().filter(|_| draws(command));
        value.map_or_else(Vec::new, texts)
    };
    commands.iter().map(of).collect()
}

fn writes(command: &Command) -> bool {
    let row = command.words.first().and_then(|name| find(name));
    row.is_some_and(|row| row.class == Class::Write)
}

fn texts(value: &Value) -> Vec<Vec<u8>> {
    let all = match value {
        Value::Array(items) | Value::Set(items) => items,
        one => std::slice::from_ref(one),
    };
    let bulks = all.iter().filter_map(|item| match item {
        Value::Bulk(text) => Some(text.clone()),
        _ => None,
    });
    bulks.collect()
}
