//! Commands as clients type them, run on a store, and the replies that Redis gives to the same.

mod any;
mod cuts;
mod hashes;
mod keys;
mod rows;
mod sets;
mod strings;

use core::ops::Range;

use super::args::Args;
use super::context::{Change, Dice, Query};
use super::error::Error;
use super::pace::Pace;
use super::row::{Kind, Row};
use super::table;
use crate::resp::reply::{Protocol, Reply};
use crate::store::{Store, Tables};
use crate::time::{Offset, Stamp};

/// A store with somebody who types.
struct Desk {
    store: Store,
    db: u32,
    /// Replicated time, which writes and reads are given.
    at: Stamp,
    /// The leader's clock, which reads are given.
    clock: Stamp,
    /// How far the wall clock is ahead.
    offset: Offset,
    protocol: Protocol,
    typed: u64,
    /// The work of one piece of a command.
    piece: usize,
}

/// The words of a line: parted by spaces, or in quotation marks with `\r`, `\n`, `\0` and `\"`.
fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start().chars().peekable();
    while let Some(first) = rest.next() {
        let mut word = String::new();
        if first == '"' {
            while let Some(letter) = rest.next().filter(|letter| *letter != '"') {
                word.push(match letter {
                    '\\' => match rest.next() {
                        Some('r') => '\r',
                        Some('n') => '\n',
                        Some('0') => '\0',
                        other => other.unwrap_or('\\'),
                    },
                    letter => letter,
                });
            }
        } else {
            word.push(first);
            while let Some(letter) = rest.next_if(|letter| *letter != ' ') {
                word.push(letter);
            }
        }
        while rest.next_if_eq(&' ').is_some() {}
        words.push(word.into_bytes());
    }
    words
}

impl Desk {
    fn new(protocol: Protocol) -> Self {
        let now = Stamp(1_000_000);
        Self {
            store: Store::new(Tables::new(Some(7))),
            db: 0,
            at: now,
            clock: now,
            offset: Offset(0),
            protocol,
            typed: 0,
            piece: usize::MAX,
        }
    }

    /// Both clocks go on by so many milliseconds.
    fn pass(&mut self, millis: u64) {
        self.clock.0 += millis;
        self.at = self.clock;
    }

    /// Runs one request; its reply as it is on the wire, or nothing where it is due.
    fn answer(&mut self, words: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut buffer: Vec<u8> = Vec::new();
        let mut ranges: Vec<Range<u32>> = Vec::new();
        for word in words {
            let start = buffer.len() as u32;
            buffer.extend_from_slice(word);
            ranges.push(start..buffer.len() as u32);
        }
        let args = Args::new(&buffer, &ranges);
        let row = table::find(args.name()).expect("a command of the table");
        let row = match table::called(row, args) {
            Ok(row) => row,
            Err(error) => return Some(self.error(&error)),
        };
        self.typed += 1;
        let mut out = Vec::new();
        let mut pace = Pace::default();
        let outcome = loop {
            pace.allow(self.piece);
            match self.piece_of(row, args, &mut pace, &mut out) {
                Err(Error::Unfinished) => assert!(pace.is_cut(), "{} says where", row.name),
                outcome => break outcome,
            }
        };
        match outcome {
            Ok(()) | Err(Error::Nothing) => {}
            Err(Error::Due) => return None,
            Err(Error::Unfinished) => unreachable!("it was called until it was not"),
            Err(error) => return Some(self.error(&error)),
        }
        Some(out)
    }

    /// An error as a reply.
    fn error(&self, error: &Error) -> Vec<u8> {
        let mut out = Vec::new();
        if let Error::Reply(text) = error {
            Reply::new(&mut out, self.protocol).error_bytes(text);
        }
        out
    }

    /// One piece of a command.
    fn piece_of(
        &mut self,
        row: &Row,
        args: Args<'_>,
        pace: &mut Pace,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if !row.takes(args.len()) {
            return Err(Error::arity(row.name));
        }
        let dice = Dice::new(self.typed, 0);
        let reply = Reply::new(out, self.protocol);
        let (db, at, clock, offset) = (self.db, self.at, self.clock, self.offset);
        match row.kind {
            Kind::Read(run) => {
                let store = &self.store;
                run(
                    &mut Query {
                        store,
                        db,
                        at,
                        offset,
                        clock,
                        dice,
                        reply,
                        pace,
                    },
                    args,
                )
            }
            Kind::Write(run) => {
                let store = &mut self.store;
                run(
                    &mut Change {
                        store,
                        db,
                        at,
                        offset,
                        dice,
                        reply,
                        pace,
                    },
                    args,
                )
            }
            Kind::Container => Err(Error::arity(row.name)),
            Kind::Session(_) | Kind::Server(_) | Kind::Script(_) => {
                panic!("{} is not run here", row.name)
            }
        }
    }

    /// Runs one request; its reply with a space for each line's end, or `due`.
    fn run(&mut self, line: &str) -> String {
        let Some(reply) = self.answer(&words(line)) else {
            return "due".into();
        };
        let text = String::from_utf8_lossy(&reply).replace("\r\n", " ");
        text.trim_end().into()
    }

    /// Runs lines of a request, `=>` and its reply.
    fn check(&mut self, script: &str) {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (request, wanted) = line.split_once("=>").expect("a request => its reply");
            assert_eq!(self.run(request.trim()), wanted.trim(), "{line}");
        }
    }
}

/// Runs a script on an empty store, in RESP2.
fn check(script: &str) {
    check_in_pieces(Protocol::Resp2, script);
}

/// Runs a script on an empty store, in RESP3.
fn check3(script: &str) {
    check_in_pieces(Protocol::Resp3, script);
}

/// Each command whole, and again with a cut wherever one may be.
fn check_in_pieces(protocol: Protocol, script: &str) {
    for piece in [usize::MAX, 1, 3] {
        let mut desk = Desk::new(protocol);
        desk.piece = piece;
        desk.check(script);
    }
}
