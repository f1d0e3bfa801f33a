//! Processes that come to their group on their first day: they dial each other, ask for numbers,
//! die on their way, and come again.
//!
//! A dial takes its time, and may end without an answer. A process that gives up is started again
//! by its operator, at another door and without a number of its own choice.

use std::collections::{BTreeMap, BTreeSet};

use seedis::ids::{ClusterId, Incarnation, NodeId};
use seedis::node::Node;
use seedis::node::arrival::{Arrival, Failed, Group, Wanted, Wish};
use seedis::node::greeting::{Admission, Contact, Greeting, Line, Refusal, Standing};
use seedis::raft::{Member as RaftMember, Membership, Raft};
use seedis::time::Mono;

use super::member::{Member, News, address_of};
use super::{Event, World};
use crate::draws::{Dice, Stream};
use crate::goals::Goal;
use crate::judge::invariant::{Id, Verdict, Violation};

/// Of a thousand dials, so many end without an answer.
const LOST: u64 = 100;
/// After so long, in nanoseconds.
const LOST_AFTER: u64 = 2_000_000_000;
/// Of a thousand times that a process has something to do on its way, it dies so often.
const DIES: u64 = 40;
/// How long it is away then on the mean, and how long an operator takes to start it anew, in
/// nanoseconds.
const AWAY: u64 = 300_000_000;

/// The state of all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    calls: BTreeMap<u64, Call>,
    last_call: u64,
    /// Which disk was ever given which number, as somebody knew to be committed.
    given: BTreeSet<(NodeId, Incarnation)>,
    /// The group that came out of the founders' list.
    formed: Option<ClusterId>,
}

/// A dial on its way.
#[derive(Clone, Debug)]
struct Call {
    life: u64,
    address: String,
    greeting: Greeting,
    outcome: Result<Greeting, Failed>,
}

/// The address at which members reach a member.
fn door_of(number: usize) -> String {
    format!("10.2.0.{}:16379", number + 1)
}

fn at_door(address: &str) -> Option<usize> {
    (0..16).find(|number| door_of(*number) == address)
}

/// The machine that a life of a disk is of.
pub(super) fn machine_of(incarnation: Incarnation) -> usize {
    ((incarnation.0 & 0xffff) as usize).saturating_sub(1)
}

impl Member {
    /// Returns true if its directory holds nothing yet.
    fn is_new(&self) -> bool {
        !self
            .disk
            .files()
            .any(|(file, _)| file == seedis::disk::FileName::MANIFEST)
    }
}

impl World {
    fn call_dice(&self, number: usize, ordinal: u64) -> Dice {
        self.dice(Stream::ARRIVAL, number as u64, ordinal)
    }

    /// Returns true if a member can join the group only by asking.
    pub(super) fn knocks(&self, number: usize) -> bool {
        let is_founder = number < self.scenario.founders && self.members[number].wipes == 0;
        self.scenario.knocks && !is_founder
    }

    /// Returns true if the group stands on the disks of as many members as a majority of its
    /// founders, one member left out: those that are to form it wait for each other for ever where
    /// it stands on none.
    pub(super) fn is_formed_without(&self, number: usize) -> bool {
        let others = self.members.iter().filter(|one| one.number != number);
        let formed = others.filter(|one| !one.is_new());
        formed.count() > self.scenario.founders / 2
    }

