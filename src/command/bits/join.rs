//! BITOP: strings joined bit by bit into a new one, piece by piece on the side.

use alloc::boxed::Box;
use core::mem;

use super::place::{BYTES_PER_STEP, PIECE_BYTES};
use crate::command::args::Args;
use crate::command::bit_work::Joining;
use crate::command::context::Change;
use crate::command::error::{Error, Outcome};
use crate::command::pace::{Kept, Pace};
use crate::store::{DbId, Store, Text};
use crate::time::Stamp;

/// How bits are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    And,
    Or,
    Xor,
    Not,
}

impl How {
    fn read(args: Args<'_>) -> Result<Self, Error> {
        let how = match () {
            () if args.is(1, "and") => Self::And,
            () if args.is(1, "or") => Self::Or,
            () if args.is(1, "xor") => Self::Xor,
            () if args.is(1, "not") => Self::Not,
            () => return Err(Error::SYNTAX),
        };
        if how == Self::Not && args.len() != 4 {
            return Err(Error::NOT_OF_MANY);
        }
        Ok(how)
    }

    /// Joins bytes into others of the same number.
    fn join(self, into: &mut [u8], bytes: &[u8]) {
        let pairs = into.iter_mut().zip(bytes);
        match self {
            Self::And => pairs.for_each(|(into, byte)| *into &= byte),
            Self::Or => pairs.for_each(|(into, byte)| *into |= byte),
            Self::Xor => pairs.for_each(|(into, byte)| *into ^= byte),
            Self::Not => pairs.for_each(|(into, byte)| *into = !byte),
        }
    }
}

/// The strings that are joined.
struct Sources<'a> {
    how: How,
    keys: Args<'a>,
    store: &'a Store,
    db: DbId,
    at: Stamp,
}

impl<'a> Sources<'a> {
    /// The string at a key; an absent one is empty.
    fn text(&self, nth: usize) -> Result<Text<'a>, Error> {
        let found = self.store.text(self.db, self.keys.at(nth), self.at)?;
        Ok(found.unwrap_or(Text::Bytes(b"")))
    }

    /// Goes on as far as the pace allows.
    fn run(&self, pace: &mut Pace, own: &mut Joining) -> Outcome {
        while own.looked < self.keys.len() {
            pace.step(0, 1)?;
            own.longest = own.longest.max(self.text(own.looked)?.len());
            own.looked += 1;
        }
        while own.made.len() < own.longest {
            let from = own.made.len();
            let bytes = PIECE_BYTES.min(own.longest - from);
            while own.next < self.keys.len() {
                pace.step(0, 1 + bytes / BYTES_PER_STEP)?;
                self.join(own, from, bytes)?;
                own.next += 1;
            }
            own.made.push(&own.piece);
            own.next = 0;
        }
        Ok(())
    }

    /// Joins one more source into the piece that begins at `from`.
    fn join(&self, own: &mut Joining, from: usize, bytes: usize) -> Outcome {
        let text = self.text(own.next)?;
        let len = text.len();
        let end = (from + bytes).min(len);
        let how = if own.next == 0 && self.how != How::Not {
            // The first one is taken as it is.
            How::Or
        } else {
            self.how
        };
        if own.next == 0 {
            own.piece.clear();
            own.piece.resize(bytes, 0);
        }
        let mut rest = &mut own.piece[..];
        if from < end {
            text.for_each_piece_of(from..end, &mut |piece| {
                let (front, behind) = mem::take(&mut rest).split_at_mut(piece.len());
                how.join(front, piece);
                rest = behind;
            });
        }
        // Behind its end it goes on with zeros.
        match how {
            How::And => rest.fill(0),
            How::Or | How::Xor | How::Not => {}
        }
        Ok(())
    }
}

pub(super) fn bitop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let sources = Sources {
        how: How::read(args)?,
        keys: args.from(3),
        store: &*change.store,
        db: change.db,
        at: change.at,
    };
    let mut own = match mem::take(&mut change.pace.kept) {
        Kept::Joining(own) => own,
        _ => Box::default(),
    };
    let done = sources.run(change.pace, &mut own);
    let own = change.pace.keep(Kept::Joining, done, own)?;
    change.reply.integer(own.longest as i64);
    change
        .store
        .put_text(change.db, args.at(2), own.made, change.at);
    Ok(())
}
