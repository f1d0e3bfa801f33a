//! The conditions on which a run is to stop: looked for after each event.

use std::fmt;

use seedis::raft::RoleName;

use crate::goals::Fault;
use crate::judge::invariant::Id;
use crate::timeline::Timeline;
use crate::world::observed::Seen;

/// A condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// An invariant is broken: any, or this one.
    Invariant(Option<Id>),
    /// A member leads.
    Leads(usize),
    /// Some member is in this term, or a later one.
    Term(u64),
    /// Some member has committed so far.
    Commit(u64),
    /// A client asks something.
    Client(usize),
    Fault(Fault),
}

/// Reads a condition.
pub(super) fn parse(words: &[&str]) -> Result<Break, String> {
    let usage = "conditions: invariant [ID], leads N, term T, commit I, client N, fault CLASS";
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| format!("{text} is not a number"))
    };
    Ok(match *words {
        ["invariant"] => Break::Invariant(None),
        ["invariant", id] => {
            let known = Id::ALL
                .iter()
                .find(|known| known.to_string().eq_ignore_ascii_case(id));
            Break::Invariant(Some(*known.ok_or("`sim invariants` lists what there is")?))
        }
        ["leads", member] => Break::Leads(super::ask::member(member)?),
        ["term", term] => Break::Term(number(term.trim_start_matches('T'))?),
        ["commit", index] => Break::Commit(number(index)?),
        ["client", client] => Break::Client(number(client)? as usize),
        ["fault", key] => {
            let known = Fault::ALL.iter().find(|fault| fault.key() == key);
            Break::Fault(*known.ok_or("`sim faults` lists the classes")?)
        }
        _ => return Err(usage.to_owned()),
    })
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invariant(None) => f.write_str("an invariant is broken"),
            Self::Invariant(Some(id)) => write!(f, "{id} is broken"),
            Self::Leads(member) => write!(f, "member {member} leads"),
            Self::Term(term) => write!(f, "somebody is in T{term} or later"),
            Self::Commit(index) => write!(f, "somebody has committed {index}"),
            Self::Client(client) => write!(f, "client {client} asks"),
            Self::Fault(fault) => write!(f, "{} has fired", fault.key()),
        }
    }
}

impl Break {
    /// Returns true if it holds after the present event.
    pub(super) fn holds(self, timeline: &Timeline) -> bool {
        let world = &timeline.world;
        let mut standings = (0..world.members_count()).map(|member| world.standing(member));
        match self {
            Self::Invariant(wanted) => {
                timeline.is_at_end()
                    && timeline.ending().is_some_and(|ending| {
                        let broken = ending.verdict.as_ref().err();
                        broken.is_some_and(|broken| wanted.is_none_or(|id| id == broken.id))
                    })
            }
            Self::Leads(member) => standings
                .nth(member)
                .is_some_and(|standing| standing.role == Some(RoleName::Leader)),
            Self::Term(term) => standings.any(|standing| standing.term >= term),
            Self::Commit(index) => standings.any(|standing| standing.commit >= index),
            Self::Client(wanted) => timeline.seen.iter().any(|seen| match seen {
                Seen::Asked { client, .. } => *client == wanted,
                _ => false,
            }),
            Self::Fault(wanted) => timeline.seen.iter().any(|seen| match seen {
                Seen::Fired(fault) => *fault == wanted,
                _ => false,
            }),
        }
    }
}
