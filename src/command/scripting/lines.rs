//! The lines that scripts have written into the server's log (`redis.log`).
//!
//! They are no part of the state: each member that runs a script tells its own operator. The script
//! alone decides about its lines, so that all members say the same.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::lua::{Machine, Value};

/// The weights of lines, in their order, as `loglevel` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineLevel {
    /// For who looks for a bug.
    Debug,
    /// For who wants to know much.
    Verbose,
    /// Worth a line.
    Notice,
    /// Somebody should look at it.
    Warning,
}

impl LineLevel {
    const ALL: [Self; 4] = [Self::Debug, Self::Verbose, Self::Notice, Self::Warning];

    /// Returns true if a server whose `loglevel` is this word writes such lines.
    pub fn is_written_at(self, loglevel: &[u8]) -> bool {
        match loglevel {
            b"debug" => true,
            b"verbose" => self >= Self::Verbose,
            b"warning" => self >= Self::Warning,
            b"nothing" => false,
            _ => self >= Self::Notice,
        }
    }
}

/// A line that a script has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptLine {
    /// How much it weighs.
    pub level: LineLevel,
    /// Its words, as the script has put them.
    pub text: Vec<u8>,
}

impl fmt::Display for ScriptLine {
    /// On one line, whatever stands in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("script: ")?;
        for character in String::from_utf8_lossy(&self.text).chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// The most lines of each level that one run of a script writes.
pub(super) const LINES_MAX: u16 = 128;
/// The most bytes of a line.
const LINE_BYTES_MAX: usize = 1024;
/// The instructions that a line counts for, beside those for its bytes.
const LINE_INSTRUCTIONS: u64 = 256;

/// How many lines of each level a script has written so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Written([u16; 4]);

/// Makes the line of a call of `redis.log`; nothing where there have been enough of them.
pub(super) fn of(
    machine: &mut Machine,
    arguments: &[Value],
    written: &mut Written,
) -> Result<Option<ScriptLine>, &'static str> {
    let [level, words @ ..] = arguments else {
        return Err("ERR redis.log() requires two arguments or more.");
    };
    if words.is_empty() {
        return Err("ERR redis.log() requires two arguments or more.");
    }
    let level = machine.number(*level);
    let level = level.ok_or("ERR First argument must be a number (log level).")?;
    // Of a number with a fraction the whole part counts.
    let is_level = level > -1.0 && level < 4.0;
    let (place, level) = is_level
        .then(|| (level as usize, LineLevel::ALL[level as usize]))
        .ok_or("ERR Invalid debug level.")?;
    let count = &mut written.0[place];
    machine.charge(LINE_INSTRUCTIONS);
    if *count > LINES_MAX {
        return Ok(None);
    }
    *count += 1;
    if *count > LINES_MAX {
        let text = b"further lines of this script are left out".to_vec();
        return Ok(Some(ScriptLine { level, text }));
    }
    let (mut text, mut left_out) = (Vec::new(), 0);
    for (nth, word) in words.iter().enumerate() {
        let mut shown = Vec::new();
        let bytes = match machine.bytes(*word) {
            Some(bytes) => bytes,
            None if machine.text(*word, &mut shown) => &shown[..],
            None => continue,
        };
        let gap: &[u8] = if nth > 0 { b" " } else { b"" };
        for part in [gap, bytes] {
            let kept = part.len().min(LINE_BYTES_MAX - text.len());
            text.extend_from_slice(&part[..kept]);
            left_out += part.len() - kept;
        }
    }
    if left_out > 0 {
        let told = format!(" … ({left_out} bytes more)");
        text.extend_from_slice(told.as_bytes());
    }
    Ok(Some(ScriptLine { level, text }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lua::ScriptLimits;

    #[test]
    fn a_line_is_bounded_and_what_is_cut_is_said() {
        let mut machine = Machine::new(ScriptLimits::default(), 0);
        let long = machine.string(&[b'x'; 3000]);
        let level = Value::Number(3.7);
        let line = of(&mut machine, &[level, long], &mut Written::default());
        let line = line.unwrap().unwrap();
        assert_eq!(line.level, LineLevel::Warning);
        assert!(line.text.ends_with("x … (1976 bytes more)".as_bytes()));
        assert!(line.text.len() < 1100);
    }

    #[test]
    fn many_lines_of_one_level_leave_room_for_those_of_another() {
        let mut machine = Machine::new(ScriptLimits::default(), 0);
        let word = machine.string(b"a\nb\x1b\xff");
        let mut written = Written::default();
        let mut lines = Vec::new();
        for level in [0.0; 1000].into_iter().chain([2.0]) {
            let line = of(&mut machine, &[Value::Number(level), word], &mut written);
            lines.extend(line.unwrap());
        }
        assert_eq!(lines.len(), usize::from(LINES_MAX) + 2);
        let shown: Vec<String> = lines.iter().map(|line| format!("{line}")).collect();
        assert_eq!(shown[0], "script: a\\nb\\u{1b}\u{fffd}");
        let last = &shown[usize::from(LINES_MAX)];
        assert_eq!(last, "script: further lines of this script are left out");
        assert_eq!(lines.last().map(|line| line.level), Some(LineLevel::Notice));
    }

    #[test]
    fn lines_are_written_from_the_wanted_level_on() {
        let written = |loglevel: &str| {
            let all = LineLevel::ALL.iter();
            all.filter(|level| level.is_written_at(loglevel.as_bytes()))
                .count()
        };
        let all = ["debug", "verbose", "notice", "warning", "nothing"].map(written);
        assert_eq!(all, [4, 3, 2, 1, 0]);
    }
}
