//! From the bytes of the data directory to a node that serves.
//!
//! Entries known to be committed are applied as they are read, so that memory holds the state and a
//! short tail, not the log. The rest of the tail is Raft's to commit, once this member leads again.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;
use core::mem;

use crate::aof::{self, Debt, Event, Recovery};
use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, Term, Ticket};
use crate::node::effect::Note;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};
use crate::raft::{Entry, EntryKind, Loss, Membership, Raft, Restart};
use crate::store::LoadError;
use crate::time::Stamp;

use super::base::{BaseHead, Identity};
use super::recovering::{Damaged, Found, Recovering, first_identity, member_identity, settings};
use super::repair::{Strays, later};

/// How far recovery comes between two lines about it, in bytes.
const PROGRESS_BYTES: u64 = 256 << 20;

impl Node {
    /// Begins to read the data directory, or, where there is none, to serve.
    ///
    /// Tickets up to `tickets` were given to operations that may not have ended yet.
    pub(in crate::node) fn begin(&mut self, tickets: u64) {
        let identity =
            member_identity(&self.config).unwrap_or_else(|| first_identity(&self.config));
        let membership = Membership::alone(self.config.id);
        if !self.config.append_only {
            let restart = Restart {
                term: Term(0),
                vote: None,
                commit: LogIndex(0),
                base: (LogIndex(0), Term(0)),
                membership,
                tail: Vec::new(),
                restate: false,
                owes: None,
            };
            self.replicated.begin_without_disk(self.now);
            self.replica.raft = Some(Raft::new(
                settings(&self.config, &identity),
                restart,
                self.now.mono,
            ));
            return;
        }
        let mut recovery = Recovery::new(aof::Settings {
            policy: self.config.fsync.into(),
            segment_bytes: self.config.segment_bytes,
            piece_bytes: self.config.log_piece_bytes,
            read_bytes: self.config.bounds.read_bytes,
            identity: identity.encode(),
        });
        recovery.number_from(tickets);
        recovery.start(&mut self.replica.ops);
        self.replica.recovering = Some(Box::new(Recovering {
            recovery,
            found: Found {
                identity: None,
                term: Term(0),
                vote: None,
                commit: LogIndex(0),
                membership,
                applied: (LogIndex(0), Term(0)),
                tail: VecDeque::new(),
                head: None,
                base_loaded: false,
                grouped: false,
                strays: Strays::default(),
                debt: None,
                damaged: None,
                trouble: None,
            },
            shown: 0,
        }));
    }

    /// Takes the outcome of a recovery's operation, and what became readable by it.
    pub(super) fn recover(&mut self, ticket: Ticket, outcome: Result<DiskDone, DiskError>) {
        let Some(mut recovering) = self.replica.recovering.take() else {
            return;
        };
        let Recovering {
            recovery, found, ..
        } = &mut *recovering;
        let (mut ops, mut done) = (Vec::new(), false);
        recovery.completed(ticket, outcome, &mut ops, &mut |event| {
            done |= event == Event::Done;
            self.recovered_event(found, event);
        });
        if let Some(damaged) = found.damaged.take() {
            self.live_through(recovery, found, damaged, &mut ops);
        }
        self.replica.ops.append(&mut ops);
        if let Some(trouble) = found.trouble.take() {
            self.fail(trouble);
            return;
        }
        let (read, total) = recovering.recovery.progress();
        if read >= recovering.shown + PROGRESS_BYTES {
            recovering.shown = read;
            self.note(Note::Recovering { done: read, total });
        }
        if done {
            self.replica.recovered_bytes = read;
            self.end_recovery(*recovering);
        } else {
            self.replica.recovering = Some(recovering);
        }
    }

