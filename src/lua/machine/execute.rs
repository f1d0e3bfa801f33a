//! The loop: instructions of closures, one after the other, until there is something else to do.
//!
//! Every instruction takes one unit of the budget, so that a script that is cut anywhere and goes
//! on is the same script.

use super::access::Found;
use super::operations::compute;
use super::state::{Event, State, Thrown};
use crate::lua::heap::objects::Code;
use crate::lua::heap::slab::Slab;
use crate::lua::heap::thread::{ALL, Give, Runner, WINDOW};
use crate::lua::instruction::{FIRST_CONSTANT, Instruction, Operand};
use crate::lua::value::Value;

/// Why the loop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Pause {
    /// The budget of the slice is used.
    Budget,
    /// Garbage is to be looked for.
    Garbage,
    /// A library function is to go on, a thread has changed, or a request stands.
    Other,
}

/// The registers that a function can name.
#[inline]
fn window(stack: &mut [Value], base: usize) -> &mut [Value; WINDOW] {
    let slots = stack
        .get_mut(base..)
        .and_then(|slots| slots.first_chunk_mut());
    slots.expect("every call makes sure of its window")
}

#[inline]
fn operand(window: &[Value; WINDOW], constants: &[Value], operand: Operand) -> Value {
    if operand < FIRST_CONSTANT {
        window[usize::from(operand as u8)]
    } else {
        constants[usize::from(operand - FIRST_CONSTANT)]
    }
}

/// The register that an operand names, for errors.
fn register(operand: Operand) -> Option<u8> {
    u8::try_from(operand).ok()
}

