//! A library that is being loaded: its text is run once, and registers functions.
//!
//! A library finds nothing meanwhile but the table `redis`, and in that hardly more than what
//! registers functions: no command, no chance, no clock. So it comes to the same on every member,
//! whenever it is run.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::mem;

use super::library::{Library, Registered};
use super::lines::{ScriptLine, Written};
use super::machines::{Function, LibraryMachine};
use super::ways::ScriptFlags;
use super::{convert, header, lines};
use crate::command::error::Error;
use crate::limits::{
    LIBRARY_FUNCTIONS_MAX, LIBRARY_INSTRUCTIONS_MAX, LIBRARY_MEMORY_BYTES, SCRIPT_BYTES_MAX,
};
use crate::lua::{self, Machine, Stop, Value};

/// The name of a library in its own messages.
const CHUNK_NAME: &str = "user_function";

/// A library that is being loaded.
#[derive(Clone, Debug)]
pub(super) struct Loading {
    machine: LibraryMachine,
    name: Vec<u8>,
    /// The functions so far, in the order in which they came.
    functions: Vec<Registered>,
    lines: Vec<ScriptLine>,
    written: Written,
}

/// A library that stands ready to be called.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    /// Its functions, in the order in which they came.
    functions: Vec<Registered>,
    callbacks: Value,
}

impl Ready {
    /// A function, and what is to be called for it.
    pub(super) fn function(&self, key: &[u8], machine: &Machine) -> Option<(&Registered, Value)> {
        let is_it = |one: &Registered| one.name.eq_ignore_ascii_case(key);
        let place = self.functions.iter().position(is_it)?;
        let callback = machine.get_index(self.callbacks, place + 1);
        Some((self.functions.get(place)?, callback))
    }
}

impl Loading {
    /// Begins with a text, of which the first line is read and the rest is compiled now. A library
    /// for whose name `is_taken` says so is there already.
    pub(super) fn begin(
        text: &[u8],
        is_taken: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Box<Self>, Error> {
        if text.len() > SCRIPT_BYTES_MAX {
            return Err(Error::SCRIPT_TOO_LONG);
        }
        let (name, rest) = header::read(text)?;
        if is_taken(&name) {
            return Err(Error::of(&[b"ERR Library '", &name, b"' already exists"]));
        }
        let chunk = lua::compile(rest, CHUNK_NAME)
            .map_err(|error| Error::of(&[b"ERR Error compiling function: ", &error.message]))?;
        let mut machine = LibraryMachine::new(LIBRARY_MEMORY_BYTES);
        let environment = machine.environment;
        let main = machine.machine.load_within(&chunk, environment);
        machine.machine.start(main, &[]);
        Ok(Box::new(Self {
            machine,
            name,
            functions: Vec::new(),
            lines: Vec::new(),
            written: Written::default(),
        }))
    }

    /// The instructions that it has taken.
    pub(super) fn used(&self) -> u64 {
        self.machine.machine.used()
    }

    /// Goes on for so many instructions; true where all has been run.
    pub(super) fn go_on(&mut self, room: u64) -> Result<bool, Error> {
        let end = self.used().saturating_add(room.max(1));
        loop {
            let left = end.saturating_sub(self.used());
            let most = LIBRARY_INSTRUCTIONS_MAX.saturating_sub(self.used());
            if most == 0 {
                return Err(failed(b"ERR FUNCTION LOAD timeout"));
            }
            if left == 0 {
                return Ok(false);
            }
            match self.machine.machine.run(left.min(most)) {
                Stop::Paused => {}
                Stop::Done if self.functions.is_empty() => return Err(Error::NO_FUNCTIONS),
                Stop::Done => return Ok(true),
                Stop::Failed(error) => {
                    let text = convert::failure_text(&self.machine.machine, error);
                    return Err(failed(&text));
                }
                Stop::Call { function } => self.call(Function::of(function)),
            }
        }
    }

    /// The lines that it has written into the server's log, which are asked for once.
    pub(super) fn take_lines(&mut self) -> Vec<ScriptLine> {
        mem::take(&mut self.lines)
    }

    /// The library, where all has been run.
    pub(super) fn library(self, text: &[u8]) -> Library {
        let mut functions = self.functions;
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        Library {
            name: self.name,
            functions,
            text: text.to_vec(),
        }
    }

    /// Its machine, where all has been run: calls begin with what is there now.
    pub(super) fn ready(mut self) -> (Box<Machine>, Box<Ready>) {
        self.machine.settle();
        let ready = Ready {
            functions: self.functions,
            callbacks: self.machine.callbacks,
        };
        (self.machine.machine, Box::new(ready))
    }

    fn call(&mut self, function: Option<Function>) {
        let done = match function {
            Some(Function::Register) => self.register().map_err(|why| format!("ERR {why}").into()),
            Some(Function::Log) => self.log(),
            _ => Err("ERR this is not to be called while a library is loaded".into()),
        };
        let machine = &mut self.machine.machine;
        match done {
            Ok(()) => machine.answer(&[]),
            Err(why) => {
                let error = convert::error_value(machine, why.as_bytes());
                machine.throw(error);
            }
        }
    }

    /// Writes a line into the server's log.
    fn log(&mut self) -> Result<(), Cow<'static, str>> {
        let machine = &mut self.machine.machine;
        let arguments = machine.arguments().to_vec();
        let line = lines::of(machine, &arguments, &mut self.written)?;
        self.lines.extend(line);
        Ok(())
    }

