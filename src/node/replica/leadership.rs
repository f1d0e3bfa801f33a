//! The leadership of the group, and what it lets this member do for its clients.
//!
//! A member serves as leader from the moment when the first entry of its own term is applied: only
//! then its state is known to hold all that was ever acknowledged (thesis 6.4). Reads are run at
//! once and their replies held until a majority has answered that this member still leads: whoever
//! leads by then has led when the read was run. One round of questions serves all reads of a turn.
//! In a group of one nothing of this happens.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::command::args::Args;
use crate::command::error::Error;
use crate::command::row::Row;
use crate::command::slot;
use crate::ids::{NodeId, Term};
use crate::node::effect::{Effect, Note};
use crate::node::requests::outcome::write_error;
use crate::node::{Node, Phase};
use crate::raft::{GivenUp, Raft, Refused};
use crate::resp::reply::{Protocol, Reply};
use crate::session::{Blocked, Reads};

use super::standing::endpoint;

impl Node {
    /// Returns true if this member may propose and read for clients.
    pub(in crate::node) fn serves(&self) -> bool {
        self.replica.serves()
    }

    /// Returns true if clients are told that this member is the master. A member says so only while
    /// it serves as leader: load balancers send writes to whoever does.
    ///
    /// As long as its disk has not been read, a server that may have company does not know whether
    /// it has; one that can have none is a master that loads.
    pub(in crate::node) fn is_master(&self) -> bool {
        if self.replica.leadership.grouped {
            let leads = self.replica.leadership.term.is_some()
                && self.replica.leadership.term == self.leads();
            return leads && self.phase != Phase::Recovering;
        }
        self.replica.raft.is_some() || !self.may_have_company()
    }

    /// Returns true if the configuration knows other members, or lets some come.
    fn may_have_company(&self) -> bool {
        self.config.process.cluster_port != 0 || !self.config.founders.is_empty()
    }

    /// The error that sends a client to the leader.
    pub(in crate::node) fn elsewhere(&self, row: Option<&Row>, args: Args<'_>) -> Error {
        let key = row.and_then(|row| row.first_key(args));
        self.elsewhere_at(key.map_or(0, slot::of))
    }

    /// The error that sends a client with keys of a slot to the leader.
    pub(in crate::node) fn elsewhere_at(&self, slot: u16) -> Error {
        let leader = self.replica.raft.as_ref().and_then(|raft| raft.leader());
        let known = leader.filter(|leader| *leader != self.config.id);
        let met = known.and_then(|leader| self.replica.met(leader));
        let Some((host, port)) = met.and_then(|met| endpoint(&met.address)) else {
            return Error::CLUSTER_DOWN;
        };
        Error::text(format!("MOVED {slot} {host}:{port}"))
    }

    /// The address to which the requests of a new client are carried; nothing where they are
    /// answered here.
    pub fn forwards_to(&self) -> Option<String> {
        if !self.config.follower_proxy || self.serves() {
            return None;
        }
        let leader = self.replica.raft.as_ref()?.leader()?;
        if leader == self.config.id {
            return None;
        }
        Some(self.replica.met(leader)?.address.clone())
    }

    /// Which other member leads, and in which term: clients are carried there as long as it is so.
    pub fn leads_elsewhere(&self) -> Option<(NodeId, Term)> {
        let raft = self.replica.raft.as_ref()?;
        let leader = raft.leader().filter(|leader| *leader != self.config.id)?;
        Some((leader, raft.term()))
    }

    /// Returns true if a new client is to be kept waiting until somebody leads, to be carried
    /// there. As long as its own state is not loaded, this member does not know whether there are
    /// others.
    pub fn waits_for_leader(&self) -> bool {
        let raft = self.replica.raft.as_ref();
        let nobody_leads = raft.is_none_or(|raft| raft.leader().is_none());
        let is_loading = self.phase == Phase::Recovering;
        self.config.follower_proxy
            && (is_loading || self.replica.leadership.grouped && nobody_leads)
    }

    /// Returns true if this member may answer a read of a client that does not mind an old state.
    ///
    /// A follower's state is as old as its leader's word of what is committed, where it has applied
    /// all of that; when that was true no other led yet.
    pub(in crate::node) fn may_read_here(&mut self, reads: Reads) -> bool {
        self.watch_clocks();
        let Some(raft) = self.replica.raft.as_ref() else {
            return false;
        };
        let most = match reads {
            Reads::Bounded { ms } => ms,
            Reads::Local => 0,
            _ => self.config.staleness_ms_max,
        };
        let is_recent = raft.fresh_since().is_some_and(|since| {
            let age = self.now.mono.since(since);
            age.as_millis() <= u128::from(most)
                && self.replica.applied >= raft.known_commit()
                && !self.requests.is_applying()
        });
        // A state that stands still is for those who ask for it by name.
        let stands_still = self.replica.leadership.is_removed && reads != Reads::Local;
        // Whoever has lost entries may have shown more of them before.
        let is_whole = !raft.is_repairing() && !stands_still;
        self.phase == Phase::Serving && (most == 0 || is_recent) && is_whole
    }

