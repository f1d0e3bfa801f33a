//! The base is read for members that need a state, and theirs is received and made to count.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::aof::{Log, Restated, RewriteState};
use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, Ticket};
use crate::node::config::Config;
use crate::node::effect::{Effect, Note};
use crate::raft::{Membership, ReceivedChunk, SnapshotId};
use crate::rng;
use crate::time::{Mono, Now};

use super::Replica;
use super::records::one_body;
use super::snapshot::{Arriving, NUMBER_BYTES, PieceRead};

/// The stream of draws that tells the bases of all members from each other.
const SUM_STREAM: u64 = 0x6261_7365;

impl Replica {
    /// One turn's share of what members lack and of what this one does. An error where a received
    /// state is of a version that this binary does not know; its own state stays as it is, for
    /// another binary to go on with.
    pub(super) fn snapshot_turn(
        &mut self,
        config: &Config,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        if !self.leadership.grouped || self.log.is_none() {
            return Ok(());
        }
        self.supply_members(config, now.mono);
        if self.snapshots.is_arriving() {
            self.settle_arrival(effects);
        }
        self.take_pieces(config, now, effects)
    }

    /// Returns true if another member is being sent the base that counts, or is about to be. No
    /// member would ever have all of one if each gave way to the next one before it had come.
    pub(super) fn base_is_in_use(&self) -> bool {
        let Some(raft) = &self.raft else {
            return false;
        };
        let base = self.snapshots.base_index();
        if self.base_is_unreadable() {
            return false;
        }
        raft.snapshots_in_use().next().is_some()
            || raft
                .snapshots_wanted()
                .any(|wanted| base >= wanted.at_least && base > LogIndex(0))
    }

