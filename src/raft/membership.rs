//! The members of a group, and how it passes from one membership to the next (thesis 4.3).
//!
//! ```text
//! 0  1  version                    3  1  voters (of the old half)
//! 1  1  0 stable, 1 joint          4  1  voters of the new half, 0 if stable
//! 2  1  learners                   5  16 per member: id, incarnation
//! ```
//!
//! The members follow in the order voters, new voters, learners; numbers are little-endian.

use alloc::vec::Vec;

use crate::ids::{Incarnation, NodeId};

use super::corrupt::Corrupt;

/// The most members of a group, voters of both halves and learners together.
pub const MEMBERS_MAX: usize = 31;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;

/// One member: a number, and the life of its disk. A member whose disk was wiped is another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its number.
    pub id: NodeId,
    /// Its incarnation; 0 only in a group of one that has never had company.
    pub incarnation: Incarnation,
}

/// The members of a group. Lists are in order of their numbers, no number is in two roles, and
/// there is at least one voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// One set of voters decides.
    Stable {
        /// They vote and count in majorities.
        voters: Vec<Member>,
        /// They only receive the log.
        learners: Vec<Member>,
    },
    /// On the way between two sets of voters: a majority of each must agree.
    Joint {
        /// The voters before the change.
        old: Vec<Member>,
        /// The voters after it; who is in both is the same in both.
        new: Vec<Member>,
        /// They only receive the log, now and after the change.
        learners: Vec<Member>,
    },
}

/// One step of a change of membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// A new member learns the log without a vote.
    AddLearner(Member),
    /// A learner gets a vote.
    Promote(NodeId),
    /// A voter or learner leaves.
    Remove(NodeId),
}

/// Why a change of membership makes no sense for the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The membership is joint: one change at a time.
    Joint,
    /// The number is 0 or taken, or the incarnation is 0.
    Taken(NodeId),
    /// There is no such member, or not in the role that the change asks for.
    Unknown(NodeId),
    /// The group would have no voter, or too many members.
    Size,
    /// The change would change nothing.
    Nothing,
}

impl Membership {
    /// A group of one, whose incarnation its owner fills in.
    pub fn alone(id: NodeId) -> Self {
        let incarnation = Incarnation::default();
        Self::Stable {
            voters: alloc::vec![Member { id, incarnation }],
            learners: Vec::new(),
        }
    }

    /// A group of these voters, if they can be one.
    pub fn of(mut voters: Vec<Member>) -> Option<Self> {
        voters.sort_unstable();
        let membership = Self::Stable {
            voters,
            learners: Vec::new(),
        };
        membership.is_sound().then_some(membership)
    }

    /// The half that always decides, and the one that decides as well while the membership is
    /// joint.
    pub(super) fn halves(&self) -> (&[Member], Option<&[Member]>) {
        match self {
            Self::Stable { voters, .. } => (voters, None),
            Self::Joint { old, new, .. } => (old, Some(new)),
        }
    }

    /// The members that vote, each once; of a joint membership those of both halves.
    pub fn voters(&self) -> impl Iterator<Item = NodeId> {
        self.voting().map(|member| member.id)
    }

    fn voting(&self) -> impl Iterator<Item = &Member> {
        let (first, second) = self.halves();
        let others = second.unwrap_or_default().iter();
        let others = others.filter(|member| find(first, member.id).is_none());
        first.iter().chain(others)
    }

    /// The members that only receive the log.
    pub fn learners(&self) -> &[Member] {
        match self {
            Self::Stable { learners, .. } | Self::Joint { learners, .. } => learners,
        }
    }

