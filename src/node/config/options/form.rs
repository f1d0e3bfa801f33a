//! The values that a directive may have, and the one way in which each value is kept and shown.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use crate::command::args::parse_integer;

/// A value out of words, in the one way in which it is shown, or why it is none.
pub type Rule = fn(&[Vec<u8>]) -> Result<Vec<u8>, String>;

/// The form that a directive's value must have.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Any bytes.
    Text,
    /// An integer within bounds, both allowed.
    Integer(i64, i64),
    /// Permissions in octal; 0: none are given.
    Octal,
    /// A size in bytes, with or without a unit.
    Memory,
    /// The same, and no less than so much.
    MemoryFrom(u64),
    /// `yes` or `no`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any number of words without blanks in them.
    Words,
    /// Pairs of seconds and changes, as `save` has them; empty: none. Lines add up.
    Points,
    /// Classes of clients with two sizes and a number of seconds each. Lines add up, by class.
    Limits,
    /// Members as `1=10.0.0.1:16379`, with commas between them.
    Members,
    /// A host and a port.
    Address,
    /// Words with one blank between them, as a rule of its own wants them.
    Ruled(Rule),
    /// Lines of several words that add up: each says something of its own.
    Lines,
}

/// The three classes of `client-output-buffer-limit`, as CONFIG GET shows them.
const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

impl Form {
    /// A value out of the words of a line, in the one way in which CONFIG GET shows it, or Redis's
    /// words for why it is none. `current` is what is set already: some lines add to it.
    pub fn of_words(self, words: &[Vec<u8>], current: &[u8]) -> Result<Vec<u8>, String> {
        if let Self::Ruled(rule) = self {
            return match words {
                [] => Err("wrong number of arguments".into()),
                [one] => {
                    let words = one.split(|byte| *byte == b' ').map(<[u8]>::to_vec);
                    rule(&words.collect::<Vec<_>>())
                }
                words => rule(words),
            };
        }
        let [word] = words else {
            return match self {
                Self::Words | Self::Points | Self::Limits | Self::Lines if !words.is_empty() => {
                    self.of_several(words, current)
                }
                _ => Err("wrong number of arguments".into()),
            };
        };
        match self {
            Self::Text => Ok(word.clone()),
            Self::Integer(least, most) => {
                let number = parse_integer(word);
                let number = number.ok_or("argument couldn't be parsed into an integer")?;
                if (least..=most).contains(&number) {
                    Ok(number.to_string().into_bytes())
                } else {
                    Err(format!(
                        "argument must be between {least} and {most} inclusive"
                    ))
                }
            }
            Self::Octal => octal(word)
                .map(|_| word.clone())
                .ok_or_else(|| "argument must be an octal number from 0 to 777".into()),
            Self::Memory => {
                let bytes = memory(word).ok_or("argument must be a memory value")?;
                Ok(bytes.to_string().into_bytes())
            }
            Self::MemoryFrom(least) => {
                let bytes = memory(word).ok_or("argument must be a memory value")?;
                if bytes < least {
                    let most = i64::MAX;
                    return Err(format!(
                        "argument must be between {least} and {most} inclusive"
                    ));
                }
                Ok(bytes.to_string().into_bytes())
            }
            Self::Switch => {
                choice(&["yes", "no"], word).ok_or_else(|| "argument must be 'yes' or 'no'".into())
            }
            Self::Choice(words) => choice(words, word).ok_or_else(|| {
                let all = words.join(", ");
                format!("argument(s) must be one of the following: {all}")
            }),
            Self::Members => members(word).map(|_| word.clone()),
            Self::Address => address(word).map(|_| word.clone()),
            Self::Words | Self::Points | Self::Limits => self.of_several(&parts(word), current),
            Self::Lines | Self::Ruled(_) => self.of_several(words, current),
        }
    }

    /// The same for a value that comes as one, such as CONFIG SET's or a variable's.
    pub fn of_value(self, value: &[u8], current: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            // What is set at once replaces what was.
            Self::Words | Self::Points => self.of_words(&parts(value), b""),
            Self::Limits => self.of_words(&parts(value), current),
            _ => self.of_words(&[value.to_vec()], current),
        }
    }

    fn of_several(self, words: &[Vec<u8>], current: &[u8]) -> Result<Vec<u8>, String> {
        let is_empty = words.iter().all(|word| word.is_empty());
        match self {
            Self::Points if is_empty => Ok(Vec::new()),
            Self::Points => {
                let number = |word: &Vec<u8>| parse_integer(word).filter(|number| *number >= 0);
                let is_right = words.len().is_multiple_of(2)
                    && words.chunks(2).all(|pair| {
                        number(&pair[0]).is_some_and(|seconds| seconds >= 1)
                            && number(&pair[1]).is_some()
                    });
                if !is_right {
                    return Err("Invalid save parameters: pairs of seconds and changes".into());
                }
                Ok(joined(current, words))
            }
            Self::Limits => limits(words, current),
            Self::Lines => Ok(joined(current, words)),
            _ if is_empty => Ok(Vec::new()),
            _ => {
                let has_blank = |word: &Vec<u8>| word.iter().any(u8::is_ascii_whitespace);
                if words.iter().any(|word| word.is_empty() || has_blank(word)) {
                    return Err("argument must be words without blanks in them".into());
                }
                Ok(joined(b"", words))
            }
        }
    }

    /// The words that stand in a file for a value.
    pub fn to_words(self, value: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Words | Self::Points | Self::Limits | Self::Ruled(_) if !value.is_empty() => {
                parts(value)
            }
            _ => [value.to_vec()].into(),
        }
    }

    /// How a value is named in a list of options.
    pub fn placeholder(self) -> String {
        match self {
            Self::Text => "TEXT".into(),
            Self::Integer(..) => "NUMBER".into(),
            Self::Octal => "OCTAL".into(),
            Self::Memory | Self::MemoryFrom(_) => "SIZE".into(),
            Self::Switch => "yes|no".into(),
            Self::Choice(words) => words.join("|"),
            Self::Words | Self::Lines | Self::Ruled(_) => "WORDS…".into(),
            Self::Points => "SECONDS CHANGES…".into(),
            Self::Limits => "CLASS HARD SOFT SECONDS…".into(),
            Self::Members => "NUMBER=HOST:PORT,…".into(),
            Self::Address => "HOST:PORT".into(),
        }
    }
}

