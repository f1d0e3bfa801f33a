//! All that can happen to three real cores within small bounds, and whether they always agree.
//!
//! The crate `stateright` searches, breadth first: messages are lost, doubled and overtaken, syncs
//! are late, one member crashes and forgets what was not synced. A state is three members, what is
//! on its way between them, and what was seen of leaders and commits so far.

mod node;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use node::{Disk, Flight, Input, Node, Slot};
use seedis::ids::NodeId;
use seedis::raft::message::Message;
use seedis::raft::{RoleName, wire};
use stateright::{Checker, Model, Property};

const PROPERTIES: [&str; 5] = [
    "one leader per term",
    "logs that agree in an entry agree before it",
    "a leader has all that is committed",
    "what is committed is the same everywhere",
    "what is committed is durable on a quorum, and cannot be voted away",
];

/// The events that may still happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Budget {
    campaigns: u8,
    crashes: u8,
    copies: u8,
    beats: u8,
    proposals: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    nodes: [Arc<Node>; 3],
    /// In order, and each once.
    flights: Vec<Flight>,
    left: Budget,
    leaders: BTreeMap<u64, u64>,
    /// The entries that were committed anywhere, and in which term each was first.
    committed: Vec<(Slot, u64)>,
    broken: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    /// One loses patience and asks another whether it would be voted for. Nothing lasts of that,
    /// so that question and answer take no step of their own, mostly.
    Campaign(usize, usize),
    /// A leader's time has come: it shows itself, and gives up if it has heard nothing.
    Beat(usize),
    Deliver {
        flight: usize,
        keep: bool,
    },
    Persist(usize),
    Propose(usize),
    Crash(usize),
}

/// The events that lead to the start of a search; members by their numbers.
#[derive(Clone, Copy, Debug)]
enum Before {
    Campaign(u64, u64),
    /// All that is on its way from one to another arrives.
    Deliver(u64, u64),
    Persist(u64),
    /// All other frames on their way are lost.
    Lose,
}

/// The start of the search, and how far it goes.
struct Scope {
    name: &'static str,
    disks: [Disk; 3],
    /// The events before.
    before: &'static [Before],
    /// Pre-votes are messages like any other.
    pre_votes_fly: bool,
    terms: u64,
    left: Budget,
}

impl State {
    fn step(&mut self, at: usize, input: Input) {
        let (node, out) = self.nodes[at].after(input);
        self.nodes[at] = Arc::new(node);
        for flight in out {
            self.fly(flight);
        }
        self.look(at);
    }

    fn fly(&mut self, flight: Flight) {
        if let Err(place) = self.flights.binary_search(&flight) {
            self.flights.insert(place, flight);
        }
    }

    /// Checks the outcome of this member's event against the rules.
    fn look(&mut self, at: usize) {
        let id = at as u64 + 1;
        let shown = self.nodes[at].shown.clone();
        let is_leader = shown.role == RoleName::Leader;
        let has = |slot: usize, known: &Slot| shown.log.get(slot) == Some(known);
        let mut broken = Vec::new();
        if is_leader {
            broken.push((0, *self.leaders.entry(shown.term).or_insert(id) != id));
            let mut before = self.committed.iter().enumerate();
            let lacks = before.any(|(at, (slot, term))| *term < shown.term && !has(at, slot));
            broken.push((2, lacks));
        }
        for other in &self.nodes {
            broken.push((1, !match_each_other(&shown.log, &other.shown.log)));
        }
        let commit = shown.commit as usize;
        let known = commit.min(self.committed.len());
        let mut same = self.committed[..known].iter().enumerate();
        broken.push((3, !same.all(|(at, (slot, _))| has(at, slot))));
        for slot in &shown.log[known..commit.max(known)] {
            self.committed.push((slot.clone(), shown.term));
        }
        broken.push((4, !self.is_kept(known..commit.max(known))));
        let first = broken.into_iter().find(|(_, is_broken)| *is_broken);
        self.broken = self.broken.or(first.map(|(property, _)| property));
    }

    /// Returns true if the entries committed there are on the disks of two, and a member that lacks
    /// them could not be elected by these: a log that is as good as another's in a vote has it.
    fn is_kept(&self, slots: std::ops::Range<usize>) -> bool {
        let mut slots = slots;
        slots.all(|at| {
            let (slot, _) = &self.committed[at];
            let holds = |node: &&Arc<Node>| node.disk.entries.get(at) == Some(slot);
            let quorum = self.nodes.iter().filter(holds).count() >= 2;
            let mut lacking = self.nodes.iter().filter(|node| !holds(node));
            quorum
                && !lacking.any(|one| {
                    let covers = |node: &&Arc<Node>| one.disk.last() >= node.disk.last();
                    self.nodes.iter().filter(covers).count() >= 2
                })
        })
    }

