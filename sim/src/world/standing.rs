//! The standing of a member, for people: its part in the group, its log, its disk, its troubles.

use seedis::ids::{LogIndex, NodeId};
use seedis::node::Node;
use seedis::raft::{Membership, Raft, RoleName};

use super::World;

/// A trouble that a member may have for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    Down,
    Recovering,
    Paused,
    Frozen,
    Full,
    Cut,
    Parted,
}

impl Trouble {
    pub(crate) const ALL: [Self; 7] = [
        Self::Down,
        Self::Recovering,
        Self::Paused,
        Self::Frozen,
        Self::Full,
        Self::Cut,
        Self::Parted,
    ];

    /// In a word.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Recovering => "recovering",
            Self::Paused => "paused",
            Self::Frozen => "clock frozen",
            Self::Full => "disk full",
            Self::Cut => "cut off",
            Self::Parted => "parted",
        }
    }
}

/// A member's part in the group, and its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) role: Option<RoleName>,
    pub(crate) term: u64,
    /// The number of the node that it has voted for; 0: none.
    pub(crate) vote: u64,
    pub(crate) applied: u64,
    pub(crate) commit: u64,
    pub(crate) durable: u64,
    pub(crate) last: u64,
    /// The troubles, as bits.
    troubles: u32,
}

impl Standing {
    /// Returns true if it has this trouble.
    pub(crate) fn has(&self, trouble: Trouble) -> bool {
        self.troubles >> trouble as u32 & 1 == 1
    }
}

impl World {
    /// Number of members.
    pub(crate) fn members_count(&self) -> usize {
        self.members.len()
    }

    /// The client at the end of a connection.
    pub(crate) fn client_of(&self, conn: u64) -> Option<usize> {
        self.connections
            .get(&conn)
            .map(|connection| connection.client)
    }

    /// The standing of a member.
    pub(crate) fn standing(&self, number: usize) -> Standing {
        let member = &self.members[number];
        let all = (1_u64 << self.members.len()) - 1;
        let is_parted = self.partition.as_ref().is_some_and(|hears| {
            let unheard = |other: &u64| other >> number & 1 == 0;
            hears[number] != all || hears.iter().any(unheard)
        });
        let is = |trouble: Trouble| match trouble {
            Trouble::Down => !member.is_up(),
            Trouble::Recovering => member.is_up() && !member.is_serving(),
            Trouble::Paused => self.time < member.paused_until,
            Trouble::Frozen => member.frozen_from.is_some(),
            Trouble::Full => member.disk.space.is_some(),
            Trouble::Cut => member.cut.is_some(),
            Trouble::Parted => is_parted,
        };
        let troubles = Trouble::ALL.map(|one| u32::from(is(one)) << one as u32);
        let mut standing = Standing {
            troubles: troubles.into_iter().sum(),
            ..Standing::default()
        };
        let Some(node) = &member.node else {
            return standing;
        };
        standing.applied = node.applied().0;
        if let Some(raft) = node.raft() {
            standing.role = Some(raft.role());
            standing.term = raft.term().0;
            standing.vote = raft.vote().map_or(0, |vote| vote.0);
            standing.commit = raft.commit().0;
            standing.durable = raft.durable().0;
            standing.last = raft.last().0;
        }
        standing
    }

    /// Of the last entries of a log the first, and each with which another term begins: index and
    /// term.
    pub(crate) fn log_tail(&self, number: usize, count: u64) -> Vec<(u64, u64)> {
        let Some(raft) = self.members[number].node.as_ref().and_then(Node::raft) else {
            return Vec::new();
        };
        let last = raft.last().0;
        let mut tail: Vec<(u64, u64)> = Vec::new();
        for index in last.saturating_sub(count - 1).max(1)..=last {
            let term = raft.term_of(LogIndex(index)).map(|term| term.0);
            if let Some(term) = term.filter(|term| tail.last().map(|(_, t)| t) != Some(term)) {
                tail.push((index, term));
            }
        }
        tail
    }

    /// The operations that no order explains, by connection and the time when they were asked, in
    /// nanoseconds; none, where there is an order.
    pub(crate) fn illegal_history(&self) -> Vec<(u64, u64)> {
        self.ledger.illegal()
    }

