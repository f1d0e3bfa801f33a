//! A machine as its host sees it: made once, sealed, and reset for each script.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::heap::objects::{Body, Closure, Code, Native};
use super::heap::slab::Slab;
use super::heap::thread::{Give, Status, Thread};
use super::libraries;
use super::machine::execute::Pause;
use super::machine::limits::ScriptLimits;
use super::machine::{Call, Outcome, Request, State, Thrown};
use super::prototype::{Constant, Program, Prototype};
use super::value::{FunctionRef, TableRef, Value};

/// The reason for which `run` has stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// The function has returned; `results` holds what.
    Done,
    /// The function has failed with this value.
    Failed(Value),
    /// A function of the host is called with `arguments`; `answer` or `throw` replies.
    Call {
        /// The number under which the host has made the function.
        function: u32,
    },
    /// The budget of this slice is used.
    Paused,
}

/// One machine: an arena with libraries, and a script that runs in it.
#[derive(Clone, Debug)]
pub struct Machine {
    state: State,
    code: Slab<Code>,
    /// The function and its arguments, until it is first run.
    starting: Option<usize>,
    /// The call of a host's function that waits for its answer.
    waiting: Option<Call>,
    /// The error that the host has thrown.
    thrown: Option<Thrown>,
    /// The first slot of the results, and how many there are.
    done: (usize, usize),
    failed_at: Option<(Arc<str>, u32)>,
}

impl Machine {
    /// A machine with the libraries in its globals. `hash_key` is the same for all who run a
    /// script: strings whose hashes meet too often count as instructions.
    #[must_use]
    pub fn new(limits: ScriptLimits, hash_key: u64) -> Self {
        let mut state = State::new(limits, hash_key);
        libraries::install(&mut state);
        Self {
            state,
            code: Slab::default(),
            starting: None,
            waiting: None,
            thrown: None,
            done: (0, 0),
            failed_at: None,
        }
    }

    /// Changes how much memory scripts may use.
    pub fn set_memory_limit(&mut self, bytes: u64) {
        self.state.heap.set_limit(bytes);
    }

    /// The table of global variables.
    pub fn globals(&self) -> Value {
        Value::Table(self.state.globals)
    }

    /// A function whose calls come to the host.
    pub fn host_function(&mut self, id: u32) -> Value {
        let native = Native {
            body: Body::Host(id),
            upvalues: [].into(),
        };
        Value::Native(self.state.heap.new_native(native))
    }

    /// Lets a global variable that is not there be an error: `text`, and the name in quotes.
    pub fn refuse_unknown_globals(&mut self, text: &str) {
        let globals = self.globals();
        self.refuse_unknown(globals, text);
    }

    /// The same of a key of any table.
    pub fn refuse_unknown(&mut self, table: Value, text: &str) {
        let text = self.string(text.as_bytes());
        let refuse = libraries::refusal(&mut self.state, text);
        let metatable = self.table();
        self.set_field(metatable, "__index", refuse);
        self.set_metatable(table, metatable);
    }

    /// Lets `pcall` give this field of an error that is a table, if the field is a string.
    pub fn pcall_unwraps(&mut self, field: &str) {
        let field = self.state.heap.string(field.as_bytes());
        self.state.error_field = Some(field);
    }

    /// Makes all that is there permanent. Its tables are read-only for scripts from now on.
    pub fn seal(&mut self) {
        self.state.heap.seal();
        self.code.seal();
    }

    /// Makes what has come since the seal permanent as well. Scripts may change its tables, which
    /// are as they are now again behind the next reset.
    pub fn settle(&mut self) {
        self.state.heap.settle();
        self.code.seal();
    }

    /// Forgets all that came after the seal. `seed` is where `math.random` begins.
    pub fn reset(&mut self, seed: u64) {
        let state = &mut self.state;
        state.leave_coroutines();
        state.heap.reset();
        self.code.reset();
        state.seed = seed;
        state.dice = None;
        state.left = 0;
        state.granted = 0;
        state.request = None;
        // The stack is kept for the next script, as long as it is for every one.
        let mut stack = core::mem::take(&mut state.thread.stack);
        stack.clear();
        stack.resize(STACK_KEPT, Value::Nil);
        let mut frames = core::mem::take(&mut state.thread.frames);
        frames.clear();
        frames.shrink_to(FRAMES_KEPT);
        state.thread = Thread {
            room: STACK_KEPT,
            stack,
            frames,
            status: Status::Running,
            ..Thread::default()
        };
        state.heap.take(state.thread.kept_bytes());
        state.buffer.shrink_to(BUFFER_KEPT);
        state.current = 0;
        self.starting = None;
        self.waiting = None;
        self.thrown = None;
        self.done = (0, 0);
        self.failed_at = None;
    }

    /// A function out of compiled code, with the globals as its environment.
    pub fn load(&mut self, chunk: &Program) -> Value {
        let globals = self.state.globals;
        Value::Function(self.load_in(chunk, globals))
    }

