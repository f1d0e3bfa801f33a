//! How much memory a group of three asks for per entry, once it runs.
#![expect(
    unsafe_code,
    reason = "an allocator that counts is the only way to see what allocates"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use seedis::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use seedis::raft::{Member, Membership, Outgoing, Raft, Restart, Settings};
use seedis::time::{Mono, Stamp};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id),
    }
}

/// Three members in one place, whose disks and network take no time.
struct Group {
    rafts: Vec<Raft>,
    now: Mono,
    out: Vec<Outgoing>,
    spare: Vec<Outgoing>,
    applied: u64,
}

impl Group {
    fn new() -> Self {
        let membership = Membership::of((1..=3).map(member).collect()).expect("three");
        let raft = |id| {
            let settings = Settings {
                id: NodeId(id),
                incarnation: Incarnation(id),
                cluster: ClusterId(1),
                seed: id,
                retained_bytes: 1 << 16,
                ..Settings::default()
            };
            let restart = Restart {
                term: Term(0),
                vote: None,
                commit: LogIndex(0),
                base: (LogIndex(0), Term(0)),
                membership: membership.clone(),
                tail: Vec::new(),
                restate: false,
                owes: None,
            };
            Raft::new(settings, restart, Mono(0))
        };
        Self {
            rafts: (1..=3).map(raft).collect(),
            now: Mono(0),
            out: Vec::new(),
            spare: Vec::new(),
            applied: 0,
        }
    }

    /// Until nobody has anything to say.
    fn pump(&mut self) {
        loop {
            let mut quiet = true;
            for at in 0..3 {
                let raft = &mut self.rafts[at];
                raft.tick(self.now);
                while let Some(seq) = raft.unpersisted().map(|new| new.seq) {
                    raft.persisted(seq);
                }
                while raft.next_committed().is_some() {
                    self.applied += 1;
                }
                raft.messages(&mut self.out);
                let from = NodeId(at as u64 + 1);
                for outgoing in self.out.drain(..) {
                    quiet = false;
                    let to = &mut self.rafts[outgoing.to.0 as usize - 1];
                    to.step(self.now, from, &outgoing.frame).expect("a frame");
                    self.spare.push(outgoing);
                }
                for outgoing in self.spare.drain(..) {
                    self.rafts[at].recycle(outgoing.frame);
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn leader(&mut self) -> usize {
        for ms in 0..2000 {
            self.now = Mono::from_millis(ms);
            self.pump();
            if let Some(at) = self.rafts.iter().position(Raft::is_leader) {
                return at;
            }
        }
        panic!("no leader");
    }
}

/// Allocations per entry where `batch` entries are proposed at a time.
fn per_entry(batch: u64) -> f64 {
    let mut group = Group::new();
    let leader = group.leader();
    let payload = Bytes::from(vec![7; 100]);
    let mut before = 0;
    let (warm, rounds) = (4000 / batch, 20_000 / batch);
    for round in 0..warm + rounds {
        if round == warm {
            before = COUNT.get();
        }
        for _ in 0..batch {
            let proposed = group.rafts[leader].propose(Stamp(0), payload.clone());
            proposed.expect("it leads");
        }
        group.pump();
    }
    // The followers hear with the next entries that the last are committed.
    assert!(group.applied >= (3 * (warm + rounds) - 2) * batch);
    (COUNT.get() - before) as f64 / (rounds * batch) as f64
}

#[test]
fn entries_cost_no_allocation_of_their_own() {
    let (single, batched) = (per_entry(1), per_entry(100));
    // Each of two followers keeps the bytes of an append: one copy, and its shared owner.
    assert!(single < 4.1, "{single}");
    assert!(batched < 0.041, "{batched}");
}
