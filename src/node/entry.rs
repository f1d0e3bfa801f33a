//! What an entry says: the commands of one turn, one behind the other.
//!
//! A command is its database (one byte), the number of its arguments and each argument behind its
//! length; numbers are LEB128. A transaction is the byte 0xff, the number of its commands, and
//! these.

use alloc::vec::Vec;
use core::ops::Range;

use crate::command::args::Args;

const TRANSACTION: u8 = 0xff;

/// Appends one command.
pub fn put_command(out: &mut Vec<u8>, db: u32, args: Args<'_>) {
    out.push(db as u8);
    put_number(out, args.len() as u64);
    for arg in args.iter() {
        put_number(out, arg.len() as u64);
        out.extend_from_slice(arg);
    }
}

/// Appends the head of a transaction and its commands, as `put_command` wrote them.
pub fn put_transaction(out: &mut Vec<u8>, count: u32, commands: &[u8]) {
    out.push(TRANSACTION);
    put_number(out, u64::from(count));
    out.extend_from_slice(commands);
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What stands next in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A command of this database; its arguments are in the ranges.
    Command {
        /// The database.
        db: u32,
    },
    /// A transaction of so many commands, which follow.
    Transaction {
        /// How many.
        count: u32,
    },
}

/// Reads a payload from front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    payload: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { payload, at: 0 }
    }

    /// The next item; the arguments of a command are put into `ranges`, which point into the
    /// payload. Nothing at the end, and nothing where the payload is not one (its checksum has
    /// vouched for it, so that is our own mistake).
    pub fn next(&mut self, ranges: &mut Vec<Range<u32>>) -> Option<Item> {
        ranges.clear();
        let first = *self.payload.get(self.at)?;
        self.at += 1;
        let count = self.number()?;
        if first == TRANSACTION {
            return Some(Item::Transaction {
                count: u32::try_from(count).ok()?,
            });
        }
        for _ in 0..count {
            let len = self.number()? as usize;
            let end = self
                .at
                .checked_add(len)
                .filter(|end| *end <= self.payload.len())?;
            ranges.push(self.at as u32..end as u32);
            self.at = end;
        }
        Some(Item::Command {
            db: u32::from(first),
        })
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.payload.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_transactions_are_read_as_they_were_written() {
        let long = [b'v'; 300];
        let buffer = [&b"SETkey"[..], &long].concat();
        let ranges = [0..3, 3..6, 6..306];
        let args = Args::new(&buffer, &ranges);
        let mut inner = Vec::new();
        put_command(&mut inner, 3, args);
        let mut payload = Vec::new();
        put_command(&mut payload, 0, args);
        put_transaction(&mut payload, 1, &inner);
        let mut reader = Reader::new(&payload);
        let mut found = Vec::new();
        let mut words = |reader: &mut Reader<'_>| {
            let item = reader.next(&mut found);
            let words: Vec<Vec<u8>> = Args::new(&payload, &found)
                .iter()
                .map(<[u8]>::to_vec)
                .collect();
            (item, words)
        };
        let wanted: Vec<Vec<u8>> = args.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(
            words(&mut reader),
            (Some(Item::Command { db: 0 }), wanted.clone())
        );
        assert_eq!(
            words(&mut reader),
            (Some(Item::Transaction { count: 1 }), Vec::new())
        );
        assert_eq!(words(&mut reader), (Some(Item::Command { db: 3 }), wanted));
        assert_eq!(words(&mut reader).0, None);
    }
}
