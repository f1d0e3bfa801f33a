//! Calls and their ends: frames, arguments, results, and variables that outlive their function.

use alloc::vec::Vec;
use core::ops::Range;

use super::state::{Call, Event, Outcome, Request, Resumed, State, Thrown, out_of_memory};
use crate::lua::heap::objects::{Body, Shape, Upvalue};
use crate::lua::heap::thread::{
    ALL, FRAME_BYTES, Frame, Give, Runner, SLOT_BYTES, Scratch, WINDOW,
};
use crate::lua::value::{FunctionRef, NativeRef, StringRef, Value};

/// How often a value that is called may stand for another.
const CALL_CHAIN_MAX: usize = 100;

impl State {
    /// Lets the stack of the running thread have so many slots, and a window behind them.
    #[inline]
    pub(in crate::lua) fn need_slots(&mut self, slots: usize) -> Result<(), Thrown> {
        if slots + WINDOW <= self.thread.stack.len() {
            return Ok(());
        }
        self.grow_stack(slots)
    }

    #[cold]
    fn grow_stack(&mut self, slots: usize) -> Result<(), Thrown> {
        if slots > self.limits.slots {
            return Err(Thrown::Text(b"stack overflow".to_vec(), 1));
        }
        let size = (slots + WINDOW).max(self.thread.stack.len() * 2);
        let grown = size - self.thread.room;
        self.check_room(grown * SLOT_BYTES as usize)?;
        self.thread.stack.resize(size, Value::Nil);
        self.thread.room = size;
        self.heap.take(grown as u64 * SLOT_BYTES);
        Ok(())
    }

    /// Puts a call on top.
    #[inline]
    pub(in crate::lua) fn push_frame(&mut self, frame: Frame) -> Result<(), Thrown> {
        if self.thread.frames.len() >= self.thread.frame_room {
            self.grow_frames()?;
        }
        self.thread.frames.push(frame);
        Ok(())
    }

    #[cold]
    fn grow_frames(&mut self) -> Result<(), Thrown> {
        let room = self.thread.frame_room;
        if room >= self.limits.frames {
            return Err(Thrown::Text(b"stack overflow".to_vec(), 1));
        }
        let grown = room.max(8).min(self.limits.frames - room);
        let bytes = grown as u64 * FRAME_BYTES;
        self.check_room(bytes as usize)?;
        self.thread.frame_room += grown;
        self.heap.take(bytes);
        Ok(())
    }

    /// Begins a call of a closure that stands in `slot` with `count` arguments behind it.
    #[inline]
    pub(in crate::lua) fn enter_closure(
        &mut self,
        function: FunctionRef,
        slot: usize,
        count: usize,
        give: Give,
    ) -> Result<(), Thrown> {
        let closure = self.heap.closures.at(function.0);
        let (code, shape) = (closure.code, closure.shape);
        let parameters = usize::from(shape.parameters);
        let (base, extra) = if shape.is_vararg {
            self.spread(slot, count, shape)?
        } else {
            let base = slot + 1;
            self.need_slots(base)?;
            if count < parameters {
                let missing = self.thread.stack.get_mut(base + count..base + parameters);
                missing.unwrap_or_default().fill(Value::Nil);
            }
            (base, 0)
        };
        self.push_frame(Frame {
            runner: Runner::Lua,
            function: function.0,
            code,
            pc: 0,
            base: base as u32,
            slot: slot as u32,
            size: u32::from(shape.registers),
            extra: extra as u32,
            give,
            is_tail: false,
        })
    }

    /// Copies arguments that have names behind all that were given.
    fn spread(
        &mut self,
        slot: usize,
        count: usize,
        shape: Shape,
    ) -> Result<(usize, usize), Thrown> {
        let parameters = usize::from(shape.parameters);
        let extra = count.saturating_sub(parameters);
        // The further arguments end where the window begins.
        let base = slot + 1 + count;
        self.need_slots(base)?;
        for at in 0..parameters {
            let argument = if at < count {
                core::mem::take(&mut self.thread.stack[slot + 1 + at])
            } else {
                Value::Nil
            };
            self.set_slot(base + at, argument);
        }
        if shape.wants_arg {
            self.charge(extra as u64 / 4);
            self.check_room(extra * SLOT_BYTES as usize)?;
            let table = self.heap.new_table(extra, 1);
            for at in 0..extra {
                let argument = self.slot(base - extra + at);
                self.heap
                    .set(table, Value::Number((at + 1) as f64), argument);
            }
            let name = Value::String(self.heap.string(b"n"));
            self.heap.set(table, name, Value::Number(extra as f64));
            self.set_slot(base + parameters, Value::Table(table));
        } else {
            // A function that uses `...` has the variable all the same.
            self.set_slot(base + parameters, Value::Nil);
        }
        Ok((base, extra))
    }

