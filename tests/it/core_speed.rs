//! The cost of one entry for three cores in one thread, without a disk and without a network,
//! beside the crate `raft`: a measurement, not a test.
//!
//! `cargo test --release --test it core_speed -- --ignored --nocapture` prints it. Every entry is
//! proposed, replicated, committed and taken to be applied by all three. Our frames are encoded,
//! checksummed and decoded; those of `raft` are handed on as they are, or encoded and decoded.

use std::time::Duration;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{self, ConfState};
use raft::storage::MemStorage;
use raft::{Config, RawNode};
use rustix::time::{ClockId, clock_gettime};
use seedis::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use seedis::raft::{Member, Membership, Outgoing, Raft, Restart, Settings};
use seedis::time::{Mono, Stamp};

use crate::allocations::allocations;

const VALUE: [u8; 64] = [b'v'; 64];
/// Applied entries are kept up to about this count.
const KEPT: u64 = 4096;

/// How long this thread has worked: what others do to the machine does not count.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Three cores that agree on batches.
trait Group {
    /// Proposes so many entries and sees them applied by all.
    fn agree(&mut self, batch: usize);
    /// The time of a heartbeat has come.
    fn beat(&mut self);
    /// How many entries the three have applied, in all.
    fn applied(&self) -> u64;
}

struct Ours {
    cores: Vec<Raft>,
    out: Vec<Outgoing>,
    now: Mono,
    applied: u64,
}

impl Ours {
    fn new() -> Self {
        let member = |id| Member {
            id: NodeId(id),
            incarnation: Incarnation(id),
        };
        let core = |id| {
            let settings = Settings {
                id: NodeId(id),
                incarnation: Incarnation(id),
                cluster: ClusterId(7),
                seed: 1,
                retained_bytes: KEPT as usize * (VALUE.len() + 37),
                ..Settings::default()
            };
            let restart = Restart {
                term: Term(0),
                vote: None,
                commit: LogIndex(0),
                base: (LogIndex(0), Term(0)),
                membership: Membership::of((1..4).map(member).collect()).unwrap(),
                tail: Vec::new(),
                restate: false,
                owes: None,
            };
            Raft::new(settings, restart, Mono::from_millis(0))
        };
        let mut ours = Self {
            cores: (1..4).map(core).collect(),
            out: Vec::new(),
            now: Mono::from_millis(500),
            applied: 0,
        };
        ours.cores[0].tick(ours.now);
        ours.settle();
        ours.beat();
        assert!(ours.cores[0].is_leader());
        ours
    }

    /// Lets everything happen that follows from what was done.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            for at in 0..self.cores.len() {
                let core = &mut self.cores[at];
                // The leader's entries leave before its own disk is asked.
                core.messages(&mut self.out);
                if let Some(new) = core.unpersisted() {
                    let seq = new.seq;
                    core.persisted(seq);
                    core.messages(&mut self.out);
                }
                while core.next_committed().is_some() {
                    self.applied += 1;
                }
                let from = NodeId(at as u64 + 1);
                for Outgoing { to, frame, .. } in self.out.drain(..) {
                    quiet = false;
                    let core = &mut self.cores[to.0 as usize - 1];
                    let frame = Bytes::from(frame);
                    core.step_shared(self.now, from, &frame).unwrap();
                }
            }
            if quiet {
                return;
            }
        }
    }
}

impl Group for Ours {
    fn agree(&mut self, batch: usize) {
        for _ in 0..batch {
            let payload = Bytes::copy_from_slice(&VALUE);
            self.cores[0].propose(Stamp(0), payload).unwrap();
        }
        self.settle();
    }

    fn beat(&mut self) {
        self.now.0 += 50_000_000;
        for core in &mut self.cores {
            core.tick(self.now);
        }
        self.settle();
    }

    fn applied(&self) -> u64 {
        self.applied
    }
}

struct Theirs {
    cores: Vec<RawNode<MemStorage>>,
    /// Messages are encoded and decoded on their way.
    encoded: bool,
    applied: u64,
}

impl Theirs {
    fn new(encoded: bool) -> Self {
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let core = |id| {
            let config = Config {
                id,
                election_tick: 10,
                heartbeat_tick: 1,
                max_size_per_msg: 1 << 20,
                max_inflight_msgs: 64,
                pre_vote: true,
                check_quorum: true,
                batch_append: true,
                ..Config::default()
            };
            let state = ConfState::from((vec![1, 2, 3], vec![]));
            let storage = MemStorage::new_with_conf_state(state);
            RawNode::new(&config, storage, &logger).unwrap()
        };
        let mut theirs = Self {
            cores: (1..4).map(core).collect(),
            encoded,
            applied: 0,
        };
        theirs.cores[0].campaign().unwrap();
        theirs.settle();
        theirs.beat();
        assert_eq!(theirs.cores[0].raft.state, raft::StateRole::Leader);
        theirs
    }

