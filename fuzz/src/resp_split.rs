//! The same bytes in any pieces are the same requests and the same replies.

use seedis::resp::parse::{Limits, Parser, ProtocolError, Step};
use seedis::resp::value::{Decoded, Decoder, Malformed, Value};

use crate::bytes::Bytes;

/// Reads what follows the cuts at once, byte by byte and in pieces.
///
/// The first byte says how small the limits are and how many cuts there are; each cut is a number
/// of two bytes.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let choice = bytes.byte();
    let limits = Limits {
        authenticated: choice & 0x10 == 0,
        inline_bytes_max: [24, 1 << 16][usize::from(choice >> 7)],
        bulk_bytes_max: [40, 512 << 20][usize::from(choice >> 6 & 1)],
        arguments_max: [12, 1 << 20][usize::from(choice >> 5 & 1)],
    };
    let mut cuts: Vec<usize> = (0..choice & 0xf).map(|_| bytes.wide()).collect();
    let wire = bytes.0;
    for cut in &mut cuts {
        *cut %= wire.len() + 1;
    }
    cuts.sort_unstable();
    let each: Vec<usize> = (0..wire.len().min(512)).collect();
    let (asked, said) = (requests(wire, &[], &limits), replies(wire, &[]));
    for cuts in [&cuts, &each] {
        assert_eq!(requests(wire, cuts, &limits), asked, "requests in pieces");
        assert_eq!(replies(wire, cuts), said, "replies in pieces");
    }
}

/// Calls `take` with ever more of the bytes; it says how many it has used up, or that all is over.
fn feed(wire: &[u8], cuts: &[usize], mut take: impl FnMut(&[u8]) -> Option<usize>) {
    let mut start = 0;
    for end in cuts.iter().copied().chain([wire.len()]) {
        if end < start {
            continue;
        }
        match take(&wire[start..end]) {
            Some(used) => start += used,
            None => return,
        }
    }
}

type Requests = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>, usize);

/// The requests, what was wrong in the end, and how many bytes were used up.
fn requests(wire: &[u8], cuts: &[usize], limits: &Limits) -> Requests {
    let mut parser = Parser::new();
    let (mut found, mut failed, mut total) = (Vec::new(), None, 0);
    feed(wire, cuts, |buffer| {
        let mut used = 0;
        loop {
            let rest = &buffer[used..];
            let consumed = match parser.next(rest, limits) {
                Ok(Step::Incomplete { .. }) => return Some(used),
                Err(error) => {
                    failed = Some(error);
                    return None;
                }
                Ok(Step::Empty { consumed }) => consumed,
                Ok(Step::Request { consumed }) => {
                    let bytes = parser.bytes(rest);
                    let words = parser.arguments().iter();
                    let word =
                        |r: &std::ops::Range<u32>| bytes[r.start as usize..r.end as usize].to_vec();
                    found.push(words.map(word).collect());
                    consumed
                }
            };
            used += consumed;
            total += consumed;
        }
    });
    (found, failed, total)
}

type Replies = (Vec<Value>, Option<Malformed>, usize);

fn replies(wire: &[u8], cuts: &[usize]) -> Replies {
    let mut decoder = Decoder::with_bytes_max(64);
    let (mut found, mut failed, mut total) = (Vec::new(), None, 0);
    feed(wire, cuts, |buffer| {
        let mut used = 0;
        loop {
            match decoder.next(&buffer[used..]) {
                Ok(Decoded::Incomplete { .. }) => return Some(used),
                Err(error) => {
                    failed = Some(error);
                    return None;
                }
                Ok(Decoded::Value { value, consumed }) => {
                    found.push(value);
                    used += consumed;
                    total += consumed;
                }
            }
        }
    });
    (found, failed, total)
}
