//! Switching between the main line and coroutines.

use alloc::vec::Vec;

use super::state::{State, Thrown};
use crate::lua::heap::thread::{Give, Status, Thread};
use crate::lua::number::format;
use crate::lua::value::{CoroutineRef, Value};

impl State {
    /// A coroutine that will run a function.
    pub(in crate::lua) fn new_coroutine(&mut self, function: Value, is_wrapped: bool) -> Value {
        let thread = Thread {
            stack: alloc::vec![function],
            top: 1,
            is_wrapped,
            ..Thread::default()
        };
        Value::Coroutine(self.heap.new_thread(thread))
    }

    /// The status of a coroutine.
    pub(in crate::lua) fn status_of(&self, coroutine: CoroutineRef) -> Status {
        if coroutine.0 == self.current {
            return Status::Running;
        }
        self.heap.threads.at(coroutine.0).status
    }

    /// How many threads wait for the one that runs.
    fn depth(&self) -> usize {
        let (mut depth, mut thread) = (0, self.current);
        let mut resumer = self.thread.resumer;
        while thread != 0 {
            depth += 1;
            thread = resumer;
            resumer = self.heap.threads.at(thread).resumer;
        }
        depth
    }

    /// Lets another thread run; the one that ran goes back to its place in the heap.
    fn switch_to(&mut self, to: u32) {
        core::mem::swap(&mut self.thread, self.heap.threads.at_mut(self.current));
        core::mem::swap(&mut self.thread, self.heap.threads.at_mut(to));
        self.current = to;
        self.thread.status = Status::Running;
    }

    /// Goes back to the main line, and leaves the coroutines that are under way as they are.
    pub(in crate::lua) fn leave_coroutines(&mut self) {
        if self.current != 0 {
            self.switch_to(0);
        }
    }

    /// Resumes a suspended coroutine with arguments from the stack; what it gives goes to `give`.
    pub(in crate::lua) fn resume(
        &mut self,
        coroutine: CoroutineRef,
        from: usize,
        count: usize,
        give: Give,
    ) -> Result<(), Thrown> {
        if self.depth() >= self.limits.coroutines {
            return Err(Thrown::Text(b"C stack overflow".to_vec(), 1));
        }
        self.charge(count as u64 / 16);
        let arguments = self.slots(from, count).to_vec();
        self.thread.status = Status::Normal;
        self.thread.top = 0;
        let resumer = self.current;
        self.switch_to(coroutine.0);
        self.thread.resumer = resumer;
        // What the coroutine has waited for, and what now waits for it.
        let waited = self.thread.give.replace(give);
        // An error from here on is the coroutine's own.
        match waited {
            Some(waited) => self.give_values(waited, &arguments),
            None => self.begin(&arguments),
        }
    }

    fn begin(&mut self, arguments: &[Value]) -> Result<(), Thrown> {
        self.need_slots(1 + arguments.len())?;
        if let Some(slots) = self.thread.stack.get_mut(1..=arguments.len()) {
            slots.copy_from_slice(arguments);
        }
        self.thread.top = 0;
        self.call(0, arguments.len(), Give::Finish, None)
    }

    /// Suspends the running coroutine; what it is resumed with goes to `give`.
    pub(in crate::lua) fn suspend(
        &mut self,
        from: usize,
        count: usize,
        give: Give,
    ) -> Result<(), Thrown> {
        self.charge(count as u64 / 16);
        let values = self.slots(from, count).to_vec();
        self.thread.status = Status::Suspended;
        let waiting = self.thread.give.replace(give);
        let is_wrapped = self.thread.is_wrapped;
        self.switch_to(self.thread.resumer);
        self.give_resumed(waiting, is_wrapped, true, values)
    }

    /// Ends the running coroutine with results from the stack.
    pub(in crate::lua) fn finish_coroutine(
        &mut self,
        from: usize,
        count: usize,
    ) -> Result<(), Thrown> {
        let values = self.slots(from, count).to_vec();
        let (waiting, is_wrapped) = self.bury();
        self.give_resumed(waiting, is_wrapped, true, values)
    }

    /// Lets the running coroutine be dead, and its resumer run.
    fn bury(&mut self) -> (Option<Give>, bool) {
        self.close(0);
        self.thread.status = Status::Dead;
        self.heap.give_back(self.thread.kept_bytes());
        self.thread.frames = Vec::new();
        self.thread.frame_room = 0;
        self.thread.scratches = Vec::new();
        self.thread.top = 0;
        self.thread.room = 0;
        self.thread.stack = Vec::new();
        let waiting = self.thread.give.take();
        let is_wrapped = self.thread.is_wrapped;
        self.switch_to(self.thread.resumer);
        (waiting, is_wrapped)
    }

    /// Ends the running coroutine with an error, which may be one of its resumer.
    pub(in crate::lua) fn fail_coroutine(&mut self, error: Value) -> Result<(), Thrown> {
        let (waiting, is_wrapped) = self.bury();
        if !is_wrapped {
            return self.give_resumed(waiting, false, false, alloc::vec![error]);
        }
        match error {
            Value::String(text) => Err(self.text_error(text, 1)),
            // A number becomes a text as well, with the place in front.
            Value::Number(number) => {
                let mut text = Vec::new();
                format::append(number, &mut text);
                Err(Thrown::Text(text, 1))
            }
            error => Err(Thrown::Value(error)),
        }
    }

    fn give_resumed(
        &mut self,
        waiting: Option<Give>,
        is_wrapped: bool,
        is_good: bool,
        mut values: Vec<Value>,
    ) -> Result<(), Thrown> {
        if !is_wrapped {
            values.insert(0, Value::Boolean(is_good));
        }
        match waiting {
            Some(give) => self.give_values(give, &values),
            None => Ok(()),
        }
    }
}
