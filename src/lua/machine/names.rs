//! Names of variables for errors, found in the code that has failed.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::state::{OUT_OF_MEMORY, State, Thrown, out_of_memory};
use crate::lua::heap::objects::Code;
use crate::lua::heap::slab::Slab;
use crate::lua::heap::thread::{Frame, Runner};
use crate::lua::instruction::{FIRST_CONSTANT, Instruction};
use crate::lua::prototype::{Constant, Prototype};
use crate::lua::value::{FunctionRef, StringRef, Value};

/// How far copies of a variable are followed.
const COPIES_MAX: u32 = 16;

/// The units of the budget that an error takes, and how many bytes of its text are one more.
const UNITS_PER_ERROR: u64 = 8;
const BYTES_PER_UNIT: u64 = 32;

/// A variable: `local`, `global`, `field`, `method` or `upvalue`, and its name.
type Name<'p> = (&'static str, &'p [u8]);

impl State {
    /// The value that an error is for who catches it, with place and names in its text.
    pub(in crate::lua) fn describe(&mut self, thrown: Thrown, code: &Slab<Code>) -> Value {
        if let Thrown::Argument(..) | Thrown::Type(..) = thrown {
            // Names are looked for through the whole function.
            let searched = self
                .top_code(code)
                .map_or(0, |(prototype, pc)| pc + prototype.locals.len());
            self.charge(searched as u64 / 4);
        }
        let (text, level) = match thrown {
            Thrown::Value(value) => return value,
            Thrown::Text(text, level) => (text, level),
            Thrown::Argument(index, why) => (self.argument_text(index, &why, code), 1),
            Thrown::Type(operation, value, register) => {
                (self.type_text(operation, value, register, code), 1)
            }
        };
        self.charge_walk(level);
        let mut full = match level {
            0 => Vec::new(),
            _ => self.place(level, code),
        };
        let length = full.len() + text.len();
        self.charge(UNITS_PER_ERROR + length as u64 / BYTES_PER_UNIT);
        if self.heap.has_room(length) {
            full.extend_from_slice(&text);
        } else {
            full = OUT_OF_MEMORY.to_vec();
        }
        self.interned_owned(full)
    }

    /// The error of a text that a script has made, with the place so many levels up in front.
    pub(in crate::lua) fn text_error(&mut self, text: StringRef, level: u32) -> Thrown {
        let length = self.bytes(text).len();
        self.charge(length as u64 / BYTES_PER_UNIT);
        // The text is copied, and copied once more behind the place.
        if !self.heap.has_room(length * 2) {
            return out_of_memory();
        }
        Thrown::Text(self.bytes(text).to_vec(), level)
    }

    /// Counts the calls that are looked through for one so many levels up.
    pub(in crate::lua) fn charge_walk(&mut self, level: u32) {
        let calls = self.thread.frames.len().min(level as usize);
        self.charge(calls as u64 / 8);
    }

