//! The frames between members: late, lost, doubled, out of order, or not at all.

use bytes::Bytes;
use seedis::ids::NodeId;
use seedis::node::Node;
use seedis::node::effect::Effect;
use seedis::raft::message::Message;
use seedis::raft::wire;

use super::arrivals::machine_of;
use super::member::News;
use super::observed::Seen;
use super::{End, Ends, Event, Link, World};
use crate::aim::{self, Aim};
use crate::decisions::address::{Address, Kind};
use crate::decisions::decision::Strike;
use crate::draws::{Dice, Stream};
use crate::goals::Fault;
use crate::judge::invariant::Verdict;

/// The directions in which a member is cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) hears: bool,
    pub(super) speaks: bool,
}

/// Kinds of messages that may suffer each on its own.
pub(crate) const KINDS: usize = 8;

fn kind_of(message: &Message) -> usize {
    match message {
        Message::PreVote { .. } | Message::PreVoteReply { .. } => 0,
        Message::Vote { .. } => 1,
        Message::VoteReply { .. } => 2,
        Message::Append(_) | Message::Part(_) => 3,
        Message::Accepted { .. } | Message::Rejected { .. } | Message::PartReply { .. } => 4,
        Message::Heartbeat { .. } => 5,
        Message::HeartbeatReply { .. } | Message::Reminder { .. } | Message::TimeoutNow => 6,
        Message::SnapshotOffer { .. } | Message::SnapshotChunk(_) | Message::ChunkReply { .. } => 7,
    }
}

/// The members that hear each other while a group is parted: for each member the others as bits.
pub(super) fn partition(members: usize, dice: &mut Dice) -> Vec<u64> {
    let all = (1 << members) - 1;
    let half = dice.within(1, all - 1);
    let side = |m: usize| {
        if half >> m & 1 == 1 {
            half
        } else {
            all & !half
        }
    };
    let bridge = dice.below(members as u64) as usize;
    let (from, to) = (
        dice.below(members as u64),
        dice.below(members as u64) as usize,
    );
    let shape = dice.below(4);
    let hears = |m: usize| match shape {
        // Two halves; with a bridge that hears and reaches both; a ring; one that is not heard by
        // another.
        0 => side(m),
        1 if m == bridge => all,
        1 => side(m) | 1 << bridge,
        2 => 1 << m | 1 << ((m + 1) % members) | 1 << ((m + members - 1) % members),
        _ if m == to => all & !(1 << from),
        _ => all,
    };
    (0..members).map(hears).collect()
}

/// The number by which a member is known in its group.
pub(crate) fn id_of(member: usize) -> NodeId {
    NodeId(member as u64 + 1)
}

