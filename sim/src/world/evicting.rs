//! S16, and what a member may evict.

use seedis::node::Node;
use seedis::node::config::MemoryPolicy;
use seedis::store::Choice;
use seedis::time::Stamp;

use super::World;
use crate::goals::Goal;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::judge::{Account, CLIENTS_BYTES};
use crate::model::DATABASES;

/// A key that dies so soon may be dead by the leader's own clock, in milliseconds.
const SOON_MS: u64 = 10_000;

/// Which keys go by a policy.
fn choice(policy: MemoryPolicy) -> Option<Choice> {
    (policy != MemoryPolicy::NoEviction).then(|| Choice {
        only_volatile: policy.is_volatile(),
        by_expiry: false,
    })
}

/// How many keys a member may evict that live for some time.
fn evictable(node: &Node, policy: MemoryPolicy, at: u64) -> usize {
    let Some(choice) = choice(policy) else {
        return 0;
    };
    let (store, mut count) = (node.store(), 0);
    for db in 0..DATABASES {
        store.for_each_key(db, Stamp(at), &mut |key, _| {
            count += usize::from(match store.expiry(db, key) {
                None => !choice.only_volatile,
                Some(expiry) => expiry.0 > at + SOON_MS,
            });
        });
    }
    count
}

/// A member's account of its memory.
pub(super) fn account(node: &Node, (policy, most): (MemoryPolicy, usize), at: u64) -> Account {
    let all = node.used_memory();
    let evictable = if all + CLIENTS_BYTES > most {
        evictable(node, policy, at)
    } else {
        // Whether there is anything does not matter.
        usize::MAX * usize::from(policy != MemoryPolicy::NoEviction)
    };
    Account {
        store: node.store().memory(),
        all,
        most,
        evictable,
        perhaps: choice(policy).map_or(0, |choice| node.store().evictable(choice) as usize),
    }
}

impl World {
    /// S16: behind all that was asked the leader has evicted what it must.
    pub(super) fn check_memory_is_back(&mut self) -> Verdict {
        let config = &self.scenario.config;
        let (most, policy) = (config.memory_max as usize, config.memory_policy);
        if most == 0 || policy == MemoryPolicy::NoEviction {
            return Ok(());
        }
        let mut members = (0..).zip(&self.members);
        let leader = members.find_map(|(number, member)| {
            let node = member.node.as_ref()?;
            node.leads().map(|_| (number, node))
        });
        let Some((number, node)) = leader else {
            return Ok(());
        };
        let used = node.used_memory() - node.store().passing_memory();
        let left = evictable(node, policy, self.judge.stamp(number));
        if used > most && left > 0 {
            let text = format!(
                "{used} bytes are in use and {most} allowed, and {left} keys may go by {}",
                policy.word()
            );
            return Err(Violation::new(Id::S16, text));
        }
        self.judge.reached(Goal::MemoryBack);
        Ok(())
    }
}