    /// Begins a process that has no group yet; false where it has one, or is to have one without
    /// asking.
    pub(super) fn arrives(&mut self, number: usize) -> bool {
        let knocks = self.knocks(number);
        let is_founder = number < self.scenario.founders && self.members[number].wipes == 0;
        let forms = is_founder && self.scenario.meets;
        if self.members[number].arrival.is_some() {
            return true;
        }
        if !(knocks || forms) || !self.members[number].is_new() {
            return false;
        }
        let (time, founders) = (self.time, self.scenario.founders);
        let member = &self.members[number];
        let mut dice = self.call_dice(number, member.life << 32 | 1 << 63 | member.wipes);
        let now = self.members[number].looks_at_its_clock(time).mono;
        let member = &self.members[number];
        let (id, incarnation) = (member.config.id, member.incarnation());
        let arrival = if knocks {
            let others: Vec<usize> = (0..founders).filter(|other| *other != number).collect();
            let door = if others.is_empty() {
                0
            } else {
                *dice.pick(&others)
            };
            // Two may want the same one.
            let wanted = [0, number as u64 + 1, founders as u64 + 1];
            let wanted = *dice.pick(&wanted[..]);
            // What its operator has named once is named again until the group refuses it.
            let names = member.despairs == 0;
            let wanted = match (NodeId(wanted), id) {
                (NodeId(0), NodeId(0)) => Wanted::Any,
                (wanted, NodeId(0)) if names => Wanted::Named(wanted),
                (_, NodeId(0)) => Wanted::Any,
                (wanted, id) if names && wanted == id => Wanted::Named(id),
                (_, id) => Wanted::Given(id),
            };
            Arrival::joining(wanted, incarnation, &door_of(door), &BTreeMap::new(), now)
        } else {
            let others = (0..founders).filter(|other| *other != number);
            let others = others.map(|other| (self.members[other].config.id, door_of(other)));
            Arrival::forming(id, incarnation, &others.collect(), now)
        };
        self.draw_versions(number);
        let member = &mut self.members[number];
        member.arrival = Some(arrival.knowing(member.config.entry_versions));
        self.tell(|| format!("member {number} comes"));
        let life = self.members[number].life;
        self.push(
            0,
            Event::Look {
                member: number,
                life,
            },
        );
        true
    }

    /// A process on its way does what is to be done.
    pub(super) fn look(&mut self, number: usize, life: u64) -> Verdict {
        if self.members[number].life != life || self.members[number].arrival.is_none() {
            return Ok(());
        }
        let time = self.time;
        let member = &mut self.members[number];
        member.looks += 1;
        let looks = member.looks;
        let now = member.looks_at_its_clock(time).mono;
        let Some(arrival) = &mut member.arrival else {
            return Ok(());
        };
        let wishes = arrival.next(now);
        let after = arrival.deadline().since(now).as_nanos() as u64;
        let mut dice = self.call_dice(number, looks);
        for wish in wishes {
            if !self.healed && dice.permille(DIES) {
                self.leaves(number, dice.exponential(AWAY), "dies on its way");
                return Ok(());
            }
            match wish {
                Wish::Dial(address) => self.call(number, address, &mut dice),
                Wish::Tell(text) => self.tell(|| format!("member {number}: {text}")),
                Wish::GiveUp(why) => {
                    self.members[number].despairs += 1;
                    self.judge.reached(Goal::TurnedAway);
                    self.leaves(number, dice.exponential(AWAY), &why);
                    return Ok(());
                }
                Wish::Enter(group) => {
                    self.enters(number, &group)?;
                    if !self.healed && dice.permille(DIES) {
                        let away = dice.exponential(AWAY);
                        self.leaves(number, away, "dies before it begins");
                    } else {
                        self.members[number].arrival = None;
                        self.begin(number);
                    }
                    return Ok(());
                }
            }
        }
        let member = number;
        self.push(after.max(1_000_000), Event::Look { member, life });
        Ok(())
    }

    /// A process on its way ends, and is started again.
    pub(super) fn leaves(&mut self, number: usize, after: u64, why: &str) {
        let member = &mut self.members[number];
        member.arrival = None;
        member.life += 1;
        self.tell(|| format!("member {number} ends before it has come: {why}"));
        self.push(after, Event::Start { member: number });
    }

    /// J1, J2: what it enters is the one group, under a number that was given to its disk.
    fn enters(&mut self, number: usize, group: &Group) -> Verdict {
        let member = &self.members[number];
        let own = (group.id, member.incarnation());
        if self.knocks(number) {
            if group.cluster != self.cluster() || !self.arrivals.given.contains(&own) {
                let (id, life) = (own.0.0, own.1.0);
                let text = format!(
                    "member {number} (life {life}) begins as {id}, which nobody has given to it"
                );
                self.sees(Err(Violation::new(Id::J2, text)))?;
            }
            self.judge.reached(Goal::Admitted);
        } else {
            let known = *self.arrivals.formed.get_or_insert(group.cluster);
            if known != group.cluster {
                let text = format!("member {number} forms another group than the others");
                self.sees(Err(Violation::new(Id::J1, text)))?;
            }
            self.judge.reached(Goal::Formed);
        }
        let config = &mut self.members[number].config;
        config.id = group.id;
        config.cluster = group.cluster;
        config.founders.clone_from(&group.founders);
        self.tell(|| format!("member {number} begins as member {}", group.id.0));
        Ok(())
    }

