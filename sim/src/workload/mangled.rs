//! Valid requests of which some bytes are replaced, removed, doubled or cut off; and what is left
//! of them by a plain reading of the protocol, which shares no code with the server's.

use seedis::command::table;

use super::grammar::Wishes;
use super::{Piece, Request, Workload};
use crate::client::Batch;
use crate::draws::Dice;
use crate::model::{self, Class};

/// The commands that are mangled: the model knows what they do with any words, and no number in
/// them can ask for more than a little.
const NAMES: [&str; 30] = [
    "append", "copy", "del", "echo", "exists", "expire", "get", "getrange", "hget", "hgetall",
    "hset", "incr", "keys", "llen", "lpop", "lpush", "lrange", "mget", "mset", "object", "ping",
    "rename", "sadd", "set", "setnx", "smembers", "strlen", "ttl", "type", "zadd",
];
/// The bytes that mean something.
const TELLING: &[u8] = b"\r\n\0$*:+-\"'\\ 0129";
/// The longest line that announces a number, and the longest inline request.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The requests that stand at the start of some bytes, each with its end, and what follows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) requests: Vec<(Request, usize)>,
    pub(crate) rest: Rest,
}

/// The bytes behind the last whole request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// None, or the start of a request.
    Start,
    /// No request. The complaint about it is empty where the connection ends without one.
    Wrong(String),
}

/// Reads bytes as Redis does.
pub(crate) fn read(bytes: &[u8]) -> Reading {
    let (mut requests, mut at) = (Vec::new(), 0);
    let rest = loop {
        let rest = &bytes[at..];
        let found = match rest.first() {
            None => break Rest::Start,
            Some(b'*') => array(rest),
            Some(_) => inline(rest),
        };
        match found {
            Err(rest) => break rest,
            Ok((words, len)) => {
                at += len;
                let name = words.first().map(|name| name.to_ascii_lowercase());
                match name.as_deref() {
                    None => {}
                    Some(b"post" | b"host:") => break Rest::Wrong(String::new()),
                    Some(name) => {
                        let ends = name == b"quit";
                        requests.push((words, at));
                        if ends {
                            break Rest::Start;
                        }
                    }
                }
            }
        }
    };
    Reading { requests, rest }
}

fn wrong(what: &str) -> Rest {
    Rest::Wrong(format!("ERR Protocol error: {what}"))
}

/// The end of the line at the start of `bytes`, if it has come.
fn line(bytes: &[u8], end: u8, too_long: &str) -> Result<usize, Rest> {
    // Behind a NUL nothing is seen.
    let seen = bytes.iter().position(|byte| *byte == end || *byte == 0);
    match seen.filter(|at| bytes[*at] == end && *at <= LINE_BYTES_MAX) {
        Some(at) => Ok(at),
        None if bytes.len() > LINE_BYTES_MAX => Err(wrong(too_long)),
        None => Err(Rest::Start),
    }
}

/// A number without a plus sign, a leading zero or a blank.
fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn array(bytes: &[u8]) -> Result<(Request, usize), Rest> {
    let end = line(bytes, b'\r', "too big mbulk count string")?;
    if end + 1 == bytes.len() {
        return Err(Rest::Start);
    }
    let count = number(&bytes[1..end]).filter(|count| *count <= 1 << 20);
    let count = count.ok_or_else(|| wrong("invalid multibulk length"))?;
    let (mut words, mut at) = (Vec::new(), end + 2);
    for _ in 0..count {
        let rest = &bytes[at..];
        let end = line(rest, b'\r', "too big bulk count string")?;
        if end + 1 == rest.len() {
            return Err(Rest::Start);
        }
        if rest[0] != b'$' {
            let got = char::from(rest[0]);
            let got = if matches!(got, '\r' | '\n') { ' ' } else { got };
            return Err(wrong(&format!("expected '$', got '{got}'")));
        }
        let len = number(&rest[1..end]).filter(|len| (0..=512 << 20).contains(len));
        let len = len.ok_or_else(|| wrong("invalid bulk length"))? as usize;
        let start = end + 2;
        // The two bytes behind it may be any.
        let word = rest.get(start..start + len).ok_or(Rest::Start)?;
        if rest.len() < start + len + 2 {
            return Err(Rest::Start);
        }
        words.push(word.to_vec());
        at += start + len + 2;
    }
    Ok((words, at))
}

fn inline(bytes: &[u8]) -> Result<(Request, usize), Rest> {
    let end = line(bytes, b'\n', "too big inline request")?;
    let text = &bytes[..end];
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let words = quoted(text).ok_or_else(|| wrong("unbalanced quotes in request"))?;
    Ok((words, end + 1))
}

/// The words of a line; nothing where a quote does not close, or does not end its word.
fn quoted(text: &[u8]) -> Option<Request> {
    let is_blank = |byte: u8| byte == b' ' || (b'\t'..=b'\r').contains(&byte);
    let (mut words, mut at) = (Vec::new(), 0);
    loop {
        while text.get(at).is_some_and(|byte| is_blank(*byte)) {
            at += 1;
        }
        if at == text.len() {
            return Some(words);
        }
        let mut word = Vec::new();
        // A vertical tab or a form feed ends no word.
        while let Some(byte) = text.get(at).filter(|byte| !b" \n\r\t".contains(byte)) {
            at += 1;
            if !b"\"'".contains(byte) {
                word.push(*byte);
                continue;
            }
            at = unquoted(text, at, *byte, &mut word)?;
            if text.get(at).is_some_and(|byte| !is_blank(*byte)) {
                return None;
            }
            break;
        }
        words.push(word);
    }
}

