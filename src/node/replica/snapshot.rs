//! States for members to whom the log does not reach back: the base is read for them piece by
//! piece, and theirs is received, made durable, and recovered from (thesis 5).
//!
//! A state is the bytes of a base file, with the file's number in front, which its records need to
//! be checked.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::aof::{Incoming, Log, Piece, Restated, RewriteState};
use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, Ticket};
use crate::node::Node;
use crate::node::effect::Note;
use crate::node::replica::base::{BaseHead, NoHead};
use crate::node::replica::hand_over::one_body;
use crate::raft::{ChunkWanted, Membership, ReceivedChunk, SnapshotId};
use crate::rng;

/// The bytes in front of a base file: its number.
const NUMBER_BYTES: usize = 8;
/// What tells the bases of all members from each other.
const SUM_STREAM: u64 = 0x6261_7365;

/// What goes to other members, and what comes from them.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Snapshots {
    /// What the base that counts says of itself.
    pub(in crate::node) head: Option<BaseHead>,
    /// Pieces that are being read.
    reading: Vec<(Ticket, ChunkWanted)>,
    incoming: Option<Arriving>,
}

/// A state that is being received.
#[derive(Clone, Debug)]
struct Arriving {
    id: SnapshotId,
    /// The number, as far as it has come.
    number: Vec<u8>,
    base: Option<Incoming>,
    head: Option<BaseHead>,
    /// Why its head cannot be read.
    headless: Option<NoHead>,
    /// Pieces that the disk has no time for yet; their buffers are not kept.
    pieces: VecDeque<Vec<u8>>,
    /// The log has begun a base for it.
    begun: bool,
    /// The membership, once all has come.
    whole: Option<Membership>,
    /// The log goes on behind it, and it is on its way to count.
    finished: bool,
    /// It is to be forgotten as soon as the log has.
    given_up: bool,
}

impl Arriving {
    fn new(id: SnapshotId) -> Self {
        Self {
            id,
            number: Vec::new(),
            base: None,
            head: None,
            headless: None,
            pieces: VecDeque::new(),
            begun: false,
            whole: None,
            finished: false,
            given_up: false,
        }
    }

    /// Takes a piece of the stream; false where it is none of a base that stands where it should.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while self.number.len() < NUMBER_BYTES
            && let Some((first, rest)) = bytes.split_first()
        {
            self.number.push(*first);
            bytes = rest;
        }
        let Some(number) = self.number.first_chunk() else {
            return true;
        };
        let number = u64::from_le_bytes(*number);
        let base = self.base.get_or_insert_with(|| Incoming::new(number));
        let (head, headless, pieces) = (&mut self.head, &mut self.headless, &mut self.pieces);
        let taken = base.take(bytes, &mut |piece| match piece {
            Piece::Head(bytes) => match BaseHead::decode(bytes) {
                Ok(decoded) => *head = Some(decoded),
                Err(refused) => *headless = Some(refused),
            },
            Piece::State(bytes) => pieces.push_back(bytes.to_vec()),
        });
        let stands = |head: &BaseHead| (head.index, head.term) == self.id.base;
        let is_headed = self.head.as_ref().map_or(pieces.is_empty(), stands);
        taken.is_ok() && is_headed && self.headless.is_none()
    }

    /// Whether all has come and is what was promised.
    fn is_good(&self) -> bool {
        let is_whole = self.base.as_ref().is_some_and(Incoming::is_whole);
        let same = |head: &BaseHead| {
            let membership = self.whole.as_ref().map(Membership::encode);
            membership.as_ref() == Some(&head.membership)
        };
        is_whole && self.head.as_ref().is_some_and(same)
    }
}

impl Snapshots {
    /// The entry at which the base stands that counts.
    pub(in crate::node) fn base_index(&self) -> LogIndex {
        self.head.as_ref().map_or(LogIndex(0), |head| head.index)
    }

    /// Whether a received state is taking the place of the log.
    pub(in crate::node) fn is_arriving(&self) -> bool {
        self.incoming.is_some()
    }
}

impl Node {
    /// One turn's share of what members lack and of what this one does.
    pub(in crate::node) fn snapshot_turn(&mut self) {
        if !self.leadership.grouped || self.commit.log.is_none() {
            return;
        }
        self.supply_members();
        if self.commit.snapshots.is_arriving() {
            self.settle_arrival();
        }
        self.take_pieces();
    }