    fn deliver(&mut self, messages: Vec<eraftpb::Message>) {
        for mut message in messages {
            if self.encoded {
                let bytes = message.write_to_bytes().unwrap();
                message = eraftpb::Message::default();
                message.merge_from_bytes(&bytes).unwrap();
            }
            let to = message.to as usize - 1;
            self.cores[to].step(message).unwrap();
        }
    }

    fn apply(&mut self, entries: &[eraftpb::Entry]) {
        self.applied += entries.len() as u64;
    }

    fn settle(&mut self) {
        while let Some(at) = self.cores.iter().position(RawNode::has_ready) {
            let core = &mut self.cores[at];
            let mut ready = core.ready();
            let messages = ready.take_messages();
            let committed = ready.take_committed_entries();
            {
                let mut storage = core.raft.raft_log.store.wl();
                storage.append(ready.entries()).unwrap();
                if let Some(state) = ready.hs() {
                    storage.set_hardstate(state.clone());
                }
            }
            let persisted = ready.take_persisted_messages();
            let mut light = core.advance(ready);
            if let Some(commit) = light.commit_index() {
                let mut storage = core.raft.raft_log.store.wl();
                storage.mut_hard_state().set_commit(commit);
            }
            let more = light.take_messages();
            let newly = light.take_committed_entries();
            core.advance_apply();
            let applied = core.raft.raft_log.applied;
            let first = core.raft.raft_log.first_index();
            if applied > first + 2 * KEPT {
                let mut storage = core.raft.raft_log.store.wl();
                storage.compact(applied - KEPT).unwrap();
            }
            self.apply(&committed);
            self.apply(&newly);
            for messages in [messages, persisted, more] {
                self.deliver(messages);
            }
        }
    }
}

impl Group for Theirs {
    fn agree(&mut self, batch: usize) {
        for _ in 0..batch {
            self.cores[0].propose(Vec::new(), VALUE.to_vec()).unwrap();
        }
        self.settle();
    }

    fn beat(&mut self) {
        for core in &mut self.cores {
            core.tick();
        }
        self.settle();
    }

    fn applied(&self) -> u64 {
        self.applied
    }
}

/// Nanoseconds and allocations of an entry.
fn measure(group: &mut dyn Group, batch: usize, entries: usize) -> (f64, f64) {
    let (time, count, applied) = (worked(), allocations(), group.applied());
    for turn in 0..entries / batch {
        group.agree(batch);
        if turn % 64 == 63 {
            group.beat();
        }
    }
    group.beat();
    let (time, count) = (worked().saturating_sub(time), allocations() - count);
    let applied = group.applied() - applied;
    assert_eq!(applied, 3 * entries as u64, "all have applied all");
    let entries = entries as f64;
    (time.as_nanos() as f64 / entries, count as f64 / entries)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
#[ignore = "a measurement"]
fn what_an_entry_costs() {
    let rounds = std::env::var("SEEDIS_ROUNDS").map_or(9, |n| n.parse().unwrap());
    for batch in [16, 1] {
        let mut groups: [(&str, Box<dyn Group>); 3] = [
            ("seedis", Box::new(Ours::new())),
            ("raft", Box::new(Theirs::new(false))),
            ("raft, encoded", Box::new(Theirs::new(true))),
        ];
        let entries = 40_960;
        let mut times = [const { Vec::new() }; 3];
        let mut counts = [0.0; 3];
        for round in 0..=rounds {
            for (at, (_, group)) in groups.iter_mut().enumerate() {
                let (time, count) = measure(group.as_mut(), batch, entries);
                // The first round only fills the buffers.
                if round > 0 {
                    times[at].push(time);
                    counts[at] = count;
                }
            }
        }
        let medians = times.each_mut().map(|times| median(times));
        println!("batches of {batch}:");
        for (at, (name, _)) in groups.iter().enumerate() {
            let (time, ratio) = (medians[at], medians[at] / medians[0]);
            let count = counts[at];
            println!("  {name:14} {time:6.0} ns, {count:5.2} allocations an entry, {ratio:.2}");
        }
    }
}

#[test]
#[ignore = "a measurement, for a profiler"]
fn ours_alone() {
    let batch = std::env::var("SEEDIS_BATCH").map_or(16, |n| n.parse().unwrap());
    let mut ours = Ours::new();
    for _ in 0..40 {
        measure(&mut ours, batch, 81_920);
    }
}
