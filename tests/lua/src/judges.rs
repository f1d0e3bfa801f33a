//! The two that run a program, and what they have to say.

use std::fmt;

use mlua::{Lua, Value as Theirs};
use seedis::lua::{Machine, ScriptLimits, Stop, compile};

/// The name of a program in its own messages.
const NAME: &str = "program";
/// So many instructions a program may take.
const INSTRUCTIONS_MAX: u64 = 2_000_000;

/// The outcome of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is none.
    Refused(String),
    /// It has ended with an error.
    Failed(String),
    /// It has returned what it had to say.
    Returned(String),
    /// It takes too many instructions, or too much memory: nothing is said about it.
    TooLong,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) => write!(f, "no program: {text}"),
            Self::Failed(text) => write!(f, "error: {text}"),
            Self::Returned(text) => f.write_str(text),
            Self::TooLong => f.write_str("too long"),
        }
    }
}

/// Both of them.
pub(crate) struct Judges {
    ours: Machine,
    theirs: Lua,
}

impl Judges {
    pub(crate) fn new() -> Self {
        let mut ours = Machine::new(ScriptLimits::default(), 0);
        ours.seal();
        Self {
            ours,
            theirs: Lua::new(),
        }
    }

    /// Runs a program by the machine of Seedis.
    pub(crate) fn ours(&mut self, program: &str) -> Said {
        let chunk = match compile(program.as_bytes(), NAME) {
            Ok(chunk) => chunk,
            Err(error) => {
                // As the other judge hands on such a text.
                let text = String::from_utf8_lossy(&error.message).into_owned();
                return Said::Refused(shown(text.as_bytes()));
            }
        };
        let machine = &mut self.ours;
        machine.reset(0);
        machine.set_memory_limit(64 << 20);
        // Its own globals, in front of those that all programs find.
        let (own, behind) = (machine.table(), machine.table());
        let globals = machine.globals();
        machine.set_field(behind, "__index", globals);
        machine.set_metatable(own, behind);
        let main = machine.load_within(&chunk, own);
        machine.start(main, &[]);
        match machine.run(INSTRUCTIONS_MAX) {
            Stop::Done => {
                let value = machine.results().first().copied();
                let text = value.and_then(|value| machine.bytes(value));
                let text = text.unwrap_or_default();
                if is_deep(text) {
                    return Said::TooLong;
                }
                Said::Returned(shown(text))
            }
            Stop::Failed(error) => {
                let mut text = Vec::new();
                if !machine.text(error, &mut text) {
                    text = machine.type_name(error).into();
                }
                if text.ends_with(b"not enough memory") || is_deep(&text) {
                    return Said::TooLong;
                }
                Said::Failed(shown(&text))
            }
            Stop::Paused | Stop::Call { .. } => Said::TooLong,
        }
    }

    /// Runs a program by C Lua.
    pub(crate) fn theirs(&mut self, program: &str) -> Said {
        let lua = &self.theirs;
        let run = || -> mlua::Result<Said> {
            let globals = lua.create_table()?;
            let behind = lua.create_table()?;
            behind.set("__index", lua.globals())?;
            globals.set_metatable(Some(behind))?;
            let chunk = lua.load(program).set_name(format!("={NAME}"));
            let main = match chunk.set_environment(globals).into_function() {
                Ok(main) => main,
                Err(mlua::Error::SyntaxError { message, .. }) => {
                    return Ok(Said::Refused(shown(message.as_bytes())));
                }
                Err(error) => return Err(error),
            };
            let pcall: mlua::Function = lua.globals().get("pcall")?;
            let (is_done, value): (bool, Theirs) = pcall.call(main)?;
            let text = match &value {
                Theirs::String(text) => shown(&text.as_bytes()),
                Theirs::Number(_) | Theirs::Integer(_) => {
                    let tostring: mlua::Function = lua.globals().get("tostring")?;
                    shown(&tostring.call::<mlua::String>(&value)?.as_bytes())
                }
                other => other.type_name().to_owned(),
            };
            Ok(if is_done {
                Said::Returned(text)
            } else {
                Said::Failed(text)
            })
        };
        run().unwrap_or_else(|error| Said::Failed(format!("of the judge: {error}")))
    }
}

/// Returns true if calls stood too deep in each other, which is another depth in C.
fn is_deep(text: &[u8]) -> bool {
    text.windows(14).any(|part| part == b"stack overflow")
}

/// Text for people: whether a number that is none has a sign is not told.
fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string().replace("-nan", "nan")
}