    /// Holds what a read has just written, from `start` on, until this member is known to lead
    /// still.
    pub(in crate::node) fn hold_reply(&mut self, slot: u32, start: usize) {
        let round = self.replica.leadership.round + 1;
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        if !session.outbox.is_holding() {
            self.replica.leadership.readers.push((slot, session.conn));
            session.insists = false;
        }
        // Behind a reply that waits for its round no lease lets another go: that needs one too.
        let by_lease = session.reads != Reads::Linearizable && !session.insists;
        if self.config.lease_reads && by_lease {
            self.replica.leadership.wants_lease = true;
        } else {
            session.insists = true;
            self.replica.leadership.wants_round = true;
        }
        session.outbox.hold(round, start);
    }

    /// Takes or lays down leadership as Raft has decided, and asks for what held replies wait for.
    pub(super) fn tend_leadership(&mut self) {
        self.replica.join_group(&self.config);
        self.begin_first_change();
        let Some(raft) = &self.replica.raft else {
            return;
        };
        let term = raft.is_leader().then(|| raft.term());
        let (leader, epoch) = (raft.leader(), raft.term());
        self.replica.leadership.last_leader = leader.or(self.replica.leadership.last_leader);
        // Clients that wait are told before they may be sent away.
        if self.replica.has_lost_leadership() {
            self.step_down();
        }
        self.tell_leader(leader, epoch);
        if !self.replica.leadership.grouped {
            return;
        }
        if self.phase == Phase::Recovering {
            self.open_doors();
        }
        let is_settled = self.replica.is_settled() && !self.requests.is_applying();
        let Some(raft) = &mut self.replica.raft else {
            return;
        };
        let led_from = raft.led_from();
        if self.replica.leadership.term.is_none()
            && led_from.is_some_and(|first| first <= self.replica.applied)
        {
            self.replica.leadership.term = term;
            self.replicated.leads();
            // Others have proposed what was applied meanwhile: from here on the counts go together.
            // Who was alone before has proposed all of it, and may have more on its way.
            if is_settled {
                self.replicated.align_counts();
            }
        }
        let is_changing = raft.is_changing();
        let (is_transferring, given_up) = (raft.is_transferring(), raft.given_up());
        let lease = self.config.lease_reads && raft.has_lease(self.now.mono);
        let without_lease = mem::take(&mut self.replica.leadership.wants_lease) && !lease;
        if mem::take(&mut self.replica.leadership.wants_round) || without_lease {
            self.replica.leadership.round += 1;
            raft.read(self.now.mono, self.replica.leadership.round);
        }
        let done = &mut self.replica.leadership.reads_done;
        raft.ready_reads(done);
        let answered = done.iter().filter(|read| read.outcome.is_ok());
        let answered = answered.map(|read| read.id).max();
        // Too many were waiting: the next turn asks again.
        self.replica.leadership.wants_round =
            done.iter().any(|read| read.outcome == Err(Refused::Full));
        done.clear();
        if lease || answered.is_some() {
            // Whoever holds a lease at the end of the turn has led during all of it.
            self.release_held(answered.unwrap_or(0), lease);
        }
        self.end_waits_for_members();
        if !is_changing && self.replica.leadership.first_change.is_none() {
            self.end_waits(Blocked::Change);
        }
        if !is_transferring {
            // A leader that has lost its leadership has answered already.
            let refusal = given_up.map_or(Error::CLUSTER_DOWN, not_taken_over);
            self.end_waits_with(Blocked::Transfer, Some(&refusal));
        }
    }

    /// Begins the change by which this member ceases to be alone, when it is time.
    fn begin_first_change(&mut self) {
        let Some(change) = self.replica.take_first_change() else {
            return;
        };
        if let Err(refusal) = self.begin_change(change) {
            self.end_waits_with(Blocked::Change, Some(&refusal));
        }
        self.replica.apply_policy(&self.config);
    }

    /// Says who leads, when that is another than before.
    fn tell_leader(&mut self, leader: Option<NodeId>, term: Term) {
        let is_news = match leader {
            Some(leader) => self.replica.leadership.told != Some((leader, term)),
            None => self.replica.leadership.told.is_some(),
        };
        if !is_news || !self.replica.leadership.grouped {
            return;
        }
        self.replica.leadership.told = leader.map(|leader| (leader, term));
        // What this member applies may have fallen behind for as long as it takes to notice.
        self.clients.all_is_invalid();
        if self.carries_clients() {
            // Who comes again is carried to the leader. Those that wait are told so first.
            for slot in self.clients.slots() {
                if !self.clients.is_leaving(slot) {
                    self.clients.close(slot);
                }
            }
        }
        self.note(match leader {
            Some(leader) if leader == self.config.id => Note::Leading { term },
            Some(leader) => Note::Following { leader, term },
            None => Note::Leaderless { term },
        });
    }