    /// Asks `to` whether it would vote for `from`, and brings the answer.
    fn campaign(&mut self, from: usize, to: usize) {
        let (node, out) = self.nodes[from].after(Input::Tick);
        self.nodes[from] = Arc::new(node);
        for (asker, asked, frame) in out {
            if asked != to as u64 + 1 || !is_pre_vote(&frame) {
                continue;
            }
            let (_, out) = self.nodes[to].after(Input::Frame(NodeId(asker), frame));
            let mut answers = out.into_iter().filter(|(_, _, frame)| is_pre_vote(frame));
            if let Some((_, _, answer)) = answers.next() {
                self.step(from, Input::Frame(NodeId(asked), answer));
            }
        }
    }
}

fn is_pre_vote(frame: &Arc<[u8]>) -> bool {
    let decoded = wire::decode(&Bytes::copy_from_slice(frame));
    let message = decoded.map(|(_, message)| message);
    matches!(
        message,
        Ok(Message::PreVote { .. } | Message::PreVoteReply { .. })
    )
}

/// Two logs that have the same term at an index are the same up to there.
fn match_each_other(one: &[Slot], other: &[Slot]) -> bool {
    let mut pairs = one.iter().zip(other);
    let agree = pairs.rposition(|(one, other)| one.0 == other.0);
    agree.is_none_or(|at| one[..=at] == other[..=at])
}

