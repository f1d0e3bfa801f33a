//! The agreement of members' terms, votes and logs: checked after every turn, and in every frame.

use std::collections::BTreeMap;

use seedis::ids::{Incarnation, LogIndex, NodeId, Term};
use seedis::node::Node;
use seedis::raft::message::{Envelope, Message};
use seedis::raft::{Entry, EntryKind, Member, Membership, Raft, RoleName};

use super::World;
use super::arrivals::machine_of;
use super::member::Member as Machine;
use super::promises::Promises;
use crate::digest::Digest;
use crate::goals::Goal;
use crate::judge::invariant::{Id, Verdict, Violation};

/// The state that all members together have shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreement {
    /// The leader of each term.
    leaders: BTreeMap<Term, usize>,
    /// The entry at an index in a term: the term before it, and a digest of its content.
    entries: BTreeMap<(LogIndex, Term), (Option<Term>, u128)>,
    /// The term of each entry that somebody knew to be committed.
    committed: BTreeMap<LogIndex, Term>,
    /// The highest index that somebody knew to be committed.
    commit: LogIndex,
    /// The highest index that somebody knew to be committed in a term.
    commits: BTreeMap<Term, LogIndex>,
    /// The memberships that logs have held.
    memberships: BTreeMap<(LogIndex, Term), Vec<u8>>,
    pub(super) promises: Promises,
    /// The entries that the lives of wiped disks held.
    departed: BTreeMap<(usize, Incarnation), Owed>,
    shown: BTreeMap<usize, Shown>,
}

/// The state that a member has shown last.
#[derive(Clone, Debug, Default)]
struct Shown {
    life: u64,
    term: Term,
    commit: LogIndex,
    applied: LogIndex,
    /// It led then.
    led: bool,
    /// The terms of its entries.
    log: BTreeMap<LogIndex, Term>,
    /// Up to here its log was durable.
    durable: LogIndex,
    /// The last entry that it has said to be durable, while its log still has it.
    accepted: Option<(LogIndex, Term)>,
    /// The entries that it held before its disk was damaged, as long as it is under repair.
    /// One that is damaged again owes what it held then, too.
    owed: Vec<Owed>,
    /// The terms of its entries before another's state came, until it is seen what of them stays.
    replaced: Option<BTreeMap<LogIndex, Term>>,
}

impl Shown {
    fn holds(&self, index: LogIndex, term: Term) -> bool {
        let log = self.replaced.as_ref().unwrap_or(&self.log);
        // What it has lost it does not deny to anybody before it holds it again.
        self.owed.iter().any(|owed| owed.holds(index, term))
            || self.durable >= index && log.get(&index) == Some(&term)
    }

    /// A state has come: one of an entry that its log had leaves what stands behind it (Raft,
    /// figure 13), any other takes the place of all.
    fn settles(&mut self, raft: &Raft) {
        let Some(log) = self.replaced.take() else {
            return;
        };
        let first = raft.entries_after(LogIndex(0)).next();
        let base = first.map_or(raft.last(), |first| LogIndex(first.index.0 - 1));
        let own = raft.term_of(base);
        if own.is_some() && own == log.get(&base).copied() {
            self.log = log;
        } else {
            self.accepted = None;
        }
    }
}

/// The entries that a member under repair will have to hold again.
#[derive(Clone, Debug, Default)]
struct Owed {
    log: BTreeMap<LogIndex, Term>,
    durable: LogIndex,
    accepted: Option<(LogIndex, Term)>,
}

impl Owed {
    /// Both together.
    fn and(mut self, later: Self) -> Self {
        self.log.extend(later.log);
        self.durable = self.durable.max(later.durable);
        self
    }

    fn holds(&self, index: LogIndex, term: Term) -> bool {
        self.durable >= index && self.log.get(&index) == Some(&term)
    }
}

pub(super) fn broken(id: Id, text: String) -> Verdict {
    Err(Violation::new(id, text))
}

fn digest_of(entry: &Entry) -> u128 {
    let mut digest = Digest::new();
    digest.word(entry.kind as u64);
    digest.word(entry.stamp.0);
    digest.bytes(&entry.payload);
    digest.bits()
}