    /// Gives members that wait for a state the base, and asks the disk for its pieces.
    fn supply_members(&mut self, config: &Config, now: Mono) {
        let id = self.snapshot_id(config);
        let replica = &mut *self;
        let (Some(raft), Some(log)) = (&mut replica.raft, &mut replica.log) else {
            return;
        };
        // A base that is being written takes the place of the one that is there.
        let is_settled = replica.rewrite.running.is_none();
        let wanted: Vec<_> = raft.snapshots_wanted().filter(|_| is_settled).collect();
        for wanted in wanted {
            let head = replica.snapshots.head.as_ref();
            let head = head.filter(|head| head.index >= wanted.at_least);
            let supplied = id.zip(head).and_then(|(id, head)| {
                let membership = Membership::decode(&head.membership).ok()?;
                Some(raft.supply(wanted.to, id, membership))
            });
            if supplied.is_none() && !replica.rewrite.has_just_failed(now) {
                replica.rewrite.wanted = true;
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
            let ticket = log.read_base(number, offset, len, &mut replica.ops);
            replica.snapshots.reading.push((ticket, wanted));
        }
    }

    /// Returns true if the base that counts could not be read: nobody is sent it any more.
    fn base_is_unreadable(&self) -> bool {
        let base = self.log.as_ref().and_then(Log::base);
        base.is_some_and(|(number, _)| number == self.snapshots.unreadable)
    }

    /// The name of the base that counts, if it can be sent.
    fn snapshot_id(&self, config: &Config) -> Option<SnapshotId> {
        if self.base_is_unreadable() {
            return None;
        }
        let head = self.snapshots.head.as_ref()?;
        let (number, bytes) = self.log.as_ref()?.base()?;
        let incarnation = self.raft.as_ref()?.incarnation();
        Some(SnapshotId {
            base: (head.index, head.term),
            bytes: bytes + NUMBER_BYTES as u64,
            sum: rng::draw(SUM_STREAM, incarnation.0, number, config.id.0),
        })
    }

    /// A piece of the base has been read, or cannot be. A base that the disk cannot read any more
    /// is given up for another one: it would be asked for again and again.
    pub(super) fn snapshot_read(
        &mut self,
        ticket: Ticket,
        outcome: &Result<DiskDone, DiskError>,
        config: &Config,
    ) -> PieceRead {
        let reading = &mut self.snapshots.reading;
        let Some(at) = reading.iter().position(|(own, _)| *own == ticket) else {
            return PieceRead::Another;
        };
        let (_, wanted) = reading.swap_remove(at);
        let log = self.log.as_ref();
        let number = log.and_then(Log::base).map_or(0, |(number, _)| number);
        let still = self.snapshot_id(config) == Some(wanted.id);
        let Some(raft) = &mut self.raft else {
            return PieceRead::Told;
        };
        let bytes = match outcome {
            Ok(DiskDone::Read { bytes }) if still && !bytes.is_empty() => bytes,
            other => {
                raft.snapshot_lost(&wanted.id);
                if let Err(error @ DiskError::Io { .. }) = other
                    && still
                {
                    self.snapshots.unreadable = number;
                    return PieceRead::Unreadable(error.words());
                }
                return PieceRead::Told;
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
        PieceRead::Told
    }

    /// Takes pieces of a state as fast as the disk does.
    fn take_pieces(
        &mut self,
        config: &Config,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        let mut refused = Ok(());
        loop {
            self.write_pieces(now);
            if self.rewrite.running.is_some() {
                // The log can do one base at a time.
                return refused;
            }
            let arriving = self.snapshots.incoming.as_ref();
            let busy = |arriving: &Arriving| {
                arriving.given_up || arriving.whole.is_some() || !arriving.pieces.is_empty()
            };
            if arriving.is_some_and(busy) {
                return refused;
            }
            let Some(raft) = &mut self.raft else {
                return refused;
            };
            let Some(chunk) = raft.received_chunk() else {
                return refused;
            };
            if let Err(why) = self.take_piece(chunk, config, effects) {
                refused = refused.and(Err(why));
            }
        }
    }

    fn take_piece(
        &mut self,
        chunk: ReceivedChunk,
        config: &Config,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        let snapshots = &mut self.snapshots;
        let arriving = snapshots
            .incoming
            .get_or_insert_with(|| Arriving::new(chunk.id));
        arriving.whole = chunk.whole;
        let good = arriving.take(&chunk.data);
        let head = arriving.head.as_ref();
        if let Some(why) = head.and_then(|head| head.entry_version.beyond(config.entry_versions)) {
            return Err(why);
        }
        if !good || (arriving.whole.is_some() && !arriving.is_good()) {
            let headless = arriving.headless;
            let peer = self.raft.as_ref().and_then(|raft| raft.leader());
            match headless {
                Some(refused) => effects.push(Effect::note(Note::Damage(refused.text()))),
                None => effects.push(Effect::note(Note::BadSnapshot { peer })),
            }
            self.give_up_arrival();
        }
        Ok(())
    }

    /// Hands to the log what it has room for, and lets it go on behind the state when that is
    /// whole.
    fn write_pieces(&mut self, now: Now) {
        let replica = &mut *self;
        let (Some(log), Some(arriving)) = (&mut replica.log, &mut replica.snapshots.incoming)
        else {
            return;
        };
        if arriving.given_up || arriving.finished {
            return;
        }
        if !arriving.begun
            && let Some(head) = &arriving.head
        {
            arriving.begun = log.install_begin(&head.encode(), &mut replica.ops);
        }
        if !arriving.begun {
            return;
        }
        while log.rewrite_wants_more()
            && let Some(piece) = arriving.pieces.pop_front()
        {
            log.rewrite_piece(&piece, &mut replica.ops);
        }
        if arriving.whole.is_none() || !arriving.pieces.is_empty() {
            return;
        }
        let Some(raft) = &replica.raft else {
            return;
        };
        if !log.install_finish(&mut replica.ops) {
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
        self.flush_log(now);
    }

    /// Looks what became of the state on its way, and forgets one that nobody sends any more.
    fn settle_arrival(&mut self, effects: &mut Vec<Effect>) {
        let replica = &mut *self;
        let (Some(log), Some(raft)) = (&mut replica.log, &mut replica.raft) else {
            return;
        };
        let Some(arriving) = &mut replica.snapshots.incoming else {
            return;
        };
        if !arriving.given_up && !arriving.finished && raft.receiving() != Some(arriving.id) {
            self.give_up_arrival();
            return;
        }
        if !arriving.begun {
            if arriving.given_up {
                replica.snapshots.incoming = None;
            }
            return;
        }
        let index = arriving.id.base.0;
        match log.take_rewrite_outcome() {
            RewriteState::Done { .. } => {
                // Memory follows from the disk, as after a start.
                replica.snapshots.incoming = None;
                replica.reload_wanted = true;
                effects.push(Effect::note(Note::SnapshotInstalled { index }));
            }
            RewriteState::Failed => {
                raft.snapshot_refused();
                replica.snapshots.incoming = None;
            }
            RewriteState::Running | RewriteState::Absent => {}
        }
    }

    fn give_up_arrival(&mut self) {
        let replica = &mut *self;
        let (Some(log), Some(raft)) = (&mut replica.log, &mut replica.raft) else {
            return;
        };
        let Some(arriving) = &mut replica.snapshots.incoming else {
            return;
        };
        if raft.receiving() == Some(arriving.id) {
            raft.snapshot_refused();
        }
        arriving.given_up = true;
        arriving.pieces.clear();
        if arriving.begun {
            log.rewrite_abort(&mut replica.ops);
        }
    }
}
