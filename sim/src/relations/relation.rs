//! The grammar of relations: what may hold of the figures of members.

use std::fmt;

use seedis::raft::RoleName;

use super::facts::Figure;

/// The roles, and all of them.
const ROLES: [Option<RoleName>; 5] = [
    None,
    Some(RoleName::Follower),
    Some(RoleName::PreCandidate),
    Some(RoleName::Candidate),
    Some(RoleName::Leader),
];

/// Something that may hold in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// One figure is at most another one of the same member.
    AtMost(Figure, Figure, Option<RoleName>),
    /// Two figures of a member are the same.
    Same(Figure, Figure, Option<RoleName>),
    /// A figure never falls while a process lives.
    GrowsInLife(Figure),
    /// A figure never falls, whatever happens to the process.
    GrowsOnDisk(Figure),
    /// A figure changes only in a turn in which another one does.
    ChangesWith(Figure, Figure),
    /// A figure is at most what a majority of the voters has of another one, as far as each has
    /// been seen.
    AtMostMajority(Figure, Figure),
    /// A figure is at most the greatest that any member has had of another one.
    AtMostAny(Figure, Figure),
    /// In all members and at all times one figure says what another one is, unless that is 0.
    Determines(Figure, Figure, Option<RoleName>),
    /// No two members have the same figure in a role, at whatever times.
    BelongsToOne(Figure, RoleName),
}

/// R28: relations that were mined, and that no other invariant says.
pub(crate) const ADOPTED: [Relation; 7] = [
    // Each leader was elected, and has an entry of its own.
    Relation::Same(Figure::Leader, Figure::Vote, Some(RoleName::Leader)),
    Relation::Same(Figure::Term, Figure::LastTerm, Some(RoleName::Leader)),
    Relation::Determines(Figure::Term, Figure::LedFrom, None),
    // Nobody has an entry of a term that a majority has not come to.
    Relation::AtMostMajority(Figure::LastTerm, Figure::Term),
    // A base stands for nothing that the disk of its member lacks.
    Relation::AtMost(Figure::Base, Figure::Durable, None),
    // Committed entries, and what is applied, are the same everywhere.
    Relation::Determines(Figure::Commit, Figure::CommitTerm, None),
    Relation::Determines(Figure::Applied, Figure::Version, None),
];

impl Relation {
    /// All that the grammar allows.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        let pairs = || {
            let figures = || Figure::ALL.iter().copied();
            let pairs = figures().flat_map(move |one| figures().map(move |other| (one, other)));
            pairs.filter(|(one, other)| one != other)
        };
        for role in ROLES {
            for (one, other) in pairs() {
                all.push(Self::AtMost(one, other, role));
                all.push(Self::Determines(one, other, role));
                if one < other {
                    all.push(Self::Same(one, other, role));
                }
            }
        }
        for (one, other) in pairs() {
            all.push(Self::ChangesWith(one, other));
            all.push(Self::AtMostMajority(one, other));
            all.push(Self::AtMostAny(one, other));
        }
        for figure in Figure::ALL.iter().copied() {
            all.push(Self::GrowsInLife(figure));
            all.push(Self::GrowsOnDisk(figure));
            all.push(Self::AtMostMajority(figure, figure));
            let roles = ROLES.into_iter().flatten();
            all.extend(roles.map(|role| Self::BelongsToOne(figure, role)));
        }
        all
    }
}

fn when(role: Option<RoleName>) -> &'static str {
    match role {
        None => "",
        Some(RoleName::Follower) => " of a follower",
        Some(RoleName::PreCandidate) => " of a pre-candidate",
        Some(RoleName::Candidate) => " of a candidate",
        Some(RoleName::Leader) => " of a leader",
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(one, other, role) => {
                write!(f, "{} <= {}{}", one.key(), other.key(), when(*role))
            }
            Self::Same(one, other, role) => {
                write!(f, "{} = {}{}", one.key(), other.key(), when(*role))
            }
            Self::GrowsInLife(figure) => write!(f, "{} never falls in a life", figure.key()),
            Self::GrowsOnDisk(figure) => write!(f, "{} never falls", figure.key()),
            Self::ChangesWith(one, other) => {
                write!(f, "{} changes only with {}", one.key(), other.key())
            }
            Self::AtMostMajority(one, other) => {
                write!(f, "{} <= {} of a majority", one.key(), other.key())
            }
            Self::AtMostAny(one, other) => {
                write!(f, "{} <= the greatest {} of any", one.key(), other.key())
            }
            Self::Determines(one, other, role) => {
                write!(f, "{} determines {}{}", one.key(), other.key(), when(*role))
            }
            Self::BelongsToOne(figure, role) => {
                write!(f, "{} belongs to one{}", figure.key(), when(Some(*role)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_relation_has_a_text_of_its_own() {
        let all = Relation::all();
        let texts: BTreeSet<String> = all.iter().map(Relation::to_string).collect();
        assert_eq!(texts.len(), all.len());
    }
}
