//! The log of a group: one line per event and one column per member.

use std::fmt::{self, Write};

use seedis::raft::RoleName;

use super::{Event, World};
use crate::goals::Fault;
use crate::report;

/// How wide a member's column is.
const WIDTH: usize = 26;

/// The kind of an event, without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Act { client: usize },
    Up { conn: u64 },
    Down { conn: u64 },
    Take { conn: u64 },
    Turn { member: usize },
    Flush { member: usize },
    Frame { from: usize, to: usize },
    Wants { member: usize },
    Look { member: usize },
    Call { from: usize, to: usize },
    Answered { member: usize },
    Disk { member: usize },
    Deadline { member: usize },
    Start { member: usize },
    Fault { member: usize, fault: Fault },
    Over { member: usize, fault: Fault },
}

impl What {
    /// The kind of an event.
    pub(super) fn of(event: &Event) -> Self {
        match *event {
            Event::Act { client } => Self::Act { client },
            Event::Up { conn, .. } => Self::Up { conn },
            Event::Down { conn, .. } => Self::Down { conn },
            Event::Take { conn, .. } => Self::Take { conn },
            Event::Turn { member, .. } => Self::Turn { member },
            Event::Flush { member, .. } => Self::Flush { member },
            Event::Frame { from, to, .. } | Event::Told { from, to, .. } => {
                Self::Frame { from, to }
            }
            Event::Wants { member } => Self::Wants { member },
            Event::Look { member, .. } => Self::Look { member },
            Event::Call { from, to, .. } => Self::Call { from, to },
            Event::Answered { from, .. } => Self::Answered { member: from },
            Event::Disk { member, .. } => Self::Disk { member },
            Event::Deadline { member, .. } => Self::Deadline { member },
            Event::Start { member } => Self::Start { member },
            Event::Fault { member, fault, .. } => Self::Fault { member, fault },
            Event::Over { member, fault } => Self::Over { member, fault },
        }
    }

    /// The member at which it happens; nothing, where it happens at a client.
    pub(crate) fn member(self) -> Option<usize> {
        match self {
            Self::Act { .. } | Self::Up { .. } | Self::Down { .. } | Self::Take { .. } => None,
            Self::Frame { to, .. } | Self::Call { to, .. } => Some(to),
            Self::Turn { member }
            | Self::Flush { member }
            | Self::Wants { member }
            | Self::Look { member }
            | Self::Answered { member }
            | Self::Disk { member }
            | Self::Deadline { member }
            | Self::Start { member }
            | Self::Fault { member, .. }
            | Self::Over { member, .. } => Some(member),
        }
    }

    /// Returns true if a chain of causes begins with it: a client acts, time passes, something goes
    /// wrong.
    pub(crate) fn is_origin(self) -> bool {
        matches!(
            self,
            Self::Act { .. }
                | Self::Wants { .. }
                | Self::Look { .. }
                | Self::Deadline { .. }
                | Self::Start { .. }
                | Self::Fault { .. }
        )
    }
}

impl fmt::Display for What {
    /// In a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act { client } => write!(f, "client {client} acts"),
            Self::Up { conn } => write!(f, "c{conn} to its member"),
            Self::Down { conn } => write!(f, "c{conn} to its client"),
            Self::Take { conn } => write!(f, "c{conn} takes"),
            Self::Turn { member } => write!(f, "{member} takes a turn"),
            Self::Flush { member } => write!(f, "{member} flushes late"),
            Self::Frame { from, to } => write!(f, "{from} to {to}"),
            Self::Wants { member } => write!(f, "{member} wants in"),
            Self::Look { member } => write!(f, "{member} is on its way"),
            Self::Call { from, to } => write!(f, "{from} dials {to}"),
            Self::Answered { member } => write!(f, "{member} is answered"),
            Self::Disk { member } => write!(f, "{member}: disk"),
            Self::Deadline { member } => write!(f, "{member}: deadline"),
            Self::Start { member } => write!(f, "{member} starts"),
            Self::Fault { member, fault } => write!(f, "{member}: {}", fault.key()),
            Self::Over { member, fault } => write!(f, "{member}: {} over", fault.key()),
        }
    }
}

impl World {
    /// Writes the line of an event; a member that has not changed shows a dot.
    pub(super) fn print_columns(&mut self, label: &str) {
        if self.columns_shown.is_empty() {
            let heads =
                (0..self.members.len()).map(|m| format!("{:<WIDTH$}", format!("member {m}")));
            let heads: String = heads.collect();
            report::line(&format!(
                "{:>7} {:>12} {:<22} {heads}",
                "event", "time", "what"
            ));
            self.columns_shown = vec![String::new(); self.members.len()];
        }
        let mut line = String::new();
        for number in 0..self.members.len() {
            let column = self.column(number);
            let shown = &mut self.columns_shown[number];
            let same = *shown == column;
            let _ = write!(line, "{:<WIDTH$}", if same { "." } else { &column });
            *shown = column;
        }
        let seconds = self.time as f64 / 1e9;
        let line = line.trim_end();
        report::line(&format!(
            "{:>7} {seconds:>11.6}s {label:<22} {line}",
            self.events
        ));
    }

    /// Role and term, committed, applied and held entries.
    fn column(&self, number: usize) -> String {
        let Some(node) = &self.members[number].node else {
            return "down".to_owned();
        };
        let Some(raft) = node.raft() else {
            return "recovering".to_owned();
        };
        let role = match raft.role() {
            RoleName::Leader => "L",
            RoleName::Follower => "f",
            RoleName::PreCandidate => "p",
            RoleName::Candidate => "C",
        };
        let (term, last) = (raft.term().0, raft.last().0);
        let (commit, applied) = (raft.commit().0, node.applied().0);
        format!("{role}{term} {applied}/{commit}/{last}")
    }
}