impl Agreement {
    /// R2, R3, R6, R8 to R10, R12 to R15: a member's state follows from what it was.
    fn look(&mut self, machine: &Machine, node: &Node, raft: &Raft) -> Verdict {
        let (number, life) = (machine.number, machine.life);
        let shown = self.shown.entry(number).or_default();
        shown.settles(raft);
        if shown.life != life {
            // What was not durable may be gone.
            let (log, durable) = (std::mem::take(&mut shown.log), shown.durable);
            // What has lost the latest entries may be as far by earlier ones, of a later term, and
            // has paid then before anybody has seen it under repair.
            let lacks = raft.is_repairing() || machine.is_harmed() || machine.rewound;
            if lacks && (shown.owed.is_empty() || machine.is_harmed()) {
                shown.owed.push(Owed {
                    log: log.clone(),
                    durable,
                    accepted: shown.accepted.take(),
                });
            }
            if let Some((index, term)) = shown.accepted
                && (raft.last() < index
                    || raft.term_of(index).is_some_and(|own| {
                        // A state that was received may hold what was committed there instead.
                        own != term && self.committed.get(&index) != Some(&own)
                    }))
            {
                let text = format!("member {number} had accepted {index} of {term}, and lost it");
                return broken(Id::R12, text);
            }
            self.promises.check(machine.config.id, raft)?;
            // What stood before the window may have been another's, which a state has replaced.
            let first = raft.entries_after(LogIndex(0)).next();
            let first = first.map_or(raft.last().next(), |entry| entry.index);
            let stays = |index: &LogIndex, term: &mut Term| {
                *index >= first || self.committed.get(index) == Some(term)
            };
            let mut log = log;
            log.retain(stays);
            *shown = Shown {
                life,
                log,
                durable,
                accepted: shown.accepted,
                owed: std::mem::take(&mut shown.owed),
                ..Shown::default()
            };
        }
        let (term, commit, last) = (raft.term(), raft.commit(), raft.last());
        let applied = node.applied();
        let who = format!("member {number}");
        if machine.rewound && !raft.is_repairing() {
            // It may have come as far again before it was told.
            let settled = raft.durable() == raft.last();
            let is_paid = |owed: &mut Owed| is_paid(&who, owed, raft, &self.committed).is_ok();
            shown.owed.retain_mut(|owed| !settled || !is_paid(owed));
        } else if !raft.is_repairing() {
            for owed in std::mem::take(&mut shown.owed) {
                is_paid(&who, &owed, raft, &self.committed)?;
            }
        }
        if raft.is_repairing() && raft.role() != RoleName::Follower {
            return broken(Id::R20, format!("{who} is under repair and campaigns"));
        }
        if term < shown.term {
            return broken(Id::R8, format!("{who} was in {}, is in {term}", shown.term));
        }
        if commit < shown.commit {
            let was = shown.commit;
            return broken(Id::R9, format!("{who} had committed {was}, now {commit}"));
        }
        if applied < shown.applied {
            let was = shown.applied;
            return broken(Id::R10, format!("{who} had applied {was}, now {applied}"));
        }
        if applied > commit || commit > last {
            let text = format!("{who} has applied {applied}, committed {commit}, holds {last}");
            return broken(Id::R13, text);
        }
        if let Some((index, _)) = shown.accepted
            && last < index
            && raft.term_of(last) == shown.log.get(&last).copied()
        {
            // What it drops for another leader's entries ends in one of those.
            let text = format!("{who} had accepted {index}, and drops the entries after {last}");
            return broken(Id::R12, text);
        }
        let goes_on = shown.led && raft.is_leader() && shown.term == term;
        let had = shown.log.last_key_value().map(|(index, _)| *index);
        let mut at = last;
        while let Some(entry) = raft.entry(at)
            && shown.log.get(&at) != Some(&entry.term)
        {
            if goes_on && had.is_some_and(|had| at <= had) {
                return broken(Id::R2, format!("{who} leads and replaces its entry {at}"));
            }
            shown.log.insert(at, entry.term);
            if entry.kind == EntryKind::Membership {
                let members = self.memberships.entry((at, entry.term));
                members.or_insert_with(|| entry.payload.to_vec());
            }
            let before = LogIndex(at.0 - 1);
            let said = (raft.term_of(before), digest_of(entry));
            let known = self.entries.entry((at, entry.term)).or_insert(said);
            let same_before = known.0.is_none() || said.0.is_none() || known.0 == said.0;
            if known.1 != said.1 || !same_before {
                let text = format!(
                    "{who} holds another entry {at} of {} than others",
                    entry.term
                );
                return broken(Id::R3, text);
            }
            known.0 = known.0.or(said.0);
            at = before;
        }
        if raft.entry(at).is_none()
            && let Some(term) = raft.term_of(at)
            && shown.log.get(&at) != Some(&term)
        {
            // Others have come and gone in one turn: what stood behind the last commit is unknown.
            let settled = shown.commit;
            shown
                .log
                .retain(|index, _| *index > at || *index <= settled);
            shown.log.insert(at, term);
        }
        shown.log.split_off(&LogIndex(last.0 + 1));
        shown.accepted = shown
            .accepted
            .filter(|(index, term)| shown.log.get(index) == Some(term));
        if goes_on && had.is_some_and(|had| had > last) {
            return broken(
                Id::R2,
                format!("{who} leads and drops entries after {last}"),
            );
        }
        for index in shown.commit.0 + 1..=commit.0 {
            let index = LogIndex(index);
            // What was let go in this very turn it has had.
            let had = shown.log.get(&index).copied();
            let Some(own) = raft.term_of(index).or(had) else {
                continue;
            };
            let known = *self.committed.entry(index).or_insert(own);
            if known != own {
                let text = format!("{who} commits entry {index} of {own}, others of {known}");
                return broken(Id::R6, text);
            }
        }
        if commit > self.commit {
            self.commit = commit;
            self.commits.insert(term, commit);
        }
        let before = (LogIndex(applied.0 + 1), Term(0));
        let mut of_log = self.memberships.range(..before).rev();
        let of_log = of_log.find(|((index, term), _)| self.committed.get(index) == Some(term));
        if let Some(((index, _), members)) = of_log.filter(|_| applied > shown.applied)
            && *members != raft.membership().encode()
        {
            let own = raft.membership();
            let text = format!("{who} has applied {applied} with {own:?}, not those of {index}");
            return broken(Id::R14, text);
        }
        if raft.is_leader() && raft.is_changing() {
            let pending = raft.entries_after(self.commit);
            let pending = pending.filter(|entry| entry.kind == EntryKind::Membership);
            let pending: Vec<LogIndex> = pending.map(|entry| entry.index).collect();
            // What it found in its log when it came to lead another has appended.
            let own = |index: &LogIndex| {
                let first = raft.led_from();
                first.is_some_and(|first| first <= *index && *index > had.unwrap_or_default())
            };
            if pending.len() > 1 || (pending.iter().any(own) && raft.term_of(commit) != Some(term))
            {
                let text = format!("{who} leads in {term}, and changes members at {pending:?}");
                return broken(Id::R15, text);
            }
        }
        let advanced = raft.is_leader() && commit > shown.commit;
        (shown.term, shown.commit, shown.applied) = (term, commit, applied);
        (shown.led, shown.durable) = (raft.is_leader(), raft.durable());
        if advanced {
            self.check_durable(number, raft)?;
        }
        Ok(())
    }

