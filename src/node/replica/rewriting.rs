//! When the log is rewritten, and the steps of a rewrite between a node's other work.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use crate::aof::{Log, Restated, RewriteState};
use crate::command::error::Error;
use crate::node::effect::Note;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};
use crate::session::Blocked;

use super::base::BaseHead;
use super::records::one_body;

/// How long after a failed rewrite the next one begins by itself: at first, and at most. Each
/// failure doubles it.
const RETRY_MIN: Duration = Duration::from_mins(1);
const RETRY_MAX: Duration = Duration::from_hours(1);

impl Node {
    /// Asks for a rewrite; false where one is running or there is no log.
    pub(in crate::node) fn ask_for_rewrite(&mut self) -> bool {
        if self.replica.log.is_none() || self.replica.rewrite.running.is_some() {
            return false;
        }
        self.replica.rewrite.wanted = true;
        true
    }

    /// One turn's share of a rewrite.
    pub(super) fn rewrite_turn(&mut self) {
        if self.phase != Phase::Serving {
            return;
        }
        if self.replica.rewrite.running.is_none() {
            let is_wanted = self.replica.rewrite.wanted || self.has_outgrown();
            // A base is the state behind a whole entry.
            if is_wanted && !self.replica.base_is_in_use() && !self.requests.is_applying() {
                self.rewrite_begin();
            }
            return;
        }
        self.rewrite_step();
        self.rewrite_outcome();
    }

    /// Returns true if the log has outgrown its base by what the operator allows.
    fn has_outgrown(&self) -> bool {
        if let Some((pause, since)) = self.replica.rewrite.pause
            && self.now.mono.since(since) < pause
        {
            return false;
        }
        let is_newer = self.replica.applied > self.replica.snapshots.base_index();
        if self.replica.snapshots.is_arriving() || !is_newer {
            return false;
        }
        let percentage = u64::from(self.config.rewrite_percentage);
        let Some(log) = &self.replica.log else {
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
        let raft = self.replica.raft.as_ref();
        let stays = raft.map_or(0, |raft| raft.bytes_after(self.replica.applied));
        outgrows(size.log_bytes.saturating_sub(stays as u64))
    }

    fn rewrite_begin(&mut self) {
        let (Some(raft), Some(log)) = (&self.replica.raft, &mut self.replica.log) else {
            return;
        };
        let index = self.replica.applied;
        let Some(term) = raft.term_of(index) else {
            return;
        };
        let head = BaseHead {
            index,
            term,
            stamp: self.replicated.stamp(),
            offset: self.replicated.offset(),
            grouped: self.replica.leadership.grouped,
            entry_version: self.replicated.version(),
            hash_seed: self.store.seed(),
            membership: raft.membership().encode(),
        };
        if !log.rewrite_begin(&head.encode(), &mut self.replica.ops) {
            // Whoever asked is told, and does not wait for a disk that may never be right again.
            if let Some(why) = log.rewrite_refused() {
                self.replica.rewrite.wanted = false;
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
        self.replica.rewrite.began = self.now.mono;
        self.replica.rewrite.changes.1 = self.store.changes();
        self.replica.rewrite.wanted = false;
        self.replica.rewrite.whole = false;
        self.replica.rewrite.hungry = true;
        self.replica.rewrite.running = Some(index);
        self.replica.rewrite.head = Some(head);
        self.note(Note::RewriteBegun { index });
    }

    fn rewrite_step(&mut self) {
        let Some(log) = &mut self.replica.log else {
            return;
        };
        let rewrite = &mut self.replica.rewrite;
        rewrite.hungry = log.rewrite_wants_more();
        if rewrite.whole || !rewrite.hungry {
            return;
        }
        let most = self.config.bounds.base_piece_bytes;
        let more = self.store.base_step(&mut rewrite.piece, most);
        if !rewrite.piece.is_empty() {
            log.rewrite_piece(&rewrite.piece, &mut self.replica.ops);
        }
        rewrite.piece.clear();
        // One with a large element is longer.
        rewrite.piece.shrink_to(2 * most);
        if !more {
            rewrite.whole = true;
            rewrite.piece = Vec::new();
            if let (Some(index), Some(digest)) = (rewrite.running, self.store.base_digest()) {
                self.witness.note(|| Witnessed::Digest { index, digest });
            }
            log.rewrite_finish(&mut self.replica.ops);
        }
        rewrite.hungry = log.rewrite_wants_more();
    }

    fn rewrite_outcome(&mut self) {
        let Some(index) = self.replica.rewrite.running else {
            return;
        };
        let state = self.replica.log.as_mut().map(Log::take_rewrite_outcome);
        let rewrite = &mut self.replica.rewrite;
        match state {
            Some(RewriteState::Done { bytes }) => {
                rewrite.running = None;
                self.replica.snapshots.head = rewrite.head.take();
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
                let why = self.replica.log.as_ref().map_or("", Log::rewrite_trouble);
                self.rewrite_fails(why);
            }
            _ => {}
        }
    }

    fn rewrite_fails(&mut self, why: &'static str) {
        let rewrite = &mut self.replica.rewrite;
        rewrite.last_failed = true;
        let longer = rewrite.pause.map(|(pause, _)| (pause * 2).min(RETRY_MAX));
        rewrite.pause = Some((longer.unwrap_or(RETRY_MIN), self.now.mono));
        self.note(Note::RewriteFailed { why });
        let told = Error::text(format!(
            "ERR the rewrite failed ({why}); the log is as it was"
        ));
        self.end_waits_with(Blocked::Rewrite, Some(&told));
    }

    /// Returns true if so much of the old state waits for the disk that no more is to be changed
    /// for now.
    pub(super) fn rewrite_is_behind(&self) -> bool {
        self.replica.rewrite.running.is_some()
            && self.store.base_preimage_bytes() > self.config.bounds.old_state_bytes
    }
}