    /// As `load`, with a table as its environment.
    pub fn load_within(&mut self, chunk: &Program, environment: Value) -> Value {
        match environment {
            Value::Table(environment) => Value::Function(self.load_in(chunk, environment)),
            _ => self.load(chunk),
        }
    }

    fn load_in(&mut self, chunk: &Program, environment: TableRef) -> FunctionRef {
        let code = self.load_code(&chunk.main);
        let shape = self.code.at(code).shape();
        self.state.heap.new_closure(Closure {
            code,
            environment,
            upvalues: [].into(),
            shape,
        })
    }

    /// Functions nest no deeper than the parser lets them.
    fn load_code(&mut self, prototype: &Arc<Prototype>) -> u32 {
        let functions = prototype
            .functions
            .iter()
            .map(|function| self.load_code(function));
        let functions = functions.collect();
        let heap = &mut self.state.heap;
        let constants = prototype.constants.iter().map(|constant| match constant {
            Constant::Nil => Value::Nil,
            Constant::Boolean(value) => Value::Boolean(*value),
            Constant::Number(number) => Value::Number(*number),
            Constant::String(bytes) => Value::String(heap.string(bytes)),
        });
        let code = Code {
            constants: constants.collect(),
            prototype: prototype.clone(),
            functions,
        };
        self.state.heap.take(code.bytes());
        self.code.add(code)
    }

    /// Begins a call; what ran before is given up.
    pub fn start(&mut self, function: Value, arguments: &[Value]) {
        self.waiting = None;
        self.thrown = None;
        self.failed_at = None;
        let state = &mut self.state;
        state.leave_coroutines();
        state.thread.frames.clear();
        while !state.thread.scratches.is_empty() {
            state.drop_scratch();
        }
        state.thread.open.clear();
        state.thread.status = Status::Running;
        self.thrown = state.need_slots(arguments.len() + 1).err();
        state.set_slot(0, function);
        for (at, argument) in (1..).zip(arguments) {
            state.set_slot(at, *argument);
        }
        state.thread.top = arguments.len() + 1;
        state.request = None;
        self.starting = Some(arguments.len());
    }

    /// Counts work that the host has done for the script, as so many instructions.
    pub fn charge(&mut self, units: u64) {
        self.state.charge(units);
    }

    /// Runs until `budget` more instructions are used, or there is something for the host to do.
    pub fn run(&mut self, budget: u64) -> Stop {
        // A budget that an earlier call left is gone; one that it overdrew is owed.
        let state = &mut self.state;
        let unused = state.left.max(0);
        let budget = budget.min(i64::MAX as u64 / 4);
        state.granted = state.granted - unused as u64 + budget;
        state.left += budget as i64 - unused;
        loop {
            match self.step() {
                Ok(None) => {}
                Ok(Some(step)) => return step,
                Err(thrown) => {
                    self.state.charge_innermost();
                    self.failed_at = self.state.innermost_line(&self.code);
                    if let Err(error) = self.state.unwind(thrown, &self.code) {
                        return Stop::Failed(error);
                    }
                }
            }
        }
    }

    /// One part of a run; none if there is more to do.
    fn step(&mut self) -> Result<Option<Stop>, Thrown> {
        if let Some(thrown) = self.thrown.take() {
            return Err(thrown);
        }
        if let Some(count) = self.starting.take() {
            self.state.thread.top = 0;
            self.state.call(0, count, Give::Finish, None)?;
            return Ok(None);
        }
        match self.state.request.take() {
            None => {}
            Some(Request::Done(from, count)) => {
                self.done = (from, count);
                self.state.thread.top = from + count;
                return Ok(Some(Stop::Done));
            }
            Some(Request::Host(function, call)) => {
                self.waiting = Some(call);
                return Ok(Some(Stop::Call { function }));
            }
            Some(Request::Load(chunk, environment, give)) => {
                let function = Value::Function(self.load_in(&chunk, environment));
                self.state.give(give, Outcome::One(function))?;
                return Ok(None);
            }
        }
        if self.state.left <= 0 {
            return Ok(Some(Stop::Paused));
        }
        if self.state.heap.is_due() {
            self.collect()?;
        }
        let top = self.state.thread.frames.last().map(|frame| frame.runner);
        if top == Some(super::heap::thread::Runner::Lua) {
            return match self.state.execute(&self.code)? {
                Pause::Budget => Ok(Some(Stop::Paused)),
                Pause::Garbage | Pause::Other => Ok(None),
            };
        }
        // To go on is no work: how often a function pauses depends on the slices.
        let is_paused = self.state.scratch().is_paused;
        self.state.charge(u64::from(!is_paused));
        self.state.resume_native(false)?;
        Ok(None)
    }

