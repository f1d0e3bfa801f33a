//! A network of cores in one place: messages are lost, doubled and overtaken, syncs take their
//! time, processes die with what was not synced, and after every event the invariants are asked.

use alloc::collections::{BTreeMap, VecDeque};

use super::world::{Disk, What, World, Write};
use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::raft::log::TermAt;
use crate::raft::message::Message;
use crate::raft::*;
use crate::rng;
use crate::time::{Mono, Stamp};
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

pub(super) const CLUSTER: ClusterId = ClusterId(77);
const MS: u64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Host {
    pub(super) member: Member,
    /// Nothing while the process is dead.
    pub(super) raft: Option<Raft>,
    pub(super) disk: Disk,
    pub(super) writes: VecDeque<Write>,
    /// Nothing more is synced.
    pub(super) disk_stuck: bool,
    pub(super) drift: i64,
    /// The term, commit and applied index that the latest life has shown.
    pub(super) shown: (Term, LogIndex, LogIndex),
    pub(super) spoken: Term,
    pub(super) settings: Settings,
    pub(super) applied: LogIndex,
    /// It led when its last event was over, and this membership was in force.
    pub(super) led_in: Option<Membership>,
    pub(super) lives: u64,
    pub(super) paused: Option<Raft>,
    /// The received part of a state.
    pub(super) incoming: Vec<u8>,
}

#[derive(Debug)]
struct Flight {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) frame: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Net {
    pub(super) world: World,
    pub(super) rng: ChaCha8Rng,
    /// True time, in nanoseconds.
    pub(super) now: u64,
    pub(super) hosts: BTreeMap<NodeId, Host>,
    /// The membership before the first entry.
    pub(super) founders: Membership,
    flights: BTreeMap<(u64, u64), Flight>,
    pub(super) flown: u64,
    /// When the last message of a class between two members arrives.
    pub(super) queues: BTreeMap<(NodeId, NodeId, Class), u64>,
    /// Pairs that do not hear each other; from, to.
    pub(super) cut: Vec<(NodeId, NodeId)>,
    pub(super) leaders: BTreeMap<Term, NodeId>,
    pub(super) votes: BTreeMap<(NodeId, Term), NodeId>,
    /// The committed entries, from index 1 on.
    pub(super) committed: Vec<(Term, Bytes)>,
    /// The memberships among that.
    pub(super) memberships: Vec<(LogIndex, Membership)>,
    /// Owners supply no states.
    pub(super) is_stingy: bool,
    /// States that were put in force.
    pub(super) installed: u64,
    /// The latest term in which something was committed.
    pub(super) committed_in: Term,
    /// Reads under way: what was committed when they were asked.
    pub(super) reads: BTreeMap<u64, u64>,
    /// Reads that were granted.
    pub(super) granted: Vec<u64>,
    /// Reads that were refused.
    pub(super) refused: Vec<u64>,
    /// How often a lease was held.
    pub(super) leases: u64,
    /// Every frame that was sent, if wanted.
    pub(super) trace: Option<Vec<(NodeId, NodeId, Message)>>,
}

pub(super) fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id * 10),
    }
}

impl Net {
    /// A group of `count` voters that start together.
    pub(super) fn new(seed: u64, count: u64, world: World) -> Self {
        let mut net = Self {
            world,
            rng: rng::keyed(seed, 1, 2, 3),
            now: 1000 * MS,
            hosts: BTreeMap::new(),
            founders: Membership::of((1..=count).map(member).collect()).unwrap(),
            flights: BTreeMap::new(),
            flown: 0,
            queues: BTreeMap::new(),
            cut: Vec::new(),
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            committed: Vec::new(),
            memberships: Vec::new(),
            is_stingy: false,
            installed: 0,
            committed_in: Term(0),
            reads: BTreeMap::new(),
            granted: Vec::new(),
            refused: Vec::new(),
            leases: 0,
            trace: None,
        };
        for id in 1..=count {
            let founders = net.founders.clone();
            net.add(member(id), seed, founders);
            net.start(NodeId(id));
        }
        net
    }

    /// A host with an empty disk.
    pub(super) fn add(&mut self, member: Member, seed: u64, membership: Membership) {
        let span = 2 * self.world.drift_ppm as i64 + 1;
        let drift = self.below(span as u64) as i64 - self.world.drift_ppm as i64;
        let mut host = Host {
            member,
            raft: None,
            disk: Disk {
                term: Term(0),
                vote: None,
                commit: LogIndex(0),
                base: (LogIndex(0), Term(0)),
                membership,
                entries: Vec::new(),
            },
            writes: VecDeque::new(),
            disk_stuck: false,
            drift,
            shown: Default::default(),
            spoken: Term(0),
            settings: Settings {
                id: member.id,
                incarnation: member.incarnation,
                cluster: CLUSTER,
                seed,
                drift_ppm: self.world.drift_ppm,
                append_entries: 4,
                in_flight_appends: 3,
                chunk_bytes: 16,
                ..Settings::default()
            },
            applied: LogIndex(0),
            led_in: None,
            lives: 0,
            paused: None,
            incoming: Vec::new(),
        };
        if self.world.keeps_nothing {
            host.settings.retained_bytes = 0;
        }
        self.hosts.insert(member.id, host);
    }