/// The parts of a value between blanks; one empty part where there is nothing.
fn parts(value: &[u8]) -> Vec<Vec<u8>> {
    let parts = value.split(u8::is_ascii_whitespace);
    let parts: Vec<Vec<u8>> = parts
        .filter(|part| !part.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    if parts.is_empty() {
        [Vec::new()].into()
    } else {
        parts
    }
}

fn joined(current: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
    let mut all = current.to_vec();
    for word in words {
        if !all.is_empty() {
            all.push(b' ');
        }
        all.extend_from_slice(word);
    }
    all
}

fn choice(words: &[&str], given: &[u8]) -> Option<Vec<u8>> {
    let found = words
        .iter()
        .find(|word| word.as_bytes().eq_ignore_ascii_case(given));
    found.map(|word| word.as_bytes().to_vec())
}

/// Permissions, out of their octal digits.
pub fn octal(text: &[u8]) -> Option<u32> {
    let is_octal = !text.is_empty() && text.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let text = core::str::from_utf8(text).ok().filter(|_| is_octal)?;
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
}

/// A size such as `64mb`, in bytes.
pub fn memory(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        // As in Redis.
        return Some(0);
    }
    let digits = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number = core::str::from_utf8(number).ok()?;
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A host and a port that can be dialled, such as `10.0.0.1:16379`. The error says what is wrong.
pub fn address(text: &[u8]) -> Result<String, String> {
    let text =
        core::str::from_utf8(text).map_err(|_| "an address must be plain text".to_string())?;
    let wrong = |why: &str| Err(format!("'{text}' {why}"));
    let Some((host, port)) = text.rsplit_once(':') else {
        return wrong("has no port: write host:port, such as 10.0.0.1:16379 or [::1]:16379");
    };
    if text.contains('%') {
        return wrong(
            "has a zone id, which means something on one machine only: give an address without one \
             (global, or unique local: fd00::/8)",
        );
    }
    if !port.parse().is_ok_and(|port: u16| port > 0) {
        return wrong("has no port from 1 to 65535 after its last colon");
    }
    if let Some(inner) = host.strip_prefix('[') {
        let is_whole = inner
            .strip_suffix(']')
            .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
        return if is_whole {
            Ok(text.to_owned())
        } else {
            wrong("has no IPv6 address between its brackets")
        };
    }
    if host.contains(':') {
        return wrong("is an IPv6 address without brackets: write [address]:port");
    }
    if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("has no host");
    }
    Ok(text.to_owned())
}

/// Members such as `1=10.0.0.1:16379`, their numbers and addresses.
pub fn members(text: &[u8]) -> Result<Vec<(u64, String)>, String> {
    let text = core::str::from_utf8(text).map_err(|_| "members must be plain text".to_string())?;
    let members = text.split(',').map(|member| {
        let parsed = member.split_once('=').and_then(|(id, found)| {
            let id = id.trim().parse().ok().filter(|id| *id > 0)?;
            Some((id, found.trim()))
        });
        let (id, found) =
            parsed.ok_or_else(|| format!("'{member}' is not a member such as 1=10.0.0.1:16379"))?;
        Ok((id, address(found.as_bytes())?))
    });
    members.collect()
}

/// The limits of the three classes, after some of them are set anew.
fn limits(words: &[Vec<u8>], current: &[u8]) -> Result<Vec<u8>, String> {
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut all = parts(current);
    for given in words.chunks(4) {
        let class = match given[0].to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => {
                return Err("Invalid client class specified in buffer limit configuration.".into());
            }
        };
        let seconds = parse_integer(&given[3]).filter(|seconds| (0..=i64::MAX).contains(seconds));
        let (Some(hard), Some(soft), Some(seconds)) =
            (memory(&given[1]), memory(&given[2]), seconds)
        else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.".into(),
            );
        };
        let numbers = [hard, soft, seconds.unsigned_abs()];
        for (at, number) in (class * 4 + 1..).zip(numbers) {
            if let Some(place) = all.get_mut(at) {
                *place = number.to_string().into_bytes();
            }
        }
    }
    debug_assert!(
        all.len() == 4 * CLASSES.len(),
        "three classes of four words"
    );
    Ok(joined(b"", &all))
}
