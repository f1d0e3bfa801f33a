//! From the text of a script to its code: the line in front that says how it is to be run, and what
//! was compiled before.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::name::Name;
use super::ways::{ScriptFlags, Ways};
use crate::command::error::Error;
use crate::command::pace::Pace;
use crate::lua;

/// The name of a script in its own messages.
const CHUNK_NAME: &str = "user_script";
/// The most bytes of code that are kept; beyond that all of it is made again.
const CODE_BYTES_MAX: usize = 32 << 20;
/// The bytes that one script counts for beside its code.
const ENTRY_BYTES: usize = 128;
/// So many bytes are compiled with about as much work as a small request takes.
pub(super) const COMPILED_PER_WORK: usize = 16;

/// A script that can be run.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) chunk: lua::Program,
    pub(super) ways: Ways,
}

/// The programs that were compiled, by name. They are no part of the state: each is what its text
/// says.
#[derive(Clone, Debug, Default)]
pub(super) struct Programs {
    all: BTreeMap<Name, Compiled>,
    bytes: usize,
}

impl Programs {
    /// The program of a text, compiled now if it was not before.
    pub(super) fn of(
        &mut self,
        name: &Name,
        text: &[u8],
        pace: &mut Pace,
    ) -> Result<Compiled, Error> {
        if let Some(program) = self.all.get(name) {
            return Ok(program.clone());
        }
        let program = compile(text, pace)?;
        let bytes = ENTRY_BYTES + program.chunk.bytes();
        if self.bytes + bytes > CODE_BYTES_MAX {
            (self.all, self.bytes) = (BTreeMap::new(), 0);
        }
        self.all.insert(*name, program.clone());
        self.bytes += bytes;
        Ok(program)
    }

    /// A program that was compiled before.
    pub(super) fn known(&self, name: &Name) -> Option<Compiled> {
        self.all.get(name).cloned()
    }

    /// The bytes of code that is kept.
    pub(super) fn memory(&self) -> usize {
        self.bytes
    }
}

/// Compiles a text, which is more work than to take it.
pub(super) fn compile(text: &[u8], pace: &mut Pace) -> Result<Compiled, Error> {
    pace.pay(text.len() / COMPILED_PER_WORK);
    let (ways, rest) = ways(text)?;
    let chunk = lua::compile(rest, CHUNK_NAME).map_err(|error| {
        let text = b"ERR Error compiling script (new function): ";
        Error::of(&[text, &error.message])
    })?;
    Ok(Compiled { chunk, ways })
}

/// The ways in which a script is to be run, and the text behind the line that says so. The end of
/// that line stays, so that lines keep their numbers.
pub(super) fn ways(text: &[u8]) -> Result<(Ways, &[u8]), Error> {
    if !text.starts_with(b"#!") {
        return Ok((Ways::default(), text));
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, rest) = text.split_at(end.ok_or(Error::SHEBANG)?);
    let mut said = ScriptFlags::default();
    let mut words = line
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let engine = words.next().unwrap_or_default();
    if engine != b"#!lua" {
        let text = b"ERR Unexpected engine in script shebang: ";
        return Err(Error::of(&[text, engine]));
    }
    for word in words {
        let Some(flags) = word.strip_prefix(b"flags=") else {
            return Err(Error::of(&[b"ERR Unknown lua shebang option: ", word]));
        };
        let flags: Vec<&[u8]> = flags.split(|byte| *byte == b',').collect();
        for flag in flags.into_iter().filter(|flag| !flag.is_empty()) {
            if !said.add_exactly(flag) {
                let text = b"ERR Unexpected flag in script shebang: ";
                return Err(Error::of(&[text, flag]));
            }
        }
    }
    Ok((said.ways(), rest))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn refused(text: &str) -> String {
        match ways(text.as_bytes()).unwrap_err() {
            Error::Reply(text) => String::from_utf8(text.into_owned()).unwrap(),
            error => panic!("{error:?}"),
        }
    }

    #[test]
    fn the_first_line_says_how_a_script_is_run() {
        let plain = ways(b"return 1").unwrap();
        assert_eq!(plain, (Ways::default(), &b"return 1"[..]));
        let (found, rest) = ways(b"#!lua flags=no-writes,allow-oom\nreturn 1").unwrap();
        assert!(found.is_declared && found.no_writes && found.allow_oom);
        assert_eq!(rest, b"\nreturn 1");
        assert!(ways(b"#!lua flags=\nreturn 1").unwrap().0.is_declared);
        assert_eq!(refused("#!lua"), "ERR Invalid script shebang");
        assert_eq!(
            refused("#!luax\n"),
            "ERR Unexpected engine in script shebang: #!luax"
        );
        assert_eq!(
            refused("#!lua name=x\n"),
            "ERR Unknown lua shebang option: name=x"
        );
        assert_eq!(
            refused("#!lua flags=no-writes,foo\n"),
            "ERR Unexpected flag in script shebang: foo"
        );
    }
}
