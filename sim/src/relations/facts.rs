//! The figures of a member that relations are looked for between.

use seedis::ids::LogIndex;
use seedis::node::Node;
use seedis::raft::{Raft, RoleName};

use crate::counted::counted;

counted! {
    /// A figure of a member behind a turn.
    Figure:
    Term, "term", "its term";
    Vote, "vote", "the member that it has voted for in it; 0: none";
    Leader, "leader", "the member that it follows, itself where it leads; 0: none";
    Commit, "commit", "the last entry that it knows to be committed, and has";
    Told, "told", "the last entry that it was told to be committed";
    Applied, "applied", "the last entry that is applied";
    Durable, "durable", "the last entry that its disk has";
    Last, "last", "the last entry of its log";
    LastTerm, "last-term", "the term of that";
    CommitTerm, "commit-term", "the term of the last committed entry; 0 where only a base has it";
    LedFrom, "led-from", "the first entry of the term that it leads; 0: it does not lead";
    Base, "base", "the last entry in the base that counts";
    Stamp, "stamp", "the stamp of the last entry of its log";
    Members, "members", "how many members are in force";
    Voters, "voters", "how many of them vote";
    Version, "version", "the version by which entries are applied";
}

/// How many figures there are.
pub(super) const FIGURES: usize = Figure::ALL.len();

/// The figures of a member behind a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(super) figures: [u64; FIGURES],
    pub(super) role: RoleName,
}

impl Facts {
    /// Those of a node with this number, which has recovered its Raft.
    pub(crate) fn of(node: &Node, raft: &Raft, id: u64) -> Self {
        let membership = raft.in_force();
        let (_, base) = node.log_size().unwrap_or_default();
        let figure = |figure: Figure| match figure {
            Figure::Term => raft.term().0,
            Figure::Vote => raft.vote().map_or(0, |vote| vote.0),
            Figure::Leader if raft.is_leader() => id,
            Figure::Leader => raft.leader().map_or(0, |leader| leader.0),
            Figure::Commit => raft.commit().0,
            Figure::Told => raft.known_commit().0,
            Figure::Applied => node.applied().0,
            Figure::Durable => raft.durable().0,
            Figure::Last => raft.last().0,
            Figure::LastTerm => raft.term_of(raft.last()).map_or(0, |term| term.0),
            Figure::CommitTerm => raft.term_of(raft.commit()).map_or(0, |term| term.0),
            Figure::LedFrom => raft.led_from().unwrap_or(LogIndex(0)).0,
            Figure::Base => base.0,
            Figure::Stamp => raft.last_stamp().0,
            Figure::Members => membership.members().count() as u64,
            Figure::Voters => membership.voters().count() as u64,
            Figure::Version => u64::from(node.entry_version().number),
        };
        let mut figures = [0; FIGURES];
        for (place, named) in figures.iter_mut().zip(Figure::ALL) {
            *place = figure(*named);
        }
        Self {
            figures,
            role: raft.role(),
        }
    }

    pub(super) fn get(&self, figure: Figure) -> u64 {
        self.figures[figure as usize]
    }
}
