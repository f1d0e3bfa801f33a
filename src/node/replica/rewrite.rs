//! When the log is rewritten, and the steps of a rewrite between a node's other work.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use crate::aof::RewriteState;
use crate::aof::{Log, Restated};
use crate::command::error::Error;
use crate::ids::LogIndex;
use crate::node::effect::Note;
use crate::node::replica::base::BaseHead;
use crate::node::replica::hand_over::one_body;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};
use crate::session::Blocked;
use crate::time::Mono;

/// How many bytes of the base one turn writes at most.
const PIECE_BYTES: usize = 64 << 10;
/// How many bytes of pre-images may wait for the disk before writes wait for it.
const PREIMAGE_BYTES_MAX: usize = 32 << 20;

/// How long after a failed rewrite the next one begins by itself: at first, and at most. Each
/// failure doubles it.
const RETRY_MIN: Duration = Duration::from_mins(1);
const RETRY_MAX: Duration = Duration::from_hours(1);
/// How long after a failed rewrite one may begin for a member that waits for a state. Each that
/// fails has cost a segment.
const RETRY_FOR_MEMBERS: Duration = Duration::from_secs(5);

/// Where a rewrite stands.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Rewrite {
    /// Somebody asked for one.
    pub(in crate::node) wanted: bool,
    /// The entry whose state is being written.
    pub(in crate::node) running: Option<LogIndex>,
    /// What the base says of itself.
    head: Option<BaseHead>,
    /// All of the state has been handed over.
    whole: bool,
    /// The base takes another piece at once.
    hungry: bool,
    piece: Vec<u8>,
    /// When the last one ended well, in seconds since the Unix epoch; 0: never.
    pub(in crate::node) saved_at_s: u64,
    pub(in crate::node) last_failed: bool,
    /// After a failure: how long none begins by itself, and since when.
    pause: Option<(Duration, Mono)>,
    pub(in crate::node) count: u64,
    /// When the one that runs began, and how long the last one took.
    pub(in crate::node) began: Mono,
    pub(in crate::node) took: Option<Duration>,
    /// How much had changed when the last one began that ended well, and when the running one did.
    pub(in crate::node) changes: (u64, u64),
}

impl Rewrite {
    pub(in crate::node) fn wants_turn(&self) -> bool {
        self.running.is_some() && self.hungry && !self.whole
    }

    /// Whether the last one has failed so lately that none is begun for members that wait.
    pub(in crate::node) fn has_just_failed(&self, now: Mono) -> bool {
        self.pause
            .is_some_and(|(_, since)| now.since(since) < RETRY_FOR_MEMBERS)
    }
}

impl Node {
    /// Asks for a rewrite; false where one is running or there is no log.
    pub(in crate::node) fn ask_for_rewrite(&mut self) -> bool {
        if self.commit.log.is_none() || self.commit.rewrite.running.is_some() {
            return false;
        }
        self.commit.rewrite.wanted = true;
        true
    }

    /// One turn's share of a rewrite.
    pub(in crate::node) fn rewrite_turn(&mut self) {
        if self.phase != Phase::Serving {
            return;
        }
        if self.commit.rewrite.running.is_none() {
            let is_wanted = self.commit.rewrite.wanted || self.has_outgrown();
            // A base is the state behind a whole entry.
            if is_wanted && !self.base_is_in_use() && !self.requests.is_applying() {
                self.rewrite_begin();
            }
            return;
        }
        self.rewrite_step();
        self.rewrite_outcome();
    }

    /// Whether the log has outgrown its base by what the operator allows.
    fn has_outgrown(&self) -> bool {
        if let Some((pause, since)) = self.commit.rewrite.pause
            && self.now.mono.since(since) < pause
        {
            return false;
        }
        let is_newer = self.commit.applied > self.commit.snapshots.base_index();
        if self.commit.snapshots.is_arriving() || !is_newer {
            return false;
        }
        let percentage = u64::from(self.config.rewrite_percentage);
        let Some(log) = &self.commit.log else {
            return false;
        };
        let size = log.size();
        let outgrows = |bytes: u64| {
            bytes >= self.config.rewrite_min_bytes && bytes / percentage >= size.base_bytes / 100
        };
        if percentage == 0 || !outgrows(size.log_bytes) {
            return false;
        }
        // What is not applied follows the log into every segment: a base would not make it shorter,
        // and a large entry would be written twice.
        let raft = self.commit.raft.as_ref();
        let stays = raft.map_or(0, |raft| raft.bytes_after(self.commit.applied));
        outgrows(size.log_bytes.saturating_sub(stays as u64))
    }

