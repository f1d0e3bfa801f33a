//! A line of execution: its stack, the calls on it, and the variables that closures share with it.

use alloc::vec::Vec;

use crate::lua::value::Value;

/// How many registers every function can name.
pub(in crate::lua) const WINDOW: usize = 256;

/// As many results as there are.
pub(in crate::lua) const ALL: u16 = u16::MAX;

/// The use of a call's results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Give {
    /// So many of them go to the stack from `at` on.
    Registers { at: u32, want: u16 },
    /// The truth of the first decides a jump of the function below.
    Test { wanted: bool },
    /// The first is the last operand of a concatenation that began at `first` and stands at `at`.
    Concat { at: u32, first: u32, to: u32 },
    /// All go to the library function below.
    Native,
    /// They are those of the whole thread.
    Finish,
}

/// The one that runs in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lua) enum Runner {
    /// A closure, whose code stands at `code`.
    Lua,
    /// A library function that waits for another function.
    Native,
    /// As `Native`, and it wants the errors of that function.
    Catching,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Frame {
    pub(in crate::lua) runner: Runner,
    /// The place of the closure, or that of the library function among the definitions.
    pub(in crate::lua) function: u32,
    pub(in crate::lua) code: u32,
    /// The next instruction; of a library function, where results wait for it.
    pub(in crate::lua) pc: u32,
    /// The first register, behind arguments that no parameter names.
    pub(in crate::lua) base: u32,
    /// The slot of the function itself.
    pub(in crate::lua) slot: u32,
    /// How many slots from `base` on are in use.
    pub(in crate::lua) size: u32,
    /// How many further arguments stand before `base`; of a library function, results that wait.
    pub(in crate::lua) extra: u32,
    pub(in crate::lua) give: Give,
    /// True if the call took the place of the one that made it.
    pub(in crate::lua) is_tail: bool,
}

/// The memory that is reckoned for a thread, a slot, and a call with what it may keep.
pub(super) const THREAD_BYTES: u64 = 256;
pub(in crate::lua) const SLOT_BYTES: u64 = 16;
pub(in crate::lua) const FRAME_BYTES: u64 = 160;

/// Numbers and bytes that a library function keeps while it waits.
#[derive(Clone, Debug, Default)]
pub(in crate::lua) struct Scratch {
    pub(in crate::lua) numbers: [usize; 6],
    pub(in crate::lua) bytes: Vec<u8>,
    /// The bytes for which memory is reckoned.
    pub(in crate::lua) room: u64,
    /// True if the function goes on where it has stopped, and no results have come.
    pub(in crate::lua) is_paused: bool,
}

/// How far a coroutine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::lua) enum Status {
    #[default]
    Suspended,
    Running,
    /// It has resumed another.
    Normal,
    Dead,
}

/// A coroutine, or the main line.
#[derive(Clone, Debug, Default)]
pub(in crate::lua) struct Thread {
    pub(in crate::lua) stack: Vec<Value>,
    pub(in crate::lua) frames: Vec<Frame>,
    /// One for each frame of a library function.
    pub(in crate::lua) scratches: Vec<Scratch>,
    /// Slots that closures share, ascending, each with the place of its upvalue.
    pub(in crate::lua) open: Vec<(u32, u32)>,
    /// Behind the last of as many values as there are.
    pub(in crate::lua) top: usize,
    pub(in crate::lua) status: Status,
    /// The thread that has resumed this one.
    pub(in crate::lua) resumer: u32,
    /// The use of the values that the resumer gets, or of those with which it resumes.
    pub(in crate::lua) give: Option<Give>,
    /// True if errors of the coroutine are those of its resumer.
    pub(in crate::lua) is_wrapped: bool,
    /// The slots for which memory is reckoned.
    pub(in crate::lua) room: usize,
    /// The calls for which memory is reckoned.
    pub(in crate::lua) frame_room: usize,
    /// Environment of functions that are loaded while it runs.
    pub(in crate::lua) has_environment: Option<crate::lua::value::TableRef>,
}

impl Thread {
    /// The memory that is reckoned for the thread.
    pub(in crate::lua) fn bytes(&self) -> u64 {
        THREAD_BYTES + self.kept_bytes()
    }

    /// The memory that is reckoned for its stack, its calls, and what they keep.
    pub(in crate::lua) fn kept_bytes(&self) -> u64 {
        let scratches = self.scratches.iter().map(|scratch| scratch.room);
        SLOT_BYTES * self.room as u64
            + FRAME_BYTES * self.frame_room as u64
            + scratches.sum::<u64>()
    }

    /// The slot behind the last that is in use.
    pub(in crate::lua) fn end(&self) -> usize {
        match self.frames.last() {
            Some(frame) if frame.runner == Runner::Lua => {
                (frame.base as usize + frame.size as usize).max(self.top)
            }
            Some(frame) => {
                let waiting = frame.pc as usize + frame.extra as usize;
                (frame.base as usize + frame.size as usize)
                    .max(waiting)
                    .max(self.top)
            }
            None => self.top,
        }
    }
}
