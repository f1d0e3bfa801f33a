//! The way of an error down the stack, to who catches it.

use super::state::{State, Thrown};
use crate::lua::heap::objects::Code;
use crate::lua::heap::slab::Slab;
use crate::lua::heap::thread::Runner;
use crate::lua::value::Value;

impl State {
    /// Hands an error to who catches it; it comes back if nobody does.
    pub(in crate::lua) fn unwind(
        &mut self,
        thrown: Thrown,
        code: &Slab<Code>,
    ) -> Result<(), Value> {
        let mut thrown = thrown;
        loop {
            let error = self.describe(thrown, code);
            let done = if self.find_catching() {
                self.catch(error)
            } else if self.current == 0 {
                return Err(error);
            } else {
                self.fail_coroutine(error)
            };
            match done {
                Ok(()) => return Ok(()),
                Err(next) => thrown = next,
            }
        }
    }

    /// Takes calls away until a library function is on top that catches; false if there is none.
    fn find_catching(&mut self) -> bool {
        while let Some(frame) = self.thread.frames.last() {
            match frame.runner {
                Runner::Catching => return true,
                Runner::Native => {
                    self.drop_scratch();
                }
                Runner::Lua => {}
            }
            self.thread.frames.pop();
        }
        false
    }

    fn catch(&mut self, error: Value) -> Result<(), Thrown> {
        let Some(frame) = self.thread.frames.last_mut() else {
            return Ok(());
        };
        let base = frame.base as usize;
        let at = base + frame.size as usize;
        frame.pc = at as u32;
        frame.extra = 1;
        self.close(base);
        self.thread.top = 0;
        // The frame made sure of a window behind its slots.
        self.set_slot(at, error);
        self.resume_native(true)
    }
}
