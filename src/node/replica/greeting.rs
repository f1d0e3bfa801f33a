//! The words that two members exchange when they connect, and the decision whether they may go on.
//!
//! ```text
//! preface   4  "SDSP"   1 oldest version   1 newest version   16 nonce
//! greeting  1  class    8 id   8 incarnation   8 applied
//!           2+n  where peers reach it   2+n  where clients reach it, or ":port"
//!           1  standing, and what belongs to it   1  contacts: 8 id, 2+n address, each
//!           1  what a newcomer is told   8 id
//!           1 oldest, 1 newest version of entries   1  the one that its group speaks, or 0
//! ```
//!
//! Both sides send a preface, then the one that has connected its greeting, then the other its own,
//! or why not. Numbers are little-endian. Every string and list is bounded.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId};
use crate::raft::MEMBERS_MAX;
use crate::take;

/// The versions of the connection that this code speaks, the oldest and the newest.
pub const VERSIONS: (u8, u8) = (3, 3);
/// The length of a preface, in bytes.
pub const PREFACE_BYTES: usize = 22;
/// The longest greeting, in bytes.
pub const GREETING_BYTES_MAX: usize = 32 << 10;

const MAGIC: [u8; 4] = *b"SDSP";
/// The longest address, in bytes: a host name has at most 253.
const ADDRESS_BYTES_MAX: usize = 300;
/// The most contacts: members, and some that are not any more.
const CONTACTS_MAX: usize = 64;

/// The first bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preface {
    /// The oldest and the newest version that the speaker knows.
    pub versions: (u8, u8),
    /// Drawn for this connection: what the other side proves must be new.
    pub nonce: [u8; 16],
}

impl Preface {
    /// The bytes.
    pub fn encode(&self) -> [u8; PREFACE_BYTES] {
        let mut bytes = [0; PREFACE_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        (bytes[4], bytes[5]) = self.versions;
        bytes[6..].copy_from_slice(&self.nonce);
        bytes
    }

    /// Returns the preface that the bytes hold; nothing where no member has written them.
    pub fn decode(bytes: &[u8; PREFACE_BYTES]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let ([oldest, newest], nonce) = rest.split_first_chunk()?;
        (*magic == MAGIC).then_some(())?;
        Some(Self {
            versions: (*oldest, *newest),
            nonce: nonce.try_into().ok()?,
        })
    }

    /// The newest version that both sides know.
    pub fn common_version(&self, other: &Self) -> Result<u8, Refusal> {
        let newest = self.versions.1.min(other.versions.1);
        let oldest = self.versions.0.max(other.versions.0);
        if oldest <= newest {
            Ok(newest)
        } else {
            Err(Refusal::Version(other.versions))
        }
    }
}

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// Messages that are small and must not wait: elections, heartbeats, acknowledgements.
    Control,
    /// Entries and states.
    Bulk,
}

/// The group that a member belongs to, or wants to belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To nothing: it forms a group with these, itself included.
    Forming {
        /// In ascending order.
        with: Vec<NodeId>,
    },
    /// It wants to be taken in.
    Joining {
        /// Into this group; nothing, as long as it has no number there.
        cluster: Option<ClusterId>,
    },
    /// It belongs to a group, or did.
    Member {
        /// The group.
        cluster: ClusterId,
        /// The members that formed it, with the lives of their disks.
        founders: Vec<(NodeId, Incarnation)>,
    },
}

/// The answer of a member to a newcomer that asks for a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// It does not lead: another is to be asked.
    Elsewhere,
    /// It is being done, or will be when it can: ask again.
    Soon,
    /// The group has this disk as the member of this number, by a committed change.
    Given(NodeId),
    /// The number belongs to a member with another disk.
    Taken(NodeId),
    /// The group has as many members as it may.
    Full,
}

impl Admission {
    fn encode(self) -> (u8, u64) {
        match self {
            Self::Unasked => (0, 0),
            Self::Elsewhere => (1, 0),
            Self::Soon => (2, 0),
            Self::Given(id) => (3, id.0),
            Self::Taken(id) => (4, id.0),
            Self::Full => (5, 0),
        }
    }

    fn decode(code: u8, id: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Unasked,
            1 => Self::Elsewhere,
            2 => Self::Soon,
            3 if id > 0 => Self::Given(NodeId(id)),
            4 => Self::Taken(NodeId(id)),
            5 => Self::Full,
            _ => return None,
        })
    }
}