    /// Registers a function.
    fn register(&mut self) -> Result<(), &'static str> {
        let machine = &mut self.machine.machine;
        let arguments = machine.arguments().to_vec();
        let (function, callback) = match arguments[..] {
            [table @ Value::Table(_)] => named(machine, table)?,
            [_] => {
                return Err(
                    "calling redis.register_function with a single argument is only applicable \
                     to Lua table (representing named arguments).",
                );
            }
            [name, callback] => {
                let name = text(machine, name)
                    .ok_or("first argument to redis.register_function must be a string")?;
                if !is_function(callback) {
                    return Err("second argument to redis.register_function must be a function");
                }
                let function = Registered {
                    name,
                    description: None,
                    flags: ScriptFlags::default(),
                };
                (function, callback)
            }
            _ => return Err("wrong number of arguments to redis.register_function"),
        };
        let bytes = function.name.len() + function.description.as_ref().map_or(0, Vec::len);
        machine.charge(bytes as u64 / 16 + self.functions.len() as u64);
        if !header::is_name(&function.name) {
            return Err(
                "Library names can only contain letters, numbers, or underscores(_) and must be \
                 at least one character long",
            );
        }
        let is_it = |one: &Registered| one.name.eq_ignore_ascii_case(&function.name);
        if self.functions.iter().any(is_it) {
            return Err("Function already exists in the library");
        }
        if self.functions.len() >= LIBRARY_FUNCTIONS_MAX {
            return Err("a library may have at most 1024 functions");
        }
        self.functions.push(function);
        let place = Value::Number(self.functions.len() as f64);
        machine.set(self.machine.callbacks, place, callback);
        Ok(())
    }
}

fn failed(why: &[u8]) -> Error {
    Error::of(&[b"ERR Error registering functions: ", why])
}

fn is_function(value: Value) -> bool {
    matches!(value, Value::Function(_) | Value::Native(_))
}

/// A string, or a number as one.
fn text(machine: &Machine, value: Value) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    machine.text(value, &mut text).then_some(text)
}

/// The function that named arguments describe, and what is to be called for it.
fn named(machine: &mut Machine, table: Value) -> Result<(Registered, Value), &'static str> {
    let (mut name, mut description, mut callback) = (None, None, None);
    let mut flags = ScriptFlags::default();
    let (mut last, mut passed) = (Value::Nil, 0);
    while let Some((key, value)) = machine.next(table, last) {
        (last, passed) = (key, passed + 1);
        let key = text(machine, key)
            .ok_or("named argument key given to redis.register_function is not a string")?;
        match &key.to_ascii_lowercase()[..] {
            b"function_name" => {
                name = Some(text(machine, value).ok_or(
                    "function_name argument given to redis.register_function must be a string",
                )?);
            }
            b"description" => {
                description = Some(text(machine, value).ok_or(
                    "description argument given to redis.register_function must be a string",
                )?);
            }
            b"callback" if is_function(value) => callback = Some(value),
            b"callback" => {
                return Err(
                    "callback argument given to redis.register_function must be a function",
                );
            }
            b"flags" if matches!(value, Value::Table(_)) => flags = flags_of(machine, value)?,
            b"flags" => {
                return Err(
                    "flags argument to redis.register_function must be a table representing \
                     function flags",
                );
            }
            _ => return Err("unknown argument given to redis.register_function"),
        }
    }
    machine.charge(passed);
    let name = name.ok_or("redis.register_function must get a function name argument")?;
    let callback = callback.ok_or("redis.register_function must get a callback argument")?;
    let function = Registered {
        name,
        description,
        flags,
    };
    Ok((function, callback))
}

fn flags_of(machine: &mut Machine, table: Value) -> Result<ScriptFlags, &'static str> {
    let mut flags = ScriptFlags::default();
    for place in 1.. {
        let value = machine.get_index(table, place);
        if value == Value::Nil {
            break;
        }
        machine.charge(1);
        let is_known = text(machine, value).is_some_and(|word| flags.add(&word));
        if !is_known {
            return Err("unknown flag given");
        }
    }
    Ok(flags)
}
