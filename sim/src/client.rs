//! A client: it connects, asks in pipelines, reads at its own pace, and goes away when it likes.

use std::collections::VecDeque;

use crate::draws::Dice;
use crate::model::waits::{may_wait, timeout_of};
use crate::wire::{self, Decoder};
use crate::workload::{Piece, Request, Workload};

/// One client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) workload: Workload,
    /// Its present connection.
    pub(crate) conn: Option<u64>,
    pub(crate) decoder: Decoder,
    /// Requests whose replies have not come; nothing stands for garbage.
    pub(crate) pending: VecDeque<Option<Request>>,
    /// When it last had reason to hope: an answer came, or nothing was pending.
    pub(crate) heard: u64,
    /// It has sent what ends the conversation and waits for the end.
    pub(crate) leaving: bool,
    /// The member to which it connects where nobody has sent it anywhere, in a script.
    pub(crate) usual: usize,
    /// The member to which it was sent.
    pub(crate) hint: Option<usize>,
    /// How often it has acted.
    pub(crate) acts: u64,
    /// When it acts next; what was planned before is void.
    pub(crate) acts_at: u64,
}

/// The bytes that a client sends at once, and the requests in them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// Each piece, and where it ends in the bytes.
    pub(crate) pieces: Vec<(Piece, usize)>,
}

impl Batch {
    /// One piece alone.
    pub(crate) fn of(piece: Piece) -> Self {
        let mut batch = Self::default();
        batch.push(piece);
        batch
    }

    /// Adds a piece.
    pub(crate) fn push(&mut self, piece: Piece) {
        match &piece {
            Piece::Request(words) | Piece::Behind(words) => wire::request(&mut self.bytes, words),
            Piece::Inline(words) => {
                self.bytes.extend_from_slice(&words.join(&b' '));
                self.bytes.extend_from_slice(b"\r\n");
            }
            Piece::Garbage { bytes, .. } | Piece::Mangled(bytes) => {
                self.bytes.extend_from_slice(bytes);
            }
        }
        self.pieces.push((piece, self.bytes.len()));
    }

    /// Returns true if something in it ends the conversation without an error, after the replies
    /// before it.
    pub(crate) fn ends_at_once(&self) -> bool {
        let is_silent = |piece: &Piece| match piece {
            Piece::Garbage { complaint, .. } => complaint.is_empty(),
            _ => false,
        };
        self.pieces.iter().any(|(piece, _)| is_silent(piece))
    }

    /// Returns true if nothing can be sent behind it.
    pub(crate) fn is_last(&self) -> bool {
        let last = self.pieces.last();
        matches!(last, Some((Piece::Mangled(_), _)))
    }

    /// Returns true if something in it ends the conversation.
    pub(crate) fn errs(&self) -> bool {
        self.pieces.iter().any(|(piece, _)| piece.errs())
    }
}

impl Client {
    pub(crate) fn new(workload: Workload) -> Self {
        Self {
            workload,
            conn: None,
            decoder: Decoder::default(),
            pending: VecDeque::new(),
            heard: 0,
            leaving: false,
            usual: 0,
            hint: None,
            acts: 0,
            acts_at: 0,
        }
    }

    /// The first thing that is said on a connection.
    pub(crate) fn greeting(&self, dice: &mut Dice) -> Batch {
        let mut batch = Batch::default();
        if dice.coin() || self.workload.wants_pushes() && dice.permille(700) {
            batch.push(crate::workload::words(&["HELLO", "3"]));
        }
        let db = self.workload.database();
        if db != 0 {
            batch.push(crate::workload::words(&["SELECT", &db.to_string()]));
        }
        for wish in self.workload.wishes(dice) {
            batch.push(wish);
        }
        batch
    }

    /// The next batches, up to `most` of them.
    pub(crate) fn ask(&mut self, most: u64, dice: &mut Dice) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..dice.within(1, most) {
            for piece in self.workload.next(dice) {
                let last = piece.errs();
                let is_mangled = matches!(piece, Piece::Mangled(_));
                batch.push(piece);
                if is_mangled {
                    return batch;
                }
                if last {
                    self.leaving = true;
                    for piece in self.workload.behind(dice) {
                        batch.push(piece);
                    }
                    return batch;
                }
            }
        }
        batch
    }

    /// Returns true if it has asked for something for which it may wait without an end.
    pub(crate) fn may_wait_for_ever(&self) -> bool {
        let asked = self.pending.iter().flatten();
        let mut waits = asked.filter(|words| may_wait(words));
        waits.any(|words| timeout_of(words) == Ok(0))
    }

    /// It has no connection any more.
    pub(crate) fn disconnected(&mut self) {
        self.conn = None;
        self.decoder = Decoder::default();
        self.pending.clear();
        self.leaving = false;
        self.workload.disconnected();
    }
}