    fn recovered_event(&mut self, found: &mut Found, event: Event<'_>) {
        if found.trouble.is_some() {
            return;
        }
        match event {
            Event::Identity(bytes) => match Identity::decode(bytes) {
                Some(identity) if identity.id == self.config.id => {
                    match Membership::decode(&identity.founders) {
                        Ok(founders) => found.membership = founders,
                        Err(_) => found.trouble = Some("the manifest names no founders".into()),
                    }
                    found.identity = Some(identity);
                }
                Some(identity) => {
                    found.trouble = Some(format!(
                        "the data directory belongs to member {}, not to {}: give another --dir",
                        identity.id.0, self.config.id.0
                    ));
                }
                None => found.trouble = Some("the manifest names no member".into()),
            },
            Event::BaseHead(head) => match BaseHead::decode(head) {
                Ok(head) => {
                    found.applied = (head.index, head.term);
                    found.commit = head.index;
                    // The log behind it may have been cut: a term must not be lost with it.
                    found.term = found.term.max(head.term);
                    self.replicated
                        .load(head.stamp, head.offset, head.entry_version);
                    found.trouble = head.entry_version.beyond(self.config.entry_versions);
                    self.store = self.config.store(head.hash_seed);
                    match Membership::decode(&head.membership) {
                        Ok(membership) => found.membership = membership,
                        Err(_) => found.trouble = Some("the base names no members".into()),
                    }
                    self.replica.applied = head.index;
                    found.grouped |= head.grouped;
                    found.head = Some(head);
                }
                Err(refused) => found.trouble = Some(refused.text()),
            },
            Event::BasePiece(piece) => {
                if let Err(error) = self.store.load_piece(piece) {
                    found.trouble = Some(match error {
                        LoadError::Differs => "the base lacks a part of its state".into(),
                        LoadError::Cut | LoadError::Malformed => {
                            "a part of the base is not understood by this version".into()
                        }
                    });
                }
            }
            Event::Record { restated, body, .. } => {
                self.base_is_loaded(found);
                found.term = found.term.max(restated.term);
                found.vote = restated.vote;
                found.commit = found.commit.max(restated.commit);
                if let Err(trouble) = found.take_entries(body) {
                    found.trouble = Some(trouble);
                }
                self.apply_known(found);
            }
            Event::Stray {
                restated,
                last,
                body,
            } => found.strays.take(restated, last, body),
            Event::InDebt(debt) => found.debt = Some(debt),
            Event::Damaged { why, advice, all } => {
                found.damaged = Some(Damaged { why, advice, all });
            }
            Event::Note(text) => self.note(Note::Damage(text)),
            Event::Refused(text) => found.trouble = Some(text),
            Event::Done => self.base_is_loaded(found),
        }
    }

    /// All of the base, if there is one, must have come.
    fn base_is_loaded(&mut self, found: &mut Found) {
        let Some(head) = found.head.as_ref().filter(|_| !found.base_loaded) else {
            return;
        };
        let index = head.index;
        let version = self.replicated.version().number;
        self.witness.note(|| Witnessed::Restored { index, version });
        match self.store.base_digest() {
            Some(digest) => self.witness.note(|| Witnessed::Digest { index, digest }),
            None => found.trouble = Some("the base is truncated".into()),
        }
        found.base_loaded = true;
    }

    /// Goes on without what is damaged where others may hold it; refuses to where nobody does.
    fn live_through(
        &mut self,
        recovery: &mut Recovery,
        found: &mut Found,
        damaged: Damaged,
        ops: &mut Vec<aof::Op>,
    ) {
        let known = found.tail.iter().rev().find_map(Entry::membership);
        let known = found.strays.membership.clone().or(known);
        let in_force = known.as_ref().unwrap_or(&found.membership);
        let debt = found.strays.debt().filter(|_| self.has_peers(in_force));
        let Some(debt) = debt else {
            found.trouble = Some(damaged.why + damaged.advice);
            return;
        };
        let debt = found.debt.map_or(debt, |earlier| earlier.and(debt));
        found.debt = Some(debt);
        found.grouped = true;
        if damaged.all
            && let Some(identity) = &found.identity
        {
            // What was loaded of the base is no state.
            self.store = self.config.store(None);
            self.replicated.forget();
            self.replica.applied = LogIndex(0);
            found.head = None;
            (found.applied, found.commit) = ((LogIndex(0), Term(0)), LogIndex(0));
            if let Ok(founders) = Membership::decode(&identity.founders) {
                found.membership = founders;
            }
        }
        self.note(Note::Damage(damaged.why));
        recovery.repair(debt, ops);
    }