    /// The group that there is to come into.
    fn cluster(&self) -> ClusterId {
        let formed = self.arrivals.formed;
        formed.unwrap_or(ClusterId(self.scenario.seed))
    }

    /// Dials somebody.
    fn call(&mut self, from: usize, address: String, dice: &mut Dice) {
        let member = &self.members[from];
        let Some(arrival) = &member.arrival else {
            return;
        };
        let mut greeting = arrival.greeting();
        greeting.address = door_of(from);
        greeting.clients = address_of(from);
        let (life, to) = (member.life, at_door(&address));
        self.arrivals.last_call += 1;
        let call = self.arrivals.last_call;
        let is_lost = !self.healed && dice.permille(LOST);
        let late = self.scenario.frame_latency / 4 + dice.exponential(self.scenario.frame_latency);
        let outcome = Err(Failed::Lost("nothing was heard".into()));
        let entry = Call {
            life,
            address,
            greeting,
            outcome,
        };
        self.arrivals.calls.insert(call, entry);
        match to {
            Some(to) if !is_lost && to < self.members.len() => {
                self.push(late, Event::Call { from, to, call });
            }
            _ => self.push(LOST_AFTER, Event::Answered { from, call }),
        }
    }

    /// A dial comes to a member.
    pub(super) fn called(&mut self, from: usize, to: usize, call: u64) {
        let Some(mut entry) = self.arrivals.calls.remove(&call) else {
            return;
        };
        let mut after = self.scenario.frame_latency / 2 + 1;
        if self.is_kept_apart(from, to) {
            after = LOST_AFTER;
        } else {
            entry.outcome = self.answer_to(to, &entry.greeting);
        }
        self.arrivals.calls.insert(call, entry);
        self.push(after, Event::Answered { from, call });
    }

    /// The answer of a member that is dialled.
    fn answer_to(&mut self, to: usize, other: &Greeting) -> Result<Greeting, Failed> {
        let not_yet = |refusal: &Refusal| Failed::NotYet(refusal.to_string());
        let refused = |refusal: Refusal| {
            if refusal.passes() {
                not_yet(&refusal)
            } else {
                Failed::TurnedAway(refusal.to_string())
            }
        };
        let contacts = self.contacts_of(to);
        let member = &mut self.members[to];
        if let Some(arrival) = &mut member.arrival {
            let mut own = arrival.greeting();
            own.judge(&[], other).map_err(refused)?;
            arrival.visited(other);
            (own.address, own.contacts) = (door_of(to), contacts);
            let life = member.life;
            self.push(0, Event::Look { member: to, life });
            return Ok(own);
        }
        let Some(node) = &member.node else {
            return Err(Failed::Lost("connection refused".into()));
        };
        let starting = || not_yet(&Refusal::NotReady);
        let (incarnation, standing) = node.standing_in_group().ok_or_else(starting)?;
        let standing = match standing {
            Standing::Member { cluster, .. } if !member.has_voted && member.knocked => {
                Standing::Joining {
                    cluster: Some(cluster),
                }
            }
            standing => standing,
        };
        let mut own = Greeting {
            line: Line::Control,
            id: member.config.id,
            incarnation,
            applied: node.applied(),
            address: door_of(to),
            clients: address_of(to),
            standing,
            contacts,
            admission: Admission::Unasked,
            entry_versions: node.entry_versions(),
            speaks: node.entry_version().number,
        };
        let members = node.membership().into_iter().flat_map(Membership::members);
        let members: Vec<_> = members.map(|one| (one.id, one.incarnation)).collect();
        own.judge(&members, other).map_err(refused)?;
        if matches!(other.standing, Standing::Joining { .. }) {
            let (wanted, incarnation) = (other.id, other.incarnation);
            own.admission = node.admission(wanted, incarnation);
            member.news.push(News::Asks {
                wanted,
                incarnation,
                newest: other.entry_versions.1,
            });
            self.wake(to);
        }
        Ok(own)
    }

