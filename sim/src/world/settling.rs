//! The end of a run: all faults cease, and what is pending must come to its end; a minority may
//! stay away for ever.

use std::collections::BTreeSet;

use seedis::ids::{NodeId, Term};
use seedis::node::Node;
use seedis::raft::{Membership, Raft};
use seedis::store;
use seedis::time::Stamp;

use super::arrivals::machine_of;
use super::member::Member;
use super::owed::Rest;
use super::{Event, World};
use crate::client::Client;
use crate::decisions::address::Address;
use crate::decisions::decision::Strike;
use crate::draws::Stream;
use crate::goals::Goal;
use crate::judge::End;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::workload::QUEUES;

/// For how long clients go on asking when the faults have ended, in nanoseconds: then nothing wakes
/// a member but what it has asked for itself.
pub(super) const CALM: u64 = 1_000_000_000;
/// After so many events the faults end, and clients ask for nothing more.
const BUSY: u64 = 150_000;
/// How long after the faults have ended, and at least until the last late frame has come, all
/// requests must be answered, in nanoseconds.
const PATIENCE: u64 = 20_000_000_000;
/// How long after an answer its client may wait for the next one, in nanoseconds: some more than
/// the longest time for which a request asks to wait, of which a pipeline may hold many.
const NEXT_ANSWER: u64 = 4_000_000_000;
/// For how long a leader is watched that nothing disturbs, in nanoseconds: some longest election
/// timeouts.
const WATCHED: u64 = 2_000_000_000;
/// If frames take longer on the mean than this, in nanoseconds, those of a slow pair may come too
/// late for an election timeout.
const PROMPT: u64 = 4_000_000;

/// How a run comes to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    /// Members that stay away, as bits.
    gone: u64,
    /// When all was settled first, and the leader's term then.
    settled: Option<(u64, Term)>,
    /// When the last of what is seconds late has come.
    late: u64,
    /// The members since nobody asks for anything.
    rest: Rest,
}

impl World {
    /// Ends the faults when it is time, and the run when all is settled.
    pub(super) fn has_settled(&mut self) -> Result<bool, Violation> {
        if !self.healed && self.events >= BUSY {
            // The end is where most is looked at: a run that has much to do comes to it earlier.
            self.scenario.duration = self.scenario.duration.min(self.time);
        }
        if !self.healed && self.time >= self.scenario.duration {
            self.heal();
        }
        let is_moving = |node: &Node| node.raft().is_some_and(Raft::is_transferring);
        if self.healed && self.leader().is_some_and(is_moving) {
            // Its wish to be followed may come some time after it has given up.
            self.awaits(CALM);
        }
        let calm = self.healed && self.time >= self.scenario.duration + CALM;
        self.looks_inside(|world| world.have_stopped())?;
        let quiet = calm && self.is_quiet();
        let mut rest = std::mem::take(&mut self.settling.rest);
        if quiet && self.leader_stays()? && self.has_rested(&mut rest)? {
            return self.last_words().map(|()| true);
        }
        self.settling.rest = rest;
        // A group that was quiet only just in time is watched for as long as any other.
        let patience = self.scenario.duration + PATIENCE;
        let answered = self.clients.iter().map(|client| client.heard + NEXT_ANSWER);
        let patience = answered.fold(patience.max(self.settling.late), u64::max);
        if self.healed && !quiet && self.time > patience + WATCHED {
            return self.stuck().map(|()| true);
        }
        Ok(false)
    }

    /// Something comes seconds late, a frame or the end of an operation: what it does it does then.
    pub(super) fn awaits(&mut self, after: u64) {
        self.settling.late = self.settling.late.max(self.time + after);
    }

    /// Returns true if a member stays away for ever.
    pub(super) fn is_gone(&self, number: usize) -> bool {
        self.settling.gone >> number & 1 == 1
    }

    /// Nobody asks any more, and everybody is answered.
    fn is_quiet(&self) -> bool {
        let answered = |client: &Client| client.conn.is_none() || client.pending.is_empty();
        let there = |member: &Member| member.is_serving() || self.is_gone(member.number);
        let heard = |conn: u64| self.judge.all_is_heard(conn).is_ok();
        self.clients.iter().all(answered)
            && self.clients.iter().filter_map(|one| one.conn).all(heard)
            && self.members.iter().all(there)
            && self.group_settled().is_ok()
            && self.have_come().is_ok()
    }