    pub(super) fn below(&mut self, below: u64) -> u64 {
        rng::below(self.rng.next_u64(), below)
    }

    pub(super) fn local(&self, id: NodeId) -> Mono {
        let parts = 1_000_000 + self.hosts[&id].drift;
        Mono((i128::from(self.now) * i128::from(parts) / 1_000_000) as u64)
    }

    pub(super) fn start(&mut self, id: NodeId) {
        let now = self.local(id);
        let host = self.hosts.get_mut(&id).unwrap();
        assert!(host.raft.is_none());
        host.lives += 1;
        host.settings.seed = host.settings.seed.wrapping_add(host.lives << 32);
        let disk = host.disk.clone();
        host.applied = disk.base.0;
        host.shown = (disk.term, disk.base.0, disk.base.0);
        host.led_in = None;
        let restart = Restart {
            term: disk.term,
            vote: disk.vote,
            commit: disk.commit,
            base: disk.base,
            membership: disk.membership,
            tail: disk.entries,
            restate: false,
            owes: None,
        };
        host.raft = Some(Raft::new(host.settings, restart, now));
        self.settle(id);
    }

    /// The process dies; of what was on its way to the disk a part may have arrived.
    pub(super) fn crash(&mut self, id: NodeId) {
        let writes = self.hosts[&id].writes.len() as u64;
        let arrived = self.below(writes + 1);
        let host = self.hosts.get_mut(&id).unwrap();
        host.raft = None;
        for _ in 0..arrived {
            let write = host.writes.pop_front().unwrap();
            host.disk.take(write);
        }
        host.writes.clear();
        host.disk_stuck = false;
    }

    pub(super) fn raft(&mut self, id: NodeId) -> &mut Raft {
        let host = self.hosts.get_mut(&id).unwrap();
        host.raft.as_mut().unwrap()
    }

    /// The member that leads in the latest term.
    pub(super) fn leader(&self) -> Option<NodeId> {
        let alive = self.hosts.values().filter_map(|host| host.raft.as_ref());
        let leaders = alive.filter(|raft| raft.is_leader());
        let latest = leaders.max_by_key(|raft| raft.term())?;
        Some(latest.settings.id)
    }

    pub(super) fn propose(&mut self, id: NodeId, payload: u64) -> Result<LogIndex, Refused> {
        // Where appends are short some entries go in several parts.
        let is_short = self.hosts[&id].settings.append_bytes < 100;
        let times = if is_short { 1 + payload % 8 } else { 1 };
        let payload = Bytes::from(payload.to_le_bytes().repeat(times as usize));
        let proposed = self.raft(id).propose(Stamp(0), payload);
        self.settle(id);
        proposed
    }

    pub(super) fn change(
        &mut self,
        id: NodeId,
        changes: &[MembershipChange],
    ) -> Result<LogIndex, ChangeRefused> {
        let changed = self.raft(id).change(changes);
        self.settle(id);
        changed
    }

    pub(super) fn transfer(
        &mut self,
        id: NodeId,
        to: Option<NodeId>,
    ) -> Result<(), TransferRefused> {
        let transferred = self.raft(id).transfer(to);
        self.settle(id);
        transferred
    }

    /// A host with an empty disk comes to a group that was formed by others.
    pub(super) fn join(&mut self, member: Member) {
        let founders = self.founders.clone();
        self.add(member, 5, founders);
        self.start(member.id);
    }

    pub(super) fn start_all(&mut self) {
        let dead = self.hosts.iter().filter(|(_, host)| host.raft.is_none());
        let dead: Vec<NodeId> = dead.map(|(id, _)| *id).collect();
        for id in dead {
            self.start(id);
        }
    }

