//! Eviction: while `maxmemory` is exceeded, the leader chooses keys that may be missed, and the log
//! names them.
//!
//! Choosing is the leader's own affair: it looks at a few keys by chance, and at what it has noted
//! of their uses, which no other member has. All that follows from it is in the log, as everything
//! else is: an item of an entry names the victims, and each member takes them out when it applies
//! it. The keys are chosen behind what a turn has applied, and stand in front of the next entry: so
//! the keys that its commands write are not those that go. The next are chosen when those have
//! gone, so that nothing has to be guessed of what is freed. It is bounded how much is written
//! meanwhile, since clients that write wait when eviction has fallen far behind.

use alloc::vec::Vec;

use crate::node::config::{Config, MemoryPolicy};
use crate::store::{Candidate, Choice, Store};
use crate::time::Stamp;

/// The best candidates that were seen and have not gone, as many as Redis keeps.
const POOL_MAX: usize = 16;
/// The most keys that one item of an entry names, and about the most bytes of their names.
const VICTIMS_MAX: usize = 1024;
const NAMES_BYTES_MAX: usize = 64 << 10;
/// By one part in so many of the limit memory may be exceeded before clients that write wait.
const BEHIND_PART: usize = 16;
/// After so many samples that have shown nothing there is nothing to be had in this turn.
const EMPTY_SAMPLES_MAX: usize = 8;

/// A key that may go.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) db: u32,
    pub(super) key: Vec<u8>,
    coldness: u64,
}

/// The state of eviction on a leader.
#[derive(Clone, Debug, Default)]
pub(super) struct Evicting {
    /// The keys that were seen and may go, the best last.
    pool: Vec<Known>,
    /// Keys are named that have not gone yet.
    is_under_way: bool,
    /// Of the keys that there are none may go: all are dead, or were spared.
    is_exhausted: bool,
    /// So much is exceeded that clients that write wait.
    is_behind: bool,
    /// The least memory that was in use since the limit is exceeded; nothing while it is not.
    ebb: Option<usize>,
}

/// A way to go through the keys of a store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    pub(super) choice: Choice,
    /// How many keys are looked at for each that goes.
    samples: usize,
    /// So many keys may be looked at until one is the last that goes in this turn.
    looks: usize,
    at: Stamp,
}

impl Search {
    /// The way that the configuration wants, if keys may go at all.
    pub(super) fn new(config: &Config, at: Stamp) -> Option<Self> {
        let samples = config.memory_samples as usize;
        let is_random = config.memory_policy.is_random();
        Some(Self {
            choice: choice(config.memory_policy)?,
            samples: if is_random { 1 } else { samples.max(1) },
            looks: config.turn_work,
            at,
        })
    }
}

/// The keys that may go by a policy, if any may.
pub(super) fn choice(policy: MemoryPolicy) -> Option<Choice> {
    (policy != MemoryPolicy::NoEviction).then(|| Choice {
        only_volatile: policy.is_volatile(),
        by_expiry: policy == MemoryPolicy::VolatileTtl,
    })
}

impl Evicting {
    /// Returns true if clients that write are to wait.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Returns true if nothing was found that may go.
    pub(super) fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// Returns true if keys are named that have not gone yet.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_under_way
    }

    /// Nothing has to go now.
    pub(super) fn rest(&mut self) {
        self.pause();
        self.ebb = None;
    }

    /// Nobody may look now.
    pub(super) fn pause(&mut self) {
        (self.is_exhausted, self.is_behind) = (false, false);
    }

    /// The keys that were named have gone, or will never be.
    pub(super) fn ends(&mut self) {
        self.is_under_way = false;
    }

    /// It is told how much memory is in use while keys are on their way out. Clients wait where
    /// they write faster than eviction frees, and not because a limit was set far below what is
    /// there.
    pub(super) fn goes_on(&mut self, used: usize, limit: usize) {
        let ebb = self.ebb.map_or(used, |ebb| ebb.min(used));
        self.ebb = Some(ebb);
        let much = ebb.max(limit).saturating_add(limit / BEHIND_PART);
        self.is_behind = self.is_under_way && used > much;
    }

    /// The keys that are to go so that so many bytes become free, or as many as may at once: in
    /// order, and each once.
    pub(super) fn choose(
        &mut self,
        store: &mut Store,
        search: Search,
        excess: usize,
    ) -> Vec<Known> {
        let (mut freed, mut names_bytes, mut looks) = (0, 0, 0);
        let mut victims: Vec<Known> = Vec::new();
        for _ in 0..VICTIMS_MAX {
            if freed >= excess || names_bytes >= NAMES_BYTES_MAX {
                break;
            }
            if looks >= search.looks && !victims.is_empty() {
                break;
            }
            let Some((known, bytes)) = self.next(store, search, &mut looks) else {
                break;
            };
            freed += bytes;
            names_bytes += known.key.len();
            victims.push(known);
        }
        // One that was chosen may have been seen again.
        victims.sort_by(|one, other| (one.db, &one.key).cmp(&(other.db, &other.key)));
        victims.dedup_by(|one, other| (one.db, &one.key) == (other.db, &other.key));
        self.is_exhausted = victims.is_empty();
        self.is_under_way = !victims.is_empty();
        victims
    }

    /// The next key that may go, with the bytes that it takes; counts the keys that are looked at.
    fn next(
        &mut self,
        store: &mut Store,
        search: Search,
        looks: &mut usize,
    ) -> Option<(Known, usize)> {
        let Search { choice, at, .. } = search;
        for _ in 0..EMPTY_SAMPLES_MAX {
            *looks += store.sample(choice, search.samples, at, &mut |found| self.learn(found));
            while let Some(best) = self.pool.pop() {
                let now = store.candidate(best.db, &best.key, choice, at);
                // One that was used since it was seen is no candidate any more.
                if let Some(now) = now.filter(|now| now.coldness >= best.coldness) {
                    let bytes = now.bytes;
                    return Some((best, bytes));
                }
            }
        }
        None
    }

    /// Keeps a key that was seen, if it is one of the best.
    fn learn(&mut self, found: Candidate<'_>) {
        let is_same = |other: &Known| other.db == found.db && other.key == found.key;
        let before = self.pool.iter().position(is_same);
        let is_full = before.is_none() && self.pool.len() >= POOL_MAX;
        if is_full && self.pool[0].coldness >= found.coldness {
            return;
        }
        // The key of the one that makes room is written over.
        let mut key = match before.or(is_full.then_some(0)) {
            Some(at) => self.pool.remove(at).key,
            None => Vec::new(),
        };
        key.clear();
        key.extend_from_slice(found.key);
        let at = (self.pool).partition_point(|other| other.coldness < found.coldness);
        let (db, coldness) = (found.db, found.coldness);
        self.pool.insert(at, Known { db, key, coldness });
    }
}