    fn rewrite_begin(&mut self) {
        let (Some(raft), Some(log)) = (&self.commit.raft, &mut self.commit.log) else {
            return;
        };
        let index = self.commit.applied;
        let Some(term) = raft.term_of(index) else {
            return;
        };
        let head = BaseHead {
            index,
            term,
            stamp: self.replicated.stamp(),
            offset: self.replicated.offset(),
            grouped: self.leadership.grouped,
            entry_version: self.replicated.version(),
            hash_seed: self.store.seed(),
            membership: raft.membership().encode(),
        };
        if !log.rewrite_begin(&head.encode(), &mut self.commit.ops) {
            // Whoever asked is told, and does not wait for a disk that may never be right again.
            if let Some(why) = log.rewrite_refused() {
                self.commit.rewrite.wanted = false;
                self.rewrite_fails(why);
            }
            return;
        }
        // The segments before this moment will go, and with them what they hold beyond the base.
        let body = one_body(raft.entries_after(index), log.piece_bytes());
        let restated = Restated {
            term: raft.term(),
            vote: raft.vote(),
            commit: raft.commit(),
        };
        log.append_parts(&restated, raft.last(), &body);
        self.store.base_begin(self.replicated.stamp());
        self.commit.rewrite.began = self.now.mono;
        self.commit.rewrite.changes.1 = self.store.changes();
        self.commit.rewrite.wanted = false;
        self.commit.rewrite.whole = false;
        self.commit.rewrite.hungry = true;
        self.commit.rewrite.running = Some(index);
        self.commit.rewrite.head = Some(head);
        self.note(Note::RewriteBegun { index });
    }

    fn rewrite_step(&mut self) {
        let Some(log) = &mut self.commit.log else {
            return;
        };
        let rewrite = &mut self.commit.rewrite;
        rewrite.hungry = log.rewrite_wants_more();
        if rewrite.whole || !rewrite.hungry {
            return;
        }
        rewrite.piece.clear();
        let more = self.store.base_step(&mut rewrite.piece, PIECE_BYTES);
        if !rewrite.piece.is_empty() {
            log.rewrite_piece(&rewrite.piece, &mut self.commit.ops);
        }
        if !more {
            rewrite.whole = true;
            if let (Some(index), Some(digest)) = (rewrite.running, self.store.base_digest()) {
                self.witness.note(|| Witnessed::Digest { index, digest });
            }
            log.rewrite_finish(&mut self.commit.ops);
        }
        rewrite.hungry = log.rewrite_wants_more();
    }

    fn rewrite_outcome(&mut self) {
        let Some(index) = self.commit.rewrite.running else {
            return;
        };
        let state = self.commit.log.as_mut().map(Log::take_rewrite_outcome);
        let rewrite = &mut self.commit.rewrite;
        match state {
            Some(RewriteState::Done { bytes }) => {
                rewrite.running = None;
                self.commit.snapshots.head = rewrite.head.take();
                rewrite.last_failed = false;
                rewrite.pause = None;
                rewrite.count += 1;
                rewrite.took = Some(self.now.mono.since(rewrite.began));
                rewrite.changes.0 = rewrite.changes.1;
                rewrite.saved_at_s = self.now.wall_us / 1_000_000;
                self.note(Note::RewriteDone { index, bytes });
                self.end_waits(Blocked::Rewrite);
            }
            Some(RewriteState::Failed) => {
                rewrite.running = None;
                self.store.base_abort();
                let why = self.commit.log.as_ref().map_or("", Log::rewrite_trouble);
                self.rewrite_fails(why);
            }
            _ => {}
        }
    }

    fn rewrite_fails(&mut self, why: &'static str) {
        let rewrite = &mut self.commit.rewrite;
        rewrite.last_failed = true;
        let longer = rewrite.pause.map(|(pause, _)| (pause * 2).min(RETRY_MAX));
        rewrite.pause = Some((longer.unwrap_or(RETRY_MIN), self.now.mono));
        self.note(Note::RewriteFailed { why });
        let told = Error::text(format!(
            "ERR the rewrite failed ({why}); the log is as it was"
        ));
        self.end_waits_with(Blocked::Rewrite, Some(&told));
    }

    /// Whether so much of the old state waits for the disk that no more is to be changed for now.
    pub(in crate::node) fn rewrite_is_behind(&self) -> bool {
        self.commit.rewrite.running.is_some()
            && self.store.base_preimage_bytes() > PREIMAGE_BYTES_MAX
    }
}