    /// The members that a member knows by number.
    fn contacts_of(&self, number: usize) -> Vec<Contact> {
        let others = self.members.iter().filter(|one| one.number != number);
        let known = others.filter(|one| one.node.is_some() && one.config.id != NodeId(0));
        let contact = |one: &Member| Contact {
            id: one.config.id,
            address: door_of(one.number),
        };
        known.map(contact).collect()
    }

    /// A dial has ended.
    pub(super) fn answered(&mut self, from: usize, call: u64) {
        let Some(call) = self.arrivals.calls.remove(&call) else {
            return;
        };
        let time = self.time;
        let member = &mut self.members[from];
        if member.life != call.life || member.arrival.is_none() {
            return;
        }
        let now: Mono = member.looks_at_its_clock(time).mono;
        let Some(arrival) = &mut member.arrival else {
            return;
        };
        let host = "10.2.0.0";
        match call.outcome {
            Ok(greeting) => arrival.heard(now, &call.address, host, &greeting),
            Err(failed) => arrival.failed(now, &call.address, failed),
        }
        let life = member.life;
        self.push(0, Event::Look { member: from, life });
    }

    /// Takes note of what a member knows to be committed.
    pub(super) fn note_numbers(&mut self, number: usize) {
        if !self.scenario.knocks {
            return;
        }
        let raft = self.members[number].node.as_ref().and_then(Node::raft);
        let settled = raft
            .map(Raft::membership)
            .into_iter()
            .flat_map(Membership::members);
        let settled: Vec<RaftMember> = settled.copied().collect();
        for place in settled {
            self.arrivals.given.insert((place.id, place.incarnation));
        }
        let member = &mut self.members[number];
        let own = (member.config.id, member.incarnation());
        if !member.has_voted && votes(member, own) {
            member.has_voted = true;
        }
    }

    /// J3: who has come to ask has come in.
    pub(super) fn have_come(&self) -> Verdict {
        let late = |member: &&Member| {
            let is_gone = self.is_gone(member.number);
            let is_late = self.knocks(member.number) && !member.has_voted && !is_gone;
            is_late && !self.has_lost_its_number(member)
        };
        match self.members.iter().find(late) {
            None => Ok(()),
            Some(member) => {
                let how = match &member.arrival {
                    Some(arrival) => format!("{arrival:?}"),
                    None => member.condition(),
                };
                let text = format!("member {} does not come to vote: {how}", member.number);
                Err(Violation::new(Id::J3, text))
            }
        }
    }

    /// Returns true if a member was removed before it became a voter, and another disk has its
    /// number: it is told so when it connects, and nothing mends it but an empty directory.
    fn has_lost_its_number(&self, member: &Member) -> bool {
        let in_force = self.leader().and_then(Node::raft).map(Raft::in_force);
        let own = in_force.and_then(|in_force| in_force.get(member.config.id));
        own.is_some_and(|own| own.incarnation != member.incarnation())
    }

    /// Returns true if a member does not go on with another that connects: it knows that number as
    /// that of another disk, and is further (`greeting.rs` says so to the shell).
    pub(super) fn is_refused(&self, number: usize, other: usize) -> bool {
        let (member, other) = (&self.members[number], &self.members[other]);
        let (Some(node), Some(theirs)) = (&member.node, &other.node) else {
            return false;
        };
        let known = node.raft().map(Raft::in_force);
        let known = known.and_then(|known| known.get(other.config.id));
        let is_another = known.is_some_and(|known| {
            ![Incarnation(0), other.incarnation()].contains(&known.incarnation)
        });
        is_another && node.applied() > theirs.applied()
    }

    /// Returns true if a member of a membership is up and not among the `absent`.
    pub(super) fn is_there(&self, place: &RaftMember, absent: u64) -> bool {
        let number = machine_of(place.incarnation);
        let lives = self.members.get(number).is_some_and(|machine| {
            !self.scenario.knocks || machine.incarnation() == place.incarnation
        });
        absent >> number & 1 == 0 && lives
    }
}

/// Returns true if a member knows that it is a voter, and will stay one.
fn votes(member: &Member, (id, incarnation): (NodeId, Incarnation)) -> bool {
    let raft = member.node.as_ref().and_then(Node::raft);
    raft.map(Raft::membership).is_some_and(|settled| {
        let own = settled.get(id);
        settled.is_voter(id)
            && !settled.is_joint()
            && own.is_some_and(|own| own.incarnation == incarnation)
    })
}
