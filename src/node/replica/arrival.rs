//! How a process comes to its group on its first day, as a machine: it forms one with others, or is
//! taken in.
//!
//! Those who form a group tell each other the lives of their disks, which are durable by then.
//! One that has heard all of them knows the group: its name follows from them, so that all come to
//! the same one without a vote. One that was away when the others had heard enough is told by them.
//!
//! A newcomer asks all whom it can reach. Only the leader gives a number, by a committed change of
//! members that names the life of the newcomer's disk: of two that ask at one moment each has its
//! own, and one that dies before it has heard of its number is given the same again. No number is
//! used before. One that dies when it has heard of its number, and before it has begun with it,
//! asks for the same; where that was taken away meanwhile and is another's, for any.
//!
//! The driver dials whom it is told to and reports how that ended; it keeps no state of its own.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId};
use crate::limits::PEERS_KNOWN_MAX;
use crate::node::replica::greeting::{Admission, Greeting, Line, Refusal, Standing, seen_from};
use crate::node::replica::versions::ENTRY_VERSIONS;
use crate::rng;
use crate::time::Mono;

/// The stream of chance from which a group's name is drawn.
const CLUSTER_STREAM: u64 = 0x636c_7573;
/// How long it takes until somebody is dialled again: at first, at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));
/// A dial of which nothing was reported for so long has failed.
const DIAL_MAX: Duration = Duration::from_secs(10);
/// When it is told for the first time for whom it waits, and how often then.
const TOLD_FIRST: Duration = Duration::from_secs(2);
const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// The aim of a process on its first day.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Aim {
    /// To form a group with these, itself included, in ascending order.
    Form { with: Vec<NodeId> },
    /// To be taken into the group of which somebody is a member.
    Join { door: String },
}

/// The number under which a newcomer asks to be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Any that is free.
    Any,
    /// Its operator has named it: this one or none.
    Named(NodeId),
    /// The group has given it to an earlier life of this process, which has not begun with it. It
    /// was never that member, so that any other does as well.
    Given(NodeId),
}

/// Somebody who is dialled.
#[derive(Clone, Debug)]
struct Contact {
    /// The number that is expected there, where one is.
    id: Option<NodeId>,
    /// When it is to be dialled next, or, while it is dialled, when that has failed.
    at: Mono,
    is_dialled: bool,
    pause: Duration,
    /// Why nothing has come of it so far.
    trouble: String,
}

/// How a dial has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Nobody was reached, or somebody who is no member.
    Lost(String),
    /// The other side cannot say anything yet, and why.
    NotYet(String),
    /// This side refuses the other.
    Refused(Refusal),
    /// The other refuses this one, in its words.
    TurnedAway(String),
}

/// A group as its members' logs begin with it, and the number of this member there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// This member's number.
    pub id: NodeId,
    /// The name of the group.
    pub cluster: ClusterId,
    /// The members that have formed it, with the lives of their disks.
    pub founders: Vec<(NodeId, Incarnation)>,
}

/// An action for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Dial this address, and report how that ended.
    Dial(String),
    /// Put this into the log.
    Tell(String),
    /// It has its place: begin as a member.
    Enter(Group),
    /// It cannot come in: end, and say why.
    GiveUp(String),
}

/// A process that has no group yet.
#[derive(Clone, Debug)]
pub struct Arrival {
    aim: Aim,
    /// Its number; 0 where it wants to be given one.
    id: NodeId,
    /// No other number will do.
    insists: bool,
    incarnation: Incarnation,
    /// The versions of entries that it can apply.
    entry_versions: (u8, u8),
    /// The group that it has heard of.
    cluster: Option<ClusterId>,
    contacts: BTreeMap<String, Contact>,
    /// Those who form the group with it, as far as they were heard of.
    met: BTreeMap<NodeId, Incarnation>,
    told_at: Mono,
    wishes: Vec<Wish>,
    is_over: bool,
}