impl World {
    /// Sends a frame to a peer.
    pub(super) fn send_frame(&mut self, from: usize, to: NodeId, frame: Vec<u8>) -> Verdict {
        let frame = Bytes::from(frame);
        let mut suffers = 0;
        let (mut kind, mut term) = (Kind::Unread, 0);
        let mut is_rare = false;
        let mut machine = (to.0 as usize).checked_sub(1);
        if let Ok(spoken) = wire::decode(&frame) {
            let verdict = self.check_message(from, &spoken);
            self.sees(verdict)?;
            self.tells_commit(from, &spoken);
            let verdict = self.check_grant(from, &spoken);
            self.sees(verdict)?;
            (kind, term) = (Kind::of(&spoken.1), spoken.0.term.0);
            machine = Some(machine_of(spoken.0.to.incarnation));
            suffers = self.scenario.kinds[kind_of(&spoken.1)];
            is_rare = aim::is_rare(&spoken.1);
        }
        let Some(to) = machine.filter(|to| *to < self.members.len()) else {
            return Ok(());
        };
        let address = self.decisions.frame(kind, [from, to], term);
        let ends = Ends {
            from: End::Member(from),
            to: End::Member(to),
        };
        let (seed, mean) = (self.scenario.seed, self.scenario.frame_latency);
        let key = (from as u64) << 32 | to as u64;
        let link = self.links.entry(ends).or_insert_with(|| {
            let mut dice = Dice::new(seed, Stream::FRAME, key, 0);
            // One pair in eight is slow for the whole run.
            let slow = if dice.permille(125) { 4 } else { 1 };
            Link {
                mean: mean * slow,
                segments: 0,
            }
        });
        link.segments += 1;
        let (mean, ordinal) = (link.mean, link.segments);
        let mut dice = Dice::new(seed, Stream::FRAME, key, ordinal);
        let drawn_late = mean / 4 + dice.exponential(mean);
        let late = if self.decisions.are_steady() {
            self.scenario.frame_latency
        } else {
            drawn_late
        };
        let late = late + self.members[to].lag;
        if self.decisions.are_scripted() {
            self.send_as_written(address.as_ref(), late, (from, to), frame);
            return Ok(());
        }
        let lost = dice.permille(self.scenario.loss);
        let twice = dice.permille(self.scenario.twice);
        let later = late + dice.exponential(mean * 4);
        let suffers = dice.permille(suffers);
        // Now and then a frame comes when nobody thinks of it any more.
        let overdue = dice.permille(self.scenario.overdue);
        let much_later = late + dice.exponential(2_000_000_000);
        let is_struck = is_rare && !self.healed && dice.permille(self.scenario.aims);
        let aim = is_struck.then(|| Aim::draw(&mut dice));
        let lost = lost || matches!(aim, Some(Aim::Lose));
        let (twice, later) = match aim {
            Some(Aim::Again(after)) => (true, late + after),
            _ => (twice, later),
        };
        let (overdue, much_later) = match aim {
            Some(Aim::Late(after)) => (true, late + after),
            _ => (overdue, much_later),
        };
        let is_lost = !self.healed && (lost || suffers);
        self.note(|| Seen::Sent {
            from,
            to,
            frame: frame.clone(),
            is_lost,
        });
        if self.healed {
            self.push(late, Event::Frame { from, to, frame });
            return Ok(());
        }
        match aim {
            Some(Aim::Sender) => self.aim(from, ordinal << 8 | to as u64),
            Some(Aim::Receiver) => self.aim(to, ordinal << 8 | from as u64),
            Some(Aim::Again(after)) => self.awaits(after + late),
            // Its sender is struck shortly before it comes.
            Some(Aim::Late(after)) if dice.coin() => {
                self.aim_in(after, from, ordinal << 8 | to as u64);
            }
            _ => {}
        }
        if lost || suffers {
            self.fired(if lost { Fault::Loss } else { Fault::LossByKind });
            self.record(address, || Strike::Lose);
            return Ok(());
        }
        if twice {
            self.fired(Fault::Twice);
            let frame = frame.clone();
            self.push(later, Event::Frame { from, to, frame });
            self.record(address.clone(), || Strike::Copy { after: later });
        }
        if overdue {
            self.fired(Fault::Overdue);
            self.record(address, || Strike::Delay { after: much_later });
        }
        let late = if overdue { much_later } else { late };
        // Of a member that hears the others late, any frame may come when the faults have ended.
        self.awaits(late);
        self.push(late, Event::Frame { from, to, frame });
        Ok(())
    }

    /// Sends a frame as a script has it.
    fn send_as_written(
        &mut self,
        address: Option<&Address>,
        late: u64,
        (from, to): (usize, usize),
        frame: Bytes,
    ) {
        let mut after = late;
        let strikes = if self.healed {
            Vec::new()
        } else {
            self.decisions.strikes(address, |_| true)
        };
        for strike in strikes {
            if let Some(fault) = strike.fault() {
                self.fired(fault);
            }
            match strike {
                Strike::Lose => return,
                Strike::Copy { after } => {
                    let frame = frame.clone();
                    self.push(after, Event::Frame { from, to, frame });
                }
                Strike::Delay { after: longer } => after = longer,
                _ => {}
            }
        }
        if !self.healed {
            self.awaits(after);
        }
        self.push(after, Event::Frame { from, to, frame });
    }

