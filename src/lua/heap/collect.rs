//! Garbage: all that cannot be reached from the roots is marked by its absence, and swept.
//!
//! When it is looked for depends on reckoned memory alone, so that it is the same moment
//! everywhere. Tables with weak keys or values hold them like any others.

use alloc::vec::Vec;

use super::objects::{Closure, Code, Native, Upvalue};
use super::slab::Slab;
use super::table::Table;
use super::thread::{Runner, Thread};
use super::{CLOSURE_BYTES, Heap, NATIVE_BYTES, UPVALUE_BYTES, USERDATA_BYTES, VALUE_BYTES};
use crate::lua::value::{FunctionRef, Value};

/// The place of the main line.
const MAIN_THREAD: u32 = 0;

/// An object that was reached, and whose own references are still to be followed.
#[derive(Clone, Copy)]
enum Gray {
    Table(u32),
    Closure(u32),
    Upvalue(u32),
    Native(u32),
    Thread(u32),
    Code(u32),
}

impl Heap {
    /// Frees all that can be reached neither from `roots` nor from the thread that runs, whose own
    /// place `current` is empty meanwhile.
    pub(in crate::lua) fn collect(
        &mut self,
        roots: &[Value],
        (current, running): (u32, &mut Thread),
        code: &mut Slab<Code>,
    ) {
        let mut gray = Vec::new();
        for root in roots {
            self.reach(*root, &mut gray);
        }
        let place = self.undo.len();
        for at in 0..place {
            if let Some((_, key, value)) = self.undo.get(at).copied() {
                self.reach(key, &mut gray);
                self.reach(value, &mut gray);
            }
        }
        // The host may have put new objects into sealed tables.
        for at in 0..place {
            if let Some((table, _, _)) = self.undo.get(at).copied() {
                gray.push(Gray::Table(table.0));
            }
        }
        // A script may have put them into permanent tables that it may change.
        gray.extend(self.lent.iter().map(|(table, _)| Gray::Table(table.0)));
        // What is permanent is not marked, so what it can refer to anew is followed from here: the
        // main line, whose place is empty while it runs, and variables of permanent functions.
        gray.push(Gray::Thread(MAIN_THREAD));
        gray.extend(self.upvalues.sealed_places().map(Gray::Upvalue));
        // The thread that runs comes back to its place, even if nobody else knows it.
        self.reach_thread(current, &mut gray);
        self.follow_thread(running, &mut gray);
        while let Some(object) = gray.pop() {
            self.follow(object, &mut gray, code);
        }
        self.sweep(code);
        self.set_trigger();
    }

    fn reach(&mut self, value: Value, gray: &mut Vec<Gray>) {
        match value {
            Value::Nil | Value::Boolean(_) | Value::Number(_) => {}
            Value::String(string) => self.strings.reach(string),
            Value::Table(table) => self.reach_table(table.0, gray),
            Value::Function(function) => {
                if self.closures.reach(function.0) {
                    gray.push(Gray::Closure(function.0));
                }
            }
            Value::Native(native) => {
                if self.natives.reach(native.0) {
                    gray.push(Gray::Native(native.0));
                }
            }
            Value::Coroutine(coroutine) => self.reach_thread(coroutine.0, gray),
            Value::Userdata(userdata) => {
                if self.userdata.reach(userdata.0)
                    && let Some(metatable) = self.userdata.at(userdata.0).metatable
                {
                    self.reach_table(metatable.0, gray);
                }
            }
        }
    }

    fn reach_table(&mut self, place: u32, gray: &mut Vec<Gray>) {
        if self.tables.reach(place) {
            gray.push(Gray::Table(place));
        }
    }

    fn reach_thread(&mut self, place: u32, gray: &mut Vec<Gray>) {
        if self.threads.reach(place) {
            gray.push(Gray::Thread(place));
        }
    }

    fn reach_upvalue(&mut self, place: u32, gray: &mut Vec<Gray>) {
        if self.upvalues.reach(place) {
            gray.push(Gray::Upvalue(place));
        }
    }