impl Arrival {
    /// Forms a group with others, whose addresses are given. The life of its disk is durable by
    /// now.
    pub fn forming(
        id: NodeId,
        incarnation: Incarnation,
        others: &BTreeMap<NodeId, String>,
        now: Mono,
    ) -> Self {
        let mut with: Vec<NodeId> = others.keys().copied().chain([id]).collect();
        with.sort_unstable();
        with.dedup();
        let mut arrival = Self::new(Aim::Form { with }, id, incarnation, now);
        for (id, address) in others {
            arrival.learn(address, Some(*id), now);
        }
        arrival.look();
        arrival
    }

    /// Comes into the group of which `door` is a member, and of which others may be known from
    /// before. The life of its disk is durable by now.
    pub fn joining(
        wanted: Wanted,
        incarnation: Incarnation,
        door: &str,
        others: &BTreeMap<NodeId, String>,
        now: Mono,
    ) -> Self {
        let door = door.to_owned();
        let id = match wanted {
            Wanted::Any => NodeId(0),
            Wanted::Named(id) | Wanted::Given(id) => id,
        };
        let mut arrival = Self::new(Aim::Join { door: door.clone() }, id, incarnation, now);
        arrival.insists = matches!(wanted, Wanted::Named(_));
        arrival.learn(&door, None, now);
        for address in others.values() {
            arrival.learn(address, None, now);
        }
        arrival
    }

    fn new(aim: Aim, id: NodeId, incarnation: Incarnation, now: Mono) -> Self {
        Self {
            aim,
            id,
            insists: true,
            incarnation,
            entry_versions: ENTRY_VERSIONS,
            cluster: None,
            contacts: BTreeMap::new(),
            met: BTreeMap::new(),
            told_at: now + TOLD_FIRST,
            wishes: Vec::new(),
            is_over: false,
        }
    }

    /// It can apply these versions of entries, and not those of this code.
    #[must_use]
    pub fn knowing(mut self, entry_versions: (u8, u8)) -> Self {
        self.entry_versions = entry_versions;
        self
    }

    /// Its number; 0 while it has none.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Returns the group that it belongs to, or wants to belong to.
    pub fn standing(&self) -> Standing {
        match &self.aim {
            Aim::Form { with } => Standing::Forming { with: with.clone() },
            Aim::Join { .. } => Standing::Joining { cluster: None },
        }
    }

    /// Returns the greeting that it sends, without its addresses.
    pub fn greeting(&self) -> Greeting {
        Greeting {
            line: Line::Control,
            id: self.id,
            incarnation: self.incarnation,
            applied: LogIndex(0),
            address: String::new(),
            clients: String::new(),
            standing: self.standing(),
            contacts: Vec::new(),
            admission: Admission::Unasked,
            entry_versions: self.entry_versions,
            speaks: 0,
        }
    }

    /// Somebody who was dialled at `address`, and is seen at `host`, has said this of itself.
    pub fn heard(&mut self, now: Mono, address: &str, host: &str, other: &Greeting) {
        let expected = self.contacts.get(address).and_then(|one| one.id);
        let judged = match expected {
            Some(wanted) if wanted != other.id => Err(Refusal::OtherNumber {
                wanted,
                found: other.id,
            }),
            _ => self.judge(other),
        };
        if let Err(refusal) = judged {
            return self.failed(now, address, Failed::Refused(refusal));
        }
        self.ended(now, address, String::new());
        if matches!(self.aim, Aim::Form { .. }) {
            self.visited(other);
        } else {
            self.answered(now, address, host, other);
        }
    }

    /// Somebody who has dialled this process, and whom it goes on with, has said this of itself.
    pub fn visited(&mut self, other: &Greeting) {
        let Aim::Form { with } = &self.aim else {
            return;
        };
        match &other.standing {
            Standing::Forming { .. } if with.contains(&other.id) => {
                self.met.insert(other.id, other.incarnation);
                self.look();
            }
            Standing::Member { cluster, founders } => {
                let (cluster, founders) = (*cluster, founders.clone());
                self.enter(self.id, cluster, founders);
            }
            Standing::Forming { .. } | Standing::Joining { .. } => {}
        }
    }