    /// All members, each once.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.voting().chain(self.learners())
    }

    /// The member of this number.
    pub fn get(&self, id: NodeId) -> Option<&Member> {
        let (first, second) = self.halves();
        find(first, id)
            .or_else(|| find(second.unwrap_or_default(), id))
            .or_else(|| find(self.learners(), id))
    }

    /// Returns true if a member votes.
    pub fn is_voter(&self, id: NodeId) -> bool {
        let (first, second) = self.halves();
        find(first, id).is_some() || find(second.unwrap_or_default(), id).is_some()
    }

    /// Returns true if a member will still vote when the present change, if there is one, is over.
    pub fn stays_voter(&self, id: NodeId) -> bool {
        let (first, second) = self.halves();
        find(second.unwrap_or(first), id).is_some()
    }

    /// Returns true if a member voted already before the present change, if there is one.
    pub fn voted_before(&self, id: NodeId) -> bool {
        find(self.halves().0, id).is_some()
    }

    /// Returns true while a change is under way.
    pub fn is_joint(&self) -> bool {
        matches!(self, Self::Joint { .. })
    }

    /// Returns true if this member decides alone.
    pub fn is_sole_voter(&self, id: NodeId) -> bool {
        match self {
            Self::Stable { voters, .. } => matches!(voters[..], [only] if only.id == id),
            Self::Joint { .. } => false,
        }
    }

    /// Returns true if there is no other member.
    pub fn is_alone(&self, id: NodeId) -> bool {
        self.is_sole_voter(id) && self.learners().is_empty()
    }

    /// Gives the member of a group of one the incarnation that its owner did not know.
    pub(super) fn name_incarnation(&mut self, id: NodeId, incarnation: Incarnation) {
        if let Self::Stable { voters, .. } = self
            && let [only] = &mut voters[..]
            && only.id == id
            && only.incarnation == Incarnation::default()
        {
            only.incarnation = incarnation;
        }
    }

    /// The membership that begins the changes (thesis 4.3, `C_old,new`). If the voters stay as they
    /// are, every majority stays one too, and the changes are over at once.
    pub fn enter_joint(&self, changes: &[MembershipChange]) -> Result<Self, Unfit> {
        let Self::Stable { voters, learners } = self else {
            return Err(Unfit::Joint);
        };
        let (mut new, mut learners) = (voters.clone(), learners.clone());
        for change in changes {
            match *change {
                MembershipChange::AddLearner(member) => {
                    let named = member.id.0 != 0 && member.incarnation.0 != 0;
                    let free = self.get(member.id).is_none()
                        && find(&new, member.id).is_none()
                        && find(&learners, member.id).is_none();
                    if !named || !free {
                        return Err(Unfit::Taken(member.id));
                    }
                    insert(&mut learners, member);
                }
                MembershipChange::Promote(id) => {
                    let member = remove(&mut learners, id).ok_or(Unfit::Unknown(id))?;
                    insert(&mut new, member);
                }
                MembershipChange::Remove(id) => {
                    remove(&mut learners, id)
                        .or_else(|| remove(&mut new, id))
                        .ok_or(Unfit::Unknown(id))?;
                }
            }
        }
        let next = if new == *voters {
            Self::Stable {
                voters: new,
                learners,
            }
        } else {
            Self::Joint {
                old: voters.clone(),
                new,
                learners,
            }
        };
        if next == *self {
            return Err(Unfit::Nothing);
        }
        if !next.is_sound() {
            return Err(Unfit::Size);
        }
        Ok(next)
    }

    /// The membership that ends a change (thesis 4.3, `C_new`); none where no change is on its way.
    pub fn leave_joint(&self) -> Option<Self> {
        match self {
            Self::Stable { .. } => None,
            Self::Joint { new, learners, .. } => Some(Self::Stable {
                voters: new.clone(),
                learners: learners.clone(),
            }),
        }
    }

    /// As it stands in a base and in an entry.
    pub fn encode(&self) -> Vec<u8> {
        let (first, second) = self.halves();
        let lists = [first, second.unwrap_or_default(), self.learners()];
        let [first, second, learners] = lists.map(|list| list.len() as u8);
        let mut bytes = alloc::vec![VERSION, u8::from(self.is_joint()), learners, first, second];
        for member in lists.into_iter().flatten() {
            bytes.extend_from_slice(&member.id.0.to_le_bytes());
            bytes.extend_from_slice(&member.incarnation.0.to_le_bytes());
        }
        bytes
    }

    /// The membership that `encode` wrote; anything else, and any membership that could not be one,
    /// is corrupt.
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(Corrupt)?;
        let [version, joint, learners, first, second] = *head;
        let (members, odd) = rest.as_chunks::<16>();
        let counts = [first, second, learners].map(usize::from);
        if version != VERSION || !odd.is_empty() || members.len() != counts.iter().sum() {
            return Err(Corrupt);
        }
        let mut members = members.iter().map(member);
        let [first, second, learners] = counts.map(|count| members.by_ref().take(count).collect());
        let membership = match (joint, counts[1]) {
            (0, 0) => Self::Stable {
                voters: first,
                learners,
            },
            (1, 1..) => Self::Joint {
                old: first,
                new: second,
                learners,
            },
            _ => return Err(Corrupt),
        };
        membership.is_sound().then_some(membership).ok_or(Corrupt)
    }

    /// Returns true if it has the form that the type's description promises.
    fn is_sound(&self) -> bool {
        let (first, second) = self.halves();
        let learners = self.learners();
        let second = second.unwrap_or(first);
        let ordered = |list: &[Member]| list.is_sorted_by(|a, b| a.id < b.id);
        let same = |member: &Member| find(second, member.id).is_none_or(|other| other == member);
        let votes = |m: &Member| find(first, m.id).is_some() || find(second, m.id).is_some();
        !first.is_empty()
            && !second.is_empty()
            && self.members().count() <= MEMBERS_MAX
            && [first, second, learners].into_iter().all(ordered)
            && self.members().all(|member| member.id.0 != 0)
            && first.iter().all(same)
            && !learners.iter().any(votes)
    }
}

fn member(bytes: &[u8; 16]) -> Member {
    let both = u128::from_le_bytes(*bytes);
    Member {
        id: NodeId(both as u64),
        incarnation: Incarnation((both >> 64) as u64),
    }
}

fn find(list: &[Member], id: NodeId) -> Option<&Member> {
    // A list of a handful is read faster than it is searched.
    list.iter().find(|member| member.id == id)
}

fn insert(list: &mut Vec<Member>, member: Member) {
    let at = list.partition_point(|other| other.id < member.id);
    list.insert(at, member);
}

fn remove(list: &mut Vec<Member>, id: NodeId) -> Option<Member> {
    let at = list.iter().position(|member| member.id == id)?;
    Some(list.remove(at))
}