    /// Applies what the log says to be committed.
    ///
    /// In a group others may want these entries: they stay until Raft lets them go.
    fn apply_known(&mut self, found: &mut Found) {
        if !found.membership.is_alone(self.config.id) {
            return;
        }
        while let Some(entry) = found.tail.pop_front_if(|e| e.index <= found.commit) {
            let membership = entry.membership();
            let payload = match entry.kind {
                EntryKind::Normal => entry.payload,
                EntryKind::Noop | EntryKind::Membership => bytes::Bytes::new(),
            };
            let known = self.config.entry_versions;
            found.trouble = self.replicated.refuses(entry.index, &payload, known);
            if found.trouble.is_some() {
                return;
            }
            found.applied = (entry.index, entry.term);
            self.replica.applied = entry.index;
            if let Some(membership) = membership {
                found.membership = membership;
            }
            self.apply_whole(entry.index, entry.stamp, payload);
        }
    }

    fn end_recovery(&mut self, recovering: Recovering) {
        let Recovering {
            recovery, found, ..
        } = recovering;
        let identity = found.identity.unwrap_or_else(|| {
            member_identity(&self.config).unwrap_or_else(|| first_identity(&self.config))
        });
        let debt = found.debt;
        let logged = (found.term, found.vote);
        let owed = debt.map_or(logged, |debt| later(logged, (debt.term, debt.vote)));
        let (term, vote) = found.strays.spoken(owed);
        // Where nothing is known to be applied, the log alone says until when somebody counted.
        let logged_last = found.tail.back().map_or(Stamp(0), |entry| entry.stamp);
        let restart = Restart {
            term,
            vote,
            restate: (term, vote) != logged,
            owes: debt.map(|debt| (debt.last, debt.last_term)),
            commit: found.commit,
            base: found.applied,
            membership: found.membership,
            tail: found.tail.into(),
        };
        self.replicated.begin(logged_last, self.now);
        self.replica.log = Some(recovery.into_log(self.now));
        self.replica.snapshots.head = found.head;
        self.replica.raft = Some(Raft::new(
            settings(&self.config, &identity),
            restart,
            self.now.mono,
        ));
        if self.phase == Phase::Stopped {
            self.replica.log = None;
        }
        self.replica.leadership.identity = Some(identity);
        self.replica.leadership.grouped |= found.grouped;
        self.replica.join_group(&self.config);
    }

    /// Returns true if others may hold what this member has lost: it is not the only voter.
    pub(super) fn has_peers(&self, membership: &Membership) -> bool {
        let mut voters = membership.voters();
        voters.any(|id| id != self.config.id)
    }

    /// Tells the operator of logs that contradict each other.
    pub(super) fn tend_conflicts(&mut self) {
        let Some(raft) = &mut self.replica.raft else {
            return;
        };
        let (conflict, member) = (raft.take_conflict(), raft.take_contradicting());
        let conflict = conflict.map(Note::Contradicted);
        let member = member.map(|member| Note::Contradicting { member });
        for note in conflict.into_iter().chain(member) {
            self.note(note);
        }
    }

    /// Tells the operator and the log when this member has lost something, and when it is whole
    /// again.
    pub(super) fn tend_repair(&mut self) {
        let (Some(raft), Some(log)) = (&mut self.replica.raft, &mut self.replica.log) else {
            return;
        };
        let owes = raft.owes();
        let loss = raft.take_loss();
        if let Some(Loss {
            owes: (last, last_term),
            ..
        }) = loss
        {
            log.owe(Debt {
                term: raft.term(),
                vote: raft.vote(),
                last,
                last_term,
            });
            log.flush(self.now, &mut self.replica.ops);
        } else if owes.is_none() {
            log.debt_is_paid();
        }
        let is_durable = log.debt_is_durable();
        if let Some(loss) = loss {
            self.replica.leadership.lacks = true;
            self.note(Note::Lost {
                leader: loss.leader.id,
                acknowledged: loss.acknowledged,
                last: loss.last,
            });
        }
        let index = self.replica.applied;
        let Some((until, term)) = owes else {
            let said = mem::take(&mut self.replica.leadership.repairing);
            if mem::take(&mut self.replica.leadership.lacks) || said {
                self.note(Note::Repaired { index });
            }
            return;
        };
        // What a crash could make untrue is not said.
        if is_durable && !mem::replace(&mut self.replica.leadership.repairing, true) {
            self.note(Note::Repairing { until, term });
        }
    }
}