    /// Returns true if clients are carried to another member, which leads.
    pub(in crate::node) fn carries_clients(&self) -> bool {
        let told = self.replica.leadership.told;
        self.config.follower_proxy && told.is_some_and(|(leader, _)| leader != self.config.id)
    }

    /// Voids the lease where the wall clock and the monotonic one have not gone the same way: one
    /// of them has jumped or stood still, and nobody knows which.
    pub(in crate::node) fn watch_clocks(&mut self) {
        const APART: i64 = 50_000;
        let now = self.now;
        let (wall, mono) =
            mem::replace(&mut self.replica.leadership.clocks, (now.wall_us, now.mono));
        let passed = now.mono.since(mono).as_micros() as i64;
        let apart = now.wall_us.wrapping_sub(wall) as i64 - passed;
        if apart.saturating_abs() > APART
            && let Some(raft) = &mut self.replica.raft
        {
            raft.clock_jumped();
        }
        self.replicated.watch_clock(self.now);
    }

    /// Lets replies go whose round is answered; with a lease all that do not insist on one.
    fn release_held(&mut self, answered: u64, lease: bool) {
        let newest = self.replica.leadership.round + 1;
        let mut readers = mem::take(&mut self.replica.leadership.readers);
        readers.retain(|(slot, conn)| {
            let Some(session) = self.clients.get_same(*slot, *conn) else {
                return false;
            };
            let by_lease = lease && !session.insists;
            session
                .outbox
                .release(if by_lease { newest } else { answered });
            let holding = session.outbox.is_holding();
            self.clients.mark_dirty(*slot);
            holding
        });
        self.replica.leadership.readers = readers;
    }

    /// This member no longer leads: what its clients wait for may or may not happen, and what they
    /// have read may be old.
    fn step_down(&mut self) {
        self.replica.leadership.term = None;
        let changing = self.replica.raft.as_ref().is_none_or(Raft::is_changing);
        self.end_waits_with(Blocked::Change, changing.then_some(&Error::UNCERTAIN));
        self.end_waits(Blocked::Transfer);
        self.clients.all_leave();
        self.tell_leaving();
        let mut refusal = Vec::new();
        write_error(
            &mut Reply::new(&mut refusal, Protocol::Resp2),
            &Error::CLUSTER_DOWN,
        );
        for (slot, conn) in mem::take(&mut self.replica.leadership.readers) {
            if let Some(session) = self.clients.get_same(slot, conn) {
                let refused = session.outbox.refuse_held(&refusal);
                self.metrics.errors(&Error::CLUSTER_DOWN, refused as u64);
                self.clients.mark_dirty(slot);
            }
        }
        self.replicated.fall_back();
        self.clients.nothing_will_be_written();
        self.no_script_is_under_way();
        self.evict_no_more();
        let waiters = self.replica.forget_proposed();
        let told = waiters.into_iter().map(|one| (one, Error::UNCERTAIN));
        self.disappoint_all(told);
    }

    /// Hands messages for the subscribers of other members to the driver.
    pub(in crate::node) fn emit_told(&mut self) {
        let Some((frame, messages)) = self.replica.telling.take() else {
            return;
        };
        let own = self.config.id;
        let members = self.replica.raft.as_ref().map(Raft::in_force);
        let others = members.into_iter().flat_map(|all| all.members());
        for to in others.map(|member| member.id).filter(|id| *id != own) {
            self.metrics.told(messages);
            self.effects.push(Effect::Tell {
                to,
                messages,
                frame: Box::new(frame.clone()),
            });
        }
    }

    /// Hands Raft's messages to the driver.
    pub(super) fn emit_messages(&mut self) {
        let Some(raft) = &mut self.replica.raft else {
            return;
        };
        let mut messages = mem::take(&mut self.replica.messages);
        raft.messages(&mut messages);
        for message in messages.drain(..) {
            self.effects.push(Effect::Message {
                to: message.to,
                class: message.class,
                frame: message.frame.into(),
            });
        }
        self.replica.messages = messages;
    }
}

/// The error for a client whose transfer has come to nothing in its time. A member that was told to
/// campaign may be elected later all the same.
fn not_taken_over(given_up: GivenUp) -> Error {
    let GivenUp { target, told } = given_up;
    let target = target.0;
    Error::text(if told {
        format!(
            "UNCERTAIN member {target} was told to take over and has not done so yet: it may \
             still. RAFT INFO shows the leader"
        )
    } else {
        format!("ERR member {target} has not caught up in time; this member remains the leader")
    })
}