/// Reads what stands in quotes; the place behind them.
fn unquoted(text: &[u8], mut at: usize, quote: u8, word: &mut Vec<u8>) -> Option<usize> {
    loop {
        let rest = &text[at..];
        let hex = |place: usize| char::from(*rest.get(place)?).to_digit(16);
        match (rest.first()?, rest.get(1)) {
            (byte, _) if *byte == quote => return Some(at + 1),
            (b'\\', Some(b'\'')) if quote == b'\'' => {
                word.push(b'\'');
                at += 2;
            }
            (b'\\', Some(b'x')) if quote == b'"' && hex(2).is_some() && hex(3).is_some() => {
                word.push((hex(2)? * 16 + hex(3)?) as u8);
                at += 4;
            }
            (b'\\', Some(escaped)) if quote == b'"' => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                at += 2;
            }
            (byte, _) => {
                word.push(*byte);
                at += 1;
            }
        }
    }
}

impl Workload {
    /// A pipeline that is valid but for a few bytes. Behind it the client sends nothing.
    pub(super) fn mangled(&self, dice: &mut Dice) -> Piece {
        loop {
            let mut batch = Batch::default();
            for _ in 0..dice.within(1, 5) {
                let mut request = self.request_to_mangle(dice);
                if dice.permille(300) {
                    break_a_line(&mut request, dice);
                }
                batch.push(Piece::Request(request));
            }
            let mut bytes = batch.bytes;
            for _ in 0..*dice.pick(&[1, 1, 1, 2, 3]) {
                mangle(&mut bytes, dice);
            }
            let Reading { requests, rest } = read(&bytes);
            let is_told = match rest {
                Rest::Start => true,
                Rest::Wrong(complaint) => complaint.is_ascii(),
            };
            if is_told && requests.iter().all(|(words, _)| is_harmless(words)) {
                return Piece::Mangled(bytes);
            }
        }
    }

    fn request_to_mangle(&self, dice: &mut Dice) -> Request {
        let name = dice.pick(&NAMES);
        match table::find(name.as_bytes()) {
            Some(row) => {
                let wishes = Wishes {
                    names: "k",
                    key: None,
                };
                self.request(row, wishes, dice)
            }
            None => vec![name.as_bytes().to_vec()],
        }
    }
}

/// Returns true if the model knows what becomes of a request, or that nothing does.
fn is_harmless(words: &Request) -> bool {
    model::find(&words[0]).is_none_or(|row| {
        matches!(row.class, Class::Read | Class::Write) && NAMES.contains(&row.name)
    })
}

/// Puts a line break into a word, and what would be a reply if the word's reply ended there.
pub(super) fn break_a_line(request: &mut Request, dice: &mut Dice) {
    let breaks: [&[u8]; 6] = [
        b"\r\n",
        b"\r",
        b"\n",
        b"\r\n+OK\r\n",
        b"\n-ERR x\r\n",
        b"\r\n$-1\r\n",
    ];
    let place = dice.below(request.len() as u64) as usize;
    let word = &mut request[place];
    let at = dice.below(word.len() as u64 + 1) as usize;
    word.splice(at..at, dice.pick::<&[u8]>(&breaks).iter().copied());
}

/// Replaces, removes, doubles, adds or cuts off.
fn mangle(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len() as u64) as usize;
    let new = if dice.permille(700) {
        *dice.pick(TELLING)
    } else {
        dice.below(256) as u8
    };
    match dice.below(10) {
        0..=3 => bytes[at] = new,
        4..=5 => drop(bytes.remove(at)),
        6 => bytes.insert(at, bytes[at]),
        7..=8 => bytes.insert(at, new),
        _ => bytes.truncate(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> (Vec<Vec<&'static str>>, Rest) {
        let Reading { requests, rest } = read(bytes);
        let text = |word: &Vec<u8>| &*String::from_utf8_lossy(word).into_owned().leak();
        let words = requests
            .iter()
            .map(|(words, _)| words.iter().map(text).collect());
        (words.collect(), rest)
    }

    #[test]
    fn what_is_left_of_mangled_requests_is_told() {
        let complains = |text: &str| wrong(text);
        let get = || vec!["GET", "k"];
        assert_eq!(
            found(b"*2\r\n$3\r\nGET\r\n$1\r\nkxx*0\r\n"),
            (vec![get()], Rest::Start)
        );
        assert_eq!(
            found(b"GET 'k'\r\n\r\nGET \"k\""),
            (vec![get()], Rest::Start)
        );
        assert_eq!(
            found(b"GET \"k\n"),
            (vec![], complains("unbalanced quotes in request"))
        );
        let got = complains("expected '$', got ' '");
        assert_eq!(found(b"*1\r\n\r\n"), (vec![], got));
        assert_eq!(
            found(b"*01\r\n"),
            (vec![], complains("invalid multibulk length"))
        );
        assert_eq!(
            found(b"*1\r\n$-1\r\n"),
            (vec![], complains("invalid bulk length"))
        );
        assert_eq!(found(b"GET k\0\n"), (vec![], Rest::Start));
        assert_eq!(
            found(b"POST /\r\nGET k\r\n"),
            (vec![], Rest::Wrong(String::new()))
        );
    }
}