    /// A dial has failed.
    pub fn failed(&mut self, now: Mono, address: &str, failed: Failed) {
        let who = self.name_of(address);
        let is_final = match &failed {
            Failed::Lost(_) | Failed::NotYet(_) => false,
            Failed::Refused(refusal) => !refusal.passes(),
            Failed::TurnedAway(_) => true,
        };
        let trouble = match failed {
            Failed::Lost(why) => format!("cannot be reached: {why}"),
            Failed::NotYet(why) => format!("says: {why}"),
            Failed::Refused(refusal) => format!("is refused: {refusal}"),
            Failed::TurnedAway(why) => format!("refused this member: {why}"),
        };
        // Of others than the one that was named it may have heard something old.
        let counts = match &self.aim {
            Aim::Form { .. } => true,
            Aim::Join { door } => door == address,
        };
        if is_final && counts {
            return self.give_up(format!("{who} {trouble}"));
        }
        self.ended(now, address, trouble);
    }

    /// Errors if it does not go on with somebody: it goes on with one group, once it has heard of
    /// one.
    fn judge(&self, other: &Greeting) -> Result<(), Refusal> {
        let own = self.greeting();
        own.judge(&[], other)?;
        match (self.cluster, &other.standing) {
            (Some(own), Standing::Member { cluster, .. }) if own != *cluster => {
                Err(Refusal::OtherGroup)
            }
            _ => Ok(()),
        }
    }

    /// Returns the actions that are due now.
    pub fn next(&mut self, now: Mono) -> Vec<Wish> {
        let mut wishes = mem::take(&mut self.wishes);
        if self.is_over {
            return wishes;
        }
        for (address, contact) in &mut self.contacts {
            if contact.at > now {
                continue;
            }
            if contact.is_dialled {
                "nothing was heard of it".clone_into(&mut contact.trouble);
            }
            contact.is_dialled = true;
            contact.at = now + DIAL_MAX;
            wishes.push(Wish::Dial(address.clone()));
        }
        if self.told_at <= now {
            self.told_at = now + TOLD_AGAIN;
            wishes.push(Wish::Tell(self.waits()));
        }
        wishes
    }

    /// When it is to be asked for that again, whatever happens.
    pub fn deadline(&self) -> Mono {
        let contacts = self.contacts.values().map(|contact| contact.at);
        contacts.chain([self.told_at]).min().unwrap_or_default()
    }

    /// For whom it waits, and why.
    fn waits(&self) -> String {
        let is_missing = |contact: &&Contact| match contact.id {
            Some(id) => !self.met.contains_key(&id),
            None => true,
        };
        let missing = self.contacts.iter().filter(|(_, one)| is_missing(one));
        let missing = missing.map(|(address, contact)| {
            let why = match &contact.trouble[..] {
                "" => "has not answered yet",
                why => why,
            };
            format!("{} {why}", self.name_of(address))
        });
        let missing: Vec<String> = missing.take(8).collect();
        let missing = missing.join("; ");
        match &self.aim {
            Aim::Form { .. } => format!(
                "waiting to form the group: {missing} (to end this wait start them, or stop this \
                 process and give it another --peers)"
            ),
            Aim::Join { door } => format!(
                "waiting to join the group of {door}: {missing} (to end this wait stop \
                 this process)"
            ),
        }
    }

    fn name_of(&self, address: &str) -> String {
        match self.contacts.get(address).and_then(|one| one.id) {
            Some(id) => format!("member {} at {address}", id.0),
            None => address.to_owned(),
        }
    }

    /// Somebody is to be dialled too.
    fn learn(&mut self, address: &str, id: Option<NodeId>, now: Mono) {
        if self.contacts.len() < PEERS_KNOWN_MAX {
            let contact = self.contacts.entry(address.to_owned());
            contact.or_insert(Contact {
                id,
                at: now,
                is_dialled: false,
                pause: PAUSE.0,
                trouble: String::new(),
            });
        }
    }