    /// All that a person may want to know of a member, a line for each thing.
    pub(crate) fn describe(&self, number: usize) -> Vec<String> {
        let member = &self.members[number];
        let standing = self.standing(number);
        let mut lines = Vec::new();
        let troubles = Trouble::ALL.into_iter().filter(|one| standing.has(*one));
        let troubles: Vec<&str> = troubles.map(Trouble::key).collect();
        let phase = member.node.as_ref().map(Node::phase);
        let phase = phase.map_or("down".to_owned(), |phase| {
            format!("{phase:?}").to_lowercase()
        });
        let life = member.life + 1;
        lines.push(format!("process     {phase}, life {life}"));
        if !troubles.is_empty() {
            lines.push(format!("wrong       {}", troubles.join(", ")));
        }
        if let Some(raft) = member.node.as_ref().and_then(Node::raft) {
            lines.extend(describe_raft(raft));
            lines.push(format!("applied     {}", standing.applied));
        }
        let own = |conn: &&super::Connection| conn.member == number && conn.life == member.life;
        let own: Vec<_> = self.connections.values().filter(own).collect();
        let known = own.iter().filter(|conn| conn.known).count();
        let blocked = own.iter().filter(|conn| conn.blocked).count();
        let unread: usize = own.iter().map(|conn| conn.inbox.len()).sum();
        lines.push(format!(
            "clients     {known} connected, {unread} bytes unread, {blocked} slow readers"
        ));
        let owed: usize = self
            .connections
            .iter()
            .filter(|(_, c)| c.member == number)
            .map(|(conn, _)| self.judge.waiting(*conn))
            .sum();
        lines.push(format!("unanswered  {owed} requests"));
        let (jobs, untold) = (member.jobs.len(), member.outcomes.len());
        lines.push(format!(
            "disk        {jobs} operations on their way, {untold} outcomes untold"
        ));
        for (file, [len, durable, pending]) in member.disk.inventory() {
            let state = if pending == 0 {
                "all durable".to_owned()
            } else {
                format!("{durable} bytes durable, {pending} operations not synced")
            };
            lines.push(format!("  {file}: {len} bytes, {state}"));
        }
        if member.disk.is_directory_pending() {
            lines.push("  the directory is not synced".to_owned());
        }
        lines
    }
}

fn describe_raft(raft: &Raft) -> Vec<String> {
    let role = match raft.role() {
        RoleName::Leader => "leader",
        RoleName::Follower => "follower",
        RoleName::PreCandidate => "pre-candidate",
        RoleName::Candidate => "candidate",
    };
    let vote = raft
        .vote()
        .map_or("none".to_owned(), |vote| vote.to_string());
    let leader = raft
        .leader()
        .map_or("unknown".to_owned(), |id| id.to_string());
    let first = raft.entries_after(LogIndex(0)).next();
    let held = first.map_or("no entries held".to_owned(), |first| {
        format!("entries {} to {} held", first.index.0, raft.last().0)
    });
    let terms = (raft.last().0.saturating_sub(7)..=raft.last().0)
        .map(LogIndex)
        .filter_map(|index| Some(format!("{}:T{}", index.0, raft.term_of(index)?.0)));
    let terms: Vec<String> = terms.collect();
    vec![
        format!("role        {role}, leader {leader}"),
        format!("term        {}, vote {vote}", raft.term().0),
        format!("members     {}", spelled(raft.in_force())),
        format!("log         {held}, durable up to {}", raft.durable().0),
        format!("log's end   {}", terms.join(" ")),
        format!("commit      {}", raft.commit().0),
    ]
}

/// A membership for people.
fn spelled(membership: &Membership) -> String {
    let list = |ids: Vec<NodeId>| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.join(" ")
    };
    let voters = list(membership.voters().collect());
    let learners = list(membership.learners().iter().map(|one| one.id).collect());
    let joint = if membership.is_joint() {
        " (joint)"
    } else {
        ""
    };
    if learners.is_empty() {
        format!("{voters}{joint}")
    } else {
        format!("{voters}{joint}, learning: {learners}")
    }
}