    /// Calls what stands in `slot` with `count` arguments behind it.
    pub(in crate::lua) fn call(
        &mut self,
        slot: usize,
        mut count: usize,
        give: Give,
        register: Option<u8>,
    ) -> Result<(), Thrown> {
        for _ in 0..CALL_CHAIN_MAX {
            let callee = self.slot(slot);
            match callee {
                Value::Function(function) => {
                    return self.enter_closure(function, slot, count, give);
                }
                Value::Native(native) => return self.call_native(native, slot, count, give),
                _ => {}
            }
            let handler = self.handler(callee, Event::Call);
            if handler.is_nil() {
                return Err(Thrown::Type("call", callee, register));
            }
            // What was called becomes the first argument.
            self.need_slots(slot + count + 2)?;
            self.charge(count as u64 / 16);
            self.thread.stack.copy_within(slot..=slot + count, slot + 1);
            self.set_slot(slot, handler);
            count += 1;
        }
        Err(Thrown::Type("call", self.slot(slot), None))
    }

    fn call_native(
        &mut self,
        native: NativeRef,
        slot: usize,
        count: usize,
        give: Give,
    ) -> Result<(), Thrown> {
        let base = slot + 1;
        self.need_slots(base + count)?;
        let call = Call { base, count, give };
        match self.heap.natives.at(native.0).body {
            Body::Library(definition) => {
                let definition = self.definitions[usize::from(definition)];
                let outcome = (definition.run)(self, call)?;
                self.give(give, outcome)
            }
            Body::Host(id) => {
                self.request = Some(Request::Host(id, call));
                Ok(())
            }
        }
    }

    /// Calls a function with these arguments, behind all that is in use.
    pub(in crate::lua) fn call_with(
        &mut self,
        function: Value,
        arguments: &[Value],
        give: Give,
    ) -> Result<(), Thrown> {
        let slot = self.thread.end();
        self.need_slots(slot + 1 + arguments.len())?;
        self.set_slot(slot, function);
        for (at, argument) in (slot + 1..).zip(arguments) {
            self.set_slot(at, *argument);
        }
        self.call(slot, arguments.len(), give, None)
    }

    /// Lets a library function wait: its frame has `size` slots from its first argument on.
    pub(in crate::lua) fn wait(
        &mut self,
        call: Call,
        size: usize,
        scratch: Scratch,
    ) -> Result<(), Thrown> {
        let Value::Native(native) = self.slot(call.base - 1) else {
            return Err(Thrown::Type("call", self.slot(call.base - 1), None));
        };
        let Body::Library(definition) = self.heap.natives.at(native.0).body else {
            return Err(Thrown::Type("call", Value::Native(native), None));
        };
        let catches = self.definitions[usize::from(definition)].catches;
        self.need_slots(call.base + size)?;
        for at in call.base + call.count..call.base + size {
            self.set_slot(at, Value::Nil);
        }
        self.thread.top = 0;
        self.push_frame(Frame {
            runner: if catches {
                Runner::Catching
            } else {
                Runner::Native
            },
            function: u32::from(definition),
            code: 0,
            pc: 0,
            base: call.base as u32,
            slot: (call.base - 1) as u32,
            size: size as u32,
            extra: 0,
            give: call.give,
            is_tail: false,
        })?;
        self.thread.scratches.push(scratch);
        Ok(())
    }

    /// The scratch of the library function on top.
    pub(in crate::lua) fn scratch(&mut self) -> &mut Scratch {
        if self.thread.scratches.is_empty() {
            self.thread.scratches.push(Scratch::default());
        }
        let last = self.thread.scratches.len() - 1;
        &mut self.thread.scratches[last]
    }

    /// Makes room for so many more bytes that the library function on top keeps.
    fn reserve_kept(&mut self, more: usize) -> Result<(), Thrown> {
        let scratch = self.scratch();
        let (length, room) = (scratch.bytes.len() + more, scratch.room);
        if length as u64 > room {
            // A fourth more than is needed, so that the bytes are not moved too often.
            let grown = (length + length / 4) as u64 - room;
            self.check_room(grown as usize)?;
            self.heap.take(grown);
            let scratch = self.scratch();
            scratch.room += grown;
            let missing = scratch.room as usize - scratch.bytes.len();
            scratch.bytes.reserve_exact(missing);
        }
        Ok(())
    }