    /// A dial has ended.
    fn ended(&mut self, now: Mono, address: &str, trouble: String) {
        if let Some(contact) = self.contacts.get_mut(address) {
            contact.is_dialled = false;
            contact.at = now + contact.pause;
            contact.pause = (contact.pause * 2).min(PAUSE.1);
            contact.trouble = trouble;
        }
    }

    /// A member of the group has answered.
    fn answered(&mut self, now: Mono, address: &str, host: &str, other: &Greeting) {
        let Standing::Member { cluster, founders } = &other.standing else {
            return;
        };
        self.cluster = Some(*cluster);
        if other.id != NodeId(0) && !other.address.is_empty() {
            self.learn(&seen_from(&other.address, host), None, now);
        }
        for contact in &other.contacts {
            // The one that has the number which is asked for may lead.
            self.learn(&contact.address, None, now);
        }
        let trouble = match other.admission {
            Admission::Given(id) if !self.insists || self.id == id => {
                // A disk that is lost may have had this number. The one that has opened is of the
                // group for certain: founders that were replaced one after the other must not leave
                // a newcomer that thinks it has founded the group alone.
                let opened = (other.id, other.incarnation);
                let founders = founders.iter().copied();
                let founders = founders.filter(|(one, _)| *one != id && *one != opened.0);
                let mut founders: Vec<_> = founders.chain([opened]).collect();
                founders.sort_unstable();
                let cluster = *cluster;
                return self.enter(id, cluster, founders);
            }
            Admission::Given(id) => {
                let (given, wanted) = (id.0, self.id.0);
                return self.give_up(format!(
                    "the group knows this disk as member {given}: start it without --id {wanted}"
                ));
            }
            Admission::Taken(id) if !self.insists => {
                self.id = NodeId(0);
                format!(
                    "is the leader, and has given number {} to another disk: asking for another \
                     number",
                    id.0
                )
            }
            Admission::Taken(id) => {
                return self.give_up(format!("{address} refuses: {}", Refusal::OtherDisk(id)));
            }
            Admission::Full => {
                "is the leader, and its group is full: remove a member that is gone (RAFT REMOVE)"
                    .to_owned()
            }
            Admission::Soon => "is the leader, and is adding this member".to_owned(),
            Admission::Elsewhere | Admission::Unasked => {
                "is a member, but not the leader".to_owned()
            }
        };
        if let Some(contact) = self.contacts.get_mut(address) {
            contact.trouble = trouble;
        }
    }

    /// Ends as a member of the group if all who are to form it have been heard of.
    fn look(&mut self) {
        let Aim::Form { with } = &self.aim else {
            return;
        };
        let life = |id: &NodeId| {
            let met = self.met.get(id).copied();
            let own = (*id == self.id).then_some(self.incarnation);
            own.or(met).map(|incarnation| (*id, incarnation))
        };
        let Some(founders) = with.iter().map(life).collect::<Option<Vec<_>>>() else {
            return;
        };
        let cluster = founders.iter().fold(0, |name, (id, incarnation)| {
            rng::draw(name, CLUSTER_STREAM, id.0, incarnation.0)
        });
        self.enter(self.id, ClusterId(cluster), founders);
    }

    fn enter(&mut self, id: NodeId, cluster: ClusterId, founders: Vec<(NodeId, Incarnation)>) {
        self.id = id;
        self.cluster = Some(cluster);
        self.end(Wish::Enter(Group {
            id,
            cluster,
            founders,
        }));
    }

    fn give_up(&mut self, why: String) {
        self.end(Wish::GiveUp(why));
    }

    fn end(&mut self, wish: Wish) {
        if !mem::replace(&mut self.is_over, true) {
            self.wishes.push(wish);
        }
    }
}

#[cfg(test)]
mod tests;
