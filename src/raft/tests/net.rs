//! A network of cores in one place: messages are lost, doubled and overtaken, syncs take their
//! time, processes die with what was not synced, and after every event the invariants are asked.

use alloc::collections::{BTreeMap, VecDeque};

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, PersistSeq, Term};
use crate::raft::log::TermAt;
use crate::raft::message::{Message, Place};
use crate::raft::*;
use crate::rng;
use crate::time::{Mono, Stamp};
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

pub(super) const CLUSTER: ClusterId = ClusterId(77);
const MS: u64 = 1_000_000;

/// How bad the world is.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// Messages of a hundred that are lost.
    pub(super) loss: u64,
    /// Messages of a hundred that come twice.
    pub(super) doubled: u64,
    /// The longest way of a message, in microseconds.
    pub(super) delay_us: u64,
    /// The longest sync, in microseconds.
    pub(super) sync_us: u64,
    /// Messages of one class between two members do not overtake each other, as on one connection.
    pub(super) in_order: bool,
    /// How far clocks run off, in millionths, to either side.
    pub(super) drift_ppm: u64,
    /// Members keep no applied entries in memory.
    pub(super) keeps_nothing: bool,
    /// Events of a hundred after which a member's disk gets a new base.
    pub(super) compacts: u64,
    /// Pieces of states, of a hundred, that a leader's owner cannot read any more, and whole states
    /// that a receiver's owner refuses.
    pub(super) spoils: u64,
}

impl World {
    pub(super) const CALM: Self = Self {
        loss: 0,
        doubled: 0,
        delay_us: 500,
        sync_us: 500,
        in_order: true,
        drift_ppm: 0,
        keeps_nothing: false,
        compacts: 0,
        spoils: 0,
    };
    pub(super) const ROUGH: Self = Self {
        loss: 10,
        doubled: 10,
        delay_us: 30_000,
        sync_us: 20_000,
        in_order: false,
        drift_ppm: 0,
        keeps_nothing: false,
        compacts: 0,
        spoils: 0,
    };
    /// Logs are cut wherever they may be.
    pub(super) const FORGETFUL: Self = Self {
        keeps_nothing: true,
        compacts: 5,
        spoils: 3,
        drift_ppm: 20_000,
        ..Self::ROUGH
    };
}

/// What a member's disk holds for certain.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    commit: LogIndex,
    pub(super) base: Place,
    pub(super) membership: Membership,
    pub(super) entries: Vec<Entry>,
}

/// Something on its way to the disk.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) due: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    HandOver {
        seq: PersistSeq,
        term: Term,
        vote: Option<NodeId>,
        commit: LogIndex,
        entries: Vec<Entry>,
    },
    /// A state that was received; the entries behind it stay or go.
    Base {
        base: Place,
        membership: Membership,
        keeps_tail: bool,
    },
}

#[derive(Debug)]
pub(super) struct Host {
    pub(super) member: Member,
    /// Nothing while the process is dead.
    pub(super) raft: Option<Raft>,
    pub(super) disk: Disk,
    pub(super) writes: VecDeque<Write>,
    /// Nothing more is synced.
    pub(super) disk_stuck: bool,
    drift: i64,
    /// What the latest life has shown: term, commit, applied.
    shown: (Term, LogIndex, LogIndex),
    spoken: Term,
    pub(super) settings: Settings,
    pub(super) applied: LogIndex,
    /// It led when its last event was over, and this membership was in force.
    led_in: Option<Membership>,
    lives: u64,
    paused: Option<Raft>,
    /// What was received of a state.
    pub(super) incoming: Vec<u8>,
}

