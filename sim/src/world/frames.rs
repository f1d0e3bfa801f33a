//! What members send each other: late, lost, doubled, out of order, or not at all.

use std::collections::BTreeMap;
use std::rc::Rc;

use seedis::ids::{NodeId, Term};
use seedis::node::Node;

use super::{End, Ends, Event, Link, World};
use crate::draws::Stream;
use crate::goals::{Fault, Goal};
use crate::judge::invariant::{Id, Verdict, Violation};

/// What a member that is cut off cannot do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) hears: bool,
    pub(super) speaks: bool,
}

/// The number by which a member is known in its group.
pub(crate) fn id_of(member: usize) -> NodeId {
    NodeId(member as u64 + 1)
}

impl World {
    /// Sends a frame to a peer.
    pub(super) fn send_frame(&mut self, from: usize, to: NodeId, frame: Vec<u8>) {
        let Some(to) = (to.0 as usize)
            .checked_sub(1)
            .filter(|to| *to < self.members.len())
        else {
            return;
        };
        let ends = Ends {
            from: End::Member(from),
            to: End::Member(to),
        };
        let (seed, mean) = (self.scenario.seed, self.scenario.frame_latency);
        let key = (from as u64) << 32 | to as u64;
        let link = self.links.entry(ends).or_insert_with(|| {
            let mut dice = crate::draws::Dice::new(seed, Stream::FRAME, key, 0);
            // One pair in eight is slow for the whole run.
            let slow = if dice.permille(125) { 4 } else { 1 };
            Link {
                mean: mean * slow,
                segments: 0,
            }
        });
        link.segments += 1;
        let (mean, ordinal) = (link.mean, link.segments);
        let mut dice = crate::draws::Dice::new(seed, Stream::FRAME, key, ordinal);
        let late = mean / 4 + dice.exponential(mean);
        let lost = dice.permille(self.scenario.loss);
        let twice = dice.permille(self.scenario.twice);
        let later = late + dice.exponential(mean * 4);
        if self.healed {
            let frame = Rc::new(frame);
            return self.push(late, Event::Frame { from, to, frame });
        }
        if lost {
            return self.fired(Fault::Loss);
        }
        let frame = Rc::new(frame);
        if twice {
            self.fired(Fault::Twice);
            let frame = Rc::clone(&frame);
            self.push(later, Event::Frame { from, to, frame });
        }
        self.push(late, Event::Frame { from, to, frame });
    }

    /// A frame has come, unless a cut stops it.
    pub(super) fn frame(&mut self, from: usize, to: usize, frame: &Rc<Vec<u8>>) {
        let stopped = self.members[from].cut.is_some_and(|cut| !cut.speaks)
            || self.members[to].cut.is_some_and(|cut| !cut.hears);
        let member = &mut self.members[to];
        if stopped || !member.is_up() {
            return;
        }
        member.frames.push((from, Rc::clone(frame)));
        self.wake(to);
    }

    /// R1: no two members lead in one term, in the past or now.
    pub(super) fn check_leader(&mut self, number: usize) -> Verdict {
        let leads = |world: &Self| world.members[number].node.as_ref()?.leads();
        let Some(term) = leads(self) else {
            return Ok(());
        };
        match self.leaders.insert(term, number) {
            None => {
                if self.members.len() > 1 {
                    self.judge.reached(Goal::Elected);
                }
                self.tell(|| format!("member {number} leads in {term}"));
                Ok(())
            }
            Some(other) if other == number => Ok(()),
            Some(other) => {
                let text = format!("members {other} and {number} lead in {term}");
                Err(Violation::new(Id::R1, text))
            }
        }
    }

    /// L1, L3: a member leads, and all have applied the same.
    pub(super) fn group_settled(&self) -> Verdict {
        if self.members.len() == 1 {
            return Ok(());
        }
        let node = |number: usize| self.members.get(number)?.node.as_ref();
        let mut nodes = (0..self.members.len()).filter_map(node);
        let Some(leader) = nodes.find(|node| node.leads().is_some()) else {
            let standing = |node: &Node| node.standing().unwrap_or_default();
            let all: Vec<String> = (0..self.members.len())
                .filter_map(node)
                .map(standing)
                .collect();
            let text = format!("nobody leads: {}", all.join("; "));
            return Err(Violation::new(Id::L1, text));
        };
        let members: Vec<NodeId> = leader
            .membership()
            .map(|membership| membership.members().map(|member| member.id).collect())
            .unwrap_or_default();
        let applied: Vec<u64> = members
            .iter()
            .filter_map(|id| node(id.0 as usize - 1))
            .map(|node| node.applied().0)
            .collect();
        if applied.len() < members.len() || applied.iter().any(|index| *index != applied[0]) {
            let text = format!("the members have applied {applied:?}");
            return Err(Violation::new(Id::L3, text));
        }
        Ok(())
    }
}

/// Who has led in which term.
pub(super) type Leaders = BTreeMap<Term, usize>;