    /// Sends messages for the subscribers of a peer over a connection between two processes: they
    /// stay in order, none comes twice, and what cannot leave is dropped.
    pub(super) fn tell_subscribers(&mut self, from: usize, told: Effect) {
        let Effect::Tell {
            to,
            messages,
            frame,
        } = told
        else {
            return;
        };
        let machine = self.members.iter().position(|one| one.config.id == to);
        let Some(to) = machine else {
            return;
        };
        let told = self.told.entry((from, to)).or_default();
        told.0 += 1;
        let (nth, before) = *told;
        let key = (from as u64) << 32 | to as u64;
        let mut dice = Dice::new(self.scenario.seed, Stream::FRAME, key | 1 << 63, nth);
        let late = self.scenario.frame_latency / 4 + dice.exponential(self.scenario.frame_latency);
        let is_lost = !self.healed && dice.permille(self.scenario.loss);
        if is_lost || self.is_kept_apart(from, to) || !self.members[to].is_up() {
            let news = News::NotTold { messages };
            self.members[from].news.push(news);
            self.wake(from);
            return;
        }
        let at = before.max(self.time + late);
        self.told.insert((from, to), (nth, at + 1));
        let lives = [self.members[from].life, self.members[to].life];
        self.push(
            at - self.time,
            Event::Told {
                from,
                to,
                lives,
                frame: *frame,
            },
        );
    }

    /// Messages for subscribers have come, unless the connection has broken since.
    pub(super) fn are_told(&mut self, (from, to): (usize, usize), lives: [u64; 2], frame: Bytes) {
        let is_same = lives == [self.members[from].life, self.members[to].life];
        if is_same && self.members[to].is_up() && !self.is_kept_apart(from, to) {
            let from = self.members[from].config.id;
            self.members[to].news.push(News::Told { from, frame });
            self.wake(to);
        }
    }

    /// When somebody new asks the next time.
    pub(super) fn plan_wish(&mut self, number: usize) {
        if let Some(mean) = self.scenario.newcomers_ask {
            let wishes = &mut self.members[number].wishes;
            *wishes += 1;
            let mut dice = Dice::new(self.scenario.seed, Stream::WISH, number as u64, *wishes);
            let after = dice.exponential(mean);
            self.push(after, Event::Wants { member: number });
        }
    }

    /// Somebody new asks all whom it reaches, until it votes, as the shell does.
    pub(super) fn wants_in(&mut self, number: usize) {
        let own = self.members[number].node.as_ref();
        let votes = own.and_then(Node::membership);
        let id = self.members[number].config.id;
        let is_over = self.healed && !self.knocks(number) || self.members[number].has_voted;
        if is_over || votes.is_some_and(|all| all.is_voter(id)) && !self.knocks(number) {
            return;
        }
        self.plan_wish(number);
        if !self.members[number].is_up() {
            return;
        }
        let incarnation = self.members[number].incarnation();
        for to in (0..self.members.len()).filter(|to| *to != number) {
            if !self.is_parted(number, to) && self.members[to].is_up() {
                let wants = News::Wants { id, incarnation };
                self.members[to].news.push(wants);
                self.wake(to);
            }
        }
    }

    /// Returns true if one member cannot talk with another now.
    pub(super) fn is_kept_apart(&self, from: usize, to: usize) -> bool {
        let is_cut = |number: usize| self.members[number].cut.is_some();
        let parted = self.is_parted(from, to) || self.is_parted(to, from);
        parted || is_cut(from) || is_cut(to)
    }

    /// Returns true if the group is parted now, and one member does not reach the other.
    fn is_parted(&self, from: usize, to: usize) -> bool {
        let holds = self
            .flaps
            .is_none_or(|period| (self.time / period).is_multiple_of(2));
        let parted = |hears: &Vec<u64>| hears[to] >> from & 1 == 0;
        holds && self.partition.as_ref().is_some_and(parted)
    }

    /// A frame has come, unless a cut stops it.
    pub(super) fn frame(&mut self, from: usize, to: usize, frame: Bytes) {
        let stopped = self.is_parted(from, to)
            || self.members[from].cut.is_some_and(|cut| !cut.speaks)
            || self.members[to].cut.is_some_and(|cut| !cut.hears);
        let is_heard = !stopped && self.members[to].is_up();
        self.note(|| Seen::Came {
            frame: frame.clone(),
            is_heard,
        });
        if !is_heard {
            return;
        }
        let member = &mut self.members[to];
        member.frames.push((from, frame));
        self.wake(to);
    }
}