    /// Follows what an object refers to.
    ///
    /// The object is taken out of its place meanwhile: nothing that is reached looks into it.
    fn follow(&mut self, object: Gray, gray: &mut Vec<Gray>, code: &mut Slab<Code>) {
        match object {
            Gray::Table(place) => {
                let table = core::mem::take(self.tables.at_mut(place));
                self.follow_table(&table, gray);
                *self.tables.at_mut(place) = table;
            }
            Gray::Closure(place) => {
                let closure = core::mem::take(self.closures.at_mut(place));
                self.follow_closure(&closure, gray);
                *self.closures.at_mut(place) = closure;
            }
            Gray::Upvalue(place) => match *self.upvalues.at(place) {
                // The thread holds its own slots; a thread that is gone would have closed it.
                Upvalue::Open { thread, .. } => self.reach_thread(thread, gray),
                Upvalue::Closed(value) => self.reach(value, gray),
            },
            Gray::Native(place) => {
                let native = core::mem::take(self.natives.at_mut(place));
                self.follow_native(&native, gray);
                *self.natives.at_mut(place) = native;
            }
            Gray::Thread(place) => {
                let mut thread = core::mem::take(self.threads.at_mut(place));
                self.follow_thread(&mut thread, gray);
                *self.threads.at_mut(place) = thread;
            }
            Gray::Code(place) => {
                // Code is met again at each of its closures; once is enough.
                if code.reach(place) {
                    self.follow_code(code.at(place), gray);
                }
            }
        }
    }

    fn follow_table(&mut self, table: &Table, gray: &mut Vec<Gray>) {
        if let Some(metatable) = table.metatable {
            self.reach_table(metatable.0, gray);
        }
        table.each(|value| self.reach(value, gray));
    }

    fn follow_closure(&mut self, closure: &Closure, gray: &mut Vec<Gray>) {
        gray.push(Gray::Code(closure.code));
        self.reach_table(closure.environment.0, gray);
        for upvalue in &closure.upvalues {
            self.reach_upvalue(*upvalue, gray);
        }
    }

    fn follow_native(&mut self, native: &Native, gray: &mut Vec<Gray>) {
        for value in &native.upvalues {
            self.reach(*value, gray);
        }
    }

    fn follow_thread(&mut self, thread: &mut Thread, gray: &mut Vec<Gray>) {
        let end = thread.end().min(thread.stack.len());
        for value in thread.stack.get(..end).unwrap_or_default() {
            self.reach(*value, gray);
        }
        // What stands behind may be stale, and would be believed later.
        if let Some(rest) = thread.stack.get_mut(end..) {
            rest.fill(Value::Nil);
        }
        for frame in &thread.frames {
            if frame.runner == Runner::Lua {
                self.reach(Value::Function(FunctionRef(frame.function)), gray);
                gray.push(Gray::Code(frame.code));
            }
        }
        for (_, upvalue) in &thread.open {
            self.reach_upvalue(*upvalue, gray);
        }
        if let Some(environment) = thread.has_environment {
            self.reach_table(environment.0, gray);
        }
        self.reach_thread(thread.resumer, gray);
    }

    fn follow_code(&mut self, code: &Code, gray: &mut Vec<Gray>) {
        for constant in &code.constants {
            self.reach(*constant, gray);
        }
        for function in &code.functions {
            gray.push(Gray::Code(*function));
        }
    }

    fn sweep(&mut self, code: &mut Slab<Code>) {
        let mut freed = self.strings.sweep();
        self.tables.sweep(|table| freed += table.bytes());
        self.closures.sweep(|closure| {
            freed += CLOSURE_BYTES + 8 * closure.upvalues.len() as u64;
        });
        self.upvalues.sweep(|_| freed += UPVALUE_BYTES);
        self.natives.sweep(|native| {
            freed += NATIVE_BYTES + VALUE_BYTES * native.upvalues.len() as u64;
        });
        self.threads.sweep(|thread| freed += thread.bytes());
        self.userdata.sweep(|_| freed += USERDATA_BYTES);
        code.sweep(|code| freed += code.bytes());
        self.give_back(freed);
    }
}