    /// Whether another member is being sent the base that counts, or is about to be. Where each
    /// gave way to the next one before it had come, no member would ever have all of one.
    pub(in crate::node) fn base_is_in_use(&self) -> bool {
        let Some(raft) = &self.commit.raft else {
            return false;
        };
        let base = self.commit.snapshots.base_index();
        raft.snapshots_in_use().next().is_some()
            || raft
                .snapshots_wanted()
                .any(|wanted| base >= wanted.at_least && base > LogIndex(0))
    }

    /// Gives members that wait for a state the base, and asks the disk for its pieces.
    fn supply_members(&mut self) {
        let id = self.snapshot_id();
        let commit = &mut self.commit;
        let (Some(raft), Some(log)) = (&mut commit.raft, &mut commit.log) else {
            return;
        };
        // A base that is being written takes the place of the one that is there.
        let is_settled = commit.rewrite.running.is_none();
        let wanted: Vec<_> = raft.snapshots_wanted().filter(|_| is_settled).collect();
        for wanted in wanted {
            let head = commit.snapshots.head.as_ref();
            let head = head.filter(|head| head.index >= wanted.at_least);
            let supplied = id.zip(head).and_then(|(id, head)| {
                let membership = Membership::decode(&head.membership).ok()?;
                Some(raft.supply(wanted.to, id, membership))
            });
            if supplied.is_none() && !commit.rewrite.has_just_failed(self.now.mono) {
                commit.rewrite.wanted = true;
            }
        }
        while let Some(wanted) = raft.chunk_wanted() {
            let number = log.base().map(|(number, _)| number);
            let Some(number) = number.filter(|_| id == Some(wanted.id)) else {
                raft.snapshot_lost(&wanted.id);
                continue;
            };
            let offset = wanted.offset.saturating_sub(NUMBER_BYTES as u64);
            let len = u32::try_from(wanted.bytes).unwrap_or(u32::MAX);
            let ticket = log.read_base(number, offset, len, &mut commit.ops);
            commit.snapshots.reading.push((ticket, wanted));
        }
    }

    /// The name of the base that counts.
    fn snapshot_id(&self) -> Option<SnapshotId> {
        let head = self.commit.snapshots.head.as_ref()?;
        let (number, bytes) = self.commit.log.as_ref()?.base()?;
        let incarnation = self.commit.raft.as_ref()?.incarnation();
        Some(SnapshotId {
            base: (head.index, head.term),
            bytes: bytes + NUMBER_BYTES as u64,
            sum: rng::draw(SUM_STREAM, incarnation.0, number, self.config.id.0),
        })
    }

    /// A piece of the base has been read, or cannot be; false where the ticket is none of these.
    pub(in crate::node) fn snapshot_read(
        &mut self,
        ticket: Ticket,
        outcome: &Result<DiskDone, DiskError>,
    ) -> bool {
        let reading = &mut self.commit.snapshots.reading;
        let Some(at) = reading.iter().position(|(own, _)| *own == ticket) else {
            return false;
        };
        let (_, wanted) = reading.swap_remove(at);
        let log = self.commit.log.as_ref();
        let number = log.and_then(Log::base).map_or(0, |(number, _)| number);
        let still = self.snapshot_id() == Some(wanted.id);
        let Some(raft) = &mut self.commit.raft else {
            return true;
        };
        let bytes = match outcome {
            Ok(DiskDone::Read { bytes }) if still && !bytes.is_empty() => bytes,
            _ => {
                raft.snapshot_lost(&wanted.id);
                return true;
            }
        };
        let mut data = Vec::with_capacity(wanted.bytes);
        if let Ok(from) = usize::try_from(wanted.offset)
            && from < NUMBER_BYTES
        {
            data.extend_from_slice(&number.to_le_bytes()[from..]);
        }
        let room = wanted.bytes.saturating_sub(data.len()).min(bytes.len());
        data.extend_from_slice(&bytes[..room]);
        data.truncate(wanted.bytes);
        raft.chunk(&wanted, Bytes::from(data));
        true
    }

    /// Takes pieces of a state as fast as the disk does.
    fn take_pieces(&mut self) {
        loop {
            self.write_pieces();
            if self.commit.rewrite.running.is_some() {
                // The log can do one base at a time.
                return;
            }
            let arriving = self.commit.snapshots.incoming.as_ref();
            let busy = |arriving: &Arriving| {
                arriving.given_up || arriving.whole.is_some() || !arriving.pieces.is_empty()
            };
            if arriving.is_some_and(busy) {
                return;
            }
            let Some(raft) = &mut self.commit.raft else {
                return;
            };
            let Some(chunk) = raft.received_chunk() else {
                return;
            };
            self.take_piece(chunk);
        }
    }