    /// R7: what a leader has just committed is durable on a majority, of both halves if there are
    /// two. Those that are down count with what their disk holds.
    fn check_durable(&self, number: usize, raft: &Raft) -> Verdict {
        let commit = raft.commit();
        let Some(term) = raft.term_of(commit) else {
            return Ok(());
        };
        let holds = |member: &Member| {
            let number = machine_of(member.incarnation);
            let departed = self.departed.get(&(number, member.incarnation));
            if let Some(departed) = departed {
                return departed.holds(commit, term);
            }
            let shown = self.shown.get(&number);
            shown.is_some_and(|shown| shown.holds(commit, term))
        };
        // A leader may remove itself by the entry that it commits: the membership before it, or the
        // one in force, has agreed.
        let agrees = |membership: &Membership| match membership {
            Membership::Stable { voters, .. } => majority(voters.iter().map(holds)),
            Membership::Joint { old, new, .. } => {
                majority(old.iter().map(holds)) && majority(new.iter().map(holds))
            }
        };
        // In the turn in which it commits the end of a change it may begin the next one: then the
        // membership that has agreed is neither applied nor in force any more.
        let committed = || {
            let entries = raft.entries_after(LogIndex(0));
            let entries = entries.take_while(|entry| entry.index <= commit);
            entries.filter_map(Entry::membership).last()
        };
        if agrees(raft.in_force())
            || agrees(raft.membership())
            || committed().is_some_and(|membership| agrees(&membership))
        {
            return Ok(());
        }
        let text = format!("member {number} commits entry {commit}, durable on no majority");
        broken(Id::R7, text)
    }

