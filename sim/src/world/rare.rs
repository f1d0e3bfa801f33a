//! Rare states of members and of their group: seen from outside when they come, and counted.
//!
//! Nothing is asked of a node here that an operator could not ask of it (its notes, `RAFT STATUS`,
//! what it sends), so that the core has no hooks for the simulator.

use seedis::node::Node;
use seedis::node::effect::Note;
use seedis::raft::message::Message;
use seedis::raft::{Raft, RoleName};

use super::World;
use super::before::Before;
use super::member::Member;
use crate::states::RareState;

impl World {
    fn met(&mut self, state: RareState) {
        self.judge.goals.met(state);
    }

    /// A member says something.
    pub(super) fn look_at_note(&mut self, number: usize, note: &Note) {
        let member = &mut self.members[number];
        let raft = member.node.as_ref().and_then(Node::raft);
        let before = &mut member.before;
        let state = match note {
            Note::RewriteBegun { .. } => {
                before.writes_base = true;
                let supplies = raft.is_some_and(|raft| raft.snapshots_in_use().next().is_some());
                supplies.then_some(RareState::BaseBesideSupply)
            }
            Note::RewriteDone { .. } => {
                before.writes_base = false;
                None
            }
            Note::RewriteFailed { .. } => {
                before.writes_base = false;
                Some(RareState::BaseGivenUp)
            }
            Note::BaseUnreadable { .. } => Some(RareState::BaseUnread),
            Note::BadSnapshot { .. } => Some(RareState::StateRefused),
            Note::Damage(_) => Some(RareState::TailCut),
            Note::SnapshotInstalled { .. } => {
                before.installed += 1;
                let own = member.config.id;
                let learns = raft.is_some_and(|raft| !raft.in_force().is_voter(own));
                let states = [
                    (before.writes_base, RareState::StateBesideBase),
                    (before.installed == 2, RareState::StateTwice),
                    (learns, RareState::LearnerState),
                ];
                for (_, state) in states.into_iter().filter(|(is_met, _)| *is_met) {
                    self.judge.goals.met(state);
                }
                None
            }
            _ => None,
        };
        if let Some(state) = state {
            self.met(state);
        }
    }

    /// A member sends something.
    pub(super) fn look_at_message(&mut self, message: &Message) {
        match message {
            Message::Part(_) => self.met(RareState::InParts),
            Message::Rejected { .. } => self.met(RareState::LackedBefore),
            _ => {}
        }
    }

    /// The process of a member is about to end.
    pub(super) fn look_at_end(&mut self, number: usize) {
        let member = &mut self.members[number];
        let before = std::mem::take(&mut member.before);
        let Some(node) = &member.node else {
            return;
        };
        let receives = node.raft().is_some_and(|raft| raft.receiving().is_some());
        let states = [
            (node.is_mid_command(), RareState::EndedMidCommand),
            (before.writes_base, RareState::EndedInBase),
            (receives, RareState::EndedInState),
        ];
        for (_, state) in states.into_iter().filter(|(is_met, _)| *is_met) {
            self.met(state);
        }
    }

    /// Looks what a member of a group has come to in a turn.
    pub(super) fn look_at_standing(&mut self, number: usize) {
        if self.members.len() == 1 {
            return;
        }
        let member = &self.members[number];
        let Some((node, raft)) = member.node.as_ref().and_then(|n| Some((n, n.raft()?))) else {
            return;
        };
        let (before, term) = (member.before, raft.term().0);
        let now = self.after_turn(member, node, raft);
        let begins = now.led_in.is_some() && now.led_in != before.led_in;
        let is_cut = before.last > now.last && before.installed == now.installed;
        let leads = |other: &Member| raft_of(other).is_some_and(Raft::is_leader);
        let campaigns = |other: &Member| {
            raft_of(other)
                .is_some_and(|raft| raft.role() == RoleName::Candidate && raft.term().0 == term)
        };
        let others = || self.members.iter().filter(|other| other.number != number);
        let new_campaign = now.campaigned_in.is_some() && now.campaigned_in != before.campaigned_in;
        let states = [
            (is_cut, RareState::LogCut),
            (
                is_cut && before.changing && !now.changing,
                RareState::ChangeCut,
            ),
            (
                begins
                    && raft
                        .led_from()
                        .is_some_and(|own| own.0 > raft.commit().0 + 1),
                RareState::OldTerms,
            ),
            (
                begins && raft.in_force().is_joint(),
                RareState::JointElection,
            ),
            (begins && others().any(leads), RareState::TwoLeaders),
            (
                new_campaign && others().any(campaigns),
                RareState::SplitVote,
            ),
            (now.gave_up && !before.gave_up, RareState::TransferGivenUp),
            (
                now.had_lease && !before.had_lease,
                RareState::LeaseAfterTransfer,
            ),
            (
                now.was_removed && !before.was_removed,
                RareState::RemovedLeads,
            ),
            (
                now.had_no_room && !before.had_no_room,
                RareState::NoRoomInChange,
            ),
            (
                now.supplies > 1 && before.supplies <= 1,
                RareState::TwoSupplies,
            ),
            (now.voters == 1 && before.voters > 1, RareState::ShrunkToOne),
            (
                before.led_in.is_some() && now.led_in.is_none() && self.judge.has_waiters(number),
                RareState::WaitersLeft,
            ),
        ];
        self.members[number].before = now;
        for (_, state) in states.into_iter().filter(|(is_met, _)| *is_met) {
            self.met(state);
        }
    }

    /// The things that are true of a member now.
    fn after_turn(&self, member: &Member, node: &Node, raft: &Raft) -> Before {
        let (own, term) = (member.config.id, raft.term().0);
        let leads = raft.is_leader();
        let gave_up = raft.given_up().is_some();
        let now = member.clock.read(self.time).mono;
        let changing = raft.is_changing() || raft.in_force().is_joint();
        Before {
            last: raft.last().0,
            led_in: leads.then_some(term),
            campaigned_in: (raft.role() == RoleName::Candidate).then_some(term),
            gave_up,
            had_lease: gave_up && member.config.lease_reads && raft.has_lease(now),
            changing,
            was_removed: leads && raft.in_force().get(own).is_none(),
            had_no_room: leads && changing && node.no_space(),
            supplies: if leads {
                raft.snapshots_in_use().count()
            } else {
                0
            },
            voters: raft.membership().voters().count(),
            ..member.before
        }
    }
}

fn raft_of(member: &Member) -> Option<&Raft> {
    member.node.as_ref().and_then(Node::raft)
}
