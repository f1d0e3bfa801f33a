//! A history as text: one operation a line, for files and for people.
//!
//! ```text
//! c7 1024 1090 0 "k1" set "a" = OK
//! c8 1030 1044 0 "sums" "k1" add 1 = 3
//! c9 1100 - 1 "x" get; 1 "y" set "5"
//! ```
//!
//! The connection; when it was asked and when the answer came (`-`: never); then the steps, each
//! with its database, key and, in a hash, field, with what was done and what was answered. An empty
//! line and one that begins with `#` say nothing.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::{Action, Cell, Operation, Reply};

/// A history as lines.
pub fn written(history: &[Operation]) -> String {
    history.iter().fold(String::new(), |mut text, operation| {
        let _ = writeln!(text, "{operation}");
        text
    })
}

/// A history out of lines, in the order in which it was asked. An error names its line.
pub fn parse(text: &str) -> Result<Vec<Operation>, String> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let history = lines.map(|(number, line)| {
        let wrong = |why| format!("line {number}: {why}");
        line.parse::<Operation>().map_err(wrong)
    });
    let mut history = history.collect::<Result<Vec<_>, _>>()?;
    history.sort_by_key(|operation| operation.asked);
    Ok(history)
}

/// Bytes in quotes.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => f.write_str("get"),
            Self::Set(value) => write!(f, "set {}", Quoted(value)),
            Self::GetSet(value) => write!(f, "getset {}", Quoted(value)),
            Self::Delete => f.write_str("delete"),
            Self::Add(by) => write!(f, "add {by}"),
            Self::Put(value) => write!(f, "put {}", Quoted(value)),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("OK"),
            Self::Nothing => f.write_str("nothing"),
            Self::Value(value) => write!(f, "{}", Quoted(value)),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{} {} ", self.conn, self.asked)?;
        match &self.answered {
            Some((at, _)) => write!(f, "{at}")?,
            None => f.write_str("-")?,
        }
        for (place, ((db, key, field), action)) in self.steps.iter().enumerate() {
            let end = if place > 0 { ";" } else { "" };
            write!(f, "{end} {db} {} ", Quoted(key))?;
            if !field.is_empty() {
                write!(f, "{} ", Quoted(field))?;
            }
            write!(f, "{action}")?;
            if let Some((_, replies)) = &self.answered {
                write!(f, " = {}", replies[place])?;
            }
        }
        Ok(())
    }
}

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Bare(String),
    Quoted(Vec<u8>),
    /// The end of a step that another follows.
    Semicolon,
}