    /// R1, R4: a member leads.
    fn leads(&mut self, number: usize, raft: &Raft) -> Result<bool, Violation> {
        let term = raft.term();
        match self.leaders.insert(term, number) {
            Some(other) if other == number => return Ok(false),
            Some(other) => {
                let text = format!("members {other} and {number} lead in {term}");
                return Err(Violation::new(Id::R1, text));
            }
            None => {}
        }
        // Whoever stood still when it was elected is seen to lead when others have gone on in later
        // terms: it need not hold what those have committed.
        let before = self.commits.range(..term).next_back();
        let last = before.map_or(LogIndex(0), |(_, last)| *last);
        let known = self.committed.get(&last);
        let has = match raft.term_of(last) {
            Some(own) => known.is_none_or(|known| *known == own),
            // It stands before the window, and is applied.
            None => last < raft.last(),
        };
        if !has {
            let text =
                format!("member {number} leads in {term} without the committed entry {last}");
            return Err(Violation::new(Id::R4, text));
        }
        Ok(true)
    }

    /// A member's disk is wiped: what it held counts where it is still called for.
    pub(super) fn departs(&mut self, number: usize, incarnation: Incarnation) {
        let shown = self.shown.remove(&number).unwrap_or_default();
        let held = Owed {
            log: shown.replaced.unwrap_or(shown.log),
            durable: shown.durable,
            accepted: None,
        };
        // While it lacks something it counts for what it held before.
        let held = shown.owed.into_iter().reduce(Owed::and).unwrap_or(held);
        self.departed.insert((number, incarnation), held);
    }

    /// Returns true if a member lacks nothing that it has held.
    fn is_paid(&self, number: usize) -> bool {
        let shown = self.shown.get(&number);
        shown.is_none_or(|shown| shown.owed.is_empty())
    }

    /// Another state takes the place of a member's log.
    pub(super) fn forgets(&mut self, number: usize) {
        if let Some(shown) = self.shown.get_mut(&number)
            && shown.replaced.is_none()
        {
            shown.replaced = Some(std::mem::take(&mut shown.log));
        }
    }

    /// A member says that its log is durable up to here.
    pub(super) fn accepts(&mut self, number: usize, index: LogIndex) {
        let shown = self.shown.entry(number).or_default();
        if let Some(term) = shown.log.get(&index)
            && shown.accepted.is_none_or(|(before, _)| before < index)
        {
            shown.accepted = Some((index, *term));
        }
    }
}

/// R12: who is under repair no longer is as far as it was, and holds all of it that is committed.
fn is_paid(who: &str, owed: &Owed, raft: &Raft, committed: &BTreeMap<LogIndex, Term>) -> Verdict {
    let last = raft.last();
    let own = raft.term_of(last);
    if let Some((index, term)) = owed.accepted
        && own.is_some_and(|own| (own, last) < (term, index))
    {
        let text = format!("{who} is repaired up to {last}, and had accepted {index} of {term}");
        return broken(Id::R12, text);
    }
    for (index, term) in owed.log.range(..=owed.durable) {
        let own = raft.term_of(*index);
        let lost = own.map_or(*index > raft.commit(), |own| own != *term);
        if lost && committed.get(index) == Some(term) {
            let text = format!("{who} is repaired without the committed entry {index} of {term}");
            return broken(Id::R12, text);
        }
    }
    Ok(())
}

