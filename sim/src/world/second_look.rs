//! A4, A6: a second node recovers from a copy of a member's disk, as it would if the process died
//! now: what a later crash would show is looked at while it is clear where it came from.

use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::node::{Node, Phase};
use seedis::time::Stamp;

use super::World;
use super::member::Member;
use crate::judge::Policy;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::judge::state::difference;

/// After so many turns a recovery that has come to no end is given up.
const TURNS: u32 = 100_000;

impl Member {
    /// Recovers from a copy of its disk, on which nothing goes wrong; the words with which that
    /// node stops where it does.
    fn recovered(&self, time: u64) -> Result<Node, String> {
        let mut disk = self.disk.clone();
        (disk.space, disk.fail_next_sync) = (None, false);
        let now = self.clock.read(time);
        let mut node = Node::new(self.config.clone(), now);
        for _ in 0..TURNS {
            let mut effects = Effects::new();
            node.flush(now, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Disk { ticket, op } => {
                        let outcome = disk.perform(op);
                        node.handle(now, Input::Disk { ticket, outcome });
                    }
                    Effect::Stopped { failure } => {
                        return Err(failure.map_or_else(String::new, |words| *words));
                    }
                    _ => {}
                }
            }
            let is_busy = node
                .deadline()
                .is_some_and(|deadline| deadline.at <= now.mono);
            if node.phase() != Phase::Recovering && !is_busy && !node.is_mid_command() {
                break;
            }
        }
        Ok(node)
    }

    /// Returns true if nothing has been done to its disk that a recovery may complain of.
    fn is_sound(&self) -> bool {
        self.harms == 0 && self.bad.is_none() && self.flipped.is_none() && !self.sync_failed
    }
}

impl World {
    /// Recovers from a copy of a member's disk. `whole`: all that it has applied must be there.
    pub(super) fn look_twice(&self, number: usize, whole: bool) -> Verdict {
        let member = &self.members[number];
        let scenario = &self.scenario;
        let told = scenario.flips > 0 || scenario.final_failures;
        if scenario.policy == Policy::Memory
            || told
            || !member.is_sound()
            || !member.serving
            || !self.judge.is_whole(number)
        {
            return Ok(());
        }
        let Some(live) = member.node.as_ref().filter(|node| !node.is_mid_command()) else {
            return Ok(());
        };
        let broken = |text: String| {
            let text = format!("a copy of member {number} {text}");
            Err(Violation::new(Id::A6, text))
        };
        let node = match member.recovered(self.time) {
            Ok(node) => node,
            Err(words) => return broken(format!("does not start: {words}")),
        };
        let (applied, own) = (node.applied(), live.applied());
        let whole = whole && self.members.len() == 1;
        if whole && applied < own {
            return broken(format!("has recovered up to {applied}, not to {own}"));
        }
        if !whole && applied != own {
            return Ok(());
        }
        // What it has stamped since lets keys die.
        let stamp = node.raft().map_or(0, |raft| raft.last_stamp().0);
        let at = Stamp(stamp.max(self.judge.stamp(number)));
        if node.store().digest(at) != live.store().digest(at) {
            let words = difference(node.store(), live.store(), at.0);
            return broken(format!("differs at {applied}: {words}"));
        }
        Ok(())
    }
}