    /// Appends to the bytes that the library function on top keeps.
    pub(in crate::lua) fn keep(&mut self, bytes: &[u8]) -> Result<(), Thrown> {
        self.reserve_kept(bytes.len())?;
        self.scratch().bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// As `keep`, of a part of a string.
    pub(in crate::lua) fn keep_part(
        &mut self,
        string: StringRef,
        part: Range<usize>,
    ) -> Result<(), Thrown> {
        self.charge(part.len() as u64 / 32);
        self.reserve_kept(part.len())?;
        let bytes = self.heap.text(string).get(part).unwrap_or_default();
        if let Some(scratch) = self.thread.scratches.last_mut() {
            scratch.bytes.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Returns true if the library function on top has to stop for now: the slice is used, or
    /// garbage is to be looked for. It is resumed, with `is_pause`, when it can go on.
    pub(in crate::lua) fn pauses(&mut self) -> bool {
        let is_due = self.left <= 0 || self.heap.is_due();
        self.scratch().is_paused = is_due;
        is_due
    }

    /// Takes the bytes that the library function on top keeps.
    pub(in crate::lua) fn take_kept(&mut self) -> Vec<u8> {
        let scratch = self.scratch();
        let (bytes, room) = (
            core::mem::take(&mut scratch.bytes),
            core::mem::take(&mut scratch.room),
        );
        self.heap.give_back(room);
        bytes
    }

    /// Forgets what the library function on top keeps.
    pub(in crate::lua) fn drop_scratch(&mut self) {
        if let Some(scratch) = self.thread.scratches.pop() {
            self.heap.give_back(scratch.room);
        }
    }

    /// Takes the frame of the library function on top away; where its results go.
    pub(in crate::lua) fn end_wait(&mut self) -> Give {
        self.drop_scratch();
        match self.thread.frames.pop() {
            Some(frame) => frame.give,
            None => Give::Finish,
        }
    }

    /// Ends the frame that a library function has just made, unless it waits for another.
    pub(in crate::lua) fn end_if_done(
        &mut self,
        call: Call,
        outcome: Result<Outcome, Thrown>,
    ) -> Result<Outcome, Thrown> {
        let is_on_top = self
            .thread
            .frames
            .last()
            .is_some_and(|f| f.base as usize == call.base);
        if is_on_top && !matches!(outcome, Ok(Outcome::Later)) {
            self.end_wait();
        }
        outcome
    }

    /// Goes on with the library function on top, whose results have come.
    pub(in crate::lua) fn resume_native(&mut self, is_error: bool) -> Result<(), Thrown> {
        let Some(on_top) = self.thread.frames.last_mut() else {
            return Ok(());
        };
        let frame = *on_top;
        let is_pause = match self.thread.scratches.last_mut() {
            Some(scratch) => core::mem::take(&mut scratch.is_paused),
            None => false,
        };
        let resumed = Resumed {
            base: frame.base as usize,
            from: frame.pc as usize,
            count: frame.extra as usize,
            is_error,
            is_pause,
        };
        // The results wait no longer: the next call may stand where they do.
        (on_top.pc, on_top.extra) = (0, 0);
        let depth = self.thread.frames.len();
        let resume = self.definitions[frame.function as usize].resume;
        let outcome = match resume {
            Some(resume) => resume(self, resumed),
            None => Ok(Outcome::Nothing),
        };
        match outcome {
            Ok(Outcome::Later) => Ok(()),
            Ok(outcome) => {
                let give = self.end_wait();
                self.give(give, outcome)
            }
            Err(thrown) => {
                // It is not among those that could catch its own error.
                if self.thread.frames.len() == depth {
                    self.end_wait();
                }
                Err(thrown)
            }
        }
    }

    /// Hands on what a library function has come to.
    #[inline]
    pub(in crate::lua) fn give(&mut self, give: Give, outcome: Outcome) -> Result<(), Thrown> {
        match (outcome, give) {
            (Outcome::Later, _) => Ok(()),
            (Outcome::One(value), Give::Registers { at, want: 1 }) => {
                self.set_slot(at as usize, value);
                Ok(())
            }
            (Outcome::Stack(from, count), _) => self.deliver(give, from, count),
            (Outcome::Nothing, _) => self.deliver(give, 0, 0),
            (Outcome::One(value), _) => self.give_values(give, &[value]),
            (Outcome::Two(one, other), _) => self.give_values(give, &[one, other]),
            (Outcome::Many(values), _) => self.give_values(give, &values),
        }
    }

    /// Hands on results that do not stand on the stack.
    pub(in crate::lua) fn give_values(
        &mut self,
        give: Give,
        values: &[Value],
    ) -> Result<(), Thrown> {
        let from = match give {
            Give::Registers { at, .. } => at as usize,
            _ => self.thread.end(),
        };
        if let Give::Registers { at, want } = give
            && want != ALL
        {
            // No more than is wanted: registers behind are those of others.
            for offset in 0..usize::from(want) {
                let value = values.get(offset).copied().unwrap_or_default();
                self.set_slot(at as usize + offset, value);
            }
            return Ok(());
        }
        self.need_slots(from + values.len())?;
        self.charge(values.len() as u64 / 16);
        if let Some(slots) = self.thread.stack.get_mut(from..from + values.len()) {
            slots.copy_from_slice(values);
        }
        self.deliver(give, from, values.len())
    }

    /// Hands on results that stand on the stack.
    pub(in crate::lua) fn deliver(
        &mut self,
        give: Give,
        from: usize,
        count: usize,
    ) -> Result<(), Thrown> {
        match give {
            Give::Registers { at, want: ALL } => {
                let at = at as usize;
                self.need_slots(at + count)?;
                self.charge(count as u64 / 16);
                self.thread.stack.copy_within(from..from + count, at);
                self.thread.top = at + count;
            }
            Give::Registers { at, want } => {
                let (at, want) = (at as usize, usize::from(want));
                let there = count.min(want);
                self.thread.stack.copy_within(from..from + there, at);
                for missing in at + there..at + want {
                    self.set_slot(missing, Value::Nil);
                }
            }
            Give::Test { wanted } => {
                let truth = count > 0 && self.slot(from).is_true();
                if truth != wanted
                    && let Some(frame) = self.thread.frames.last_mut()
                {
                    frame.pc += 1;
                }
            }
            Give::Concat { at, first, to } => {
                let value = if count > 0 {
                    self.slot(from)
                } else {
                    Value::Nil
                };
                self.set_slot(at as usize, value);
                return self.concat(first as usize, at as usize, to as usize);
            }
            Give::Native => {
                if let Some(frame) = self.thread.frames.last_mut() {
                    frame.pc = from as u32;
                    frame.extra = count as u32;
                }
            }
            Give::Finish => return self.finish(from, count),
        }
        Ok(())
    }

    /// Ends the running thread with these results.
    fn finish(&mut self, from: usize, count: usize) -> Result<(), Thrown> {
        if self.current != 0 {
            return self.finish_coroutine(from, count);
        }
        self.request = Some(Request::Done(from, count));
        Ok(())
    }

    // Variables that closures share.

    /// The value of an upvalue.
    #[inline]
    pub(in crate::lua) fn upvalue(&self, place: u32) -> Value {
        match *self.heap.upvalues.at(place) {
            Upvalue::Closed(value) => value,
            Upvalue::Open { thread, slot } if thread == self.current => self.slot(slot as usize),
            Upvalue::Open { thread, slot } => {
                let stack = &self.heap.threads.at(thread).stack;
                stack.get(slot as usize).copied().unwrap_or_default()
            }
        }
    }

    /// Changes an upvalue.
    #[inline]
    pub(in crate::lua) fn set_upvalue(&mut self, place: u32, value: Value) {
        match self.heap.upvalues.at_mut(place) {
            Upvalue::Closed(old) => *old = value,
            Upvalue::Open { thread, slot } => {
                let (thread, slot) = (*thread, *slot as usize);
                let stack = if thread == self.current {
                    &mut self.thread.stack
                } else {
                    &mut self.heap.threads.at_mut(thread).stack
                };
                if let Some(there) = stack.get_mut(slot) {
                    *there = value;
                }
            }
        }
    }

    /// The upvalue of a slot of the running thread; closures that share the slot share it.
    pub(in crate::lua) fn open_upvalue(&mut self, slot: usize) -> u32 {
        let slot = slot as u32;
        let open = &self.thread.open;
        let behind = open
            .iter()
            .rposition(|(there, _)| *there <= slot)
            .map_or(0, |at| at + 1);
        if let Some((there, place)) = open.get(behind.wrapping_sub(1))
            && *there == slot
        {
            return *place;
        }
        let place = self.heap.new_upvalue(Upvalue::Open {
            thread: self.current,
            slot,
        });
        self.thread.open.insert(behind, (slot, place));
        place
    }

    /// Lets the variables from `level` on live without their slots.
    #[inline]
    pub(in crate::lua) fn close(&mut self, level: usize) {
        while let Some((slot, place)) = self.thread.open.last().copied() {
            if (slot as usize) < level {
                return;
            }
            self.thread.open.pop();
            let value = self.slot(slot as usize);
            *self.heap.upvalues.at_mut(place) = Upvalue::Closed(value);
        }
    }

    /// Fails if the memory that is in use, garbage left out, is more than may be.
    pub(in crate::lua) fn check_memory(&self) -> Result<(), Thrown> {
        if self.heap.is_exhausted() {
            return Err(out_of_memory());
        }
        Ok(())
    }
}