    /// Looks for garbage, which takes of the budget by what there is to look through.
    fn collect(&mut self) -> Result<(), Thrown> {
        self.state.charge(self.state.heap.collecting_units());
        let roots = self.state.roots();
        let State {
            heap,
            thread,
            current,
            ..
        } = &mut self.state;
        heap.collect(&roots, (*current, thread), &mut self.code);
        self.state.check_memory()
    }

    /// Answers the call of a host's function.
    pub fn answer(&mut self, values: &[Value]) {
        let Some(call) = self.waiting.take() else {
            return;
        };
        if let Err(thrown) = self.state.give_values(call.give, values) {
            self.thrown = Some(thrown);
        }
    }

    /// Lets the call of a host's function fail.
    pub fn throw(&mut self, error: Value) {
        if self.waiting.take().is_some() {
            self.thrown = Some(Thrown::Value(error));
        }
    }

    /// The arguments of the call that waits for an answer.
    pub fn arguments(&self) -> &[Value] {
        match self.waiting {
            Some(Call { base, count, .. }) => self.state.slots(base, count),
            None => &[],
        }
    }

    /// The results of the function.
    pub fn results(&self) -> &[Value] {
        self.state.slots(self.done.0, self.done.1)
    }

    /// Instructions that were used since the last reset, however they were sliced.
    pub fn used(&self) -> u64 {
        self.state.used()
    }

    /// The memory that is in use, reckoned alike on every platform.
    pub fn memory_bytes(&self) -> u64 {
        self.state.heap.bytes()
    }

    /// The chunk and line of the code that calls the host, that has failed, or that is to go on.
    pub fn position(&self) -> Option<(Arc<str>, u32)> {
        let failed = self.failed_at.clone().filter(|_| self.waiting.is_none());
        failed.or_else(|| self.state.innermost_line(&self.code))
    }

    // Values.

    /// Returns true if a string of so many bytes may be made now, when garbage still counts: half
    /// of what a script has left can always be had.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.state.heap.has_room(bytes)
    }

    /// A string.
    pub fn string(&mut self, bytes: &[u8]) -> Value {
        Value::String(self.state.heap.string(bytes))
    }

    /// An empty table.
    pub fn table(&mut self) -> Value {
        Value::Table(self.state.heap.new_table(0, 0))
    }

    /// Sets a key of a table, metatables left out. A key of nil or NaN is ignored. Of a table that
    /// is sealed, the next reset takes it back.
    pub fn set(&mut self, table: Value, key: Value, value: Value) {
        let is_key = !key.is_nil() && key == key;
        if let (Value::Table(table), true) = (table, is_key) {
            self.state.heap.set_as_host(table, key, value);
        }
    }

    /// As `set`, of a name.
    pub fn set_field(&mut self, table: Value, name: &str, value: Value) {
        let name = self.string(name.as_bytes());
        self.set(table, name, value);
    }

    /// The value of a key, metatables left out.
    pub fn get(&self, table: Value, key: Value) -> Value {
        match table {
            Value::Table(table) => self.state.heap.table(table).get(key),
            _ => Value::Nil,
        }
    }

    /// The value of a name.
    pub fn get_field(&self, table: Value, name: &str) -> Value {
        match self.state.heap.strings.find(name.as_bytes()) {
            Some(name) => self.get(table, Value::String(name)),
            None => Value::Nil,
        }
    }

    /// The element at an index, 1 being the first.
    pub fn get_index(&self, table: Value, index: usize) -> Value {
        match table {
            Value::Table(table) => self.state.heap.table(table).get_index(index),
            _ => Value::Nil,
        }
    }

    /// The key and value behind a key; nil begins.
    pub fn next(&self, table: Value, after: Value) -> Option<(Value, Value)> {
        match table {
            Value::Table(table) => self.state.heap.table(table).next(after)?.pair,
            _ => None,
        }
    }

    /// Gives a table a metatable, or takes it away if that is nil.
    pub fn set_metatable(&mut self, table: Value, metatable: Value) {
        if let Value::Table(table) = table {
            self.state.heap.table_mut(table).metatable = match metatable {
                Value::Table(metatable) => Some(metatable),
                _ => None,
            };
        }
    }

    /// The bytes of a string.
    pub fn bytes(&self, value: Value) -> Option<&[u8]> {
        match value {
            Value::String(string) => Some(self.state.bytes(string)),
            _ => None,
        }
    }

    /// Appends a string, or a number as Lua shows it; false for other values.
    pub fn text(&self, value: Value, out: &mut Vec<u8>) -> bool {
        self.state.append_text(value, out)
    }

    /// The number that a value is, or that its text says.
    pub fn number(&mut self, value: Value) -> Option<f64> {
        self.state.to_number(value)
    }

    /// The name of a value's type.
    pub fn type_name(&self, value: Value) -> &'static str {
        value.type_name()
    }
}

/// Slots of the stack, bytes of the buffer, and room for calls that a reset keeps.
const STACK_KEPT: usize = 512;
const BUFFER_KEPT: usize = 4096;
const FRAMES_KEPT: usize = 256;