fn majority(holds: impl Iterator<Item = bool>) -> bool {
    let (mut all, mut some) = (0, 0);
    for one in holds {
        all += 1;
        some += u64::from(one);
    }
    some * 2 > all
}

impl World {
    /// Looks at a member of a group after its turn.
    pub(super) fn check_member(&mut self, number: usize) -> Verdict {
        if self.members.len() == 1 {
            return Ok(());
        }
        let member = &self.members[number];
        let Some((node, raft)) = member.node.as_ref().and_then(|n| Some((n, n.raft()?))) else {
            return Ok(());
        };
        self.agreement.look(member, node, raft)?;
        let repairing = raft.is_repairing();
        if repairing && member.harms == 0 {
            let text = format!("member {number} is under repair, and nothing was damaged");
            return broken(Id::R20, text);
        }
        if raft.is_leader() && self.agreement.leads(number, raft)? {
            let term = raft.term();
            self.judge.reached(Goal::Elected);
            self.tell(|| format!("member {number} leads in {term}"));
        }
        let is_told = repairing || self.agreement.is_paid(number);
        if !repairing {
            self.members[number].harm.clear();
        }
        self.members[number].rewound &= !is_told;
        self.note_numbers(number);
        let member = &self.members[number];
        let (id, incarnation) = (member.config.id, member.incarnation());
        if self.members[number].lost && self.has_voter(id, incarnation) {
            self.members[number].lost = false;
            self.judge.reached(Goal::Reborn);
        }
        if self.members[number].config.lease_reads {
            self.check_leases()?;
        }
        Ok(())
    }

    /// Returns true if a member knows it to be committed that this life of a disk votes.
    fn has_voter(&self, id: NodeId, incarnation: Incarnation) -> bool {
        let nodes = self.members.iter().filter_map(|m| m.node.as_ref());
        let mut settled = nodes.filter_map(Node::raft).map(Raft::membership);
        settled.any(|settled| {
            let own = settled.get(id);
            settled.is_voter(id) && own.is_some_and(|own| own.incarnation == incarnation)
        })
    }

    /// R16: no two members hold a lease at the same true time.
    fn check_leases(&self) -> Verdict {
        let holds = |number: &usize| {
            let member = &self.members[*number];
            let now = member.clock.read(self.time).mono;
            let raft = member.node.as_ref().and_then(Node::raft);
            // One that stands still uses none, and sees that its clock did before it does.
            member.config.lease_reads
                && !member.stood_with_its_clock
                && raft.is_some_and(|raft| raft.has_lease(now))
        };
        let holders: Vec<usize> = (0..self.members.len()).filter(holds).collect();
        if holders.len() > 1 {
            return broken(Id::R16, format!("members {holders:?} hold leases"));
        }
        Ok(())
    }

    /// Looks at what a member says.
    pub(super) fn check_message(&mut self, number: usize, spoken: &(Envelope, Message)) -> Verdict {
        let (envelope, message) = spoken;
        self.look_at_message(message);
        debug_assert_eq!(envelope.from.id, self.members[number].config.id);
        if let Message::Accepted { index } | Message::HeartbeatReply { durable: index, .. } =
            message
        {
            self.agreement.accepts(number, *index);
        }
        let votes = matches!(
            message,
            Message::PreVote { .. }
                | Message::PreVoteReply { granted: true, .. }
                | Message::Vote { .. }
                | Message::VoteReply { granted: true }
        );
        let raft = self.members[number].node.as_ref().and_then(Node::raft);
        if votes && raft.is_some_and(Raft::is_repairing) {
            return broken(
                Id::R20,
                format!("member {number} is under repair: {message:?}"),
            );
        }
        let most = self.scenario.config.append_bytes;
        self.agreement.promises.hears(envelope, message, most)
    }
}