    fn top_code<'c>(&self, code: &'c Slab<Code>) -> Option<(&'c Prototype, usize)> {
        let frame = self
            .thread
            .frames
            .last()
            .filter(|frame| frame.runner == Runner::Lua)?;
        let prototype = &code.at(frame.code).prototype;
        Some((prototype, (frame.pc as usize).checked_sub(1)?))
    }

    fn argument_text(&self, index: usize, why: &[u8], code: &Slab<Code>) -> Vec<u8> {
        let called = self
            .top_code(code)
            .and_then(|(prototype, pc)| called_at(prototype, pc));
        let mut number = index + 1;
        let mut text = Vec::new();
        let (kind, name) = called.unwrap_or(("", b"?"));
        if kind == "method" {
            number -= 1;
        }
        if number == 0 {
            text.extend_from_slice(b"calling '");
            text.extend_from_slice(name);
            text.extend_from_slice(b"' on bad self");
        } else {
            text.extend_from_slice(alloc::format!("bad argument #{number} to '").as_bytes());
            text.extend_from_slice(name);
            text.push(b'\'');
        }
        text.extend_from_slice(b" (");
        text.extend_from_slice(why);
        text.push(b')');
        text
    }

    fn type_text(
        &self,
        operation: &str,
        value: Value,
        register: Option<u8>,
        code: &Slab<Code>,
    ) -> Vec<u8> {
        let named = match (register, self.top_code(code)) {
            (Some(register), Some((prototype, pc))) => name_of(prototype, register, pc, 0),
            _ => None,
        };
        let mut text = alloc::format!("attempt to {operation} ").into_bytes();
        if let Some((kind, name)) = named {
            text.extend_from_slice(kind.as_bytes());
            text.extend_from_slice(b" '");
            text.extend_from_slice(name);
            text.extend_from_slice(alloc::format!("' (a {} value)", value.type_name()).as_bytes());
        } else {
            text.extend_from_slice(alloc::format!("a {} value", value.type_name()).as_bytes());
        }
        text
    }

    /// The frame so many levels up, the function on top being level 1.
    pub(in crate::lua) fn level(&self, level: u32) -> Option<&Frame> {
        let mut left = level;
        for frame in self.thread.frames.iter().rev() {
            left = left.checked_sub(1)?;
            if left == 0 {
                return Some(frame);
            }
            // Who made a call that was replaced is forgotten, and counts.
            if frame.is_tail {
                left = left.checked_sub(1)?;
                if left == 0 {
                    return None;
                }
            }
        }
        None
    }

    /// The function that runs so many levels up, if there is one; the inner none stands for one
    /// that a tail call has replaced.
    pub(in crate::lua) fn running_at(&self, level: u32) -> Option<Option<Value>> {
        let depth = self.thread.frames.len();
        match self.level(level) {
            Some(frame) if frame.runner == Runner::Lua => {
                Some(Some(Value::Function(FunctionRef(frame.function))))
            }
            Some(frame) => Some(Some(self.slot(frame.slot as usize))),
            None if level as usize <= depth => Some(None),
            None => None,
        }
    }

    /// `chunk:line: ` of the function so many levels up; nothing if it is not written in Lua.
    fn place(&self, level: u32, code: &Slab<Code>) -> Vec<u8> {
        match self.level(level).and_then(|frame| line_of(frame, code)) {
            Some((chunk, line)) => alloc::format!("{chunk}:{line}: ").into_bytes(),
            None => Vec::new(),
        }
    }

    /// Counts the calls that `innermost_line` looks through.
    pub(in crate::lua) fn charge_innermost(&mut self) {
        let calls = self.thread.frames.iter().rev();
        let natives = calls.take_while(|frame| frame.runner != Runner::Lua);
        let natives = natives.count() as u64;
        self.charge(natives / 8);
    }

    /// The chunk and the line of the innermost function that is written in Lua.
    pub(in crate::lua) fn innermost_line(&self, code: &Slab<Code>) -> Option<(Arc<str>, u32)> {
        self.thread
            .frames
            .iter()
            .rev()
            .find_map(|frame| line_of(frame, code))
    }
}

fn line_of(frame: &Frame, code: &Slab<Code>) -> Option<(Arc<str>, u32)> {
    if frame.runner != Runner::Lua {
        return None;
    }
    let prototype = &code.at(frame.code).prototype;
    let line = prototype.lines.get((frame.pc as usize).saturating_sub(1))?;
    Some((prototype.chunk.clone(), *line))
}

/// The name of what the instruction at `pc` calls.
fn called_at(prototype: &Prototype, pc: usize) -> Option<Name<'_>> {
    match prototype.code.get(pc)? {
        Instruction::Call { a, .. } | Instruction::TailCall { a, .. } => {
            name_of(prototype, *a, pc, 0)
        }
        _ => None,
    }
}

