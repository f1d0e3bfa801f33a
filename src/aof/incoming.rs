//! A base that comes from a peer: the bytes of its file, in order, in pieces of any length. Every
//! record is checked against the place where it stood there.

use super::reader::Reader;
use super::record::{self, Found, Position};
use super::rewriting;

/// A part of a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// At which entry it stands, in its owner's own encoding.
    Head(&'a [u8]),
    /// Some of the state.
    State(&'a [u8]),
}

/// The bytes are no base: damaged on their way, or written by a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoBase {
    /// The offset in the file, in bytes.
    pub offset: u64,
}

/// A base on its way.
#[derive(Clone, Debug)]
pub struct Incoming {
    number: u64,
    reader: Reader,
    has_head: bool,
    ended: bool,
}

impl Incoming {
    /// A base that has this number where it comes from.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            reader: Reader::default(),
            has_head: false,
            ended: false,
        }
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.reader.start + self.reader.buffer.len() as u64
    }

    /// Returns true if the whole base has come.
    pub fn is_whole(&self) -> bool {
        self.ended
    }

    /// Takes the next bytes, and shows what became whole by them.
    ///
    /// # Errors
    ///
    /// Errors if a record is invalid, if the first is not a head, or if bytes follow the end.
    pub fn take(&mut self, bytes: &[u8], show: &mut dyn FnMut(Piece<'_>)) -> Result<(), NoBase> {
        if !bytes.is_empty() {
            self.reader.take_in(bytes);
        }
        loop {
            let offset = self.reader.offset();
            let place = Position::in_base(self.number, offset);
            let unused = self.reader.unused();
            if unused.is_empty() {
                return Ok(());
            }
            let found = if self.ended {
                Found::Nothing
            } else {
                record::find(unused, place)
            };
            let Found::Record {
                payload, length, ..
            } = found
            else {
                let partial = matches!(found, Found::Partial(_));
                return if partial {
                    Ok(())
                } else {
                    Err(NoBase { offset })
                };
            };
            match payload.split_first() {
                Some((&rewriting::HEAD, head)) if !self.has_head => {
                    self.has_head = true;
                    show(Piece::Head(head));
                }
                Some((&rewriting::PIECE, piece)) if self.has_head => show(Piece::State(piece)),
                Some((&rewriting::FOOTER, _)) if self.has_head => self.ended = true,
                _ => return Err(NoBase { offset }),
            }
            self.reader.used += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn base(number: u64, pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in pieces {
            let place = Position::in_base(number, bytes.len() as u64);
            record::put(&mut bytes, place, &[piece]);
        }
        bytes
    }

    fn take_all(number: u64, bytes: &[u8], step: usize) -> Result<(Vec<Vec<u8>>, bool), NoBase> {
        let mut incoming = Incoming::new(number);
        let mut seen = Vec::new();
        for part in bytes.chunks(step) {
            incoming.take(part, &mut |piece| match piece {
                Piece::Head(bytes) => seen.push([b"head ", bytes].concat()),
                Piece::State(bytes) => seen.push(bytes.to_vec()),
            })?;
        }
        assert_eq!(incoming.received(), bytes.len() as u64);
        Ok((seen, incoming.is_whole()))
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_comes_out(step in 1_usize..200) {
            let bytes = base(3, &[b"h1", b"psome", b"pmore", b"e"]);
            let seen = [&b"head 1"[..], b"some", b"more"].map(<[u8]>::to_vec).to_vec();
            prop_assert_eq!(take_all(3, &bytes, step), Ok((seen, true)));
        }

        #[test]
        fn what_is_cut_short_is_not_whole_and_what_is_damaged_is_none(at: prop::sample::Index) {
            let bytes = base(3, &[b"h1", b"psome", b"pmore", b"e"]);
            let at = at.index(bytes.len());
            let cut = take_all(3, &bytes[..at], 16);
            prop_assert!(cut.is_ok_and(|(_, whole)| !whole));
            let mut damaged = bytes;
            damaged[at] ^= 1;
            let taken = take_all(3, &damaged, 16);
            // A damaged length may ask for more than there is.
            prop_assert!(taken.is_err() || taken.is_ok_and(|(_, whole)| !whole));
        }
    }

    #[test]
    fn strangers_are_refused() {
        let whole = base(3, &[b"h1", b"e"]);
        assert!(take_all(4, &whole, 64).is_err(), "another number");
        for pieces in [
            &[&b"psome"[..]][..],
            &[b"h1", b"h1"],
            &[b"h1", b"x"],
            &[b"h1", b"e", b"psome"],
            &[b""],
        ] {
            assert!(take_all(3, &base(3, pieces), 64).is_err(), "{pieces:?}");
        }
    }
}