    fn take_piece(&mut self, chunk: ReceivedChunk) {
        let snapshots = &mut self.commit.snapshots;
        let arriving = snapshots
            .incoming
            .get_or_insert_with(|| Arriving::new(chunk.id));
        arriving.whole = chunk.whole;
        let good = arriving.take(&chunk.data);
        let head = arriving.head.as_ref();
        if let Some(why) =
            head.and_then(|head| head.entry_version.beyond(self.config.entry_versions))
        {
            // Its own state stays as it is: another binary goes on with it.
            self.fail(why);
            return;
        }
        if !good || (arriving.whole.is_some() && !arriving.is_good()) {
            let headless = arriving.headless;
            let peer = self.commit.raft.as_ref().and_then(|raft| raft.leader());
            match headless {
                Some(refused) => self.note(Note::Damage(refused.text())),
                None => self.note(Note::BadSnapshot { peer }),
            }
            self.give_up_arrival();
        }
    }

    /// Hands to the log what it has room for, and lets it go on behind the state when that is
    /// whole.
    fn write_pieces(&mut self) {
        let commit = &mut self.commit;
        let (Some(log), Some(arriving)) = (&mut commit.log, &mut commit.snapshots.incoming) else {
            return;
        };
        if arriving.given_up || arriving.finished {
            return;
        }
        if !arriving.begun
            && let Some(head) = &arriving.head
        {
            arriving.begun = log.install_begin(&head.encode(), &mut commit.ops);
        }
        if !arriving.begun {
            return;
        }
        while log.rewrite_wants_more()
            && let Some(piece) = arriving.pieces.pop_front()
        {
            log.rewrite_piece(&piece, &mut commit.ops);
        }
        if arriving.whole.is_none() || !arriving.pieces.is_empty() {
            return;
        }
        let Some(raft) = &commit.raft else {
            return;
        };
        if !log.install_finish(&mut commit.ops) {
            return;
        }
        arriving.finished = true;
        // Entries behind the state stay where they follow on it; they may be part of a quorum
        // (thesis 5.3).
        let (index, term) = arriving.id.base;
        let (mut body, mut last) = (Vec::new(), index);
        if raft.term_of(index) == Some(term) {
            body = one_body(raft.entries_after(index), log.piece_bytes());
            last = raft.last();
        }
        let restated = Restated {
            term: raft.term(),
            vote: raft.vote(),
            commit: raft.commit(),
        };
        log.append_parts(&restated, last, &body);
        self.flush_log();
    }

    /// Looks what became of the state on its way, and forgets one that nobody sends any more.
    fn settle_arrival(&mut self) {
        let commit = &mut self.commit;
        let (Some(log), Some(raft)) = (&mut commit.log, &mut commit.raft) else {
            return;
        };
        let Some(arriving) = &mut commit.snapshots.incoming else {
            return;
        };
        if !arriving.given_up && !arriving.finished && raft.receiving() != Some(arriving.id) {
            self.give_up_arrival();
            return;
        }
        if !arriving.begun {
            if arriving.given_up {
                commit.snapshots.incoming = None;
            }
            return;
        }
        let index = arriving.id.base.0;
        match log.take_rewrite_outcome() {
            RewriteState::Done { .. } => {
                // Memory follows from the disk, as after a start.
                commit.snapshots.incoming = None;
                commit.reload_wanted = true;
                self.note(Note::SnapshotInstalled { index });
            }
            RewriteState::Failed => {
                raft.snapshot_refused();
                commit.snapshots.incoming = None;
            }
            RewriteState::Running | RewriteState::Absent => {}
        }
    }

    fn give_up_arrival(&mut self) {
        let commit = &mut self.commit;
        let (Some(log), Some(raft)) = (&mut commit.log, &mut commit.raft) else {
            return;
        };
        let Some(arriving) = &mut commit.snapshots.incoming else {
            return;
        };
        if raft.receiving() == Some(arriving.id) {
            raft.snapshot_refused();
        }
        arriving.given_up = true;
        arriving.pieces.clear();
        if arriving.begun {
            log.rewrite_abort(&mut commit.ops);
        }
    }
}