/// The place where a member is reached by its peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Its number.
    pub id: NodeId,
    /// Host and port.
    pub address: String,
}

/// The facts that a member tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The purpose of the connection.
    pub line: Line,
    /// Its number; 0 where it wants to be given one.
    pub id: NodeId,
    /// The life of its disk.
    pub incarnation: Incarnation,
    /// The last entry that it has applied.
    pub applied: LogIndex,
    /// The address at which its peers reach it: host and port, or only a colon and the port where
    /// the host is whatever the connection shows.
    pub address: String,
    /// The address at which clients reach it, in the same way.
    pub clients: String,
    /// The group that it belongs to, or wants to belong to.
    pub standing: Standing,
    /// The members that it knows.
    pub contacts: Vec<Contact>,
    /// Its answer to a newcomer.
    pub admission: Admission,
    /// The versions of entries that it can apply, the oldest and the newest.
    pub entry_versions: (u8, u8),
    /// The version that its group speaks, as far as it knows; 0: it has no group.
    pub speaks: u8,
}

/// Why a member does not go on with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No version is known to both. These are the other's.
    Version((u8, u8)),
    /// The other does not know the cluster secret.
    Secret,
    /// There is no secret, and the other is on another machine.
    Protected,
    /// Both have the same number.
    SameNumber(NodeId),
    /// At this address another number was expected.
    OtherNumber {
        /// The one that was expected.
        wanted: NodeId,
        /// The one that answers.
        found: NodeId,
    },
    /// The other belongs to another group.
    OtherGroup,
    /// They form groups of different members.
    OtherPeers(Vec<NodeId>),
    /// The group exists, and the other is none of its founders.
    AlreadyFormed,
    /// The other's number belongs to a member with another disk.
    OtherDisk(NodeId),
    /// The other was removed from the group.
    Removed(NodeId),
    /// There is no group yet that could be joined.
    NoGroup,
    /// It has no greeting to give yet.
    NotReady,
    /// It knows as many others as it may.
    TooMany,
    /// The group speaks a version of entries that the newcomer cannot apply.
    Entries {
        /// The version of the group.
        speaks: u8,
        /// The versions that the newcomer knows.
        known: (u8, u8),
    },
}

impl Refusal {
    /// Returns true if it is but a matter of time.
    pub fn passes(&self) -> bool {
        matches!(self, Self::NoGroup | Self::NotReady | Self::TooMany)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version((oldest, newest)) => write!(
                f,
                "versions {oldest} to {newest} of the member protocol have nothing in common with \
                 {} to {}: upgrade one version at a time",
                VERSIONS.0, VERSIONS.1
            ),
            Self::Secret => f.write_str("the cluster secrets differ (--cluster-secret)"),
            Self::Protected => f.write_str(
                "members on other machines are accepted only with a --cluster-secret, the same for \
                 all",
            ),
            Self::SameNumber(id) => write!(
                f,
                "another process already is member {}: every member needs a number of its own \
                 (--id)",
                id.0
            ),
            Self::OtherNumber { wanted, found } => write!(
                f,
                "member {} answered where member {} was expected: check --peers",
                found.0, wanted.0
            ),
            Self::OtherGroup => f.write_str(
                "it belongs to another group: give it the address of a member of that group, or an \
                 empty --dir",
            ),
            Self::OtherPeers(peers) => {
                write!(f, "--peers differ, the other member has")?;
                peers.iter().try_for_each(|id| write!(f, " {}", id.0))
            }
            Self::AlreadyFormed => f.write_str(
                "the group exists already: use --join instead of --peers; if the old disk of this \
                 member is lost, first RAFT REMOVE its number at the leader",
            ),
            Self::OtherDisk(id) => write!(
                f,
                "number {0} belongs to a member with another disk: if that is lost, RAFT REMOVE \
                 {0} at the leader, and start with --join and an empty --dir",
                id.0
            ),
            Self::Removed(id) => write!(
                f,
                "member {} was removed from the group: empty its directory and start it with \
                 --join to join again",
                id.0
            ),
            Self::NoGroup => f.write_str("there is no group to join yet"),
            Self::NotReady => f.write_str("it is starting"),
            Self::TooMany => f.write_str("too many others are asking to join there"),
            Self::Entries { speaks, known } => write!(
                f,
                "the group speaks version {speaks} of entries, and the binary that wants to come \
                 in knows {} to {}: run one that knows version {speaks} there",
                known.0, known.1
            ),
        }
    }
}