impl Model for Scope {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut at = 0;
        let nodes = self.disks.clone().map(|disk| {
            at += 1;
            Arc::new(Node::start(at, disk))
        });
        let mut state = State {
            nodes,
            flights: Vec::new(),
            left: self.left.clone(),
            leaders: BTreeMap::new(),
            committed: Vec::new(),
            broken: None,
        };
        for before in self.before {
            match *before {
                Before::Campaign(from, to) => state.campaign(from as usize - 1, to as usize - 1),
                Before::Lose => state.flights.clear(),
                Before::Persist(id) => state.step(id as usize - 1, Input::Persisted),
                Before::Deliver(from, to) => {
                    let those = |flight: &Flight| (flight.0, flight.1) == (from, to);
                    let (arrive, stay) = state.flights.drain(..).partition(those);
                    state.flights = stay;
                    let arrive: Vec<Flight> = arrive;
                    for (_, _, frame) in arrive {
                        state.step(to as usize - 1, Input::Frame(NodeId(from), frame));
                    }
                }
            }
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let left = &state.left;
        for flight in 0..state.flights.len() {
            let keep = false;
            actions.push(Action::Deliver { flight, keep });
            if left.copies > 0 {
                let keep = true;
                actions.push(Action::Deliver { flight, keep });
            }
        }
        for (at, node) in state.nodes.iter().enumerate() {
            if node.has_unsynced() {
                actions.push(Action::Persist(at));
            }
            if left.crashes > 0 {
                actions.push(Action::Crash(at));
            }
            if node.shown.role == RoleName::Leader {
                if left.proposals > 0 {
                    actions.push(Action::Propose(at));
                }
                if left.beats > 0 {
                    actions.push(Action::Beat(at));
                }
            } else if left.campaigns > 0 && node.shown.term < self.terms {
                let asked = if self.pre_votes_fly { 1..2 } else { 1..3 };
                actions.extend(asked.map(|by| Action::Campaign(at, (at + by) % 3)));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Campaign(from, to) => {
                next.left.campaigns = next.left.campaigns.saturating_sub(1);
                if self.pre_votes_fly {
                    next.step(from, Input::Tick);
                } else {
                    next.campaign(from, to);
                }
            }
            Action::Beat(at) => {
                next.left.beats = next.left.beats.saturating_sub(1);
                next.step(at, Input::Tick);
            }
            Action::Deliver { flight, keep } => {
                let (from, to, frame) = if keep {
                    next.left.copies = next.left.copies.saturating_sub(1);
                    next.flights[flight].clone()
                } else {
                    next.flights.remove(flight)
                };
                next.step(to as usize - 1, Input::Frame(NodeId(from), frame));
            }
            Action::Persist(at) => next.step(at, Input::Persisted),
            Action::Propose(at) => {
                next.left.proposals = next.left.proposals.saturating_sub(1);
                let value = u64::from(next.left.proposals);
                next.step(at, Input::Propose(value));
            }
            Action::Crash(at) => {
                next.left.crashes = next.left.crashes.saturating_sub(1);
                next.nodes[at] = Arc::new(next.nodes[at].crashed());
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(PROPERTIES[0], |_, state: &State| state.broken != Some(0)),
            Property::always(PROPERTIES[1], |_, state: &State| state.broken != Some(1)),
            Property::always(PROPERTIES[2], |_, state: &State| state.broken != Some(2)),
            Property::always(PROPERTIES[3], |_, state: &State| state.broken != Some(3)),
            Property::always(PROPERTIES[4], |_, state: &State| state.broken != Some(4)),
            Property::sometimes("something is committed", |_, state: &State| {
                !state.committed.is_empty()
            }),
            Property::sometimes("a second term has a leader", |_, state: &State| {
                state.leaders.len() > 1
            }),
        ]
    }
}

/// Three that have just been born.
fn newborn() -> Scope {
    Scope {
        name: "newborn",
        disks: [Disk::EMPTY; 3],
        before: &[],
        pre_votes_fly: false,
        terms: 2,
        left: Budget {
            campaigns: 3,
            crashes: 1,
            copies: 1,
            beats: 1,
            proposals: 2,
        },
    }
}

/// Member 2 leads, and has committed with member 3.
fn led() -> Scope {
    Scope {
        name: "led",
        before: &[
            Before::Campaign(2, 3),
            Before::Persist(2),
            Before::Deliver(2, 3),
            Before::Persist(3),
            Before::Deliver(3, 2),
            Before::Deliver(2, 3),
            Before::Persist(3),
            Before::Deliver(3, 2),
        ],
        left: Budget {
            campaigns: 1,
            ..newborn().left
        },
        ..newborn()
    }
}

/// The same, and member 1 has the committed entry, but not on its disk.
fn unsynced() -> Scope {
    Scope {
        name: "unsynced",
        before: &[
            Before::Campaign(2, 3),
            Before::Persist(2),
            Before::Deliver(2, 1),
            Before::Persist(1),
            Before::Deliver(2, 3),
            Before::Persist(3),
            Before::Deliver(3, 2),
            Before::Deliver(2, 3),
            Before::Persist(3),
            Before::Deliver(3, 2),
            Before::Persist(2),
            Before::Deliver(2, 1),
            Before::Lose,
        ],
        pre_votes_fly: true,
        left: Budget {
            campaigns: 2,
            crashes: 1,
            copies: 1,
            beats: 0,
            proposals: 0,
        },
        ..newborn()
    }
}

/// All have crashed. Member 1 led in terms 1 and 3, and in term 3 it had only begun to bring its
/// entry of term 1 to member 3; member 2 led alone in term 2 (thesis, figure 3.7).
fn rivals() -> Scope {
    let disk = |term, vote, entry| Disk {
        term,
        vote: Some(vote),
        commit: 0,
        entries: vec![(entry, Vec::new())],
    };
    Scope {
        name: "rivals",
        disks: [disk(3, 1, 1), disk(2, 2, 2), disk(3, 1, 1)],
        terms: 5,
        left: Budget {
            campaigns: 2,
            crashes: 1,
            copies: 1,
            beats: 1,
            proposals: 1,
        },
        ..newborn()
    }
}

/// Searches to a depth that ends in time, and to any other on demand.
fn search(scope: Scope, depth: usize) -> String {
    let demanded = std::env::var("SEEDIS_SCOPE_DEPTH").ok();
    let depth = demanded.map_or(depth, |depth| depth.parse().unwrap());
    let name = scope.name;
    let began = std::time::Instant::now();
    let checker = scope.checker().target_max_depth(depth).threads(2);
    let checker = checker.spawn_bfs().join();
    for property in PROPERTIES {
        if let Some(path) = checker.discovery(property) {
            panic!("{name}: not so: {property}\n{:#?}", path.into_actions());
        }
    }
    format!(
        "{name}: {} states, {} of them different, {} steps deep, {:.1?}",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed()
    )
}

const fn depth(quick: usize, thorough: usize) -> usize {
    if cfg!(debug_assertions) {
        quick
    } else {
        thorough
    }
}

#[test]
fn three_newborn_members_agree() {
    println!("{}", search(newborn(), depth(8, 11)));
}

#[test]
fn members_that_are_led_agree() {
    println!("{}", search(led(), depth(6, 9)));
}

#[test]
fn members_that_forget_what_they_have_agree() {
    println!("{}", search(unsynced(), depth(11, 14)));
}

#[test]
fn members_with_rival_logs_agree() {
    println!("{}", search(rivals(), depth(8, 11)));
}