    /// Lets events happen until something is so.
    pub(super) fn run_until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) {
        let until = self.now + 60_000 * MS;
        while !is_so(self) {
            assert!(self.step(until), "it never comes to it");
        }
    }

    /// Asks for a read.
    pub(super) fn read(&mut self, id: NodeId) -> u64 {
        self.flown += 1;
        let read = self.flown;
        self.reads.insert(read, self.committed.len() as u64);
        let now = self.local(id);
        self.raft(id).read(now, read);
        self.settle(id);
        read
    }

    pub(super) fn learn_reads(&mut self, id: NodeId) {
        let mut done = Vec::new();
        self.raft(id).ready_reads(&mut done);
        for ReadDone { id, outcome } in done {
            let at_least = self.reads.remove(&id).expect("each read has one outcome");
            match outcome {
                Ok(index) => {
                    assert!(
                        index.0 >= at_least,
                        "R17: a read sees what was written before"
                    );
                    self.granted.push(id);
                }
                Err(_) => self.refused.push(id),
            }
        }
    }

    /// Everything that a host's driver does after an event.
    pub(super) fn settle(&mut self, id: NodeId) {
        loop {
            let sync_us = self.world.sync_us;
            let due = self.now + self.below(sync_us * 1000 + 1);
            let Self { hosts, .. } = self;
            let Some(host) = hosts.get_mut(&id) else {
                return;
            };
            let Some(raft) = &mut host.raft else { return };
            let Some(new) = raft.unpersisted() else {
                break;
            };
            let due = host.writes.back().map_or(due, |write| write.due.max(due));
            let what = What::HandOver {
                seq: new.seq,
                term: new.term,
                vote: new.vote,
                commit: new.commit,
                entries: new.entries.to_vec(),
            };
            host.writes.push_back(Write { due, what });
        }
        self.check_commit(id);
        while let Some(entry) = self.raft(id).next_committed() {
            self.applied(id, &entry);
        }
        self.learn_reads(id);
        self.keep_chunks(id);
        self.supply(id);
        let mut out = Vec::new();
        self.raft(id).messages(&mut out);
        for outgoing in out {
            self.dispatch(id, outgoing);
        }
        self.learn_reads(id);
        if self.below(100) < self.world.compacts {
            self.compact(id);
        }
        self.check_leases();
        self.check(id);
    }

    fn dispatch(&mut self, from: NodeId, outgoing: Outgoing) {
        let Outgoing { to, class, frame } = outgoing;
        self.check_spoken(from, &frame);
        if self.cut.contains(&(from, to)) {
            return;
        }
        let copies = if self.below(100) < self.world.doubled {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if self.below(100) < self.world.loss {
                continue;
            }
            let delay = self.below(self.world.delay_us * 1000 + 1);
            let mut at = self.now + delay;
            if self.world.in_order {
                let queue = self.queues.entry((from, to, class)).or_insert(at);
                at = at.max(*queue);
                *queue = at;
            }
            self.flown += 1;
            let frame = frame.clone();
            let flight = Flight { from, to, frame };
            self.flights.insert((at, self.flown), flight);
        }
    }

    /// Puts a frame on the wire as it is, to arrive at once.
    pub(super) fn inject(&mut self, from: NodeId, to: NodeId, frame: Vec<u8>) {
        self.flown += 1;
        let flight = Flight { from, to, frame };
        self.flights.insert((self.now, self.flown), flight);
    }

    /// Forgets what is under way.
    pub(super) fn lose_flights(&mut self) {
        self.flights.clear();
    }

    /// True time of the next event.
    fn next_event(&self) -> Option<(u64, NodeId, Event)> {
        let flight = self.flights.iter().next();
        let flight = flight.map(|((at, _), flight)| (*at, flight.to, Event::Flight));
        let hosts = self.hosts.iter().filter(|(_, host)| host.raft.is_some());
        let due = hosts.flat_map(|(id, host)| {
            let write = host.writes.front().filter(|_| !host.disk_stuck);
            let write = write.map(|write| (write.due, *id, Event::Synced));
            let timer = host.raft.as_ref().and_then(Raft::deadline);
            let timer = timer.map(|at| {
                let parts = (1_000_000 + host.drift) as u64;
                let at = (u128::from(at.0) * 1_000_000 / u128::from(parts)) as u64 + 1000;
                (at.max(self.now), *id, Event::Timer)
            });
            write.into_iter().chain(timer)
        });
        due.chain(flight).min()
    }

    /// A process stands still: its clock goes on, it does nothing.
    pub(super) fn pause(&mut self, id: NodeId) {
        let host = self.hosts.get_mut(&id).unwrap();
        host.paused = host.raft.take();
    }

    pub(super) fn resume(&mut self, id: NodeId) {
        let host = self.hosts.get_mut(&id).unwrap();
        host.raft = host.paused.take();
    }

    /// One arrival, after which the receiver's driver says what it has to say but takes no reads.
    pub(super) fn step_one_without_settling(&mut self) {
        let Some((_, flight)) = self.flights.pop_first() else {
            panic!("nothing is under way");
        };
        self.now += 1000;
        let Flight { from, to, frame } = flight;
        let now = self.local(to);
        self.raft(to).step(now, from, &frame).unwrap();
        let mut out = Vec::new();
        self.raft(to).messages(&mut out);
        for outgoing in out {
            self.dispatch(to, outgoing);
        }
    }

    /// One event; false if nothing will ever happen.
    pub(super) fn step(&mut self, until: u64) -> bool {
        let Some((at, id, event)) = self.next_event() else {
            self.now = until;
            return false;
        };
        if at > until {
            self.now = until;
            return false;
        }
        self.now = self.now.max(at);
        let now = self.local(id);
        match event {
            Event::Flight => {
                let (_, flight) = self.flights.pop_first().unwrap();
                let Flight { from, to, frame } = flight;
                let Some(host) = self.hosts.get_mut(&to) else {
                    return true;
                };
                if let Some(raft) = &mut host.raft {
                    // Only what was sent arrives here, so that nothing is refused but what is for
                    // another life.
                    let taken = raft.step(now, from, &frame);
                    assert!(
                        matches!(taken, Ok(()) | Err(WireError::WrongAddressee)),
                        "{taken:?}"
                    );
                }
            }
            Event::Synced => {
                let host = self.hosts.get_mut(&id).unwrap();
                let write = host.writes.pop_front().unwrap();
                let raft = host.raft.as_mut().unwrap();
                match &write.what {
                    What::HandOver { seq, .. } => {
                        let seq = *seq;
                        host.disk.take(write);
                        raft.persisted(seq);
                    }
                    What::Base {
                        base, membership, ..
                    } => {
                        let (base, membership) = (*base, membership.clone());
                        host.disk.take(write);
                        assert!(raft.installed(base, membership), "the log stood still");
                        host.applied = base.0;
                        self.installed += 1;
                    }
                }
            }
            Event::Timer => self.raft(id).tick(now),
        }
        self.settle(id);
        true
    }

    /// Lets time pass.
    pub(super) fn run_ms(&mut self, ms: u64) {
        let until = self.now + ms * MS;
        while self.step(until) {}
    }

    /// Lets time pass until there is a leader that has committed in its term and whom all living
    /// members follow.
    pub(super) fn run_to_leader(&mut self) -> NodeId {
        let until = self.now + 60_000 * MS;
        while self.now < until {
            self.run_ms(5);
            let Some(leader) = self.leader() else {
                continue;
            };
            let raft = self.hosts[&leader].raft.as_ref().unwrap();
            let (term, commit) = (raft.term(), raft.commit());
            let alive = self.hosts.values().filter_map(|host| host.raft.as_ref());
            let in_force = raft.history.in_force();
            let me = |other: &Raft| other.settings.me();
            let mut followers =
                alive.filter(|other| in_force.get(me(other).id) == Some(&me(other)));
            if raft.log.term_at(commit) == TermAt::Known(term)
                && followers.all(|other| other.leader() == Some(leader))
            {
                return leader;
            }
        }
        panic!("no leader within a minute");
    }

    /// A leader other than this one.
    pub(super) fn run_to_second_leader(&mut self, first: NodeId) -> NodeId {
        for _ in 0..1000 {
            self.run_ms(5);
            let leader = self.leader().filter(|leader| *leader != first);
            if let Some(leader) = leader
                && self.raft(leader).has_committed_own_term()
            {
                return leader;
            }
        }
        panic!("no second leader");
    }

    /// The world becomes calm, and all that is dead or stuck comes back.
    pub(super) fn make_peace(&mut self) {
        self.cut.clear();
        self.world = World {
            drift_ppm: 0,
            ..World::CALM
        };
        let ids: Vec<NodeId> = self.hosts.keys().copied().collect();
        for id in ids {
            let host = self.hosts.get_mut(&id).unwrap();
            host.disk_stuck = false;
            if host.raft.is_none() {
                self.start(id);
            }
        }
    }

    /// Nobody hears this member any more, and it hears nobody.
    pub(super) fn isolate(&mut self, id: NodeId) {
        for other in self.hosts.keys() {
            self.cut.push((id, *other));
            self.cut.push((*other, id));
        }
    }

    /// Sends a message from one member to another, if the pair is not cut.
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let term = self.raft(from).term();
        self.send_in_term(from, to, term, message);
    }

    /// The same, in a term of the test's choosing.
    pub(super) fn send_in_term(&mut self, from: NodeId, to: NodeId, term: Term, message: &Message) {
        let envelope = message::Envelope {
            cluster: CLUSTER,
            from: self.hosts[&from].member,
            to: self.hosts[&to].member,
            term,
        };
        let frame = wire::encode(&envelope, message);
        self.inject(from, to, frame);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Synced,
    Flight,
    Timer,
}