impl Greeting {
    /// Errors if this member, which knows its group to have these members, may not go on with
    /// another.
    ///
    /// A member that has seen less of the log than the other does not judge by membership: it may
    /// be the one that is to hear of the change.
    pub fn judge(&self, members: &[(NodeId, Incarnation)], other: &Self) -> Result<(), Refusal> {
        // Of one that only asks for its number the leader says whether it is taken, and no other.
        let is_asking = other.asks_for_number();
        let asks = |one: &Self, of: &Self| {
            one.asks_for_number() && matches!(of.standing, Standing::Member { .. })
        };
        let one_asks = asks(self, other) || asks(other, self);
        if other.id == self.id && self.id != NodeId(0) && !one_asks {
            return Err(Refusal::SameNumber(self.id));
        }
        self.judge_versions(other)?;
        match (&self.standing, &other.standing) {
            (Standing::Forming { with }, Standing::Forming { with: theirs }) => {
                if with != theirs {
                    return Err(Refusal::OtherPeers(theirs.clone()));
                }
            }
            (Standing::Forming { .. }, Standing::Member { founders, .. }) => {
                if !founders.contains(&(self.id, self.incarnation)) {
                    return Err(Refusal::AlreadyFormed);
                }
            }
            (Standing::Member { founders, .. }, Standing::Forming { .. }) => {
                if !founders.contains(&(other.id, other.incarnation)) {
                    return Err(Refusal::AlreadyFormed);
                }
            }
            (Standing::Forming { .. }, Standing::Joining { .. })
            | (Standing::Joining { .. }, Standing::Forming { .. }) => {
                return Err(Refusal::NoGroup);
            }
            (Standing::Joining { cluster: own }, Standing::Joining { cluster: theirs }) => {
                // Two newcomers have nothing to tell each other before they know the group.
                if own.is_none() || theirs.is_none() {
                    return Err(Refusal::NoGroup);
                }
                same_group(*own, *theirs)?;
            }
            (Standing::Member { cluster, .. }, Standing::Joining { cluster: other })
            | (Standing::Joining { cluster: other }, Standing::Member { cluster, .. }) => {
                same_group(Some(*cluster), *other)?;
            }
            (Standing::Member { cluster: own, .. }, Standing::Member { cluster, .. }) => {
                same_group(Some(*own), Some(*cluster))?;
            }
        }
        let known = members.iter().find(|(id, _)| *id == other.id);
        // Who has never had company is written down without the life of its disk.
        let is_another = known.is_some_and(|(_, incarnation)| {
            *incarnation != other.incarnation && *incarnation != Incarnation(0)
        });
        if is_another && !is_asking && self.applied > other.applied {
            return Err(Refusal::OtherDisk(other.id));
        }
        // Whoever has voted, and has seen less, would be known here if it were a member still.
        let both_belong = [self, other]
            .iter()
            .all(|one| matches!(one.standing, Standing::Member { .. }));
        let is_gone = !members.is_empty() && known.is_none();
        if both_belong && is_gone && self.applied > other.applied {
            return Err(Refusal::Removed(other.id));
        }
        Ok(())
    }

    /// Errors if the one of two that is new to a group cannot apply what that writes. A member that
    /// cannot hears of it, and stops by itself.
    fn judge_versions(&self, other: &Self) -> Result<(), Refusal> {
        let belongs = |one: &Self| matches!(one.standing, Standing::Member { .. });
        for (newcomer, member) in [(self, other), (other, self)] {
            let (speaks, known) = (member.speaks, newcomer.entry_versions);
            let knows = known.0 <= speaks && speaks <= known.1;
            if belongs(member) && !belongs(newcomer) && speaks != 0 && !knows {
                return Err(Refusal::Entries { speaks, known });
            }
        }
        Ok(())
    }