/// The name of the variable that stands in a register before the instruction at `pc`.
fn name_of(prototype: &Prototype, register: u8, pc: usize, depth: u32) -> Option<Name<'_>> {
    if depth > COPIES_MAX {
        return None;
    }
    let is_active = |from: u32, to: u32| from as usize <= pc && pc < to as usize;
    let mut active = prototype
        .locals
        .iter()
        .filter(|local| is_active(local.from, local.to));
    if let Some(local) = active.nth(usize::from(register)) {
        return Some(("local", &local.name));
    }
    let set_at = last_set(prototype, register, pc)?;
    let constant = |k: usize| match prototype.constants.get(k) {
        // As in C, a name ends before a zero byte.
        Some(Constant::String(name)) => name.split(|byte| *byte == 0).next().unwrap_or_default(),
        _ => b"?",
    };
    let key = |operand: u16| match operand.checked_sub(FIRST_CONSTANT) {
        Some(k) => constant(usize::from(k)),
        None => b"?",
    };
    Some(match *prototype.code.get(set_at)? {
        Instruction::GetGlobal { k, .. } => ("global", constant(k as usize)),
        Instruction::Move { a, b } if b < a => {
            return name_of(prototype, b, set_at, depth + 1);
        }
        Instruction::GetField { k, .. } => ("field", constant(usize::from(k))),
        Instruction::GetTable { c, .. } => ("field", key(c)),
        Instruction::GetUpvalue { b, .. } => {
            let name = prototype.upvalue_names.get(usize::from(b));
            ("upvalue", name.map_or(&b"?"[..], |name| name))
        }
        Instruction::Method { c, .. } => ("method", key(c)),
        _ => return None,
    })
}

/// The last instruction before `pc` that has set a register, along the way that leads there.
fn last_set(prototype: &Prototype, register: u8, pc: usize) -> Option<usize> {
    use Instruction as I;
    let mut found = None;
    let mut at = 0;
    while at < pc {
        let mut jump = None;
        let is_set = match *prototype.code.get(at)? {
            I::LoadNil { a, last } => a <= register && register <= last,
            I::Call { a, .. } | I::TailCall { a, .. } | I::Vararg { a, .. } => register >= a,
            I::ForCall { a, .. } => u16::from(register) >= u16::from(a) + 2,
            I::Method { a, .. } => register == a || u16::from(register) == u16::from(a) + 1,
            I::Jump { by } => {
                jump = Some(by);
                false
            }
            I::ForLoop { a, by } | I::ForPrepare { a, by } => {
                jump = Some(by);
                register == a
            }
            I::Move { a, .. }
            | I::LoadConstant { a, .. }
            | I::LoadBoolean { a, .. }
            | I::GetUpvalue { a, .. }
            | I::GetGlobal { a, .. }
            | I::GetTable { a, .. }
            | I::GetField { a, .. }
            | I::NewTable { a, .. }
            | I::Add { a, .. }
            | I::Subtract { a, .. }
            | I::Multiply { a, .. }
            | I::Divide { a, .. }
            | I::Modulo { a, .. }
            | I::Power { a, .. }
            | I::Negate { a, .. }
            | I::Not { a, .. }
            | I::Length { a, .. }
            | I::Concat { a, .. }
            | I::TestSet { a, .. }
            // A value that is tested may come from either side.
            | I::Test { a, .. }
            | I::Closure { a, .. } => register == a,
            I::SetUpvalue { .. }
            | I::SetGlobal { .. }
            | I::SetTable { .. }
            | I::Equal { .. }
            | I::Less { .. }
            | I::LessEqual { .. }
            | I::Return { .. }
            | I::ForTest { .. }
            | I::SetList { .. }
            | I::Close { .. } => false,
        };
        if is_set {
            found = Some(at);
        }
        // A jump ahead that does not go too far is taken.
        if let Some(by) = jump
            && let Ok(by) = usize::try_from(by)
            && at + 1 + by <= pc
        {
            at += by;
        }
        at += 1;
    }
    found
}