    /// L5: whoever leads when all is calm leads on. False while that is being watched.
    fn leader_stays(&mut self) -> Result<bool, Violation> {
        let prompt = self.scenario.frame_latency <= PROMPT;
        let Some(raft) = self.leader().and_then(Node::raft) else {
            return Ok(true);
        };
        let term = raft.term();
        if self.time < self.settling.late + CALM {
            // It may be a leader's wish to be followed, of which it has thought better long since,
            // and who hears it has to be elected.
            return Ok(false);
        }
        let (since, settled) = *self.settling.settled.get_or_insert((self.time, term));
        if prompt && settled != term {
            let text = format!("{settled} was led in peace, and {term} has begun");
            self.sees(Err(Violation::new(Id::L5, text)))?;
        }
        Ok(!prompt || self.members.len() == 1 || self.time >= since + WATCHED)
    }

    /// All faults end, and clients ask nothing new.
    fn heal(&mut self) {
        self.healed = true;
        self.tell(|| "all faults end".to_owned());
        for member in 0..self.members.len() {
            self.heal_member(member);
        }
        self.lose_minority();
        self.end_upgrade();
        // Who was slow reads on at once.
        let mut waiting = Vec::new();
        for (conn, connection) in &mut self.connections {
            (connection.window, connection.slowness) = (1 << 20, 0);
            waiting.push(*conn);
        }
        for conn in waiting {
            self.push(0, Event::Take { conn, count: 0 });
        }
    }

    /// Now and then some members never come back; the others must do without them.
    fn lose_minority(&mut self) {
        let members = self.members.len();
        let mut dice = self.dice(Stream::CORE, 0, 0);
        let drawn = (members > 1 && dice.permille(self.scenario.minority_lost))
            .then(|| dice.below(1 << members));
        let written = self.decisions.strikes(Some(&Address::End), |_| true);
        let written = written.into_iter().find_map(|strike| match strike {
            Strike::Abandon { members } => Some(members),
            _ => None,
        });
        let scripted = self.decisions.are_scripted();
        let Some(gone) = (if scripted { written } else { drawn }) else {
            return;
        };
        let absent = gone | self.lacking();
        let nodes = self
            .members
            .iter()
            .filter_map(|member| member.node.as_ref());
        let rafts: Vec<&Raft> = nodes.filter_map(Node::raft).collect();
        // Whoever is down may know of another membership.
        let known = rafts.len() == members;
        let decides = |raft: &&Raft| {
            let serves = |members: &Membership| self.has_quorum(members, absent);
            serves(raft.in_force()) && serves(raft.membership())
        };
        if !known || gone == 0 || !rafts.iter().all(decides) {
            return;
        }
        self.settling.gone = gone;
        for number in (0..members).filter(|number| gone >> number & 1 == 1) {
            self.end(number, End::Power);
        }
        self.judge.reached(Goal::MinorityLost);
        self.record(Some(Address::End), || Strike::Abandon { members: gone });
        self.tell(|| format!("members {gone:b} never come back"));
    }

    pub(super) fn leader(&self) -> Option<&Node> {
        let mut nodes = self.members.iter().filter_map(|m| m.node.as_ref());
        nodes.find(|node| node.leads().is_some())
    }

    /// L1, L3, L4: a member leads, no change is under way, and all have applied the same.
    fn group_settled(&self) -> Verdict {
        if self.members.len() == 1 {
            return Ok(());
        }
        let Some(leader) = self.leader() else {
            let text = format!("nobody leads: {}", self.standings());
            return Err(Violation::new(Id::L1, text));
        };
        if leader.raft().is_some_and(Raft::is_changing) {
            let text = format!("a change is under way: {:?}", leader.membership());
            return Err(Violation::new(Id::L4, text));
        }
        let membership = leader.membership();
        let members = membership.into_iter().flat_map(Membership::members);
        // A disk that was wiped is no member's any more.
        let lives = |number: usize, incarnation| self.members[number].incarnation() == incarnation;
        let there: Vec<usize> = members
            .map(|member| (machine_of(member.incarnation), member.incarnation))
            .filter(|(number, incarnation)| !self.is_gone(*number) && lives(*number, *incarnation))
            .map(|(number, _)| number)
            .collect();
        let nodes = there.iter().filter_map(|n| self.members[*n].node.as_ref());
        let applied: Vec<u64> = nodes.map(|node| node.applied().0).collect();
        if applied.len() < there.len() || applied.iter().any(|index| *index != applied[0]) {
            let text = format!("the members have applied {applied:?}");
            return Err(Violation::new(Id::L3, text));
        }
        self.check_raised()?;
        // Whoever is no member any more is sent nothing.
        let members = there.iter().map(|number| 1 << number).sum::<u64>();
        let lacking = self.under_repair() & members;
        if lacking != 0 {
            let text = format!("members {lacking:b} are under repair: {}", self.standings());
            return Err(Violation::new(Id::L6, text));
        }
        Ok(())
    }