    fn asks_for_number(&self) -> bool {
        self.standing == Standing::Joining { cluster: None }
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.push(match self.line {
            Line::Control => 0,
            Line::Bulk => 1,
        });
        for number in [self.id.0, self.incarnation.0, self.applied.0] {
            put(&mut out, number);
        }
        put_text(&mut out, &self.address);
        put_text(&mut out, &self.clients);
        match &self.standing {
            Standing::Forming { with } => {
                out.extend_from_slice(&[0, with.len() as u8]);
                for id in with {
                    put(&mut out, id.0);
                }
            }
            Standing::Joining { cluster } => {
                out.extend_from_slice(&[1, u8::from(cluster.is_some())]);
                put(&mut out, cluster.map_or(0, |cluster| cluster.0));
            }
            Standing::Member { cluster, founders } => {
                out.extend_from_slice(&[2, founders.len() as u8]);
                put(&mut out, cluster.0);
                for (id, incarnation) in founders {
                    put(&mut out, id.0);
                    put(&mut out, incarnation.0);
                }
            }
        }
        let contacts = &self.contacts[..self.contacts.len().min(CONTACTS_MAX)];
        out.push(contacts.len() as u8);
        for contact in contacts {
            put(&mut out, contact.id.0);
            put_text(&mut out, &contact.address);
        }
        let (code, id) = self.admission.encode();
        out.push(code);
        put(&mut out, id);
        let (oldest, newest) = self.entry_versions;
        out.extend_from_slice(&[oldest, newest, self.speaks]);
        out
    }

    /// Returns the greeting that the bytes hold; nothing where no member of this version has
    /// written them.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let line = match take::byte(bytes)? {
            0 => Line::Control,
            1 => Line::Bulk,
            _ => return None,
        };
        let (id, incarnation) = (NodeId(take::u64(bytes)?), Incarnation(take::u64(bytes)?));
        let applied = LogIndex(take::u64(bytes)?);
        let (address, clients) = (take_text(bytes)?, take_text(bytes)?);
        let (kind, count) = (take::byte(bytes)?, take::byte(bytes)?);
        if usize::from(count) > MEMBERS_MAX {
            return None;
        }
        let standing = match kind {
            0 => {
                let with = (0..count).map(|_| take::u64(bytes).map(NodeId));
                Standing::Forming {
                    with: with.collect::<Option<_>>()?,
                }
            }
            1 => {
                let cluster = ClusterId(take::u64(bytes)?);
                Standing::Joining {
                    cluster: (count == 1).then_some(cluster),
                }
            }
            2 => {
                let cluster = ClusterId(take::u64(bytes)?);
                let founder = |_| Some((NodeId(take::u64(bytes)?), Incarnation(take::u64(bytes)?)));
                Standing::Member {
                    cluster,
                    founders: (0..count).map(founder).collect::<Option<_>>()?,
                }
            }
            _ => return None,
        };
        let count = take::byte(bytes)?;
        if usize::from(count) > CONTACTS_MAX {
            return None;
        }
        let contact = |_| {
            Some(Contact {
                id: NodeId(take::u64(bytes)?),
                address: take_text(bytes)?,
            })
        };
        let contacts = (0..count).map(contact).collect::<Option<_>>()?;
        let admission = Admission::decode(take::byte(bytes)?, take::u64(bytes)?)?;
        let entry_versions = (take::byte(bytes)?, take::byte(bytes)?);
        let speaks = take::byte(bytes)?;
        bytes.is_empty().then_some(Self {
            line,
            id,
            incarnation,
            applied,
            address,
            clients,
            standing,
            contacts,
            admission,
            entry_versions,
            speaks,
        })
    }
}

fn same_group(own: Option<ClusterId>, other: Option<ClusterId>) -> Result<(), Refusal> {
    match (own, other) {
        (Some(own), Some(other)) if own != other => Err(Refusal::OtherGroup),
        _ => Ok(()),
    }
}

/// An address as the other side of a connection is to use it: where it names no host, the one that
/// the connection shows.
pub fn seen_from(address: &str, host: &str) -> String {
    match address.strip_prefix(':') {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => address.to_owned(),
    }
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let bytes = &text.as_bytes()[..text.len().min(ADDRESS_BYTES_MAX)];
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let len = usize::from(take::u16(bytes)?);
    if len > ADDRESS_BYTES_MAX {
        return None;
    }
    let text = take::bytes(bytes, len)?;
    // It is put into lines: of the file of members, of replies, of the log.
    if !text.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests;