impl State {
    /// Runs closures until there is something else to do.
    pub(in crate::lua) fn execute(&mut self, code: &Slab<Code>) -> Result<Pause, Thrown> {
        'frame: loop {
            if self.request.is_some() {
                return Ok(Pause::Other);
            }
            if self.heap.is_due() {
                return Ok(Pause::Garbage);
            }
            let Some(frame) = self.thread.frames.last() else {
                return Ok(Pause::Other);
            };
            if frame.runner != Runner::Lua {
                return Ok(Pause::Other);
            }
            let base = frame.base as usize;
            let function = frame.function;
            let own = frame.slot as usize;
            let extra = frame.extra as usize;
            let mut pc = frame.pc as usize;
            let running = code.at(frame.code);
            let instructions = running.prototype.code.as_slice();
            let constants = running.constants.as_slice();
            let mut left = self.left;

            // What can fail, call or look at the budget sees the place in the code.
            macro_rules! save {
                () => {{
                    self.left = left;
                    if let Some(frame) = self.thread.frames.last_mut() {
                        frame.pc = pc as u32;
                    }
                }};
            }
            macro_rules! registers {
                () => {
                    window(&mut self.thread.stack, base)
                };
            }
            macro_rules! found {
                ($found:expr, $a:expr) => {
                    match $found {
                        Found::Value(value) => {
                            registers!()[usize::from($a)] = value;
                            left = self.left;
                        }
                        Found::Called => continue 'frame,
                    }
                };
            }
            macro_rules! arithmetic {
                ($event:expr, $a:expr, $b:expr, $c:expr) => {{
                    let registers = registers!();
                    let one = operand(registers, constants, $b);
                    let other = operand(registers, constants, $c);
                    if let (Value::Number(one), Value::Number(other)) = (one, other) {
                        registers[usize::from($a)] = Value::Number(compute($event, one, other));
                    } else {
                        save!();
                        let names = [register($b), register($c)];
                        let at = base + usize::from($a);
                        found!(self.arithmetic($event, [one, other], names, at)?, $a);
                    }
                }};
            }
            // A comparison and the jump behind it are two instructions and one step of the loop.
            macro_rules! jump_if {
                ($truth:expr) => {
                    if $truth {
                        if let Some(Instruction::Jump { by }) = instructions.get(pc) {
                            pc = (pc as isize + 1 + *by as isize) as usize;
                        }
                        left -= 1;
                    } else {
                        pc += 1;
                    }
                };
            }

            loop {
                if left <= 0 {
                    save!();
                    return Ok(Pause::Budget);
                }
                left -= 1;
                let instruction = instructions[pc];
                pc += 1;
                match instruction {
                    Instruction::Move { a, b } => {
                        let registers = registers!();
                        registers[usize::from(a)] = registers[usize::from(b)];
                    }
                    Instruction::LoadConstant { a, k } => {
                        registers!()[usize::from(a)] = constants[k as usize];
                    }
                    Instruction::LoadBoolean { a, value, skip } => {
                        registers!()[usize::from(a)] = Value::Boolean(value);
                        pc += usize::from(skip);
                    }
                    Instruction::LoadNil { a, last } => {
                        registers!()[usize::from(a)..=usize::from(last)].fill(Value::Nil);
                    }
                    Instruction::GetUpvalue { a, b } => {
                        let place = self.heap.closures.at(function).upvalues[usize::from(b)];
                        registers!()[usize::from(a)] = self.upvalue(place);
                    }
                    Instruction::SetUpvalue { a, b } => {
                        let place = self.heap.closures.at(function).upvalues[usize::from(b)];
                        let value = registers!()[usize::from(a)];
                        self.set_upvalue(place, value);
                    }
                    Instruction::GetGlobal { a, k } => {
                        let key = constants[k as usize];
                        let environment = self.heap.closures.at(function).environment;
                        let value = match key {
                            Value::String(key) => self.heap.table(environment).get_text(key),
                            _ => Value::Nil,
                        };
                        if value.is_nil() {
                            save!();
                            let give = Give::Registers {
                                at: (base + usize::from(a)) as u32,
                                want: 1,
                            };
                            found!(self.index(Value::Table(environment), key, None, give)?, a);
                        } else {
                            registers!()[usize::from(a)] = value;
                        }
                    }
                    Instruction::SetGlobal { a, k } => {
                        let environment = self.heap.closures.at(function).environment;
                        let value = registers!()[usize::from(a)];
                        save!();
                        let key = constants[k as usize];
                        if self.set_index(Value::Table(environment), key, value, None)? {
                            continue 'frame;
                        }
                        left = self.left;
                        if self.heap.is_due() {
                            return Ok(Pause::Garbage);
                        }
                    }
                    Instruction::GetField { a, b, k } => {
                        let object = registers!()[usize::from(b)];
                        let key = constants[usize::from(k)];
                        if let (Value::Table(table), Value::String(name)) = (object, key) {
                            let value = self.heap.table(table).get_text(name);
                            if !value.is_nil() {
                                registers!()[usize::from(a)] = value;
                                continue;
                            }
                        }
                        save!();
                        let give = Give::Registers {
                            at: (base + usize::from(a)) as u32,
                            want: 1,
                        };
                        found!(self.index(object, key, Some(b), give)?, a);
                    }
                    Instruction::GetTable { a, b, c } => {
                        let registers = registers!();
                        let object = registers[usize::from(b)];
                        let key = operand(registers, constants, c);
                        if let Value::Table(table) = object {
                            let value = self.heap.table(table).get(key);
                            if !value.is_nil() {
                                registers!()[usize::from(a)] = value;
                                continue;
                            }
                        }
                        save!();
                        let give = Give::Registers {
                            at: (base + usize::from(a)) as u32,
                            want: 1,
                        };
                        found!(self.index(object, key, Some(b), give)?, a);
                    }
                    Instruction::SetTable { a, b, c } => {
                        let registers = registers!();
                        let object = registers[usize::from(a)];
                        let key = operand(registers, constants, b);
                        let value = operand(registers, constants, c);
                        if let Value::Table(table) = object {
                            let table = self.heap.table_mut(table);
                            if !table.sealed && table.replace(key, value) {
                                continue;
                            }
                        }
                        save!();
                        if self.set_index(object, key, value, Some(a))? {
                            continue 'frame;
                        }
                        left = self.left;
                        if self.heap.is_due() {
                            return Ok(Pause::Garbage);
                        }
                    }
                    Instruction::NewTable {
                        a,
                        elements,
                        fields,
                    } => {
                        let table = self
                            .heap
                            .new_table(usize::from(elements), usize::from(fields));
                        registers!()[usize::from(a)] = Value::Table(table);
                        if self.heap.is_due() {
                            save!();
                            return Ok(Pause::Garbage);
                        }
                    }
                    Instruction::Method { a, b, c } => {
                        let registers = registers!();
                        let object = registers[usize::from(b)];
                        let key = operand(registers, constants, c);
                        registers[usize::from(a) + 1] = object;
                        save!();
                        let give = Give::Registers {
                            at: (base + usize::from(a)) as u32,
                            want: 1,
                        };
                        found!(self.index(object, key, Some(b), give)?, a);
                    }
                    Instruction::Add { a, b, c } => arithmetic!(Event::Add, a, b, c),
                    Instruction::Subtract { a, b, c } => arithmetic!(Event::Subtract, a, b, c),
                    Instruction::Multiply { a, b, c } => arithmetic!(Event::Multiply, a, b, c),
                    Instruction::Divide { a, b, c } => arithmetic!(Event::Divide, a, b, c),
                    Instruction::Modulo { a, b, c } => arithmetic!(Event::Modulo, a, b, c),
                    Instruction::Power { a, b, c } => arithmetic!(Event::Power, a, b, c),
                    Instruction::Negate { a, b } => {
                        let registers = registers!();
                        let value = registers[usize::from(b)];
                        if let Value::Number(number) = value {
                            registers[usize::from(a)] = Value::Number(-number);
                        } else {
                            save!();
                            let names = [Some(b); 2];
                            let at = base + usize::from(a);
                            let found =
                                self.arithmetic(Event::Negate, [value, value], names, at)?;
                            found!(found, a);
                        }
                    }
                    Instruction::Not { a, b } => {
                        let registers = registers!();
                        let value = registers[usize::from(b)];
                        registers[usize::from(a)] = Value::Boolean(!value.is_true());
                    }
                    Instruction::Length { a, b } => {
                        let value = registers!()[usize::from(b)];
                        save!();
                        let at = base + usize::from(a);
                        found!(self.length_of(value, Some(b), at)?, a);
                    }
                    Instruction::Concat { a, b, c } => {
                        save!();
                        let first = base + usize::from(b);
                        let last = base + usize::from(c);
                        self.concat(first, last, base + usize::from(a))?;
                        continue 'frame;
                    }
                    Instruction::Jump { by } => pc = (pc as isize + by as isize) as usize,
                    Instruction::Equal { wanted, b, c } => {
                        let registers = registers!();
                        let one = operand(registers, constants, b);
                        let other = operand(registers, constants, c);
                        if one == other {
                            jump_if!(wanted);
                        } else {
                            save!();
                            match self.equal(one, other, wanted)? {
                                Some(truth) => jump_if!(truth == wanted),
                                None => continue 'frame,
                            }
                        }
                    }
                    Instruction::Less { wanted, b, c } => {
                        let registers = registers!();
                        let one = operand(registers, constants, b);
                        let other = operand(registers, constants, c);
                        if let (Value::Number(one), Value::Number(other)) = (one, other) {
                            jump_if!((one < other) == wanted);
                        } else {
                            save!();
                            let give = |is_it: bool| Give::Test {
                                wanted: wanted == is_it,
                            };
                            match self.less(one, other, false, give)? {
                                Some(truth) => {
                                    left = self.left;
                                    jump_if!(truth == wanted);
                                }
                                None => continue 'frame,
                            }
                        }
                    }
                    Instruction::LessEqual { wanted, b, c } => {
                        let registers = registers!();
                        let one = operand(registers, constants, b);
                        let other = operand(registers, constants, c);
                        if let (Value::Number(one), Value::Number(other)) = (one, other) {
                            jump_if!((one <= other) == wanted);
                        } else {
                            save!();
                            let give = |is_it: bool| Give::Test {
                                wanted: wanted == is_it,
                            };
                            match self.less(one, other, true, give)? {
                                Some(truth) => {
                                    left = self.left;
                                    jump_if!(truth == wanted);
                                }
                                None => continue 'frame,
                            }
                        }
                    }
                    Instruction::Test { a, wanted } => {
                        let value = registers!()[usize::from(a)];
                        jump_if!(value.is_true() == wanted);
                    }
                    Instruction::TestSet { a, b, wanted } => {
                        let registers = registers!();
                        let value = registers[usize::from(b)];
                        let is_it = value.is_true() == wanted;
                        if is_it {
                            registers[usize::from(a)] = value;
                        }
                        jump_if!(is_it);
                    }
                    Instruction::Call { a, b, c } => {
                        let slot = base + usize::from(a);
                        let count = self.argument_count(slot, b);
                        let give = Give::Registers {
                            at: slot as u32,
                            want: if c == 0 { ALL } else { u16::from(c) - 1 },
                        };
                        save!();
                        match self.thread.stack[slot] {
                            Value::Function(callee) => {
                                self.enter_closure(callee, slot, count, give)?;
                            }
                            _ => self.call(slot, count, give, Some(a))?,
                        }
                        continue 'frame;
                    }
                    Instruction::TailCall { a, b } => {
                        let slot = base + usize::from(a);
                        let count = self.argument_count(slot, b);
                        save!();
                        self.tail_call(slot, count, own, a)?;
                        continue 'frame;
                    }
                    Instruction::Return { a, b } => {
                        let from = base + usize::from(a);
                        let count = if b == 0 {
                            core::mem::take(&mut self.thread.top) - from
                        } else {
                            usize::from(b) - 1
                        };
                        if !self.thread.open.is_empty() {
                            self.close(base);
                        }
                        self.left = left;
                        let Some(frame) = self.thread.frames.pop() else {
                            return Ok(Pause::Other);
                        };
                        if let (Give::Registers { at, want: 1 }, true) = (frame.give, count > 0) {
                            self.thread.stack[at as usize] = self.thread.stack[from];
                        } else {
                            self.deliver(frame.give, from, count)?;
                        }
                        continue 'frame;
                    }
                    Instruction::ForLoop { a, by } => {
                        let registers = registers!();
                        let a = usize::from(a);
                        if let (Value::Number(index), Value::Number(limit), Value::Number(step)) =
                            (registers[a], registers[a + 1], registers[a + 2])
                        {
                            let index = index + step;
                            if if step > 0.0 {
                                index <= limit
                            } else {
                                limit <= index
                            } {
                                registers[a] = Value::Number(index);
                                registers[a + 3] = Value::Number(index);
                                pc = (pc as isize + by as isize) as usize;
                            }
                        }
                    }
                    Instruction::ForPrepare { a, by } => {
                        save!();
                        self.prepare_loop(base + usize::from(a))?;
                        left = self.left;
                        pc = (pc as isize + by as isize) as usize;
                    }
                    Instruction::ForCall { a, c } => {
                        let registers = registers!();
                        let a = usize::from(a);
                        // The call is made behind the loop's own registers.
                        let [one, two, three] = [registers[a], registers[a + 1], registers[a + 2]];
                        registers[a + 3] = one;
                        registers[a + 4] = two;
                        registers[a + 5] = three;
                        let slot = base + a + 3;
                        let give = Give::Registers {
                            at: slot as u32,
                            want: u16::from(c),
                        };
                        save!();
                        self.call(slot, 2, give, None)?;
                        continue 'frame;
                    }
                    Instruction::ForTest { a } => {
                        let registers = registers!();
                        let first = registers[usize::from(a) + 3];
                        if first.is_nil() {
                            pc += 1;
                        } else {
                            registers[usize::from(a) + 2] = first;
                        }
                    }
                    Instruction::SetList { a, count, first } => {
                        let slot = base + usize::from(a);
                        let count = if count == 0 {
                            core::mem::take(&mut self.thread.top) - slot - 1
                        } else {
                            usize::from(count)
                        };
                        save!();
                        self.set_list(slot, count, first as usize)?;
                        left = self.left;
                        if self.heap.is_due() {
                            return Ok(Pause::Garbage);
                        }
                    }
                    Instruction::Close { a } => self.close(base + usize::from(a)),
                    Instruction::Closure { a, p } => {
                        let place = running.functions[p as usize];
                        let closure = self.capture(code.at(place), place, function, base);
                        registers!()[usize::from(a)] = Value::Function(closure);
                        if self.heap.is_due() {
                            save!();
                            return Ok(Pause::Garbage);
                        }
                    }
                    Instruction::Vararg { a, b } => {
                        let at = base + usize::from(a);
                        let first = base - extra;
                        let wanted = if b == 0 { extra } else { usize::from(b) - 1 };
                        save!();
                        self.need_slots(at + wanted)?;
                        self.charge(wanted as u64 / 16);
                        left = self.left;
                        let there = wanted.min(extra);
                        self.thread.stack.copy_within(first..first + there, at);
                        self.thread.stack[at + there..at + wanted].fill(Value::Nil);
                        if b == 0 {
                            self.thread.top = at + wanted;
                        }
                        if self.heap.is_due() {
                            return Ok(Pause::Garbage);
                        }
                    }
                }
            }
        }
    }
}