#[derive(Debug)]
struct Flight {
    from: NodeId,
    to: NodeId,
    frame: Vec<u8>,
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
    flown: u64,
    /// When the last message of a class between two members arrives.
    queues: BTreeMap<(NodeId, NodeId, Class), u64>,
    /// Pairs that do not hear each other; from, to.
    pub(super) cut: Vec<(NodeId, NodeId)>,
    leaders: BTreeMap<Term, NodeId>,
    votes: BTreeMap<(NodeId, Term), NodeId>,
    /// What is committed, from index 1 on.
    pub(super) committed: Vec<(Term, Bytes)>,
    /// The memberships among that.
    pub(super) memberships: Vec<(LogIndex, Membership)>,
    /// States that were put in force.
    pub(super) installed: u64,
    /// The latest term in which something was committed.
    committed_in: Term,
    /// Reads under way: what was committed when they were asked.
    reads: BTreeMap<u64, u64>,
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
        let payload = Bytes::copy_from_slice(&payload.to_le_bytes());
        let proposed = self.raft(id).propose(Stamp(0), payload);
        self.settle(id);
        proposed
    }

    pub(super) fn change(
        &mut self,
        id: NodeId,
        changes: &[Change],
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

    fn learn_reads(&mut self, id: NodeId) {
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

    /// R16, R17: whoever may read without asking has applied all that is committed anywhere.
    fn check_leases(&mut self) {
        for (id, host) in &self.hosts {
            let Some(raft) = &host.raft else { continue };
            if raft.has_lease(self.local(*id)) {
                self.leases += 1;
                let all = self.committed.len() as u64;
                assert!(
                    host.applied.0 >= all,
                    "R16: {id} relies on a lease that is none"
                );
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

    fn applied(&mut self, id: NodeId, entry: &Entry) {
        let host = self.hosts.get_mut(&id).unwrap();
        assert_eq!(
            entry.index,
            host.applied.next(),
            "R10: applied in order, each once"
        );
        host.applied = entry.index;
        let at = entry.index.0 as usize - 1;
        let known = (entry.term, entry.payload.clone());
        match self.committed.get(at) {
            Some(committed) => assert_eq!(*committed, known, "R5: one entry per index"),
            None => panic!("applied before it was committed anywhere"),
        }
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

    /// What one member says to another is said, if the pair is not cut.
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

    fn check_spoken(&mut self, from: NodeId, frame: &[u8]) {
        let frame = Bytes::copy_from_slice(frame);
        let (envelope, message) = wire::decode(&frame).expect("what is sent is a frame");
        let host = self.hosts.get_mut(&from).unwrap();
        assert!(
            envelope.term >= host.spoken,
            "R18: no lower term than before"
        );
        host.spoken = envelope.term;
        let disk = &host.disk;
        assert!(
            disk.term >= envelope.term,
            "R12: a term is durable before it is spoken of"
        );
        let mut voted = |candidate: NodeId| {
            let durable = disk.term > envelope.term || disk.vote == Some(candidate);
            assert!(durable, "R12: a vote is durable before it is spoken of");
            let first = self.votes.entry((from, envelope.term)).or_insert(candidate);
            assert_eq!(*first, candidate, "R11: one vote per term");
        };
        match &message {
            Message::Vote { .. } => voted(from),
            Message::VoteReply { granted: true } => voted(envelope.to.id),
            Message::Accepted { index } | Message::HeartbeatReply { durable: index, .. } => {
                let raft = host.raft.as_ref().unwrap();
                if *index > disk.base.0 {
                    let durable = disk.term_at(*index).map(TermAt::Known);
                    let own = raft.log.term_at(*index);
                    assert!(
                        durable == Some(own) || (own == TermAt::Compacted && durable.is_some()),
                        "R12: accepted is durable"
                    );
                }
            }
            _ => {}
        }
        if let Some(trace) = &mut self.trace {
            trace.push((from, envelope.to.id, message));
        }
    }

    /// The invariants that one member's event can break.
    fn check(&mut self, id: NodeId) {
        let host = self.hosts.get_mut(&id).unwrap();
        let Some(raft) = &host.raft else { return };
        let (term, commit, applied) = host.shown;
        assert!(raft.term() >= term, "R8: terms only grow");
        assert!(raft.commit() >= commit, "R9: the commit index only grows");
        assert!(raft.applied >= applied, "R10: applied only grows");
        host.shown = (raft.term(), raft.commit(), raft.applied);
        let (base, last) = (raft.log.base().0, raft.last());
        let in_order =
            base <= raft.applied && raft.applied <= raft.commit() && raft.commit() <= last;
        assert!(in_order, "R13: base, applied, commit, last");
        assert_eq!(raft.applied, host.applied);
        host.led_in = raft.is_leader().then(|| raft.in_force().clone());
        if host.led_in.is_none() {
            return;
        }
        // It may not know yet what others have committed.
        let known = raft.commit().0.max(self.committed.len() as u64);
        let window = raft.log.window().iter();
        let uncommitted = window.filter(|entry| entry.index.0 > known);
        let changes = uncommitted.filter(|entry| entry.kind == Kind::Membership);
        assert!(changes.count() <= 1, "R15: one change at a time");
        let first = self.leaders.entry(raft.term()).or_insert(id);
        assert_eq!(*first, id, "R1: one leader per term");
        if raft.term() < self.committed_in {
            // It does not know yet that it leads no longer.
            return;
        }
        assert!(
            last.0 >= self.committed.len() as u64,
            "R4: a leader has all that is committed"
        );
        for entry in raft.log.window() {
            if let Some(committed) = self.committed.get(entry.index.0 as usize - 1) {
                assert_eq!(entry.term, committed.0, "R4: and as it was committed");
            }
        }
    }

    /// What a leader calls committed must be durable on a quorum, before anybody applies it.
    fn check_commit(&mut self, id: NodeId) {
        let raft = self.hosts[&id].raft.as_ref().unwrap();
        let (commit, known) = (raft.commit(), self.committed.len() as u64);
        if commit.0 <= known {
            return;
        }
        // A leader may have removed itself by it.
        assert!(
            raft.is_leader() || self.hosts[&id].led_in.is_some(),
            "only a leader commits what was not committed"
        );
        let term = raft.log.term_at(commit);
        let holds = |id: NodeId| {
            let disk = &self.hosts[&id].disk;
            disk.base.0 >= commit || disk.term_at(commit).map(TermAt::Known) == Some(term)
        };
        // What was in force when the event began has decided: what it commits may end a change.
        let decided = self.hosts[&id].led_in.as_ref();
        let decided = decided.unwrap_or(raft.in_force());
        let reached = decided.reached(&|id| u64::from(holds(id)));
        assert_eq!(reached, 1, "R7: committed is durable on a quorum");
        self.committed_in = self.committed_in.max(raft.term());
        for index in known + 1..=commit.0 {
            let entry = raft.log.get(LogIndex(index)).expect("not applied yet");
            self.committed.push((entry.term, entry.payload.clone()));
            let membership = entry.membership().map(|new| (entry.index, new));
            self.memberships.extend(membership);
        }
    }

    /// R3: two logs that agree at an index agree in all before it.
    pub(super) fn check_log_matching(&self) {
        let rafts: Vec<&Raft> = self
            .hosts
            .values()
            .filter_map(|h| h.raft.as_ref())
            .collect();
        for (at, one) in rafts.iter().enumerate() {
            for other in &rafts[..at] {
                let mut agree = false;
                for entry in one.log.window().iter().rev() {
                    let Some(twin) = other.log.get(entry.index) else {
                        continue;
                    };
                    agree |= twin.term == entry.term;
                    assert!(!agree || twin == entry, "R3: log matching");
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Synced,
    Flight,
    Timer,
}

impl Disk {
    fn take(&mut self, write: Write) {
        let entries = match write.what {
            What::HandOver {
                term,
                vote,
                commit,
                entries,
                ..
            } => {
                (self.term, self.vote, self.commit) = (term, vote, commit);
                entries
            }
            What::Base {
                base,
                membership,
                keeps_tail,
            } => {
                let is_kept = |entry: &Entry| keeps_tail && entry.index > base.0;
                self.entries.retain(is_kept);
                (self.base, self.membership) = (base, membership);
                return;
            }
        };
        for entry in entries {
            if entry.index <= self.base.0 {
                continue;
            }
            let at = (entry.index.0 - self.base.0.0 - 1) as usize;
            assert!(at <= self.entries.len(), "a gap on the disk");
            self.entries.truncate(at);
            self.entries.push(entry);
        }
    }

    pub(super) fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.0 {
            return Some(self.base.1);
        }
        let at = index.0.checked_sub(self.base.0.0 + 1)?;
        self.entries.get(at as usize).map(|entry| entry.term)
    }
}
