//! Instructions that take more than a few lines of the loop.

use super::state::{State, Thrown};
use crate::lua::heap::objects::{Closure, Code};
use crate::lua::heap::thread::{ALL, Give};
use crate::lua::prototype::Capture;
use crate::lua::value::{FunctionRef, Value};

impl State {
    /// How many arguments stand behind a function in `slot`.
    #[inline]
    pub(in crate::lua) fn argument_count(&mut self, slot: usize, b: u8) -> usize {
        if b == 0 {
            core::mem::take(&mut self.thread.top) - slot - 1
        } else {
            usize::from(b) - 1
        }
    }

    /// Calls in the place of the function that runs.
    pub(in crate::lua) fn tail_call(
        &mut self,
        slot: usize,
        count: usize,
        to: usize,
        a: u8,
    ) -> Result<(), Thrown> {
        let Value::Function(callee) = self.slot(slot) else {
            // A library function returns at once, or waits in a frame of its own.
            let give = Give::Registers {
                at: slot as u32,
                want: ALL,
            };
            return self.call(slot, count, give, Some(a));
        };
        if !self.thread.open.is_empty() {
            let base = self
                .thread
                .frames
                .last()
                .map_or(0, |frame| frame.base as usize);
            self.close(base);
        }
        self.charge(count as u64 / 16);
        self.thread.stack.copy_within(slot..=slot + count, to);
        let give = self
            .thread
            .frames
            .pop()
            .map_or(Give::Finish, |frame| frame.give);
        self.enter_closure(callee, to, count, give)?;
        if let Some(frame) = self.thread.frames.last_mut() {
            frame.is_tail = true;
        }
        Ok(())
    }

    /// Checks the numbers of a loop, and goes one step back.
    pub(in crate::lua) fn prepare_loop(&mut self, at: usize) -> Result<(), Thrown> {
        let names = ["initial value", "limit", "step"];
        let mut numbers = [0.0; 3];
        for ((offset, number), name) in (0..).zip(&mut numbers).zip(names) {
            let Some(found) = self.to_number(self.slot(at + offset)) else {
                let text = alloc::format!("'for' {name} must be a number");
                return Err(Thrown::Text(text.into_bytes(), 1));
            };
            *number = found;
            self.set_slot(at + offset, Value::Number(found));
        }
        self.set_slot(at, Value::Number(numbers[0] - numbers[2]));
        Ok(())
    }

    /// Stores what stands behind a table in `slot` into the table.
    pub(in crate::lua) fn set_list(
        &mut self,
        slot: usize,
        count: usize,
        first: usize,
    ) -> Result<(), Thrown> {
        let Value::Table(table) = self.slot(slot) else {
            return Ok(());
        };
        self.open(table)?;
        self.charge(count as u64 / 8);
        let values = self
            .thread
            .stack
            .get(slot + 1..slot + 1 + count)
            .unwrap_or_default();
        let grown = self.heap.table_mut(table).set_elements(first, values);
        self.heap.take(grown);
        Ok(())
    }

    /// A closure of the code at `place`, made by the function at `maker`.
    pub(in crate::lua) fn capture(
        &mut self,
        code: &Code,
        place: u32,
        maker: u32,
        base: usize,
    ) -> FunctionRef {
        let captures = code.prototype.captures.iter();
        let upvalues = captures
            .map(|capture| match capture {
                Capture::Local(register) => self.open_upvalue(base + usize::from(*register)),
                Capture::Upvalue(upvalue) => {
                    self.heap.closures.at(maker).upvalues[usize::from(*upvalue)]
                }
            })
            .collect();
        let environment = self.heap.closures.at(maker).environment;
        self.heap.new_closure(Closure {
            code: place,
            environment,
            upvalues,
            shape: code.shape(),
        })
    }
}
