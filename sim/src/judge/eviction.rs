//! S15: what the log says of evicted keys.

use seedis::node::config::MemoryPolicy;

use super::Judge;
use super::history::{Victims, spelled};
use super::invariant::{Id, Verdict, Violation};
use crate::goals::Goal;

impl Judge {
    /// S15: an entry names keys that are evicted, as the policy allows.
    pub(super) fn may_go(&mut self, victims: &Victims, index: u64) -> Verdict {
        self.goals.reach(Goal::Evicted);
        if victims.only_volatile {
            self.goals.reach(Goal::EvictedVolatile);
        }
        let policy = self.eviction;
        let is_allowed =
            policy != MemoryPolicy::NoEviction && policy.is_volatile() == victims.only_volatile;
        if is_allowed {
            return Ok(());
        }
        let words = spelled(&victims.command.words);
        let text = format!("entry {index} evicts by {}: {words}", policy.word());
        Err(Violation::new(Id::S15, text))
    }
}