    fn standings(&self) -> String {
        let nodes = self.members.iter().filter_map(|m| m.node.as_ref());
        let all: Vec<String> = nodes.filter_map(Node::standing).collect();
        all.join("; ")
    }

    /// S1, once more, when all is quiet.
    pub(super) fn last_words(&mut self) -> Verdict {
        let members = 0..self.members.len();
        self.looks_inside(|world| {
            members.into_iter().try_for_each(|number| {
                world.audit(number, false)?;
                world.look_twice(number, true)
            })
        })?;
        self.looks_inside(|world| world.check_memory_is_back())?;
        self.count_elements()
    }

    /// Q1, Q2: all elements of queues are where they should be.
    fn count_elements(&self) -> Verdict {
        let Some(node) = self.leader() else {
            return Ok(());
        };
        let mut left = BTreeSet::new();
        let mut show = |_: &[u8], value: store::Value<'_>| match value {
            store::Value::List(list) => {
                let items = list.walk(0, store::End::Back);
                left.extend(items.map(store::Text::to_vec));
            }
            store::Value::Zset(zset) => {
                left.extend(zset.walk(0).map(|(member, _)| member.to_vec()));
            }
            _ => {}
        };
        node.store()
            .for_each_key(QUEUES, Stamp::default(), &mut show);
        self.elements.judge(&left)
    }

    /// Why the group may stand still although nothing goes wrong any more: those who are gone, or
    /// have lost what they held, are needed by what was changed at the last moment.
    fn may_be_stuck(&self) -> bool {
        let absent = self.settling.gone | self.lacking();
        let nodes = self.members.iter().filter_map(|m| m.node.as_ref());
        let mut rafts = nodes.filter_map(Node::raft);
        absent != 0
            && rafts.any(|raft| {
                let lacks = |members: &Membership| !self.has_quorum(members, absent);
                lacks(raft.in_force()) || lacks(raft.membership())
            })
    }

    /// Returns true if those that stay can decide, in both halves if there are two.
    fn has_quorum(&self, membership: &Membership, absent: u64) -> bool {
        let place = |id: NodeId| membership.get(id);
        let stays = |id| place(id).is_some_and(|place| self.is_there(place, absent));
        membership.reached(&|id| u64::from(stays(id))) == 1
    }

    /// L2, J3: something is still pending, long after all faults have ended.
    fn stuck(&mut self) -> Verdict {
        if self.may_be_stuck() {
            let gone = self.settling.gone;
            let why = format!("members {gone:b} never came back, and a majority needs them");
            self.tell(|| why.clone());
            self.stands_still = Some(why);
            return Ok(());
        }
        if self.black_box {
            return self.clients_hang();
        }
        self.group_settled()?;
        self.have_come()?;
        for conn in self.clients.iter().filter_map(|client| client.conn) {
            self.judge.all_is_heard(conn)?;
        }
        let mut lines = Vec::new();
        for (number, client) in self.clients.iter().enumerate() {
            if let Some(conn) = client.conn.filter(|_| !client.pending.is_empty()) {
                let (pending, waiting) = (client.pending.len(), self.judge.waiting(conn));
                let first = client
                    .pending
                    .front()
                    .cloned()
                    .flatten()
                    .unwrap_or_default();
                let first: Vec<String> =
                    first.iter().map(|word| crate::wire::shown(word)).collect();
                let first = first.join(" ");
                let counts = format!("waits for {pending} replies (the judge: {waiting})");
                lines.push(format!("client {number} (c{conn}) {counts}, first {first}"));
            }
        }
        for member in &self.members {
            lines.push(member.condition());
        }
        Err(Violation::new(Id::L2, lines.join("; ")))
    }
}