/// The words of a line.
fn words(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ';' => {
                words.push(Word::Semicolon);
                1
            }
            '"' => {
                let (bytes, length) = quoted(&rest.as_bytes()[1..])?;
                words.push(Word::Quoted(bytes));
                length + 1
            }
            _ => {
                let is_end = |letter: char| letter.is_whitespace() || letter == ';';
                let length = rest.find(is_end).unwrap_or(rest.len());
                words.push(Word::Bare(rest[..length].to_owned()));
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

/// The bytes of a text in quotes.
pub(crate) fn unescaped(text: &[u8]) -> Result<Vec<u8>, String> {
    let (bytes, length) = quoted(&[text, b"\""].concat())?;
    if length == text.len() + 1 {
        Ok(bytes)
    } else {
        Err("a quote in the middle of a word".to_owned())
    }
}

/// The bytes up to the closing quote, and how long that was.
fn quoted(text: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let (mut bytes, mut at) = (Vec::new(), 0);
    loop {
        match text.get(at..) {
            Some([b'"', ..]) => return Ok((bytes, at + 1)),
            Some([b'\\', b'x', high, low, ..]) => {
                let digit = |letter: &u8| char::from(*letter).to_digit(16);
                let byte = digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| high << 4 | low);
                bytes.push(byte.ok_or("\\x needs two hexadecimal digits")? as u8);
                at += 4;
            }
            Some([b'\\', escaped, ..]) => {
                bytes.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'"' | b'\'' | b'\\' => *escaped,
                    _ => return Err(format!("unknown escape \\{}", char::from(*escaped))),
                });
                at += 2;
            }
            Some([byte, _, ..]) if byte.is_ascii() => {
                bytes.push(*byte);
                at += 1;
            }
            Some([byte, ..]) if !byte.is_ascii() => {
                return Err("write a byte beyond ASCII as \\xNN".to_owned());
            }
            _ => return Err("a quote is not closed".to_owned()),
        }
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = Words(words(line)?.into_iter().peekable());
        let conn = words.bare("a connection")?;
        let conn = conn.strip_prefix('c').and_then(|text| text.parse().ok());
        let conn = conn.ok_or("a line begins with a connection such as c7")?;
        let asked = number(&words.bare("a time")?)?;
        let end = match &words.bare("a time, or -")?[..] {
            "-" => None,
            time => Some(number(time)?),
        };
        if end.is_some_and(|end: u64| end < asked) {
            return Err("it is answered before it is asked".to_owned());
        }
        let (mut steps, mut replies) = (Vec::new(), Vec::new());
        loop {
            let (step, reply) = words.step()?;
            steps.push(step);
            replies.extend(reply);
            match words.0.next() {
                None => break,
                Some(Word::Semicolon) => {}
                Some(word) => return Err(format!("{word:?} follows a step")),
            }
        }
        let wanted = if end.is_some() { steps.len() } else { 0 };
        if replies.len() != wanted {
            let (count, steps) = (replies.len(), steps.len());
            return Err(format!(
                "{count} answers to {steps} steps, answered: {end:?}"
            ));
        }
        Ok(Self {
            conn,
            asked,
            answered: end.map(|end| (end, replies)),
            steps,
        })
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

/// The words that are left.
struct Words(std::iter::Peekable<std::vec::IntoIter<Word>>);

impl Words {
    fn bare(&mut self, what: &str) -> Result<String, String> {
        match self.0.next() {
            Some(Word::Bare(text)) => Ok(text),
            other => Err(format!("{what} is missing, there is {other:?}")),
        }
    }

    fn quoted(&mut self, what: &str) -> Result<Vec<u8>, String> {
        match self.0.next() {
            Some(Word::Quoted(bytes)) => Ok(bytes),
            other => Err(format!("{what} in quotes is missing, there is {other:?}")),
        }
    }

    fn step(&mut self) -> Result<((Cell, Action), Option<Reply>), String> {
        let db = number(&self.bare("a database")?)?;
        let key = self.quoted("a key")?;
        let has_field = matches!(self.0.peek(), Some(Word::Quoted(_)));
        let field = if has_field {
            self.quoted("a field")?
        } else {
            Vec::new()
        };
        let action = match &self.bare("an action")?[..] {
            "get" => Action::Get,
            "set" => Action::Set(self.quoted("a value")?),
            "getset" => Action::GetSet(self.quoted("a value")?),
            "delete" => Action::Delete,
            "add" => Action::Add(number(&self.bare("a number")?)?),
            "put" => Action::Put(self.quoted("a value")?),
            other => return Err(format!("unknown: {other}")),
        };
        let is_answered = self.0.next_if_eq(&Word::Bare("=".to_owned())).is_some();
        let reply = match is_answered.then(|| self.0.next()) {
            None => None,
            Some(Some(Word::Quoted(bytes))) => Some(Reply::Value(bytes)),
            Some(Some(Word::Bare(text))) => Some(match &text[..] {
                "OK" => Reply::Done,
                "nothing" => Reply::Nothing,
                text => Reply::Number(number(text)?),
            }),
            Some(other) => return Err(format!("an answer is missing, there is {other:?}")),
        };
        Ok((((db, key, field), action), reply))
    }
}
