//! What happens to a group, one line per event and one column per member.

use std::fmt::Write;

use seedis::raft::RoleName;

use super::{Event, World};
use crate::report;

/// How wide a member's column is.
const WIDTH: usize = 26;

/// An event in a few words.
pub(super) fn label(event: &Event) -> String {
    match event {
        Event::Act { client } => format!("client {client} acts"),
        Event::Up { conn, .. } => format!("c{conn} to its member"),
        Event::Down { conn, .. } => format!("c{conn} to its client"),
        Event::Take { conn, .. } => format!("c{conn} takes"),
        Event::Turn { member, .. } => format!("{member} takes a turn"),
        Event::Flush { member, .. } => format!("{member} flushes late"),
        Event::Frame { from, to, .. } => format!("{from} to {to}"),
        Event::Wants { member } => format!("{member} wants in"),
        Event::Disk { member, .. } => format!("{member}: disk"),
        Event::Deadline { member, .. } => format!("{member}: deadline"),
        Event::Start { member } => format!("{member} starts"),
        Event::Fault { member, fault, .. } => format!("{member}: {}", fault.key()),
        Event::Over { member, fault } => format!("{member}: {} over", fault.key()),
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
