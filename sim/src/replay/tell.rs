//! The printed view of a place in a run.

use seedis::raft::RoleName;

use crate::timeline::{Timeline, message};
use crate::world::observed::Seen;
use crate::world::standing::{Standing, Trouble};

/// The printer of lines.
pub(super) type Out<'a> = &'a mut dyn FnMut(&str);

/// Tells of a place in a run.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    timeline: &'a Timeline,
}

/// Seconds of true time.
pub(super) fn seconds(time: u64) -> String {
    format!("{:.6}s", time as f64 / 1e9)
}

impl<'a> Teller<'a> {
    pub(super) fn new(timeline: &'a Timeline) -> Self {
        Self { timeline }
    }

    /// The present event: its line, and what was seen of it.
    pub(super) fn event(&self, out: Out<'_>) {
        let event = self.timeline.event();
        if event == 0 {
            return out("      0     before the first event");
        }
        out(&self.line(event));
        for line in self.timeline.seen.iter().filter_map(shown) {
            out(&format!("            {line}"));
        }
        if self.timeline.is_at_end()
            && let Some(ending) = self.timeline.ending()
        {
            match &ending.verdict {
                Ok(()) => out("            the run ends, and all that must hold does"),
                Err(broken) => {
                    out(&format!("            {} {}", broken.id, broken.id.name()));
                    out(&format!("            {}", broken.text));
                }
            }
        }
    }

    /// One line about an event.
    pub(super) fn line(&self, event: u64) -> String {
        self.timeline.head(event).map_or_else(String::new, |head| {
            format!("{event:>7} {:>12} {}", seconds(head.time), head.what)
        })
    }

    /// A line for each member.
    pub(super) fn standings(&self, out: Out<'_>) {
        for number in 0..self.timeline.world.members_count() {
            let standing = self.timeline.world.standing(number);
            out(&format!("  {number}  {}", in_a_line(&standing)));
        }
    }
}

/// The line for an observation, if it is worth one beside the event's own.
pub(crate) fn shown(seen: &Seen) -> Option<String> {
    match seen {
        Seen::Line(line) => Some(line.clone()),
        Seen::Fired(fault) => Some(format!("fault: {}", fault.words())),
        Seen::Sent {
            from,
            to,
            frame,
            is_lost,
        } => {
            let lost = if *is_lost { ", and it is lost" } else { "" };
            Some(format!(
                "{from} sends {to} {}{lost}",
                message::spelled(frame)
            ))
        }
        Seen::Came { frame, is_heard } => {
            let how = if *is_heard { "comes" } else { "is not heard" };
            Some(format!("{how}: {}", message::spelled(frame)))
        }
        Seen::Decided { member, conn } => Some(format!("{member} decides the answer to c{conn}")),
        // These have a line of their own.
        Seen::Began { .. }
        | Seen::Woken { .. }
        | Seen::Asked { .. }
        | Seen::Replied { .. }
        | Seen::HungUp { .. } => None,
    }
}

fn in_a_line(standing: &Standing) -> String {
    let role = match standing.role {
        None => "-",
        Some(RoleName::Leader) => "leader",
        Some(RoleName::Follower) => "follower",
        Some(RoleName::PreCandidate) => "pre-candidate",
        Some(RoleName::Candidate) => "candidate",
    };
    let troubles = Trouble::ALL.into_iter().filter(|one| standing.has(*one));
    let troubles: Vec<&str> = troubles.map(Trouble::key).collect();
    let Standing {
        term,
        applied,
        commit,
        durable,
        last,
        ..
    } = standing;
    let troubles = troubles.join(", ");
    let log = format!("applied {applied}, commit {commit}, durable {durable}, last {last}");
    let line = format!("{role:<13} T{term:<4} {log}  {troubles}");
    line.trim_end().to_owned()
}
