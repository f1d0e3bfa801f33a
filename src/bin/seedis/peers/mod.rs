//! The other members: who they are, how they are reached, and what is said to them.
//!
//! Every member dials every other, twice: one connection for what is small and must not wait, one
//! for entries and states (`Line`). A member sends over the connections that it has dialled, and
//! receives over those that it has answered. A frame that cannot leave now is dropped: Raft says
//! again what was lost.

pub(crate) mod address;
pub(crate) mod beat;
mod door;
mod forming;
mod handshake;
mod link;
mod roster;
mod secret;
pub(crate) mod start;
mod strangers;
mod told;

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use seedis::ids::{Incarnation, LogIndex, NodeId};
use seedis::limits::PEERS_KNOWN_MAX;
use seedis::node::arrival::Arrival;
use seedis::node::effect::{Class, Effect};
use seedis::node::greeting::{Admission, Contact, Greeting, Line, Refusal, Standing, seen_from};
use seedis::node::input::Input;
use seedis::time::Mono;
use tokio::sync::Notify;
use tokio::task;
use tokio::time::Instant;

use crate::serve::Server;
use crate::versions;
use link::Link;
use roster::{Progress, Roster};
use secret::Secret;
use strangers::Strangers;
use told::Told;

/// How often a newcomer asks to be taken in, and the file of members is looked after.
const HOUSEKEEPING: Duration = Duration::from_millis(200);
/// How often a newcomer says for what it waits.
const TOLD_AGAIN: Duration = Duration::from_secs(10);
/// For how long somebody who has knocked is dialled without being a member.
const HOSPITALITY: Duration = Duration::from_mins(1);

/// The settings that do not change while the process lives.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The secret that all members share; empty: only members of this machine are let in.
    pub(crate) secret: Secret,
    /// The members whose addresses the operator has given: other members' word of them counts less.
    pub(crate) pinned: BTreeSet<NodeId>,
    /// The address at which clients reach this member; without a host, at whatever host peers see.
    pub(crate) clients: String,
}

impl Settings {
    pub(crate) fn has_secret(&self) -> bool {
        !self.secret.bytes().is_empty()
    }
}

/// The peer on a connection: a number, and the life of a disk.
type Talker = (NodeId, Incarnation);

/// The facts that a peer has told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Met {
    incarnation: Incarnation,
    clients: String,
    cluster_port: u16,
    entry_versions: (u8, u8),
}

/// The other members of the group, and those who may become some.
pub(crate) struct Peers {
    settings: Settings,
    state: RefCell<State>,
    /// When the process began.
    begun: Instant,
    /// Something came of a dial, or somebody has come.
    news: Notify,
    /// The connections that have not proven themselves yet.
    strangers: Rc<Strangers>,
    /// The peers that are listened to; each is notified when the same member connects anew.
    heard: RefCell<BTreeMap<(Talker, Line), Rc<Notify>>>,
    /// The last lines logged about other members.
    told: RefCell<Told>,
}

struct State {
    roster: Roster,
    /// How it comes to its group, on its first day.
    arrival: Option<Arrival>,
    met: BTreeMap<NodeId, Met>,
    links: BTreeMap<(NodeId, Line), Rc<Link>>,
    /// The processes that have asked to join, and when.
    guests: BTreeMap<NodeId, Instant>,
    /// For whom it is spoken; nobody, before the group is known.
    server: Weak<Server>,
    /// The address of this machine that a peer has seen.
    host: Option<IpAddr>,
}

impl Peers {
    /// A member whose data directory says this of it.
    pub(crate) fn new(settings: Settings, roster: Roster) -> Rc<Self> {
        let state = State {
            roster,
            arrival: None,
            met: BTreeMap::new(),
            links: BTreeMap::new(),
            guests: BTreeMap::new(),
            server: Weak::new(),
            host: None,
        };
        Rc::new(Self {
            settings,
            state: RefCell::new(state),
            begun: Instant::now(),
            news: Notify::new(),
            strangers: Rc::default(),
            heard: RefCell::default(),
            told: RefCell::default(),
        })
    }

    /// From now on peers are spoken to for this server.
    pub(crate) fn serve(self: &Rc<Self>, server: &Rc<Server>) {
        for (id, met) in &self.state.borrow().met {
            server.tell(Input::Met {
                id: *id,
                incarnation: met.incarnation,
                address: &met.clients,
                cluster_port: met.cluster_port,
                entry_versions: met.entry_versions,
            });
        }
        self.state.borrow_mut().server = Rc::downgrade(server);
        self.link_to_contacts();
        if let Err(error) = beat::start() {
            tracing::warn!("cannot repeat heartbeats during long turns: {error}");
        }
        task::spawn_local(Rc::clone(self).keep_house());
    }

    /// The time since the process began.
    fn now(&self) -> Mono {
        Mono::default() + self.begun.elapsed()
    }

    fn server(&self) -> Option<Rc<Server>> {
        self.state.borrow().server.upgrade()
    }

    /// This member's number.
    fn own_id(&self) -> NodeId {
        let state = self.state.borrow();
        state.roster.own.as_ref().map_or(NodeId(1), |own| own.id)
    }

    /// Says to a member what the node wants said. Returns what the node is to know of that.
    pub(crate) fn perform(&self, effect: Effect) -> Option<Input<'static>> {
        match effect {
            Effect::Message { to, class, frame } => self.send(to, class, *frame),
            Effect::Tell {
                to,
                messages,
                frame,
            } => {
                let state = self.state.borrow();
                let link = state.links.get(&(to, Line::Bulk));
                // What cannot leave soon is dropped.
                if !link.is_some_and(|link| link.tell(&frame)) {
                    return Some(Input::NotTold { messages });
                }
            }
            _ => {}
        }
        None
    }

    /// Sends a frame, if there is a connection for it.
    fn send(&self, to: NodeId, class: Class, frame: Vec<u8>) {
        let line = match class {
            Class::Control => Line::Control,
            Class::Append | Class::Bulk => Line::Bulk,
        };
        if let Some(link) = self.state.borrow().links.get(&(to, line)) {
            link.send(link::Kind::Raft, frame);
        }
    }

    /// Dials everybody who is known and not dialled yet.
    fn link_to_contacts(self: &Rc<Self>) {
        let contacts: Vec<NodeId> = self
            .state
            .borrow()
            .roster
            .contacts
            .keys()
            .copied()
            .collect();
        for to in contacts {
            for line in [Line::Control, Line::Bulk] {
                let links = &mut self.state.borrow_mut().links;
                if let Entry::Vacant(place) = links.entry((to, line)) {
                    let link = place.insert(Rc::new(Link::new(to, line)));
                    task::spawn_local(link::keep(Rc::clone(self), Rc::clone(link)));
                }
            }
        }
    }

    /// This member's greeting; `None` while its disk has not been read.
    fn greeting(&self, line: Line) -> Option<Greeting> {
        let state = self.state.borrow();
        let own = state.roster.own.as_ref()?;
        let (id, incarnation, applied, standing) = match (state.server.upgrade(), &state.arrival) {
            (Some(server), _) => {
                let (incarnation, member) = server.standing_in_group()?;
                let standing = match (own.progress, member) {
                    (Progress::Joining, Standing::Member { cluster, .. }) => Standing::Joining {
                        cluster: Some(cluster),
                    },
                    (_, member) => member,
                };
                (own.id, incarnation, server.applied(), standing)
            }
            (None, Some(arrival)) => (
                arrival.id(),
                own.incarnation,
                LogIndex(0),
                arrival.standing(),
            ),
            (None, None) => return None,
        };
        let contact = |(id, address): (&NodeId, &String)| Contact {
            id: *id,
            address: address.clone(),
        };
        Some(Greeting {
            line,
            id,
            incarnation,
            applied,
            address: own.address.clone(),
            clients: self.settings.clients.clone(),
            standing,
            contacts: state.roster.contacts.iter().map(contact).collect(),
            admission: Admission::Unasked,
            entry_versions: versions::known(),
            speaks: state.server.upgrade().map_or(0, |server| server.speaks()),
        })
    }

    /// Decides whether this member goes on with another that sends this greeting.
    fn judge(&self, other: &Greeting) -> Result<Greeting, Refusal> {
        let mut own = self.greeting(other.line).ok_or(Refusal::NotReady)?;
        if !self.state.borrow().has_room_for(other.id) {
            return Err(Refusal::TooMany);
        }
        let members = self
            .server()
            .map(|server| server.members_for_good())
            .unwrap_or_default();
        own.judge(&members, other)?;
        if matches!(other.standing, Standing::Joining { .. })
            && let Some(server) = self.server()
        {
            own.admission = server.admission(other);
        }
        Ok(own)
    }

    /// Takes note of a member on the other side of a connection between these two machines.
    fn met(self: &Rc<Self>, other: &Greeting, own_host: IpAddr, their_host: IpAddr) {
        let their_host = their_host.to_canonical().to_string();
        let met = Met {
            incarnation: other.incarnation,
            clients: seen_from(&other.clients, &their_host),
            cluster_port: port_of(&other.address),
            entry_versions: other.entry_versions,
        };
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let is_new_host = state.host.replace(own_host) != Some(own_host);
        if is_new_host && let Some(server) = state.server.upgrade() {
            self.tell_own_address(state, &server);
        }
        if let Some(arrival) = &mut state.arrival {
            arrival.visited(other);
        }
        if matches!(other.standing, Standing::Joining { .. }) && other.id != NodeId(0) {
            state.guests.insert(other.id, Instant::now());
        }
        let members = state.server.upgrade().map(|server| server.members());
        let members = members.unwrap_or_default();
        let is_another = |(id, life): &(NodeId, Incarnation)| {
            *id == other.id && *life != other.incarnation && *life != Incarnation(0)
        };
        // One that asks for a number which another disk has is not to be taken for that member.
        let is_member_or_guest =
            matches!(other.standing, Standing::Member { .. }) || !members.iter().any(is_another);
        if other.id != NodeId(0) && is_member_or_guest {
            let address = seen_from(&other.address, &their_host);
            let own = state.roster.own.as_ref().map(|own| own.id);
            let mut contacts = vec![(other.id, address, true)];
            for contact in &other.contacts {
                contacts.push((contact.id, contact.address.clone(), false));
            }
            let mut has_changed = false;
            for (id, address, is_first_hand) in contacts {
                let known = state.roster.contacts.get(&id);
                let is_pinned = self.settings.pinned.contains(&id);
                let is_newer =
                    known.is_none_or(|known| is_first_hand && !is_pinned && *known != address);
                let has_room = known.is_some() || state.roster.contacts.len() < PEERS_KNOWN_MAX;
                if Some(id) != own && id != NodeId(0) && is_newer && has_room {
                    state.roster.contacts.insert(id, address);
                    has_changed = true;
                }
            }
            if has_changed {
                save(&state.roster);
            }
            if state.met.get(&other.id) != Some(&met) {
                if let Some(server) = state.server.upgrade() {
                    server.tell(Input::Met {
                        id: other.id,
                        incarnation: met.incarnation,
                        address: &met.clients,
                        cluster_port: met.cluster_port,
                        entry_versions: met.entry_versions,
                    });
                }
                state.met.insert(other.id, met);
            }
        }
        self.news.notify_one();
        if state.server.upgrade().is_some() {
            let peers = Rc::clone(self);
            task::spawn_local(async move { peers.link_to_contacts() });
        }
    }

    /// Tells the node where its own clients reach it.
    fn tell_own_address(&self, state: &State, server: &Server) {
        let (Some(own), Some((incarnation, _))) = (&state.roster.own, server.standing_in_group())
        else {
            return;
        };
        let host = state.host.map(|host| host.to_canonical().to_string());
        server.tell(Input::Met {
            id: own.id,
            incarnation,
            address: &seen_from(
                &self.settings.clients,
                host.as_deref().unwrap_or("127.0.0.1"),
            ),
            cluster_port: port_of(&own.address),
            entry_versions: versions::known(),
        });
    }

    /// Tells why there is no connection with somebody.
    fn tell(&self, text: String) {
        self.told.borrow_mut().warn(text);
    }

    /// A newcomer asks to be taken in; whoever has come in writes so down; who has left is dialled
    /// no more.
    async fn keep_house(self: Rc<Self>) {
        let mut is_address_told = false;
        let mut told = Instant::now();
        loop {
            tokio::time::sleep(HOUSEKEEPING).await;
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let Some(server) = state.server.upgrade() else {
                return;
            };
            if !is_address_told && server.standing_in_group().is_some() {
                self.tell_own_address(state, &server);
                is_address_told = true;
            }
            let Some(own) = &mut state.roster.own else {
                continue;
            };
            match own.progress {
                Progress::Joining if server.is_settled_voter(own.id) => {
                    tracing::info!("this member is a voter of its group now");
                    own.progress = Progress::Member;
                    state.roster.door = None;
                    save(&state.roster);
                }
                Progress::Joining => {
                    if told.elapsed() >= TOLD_AGAIN {
                        told = Instant::now();
                        tracing::info!("waiting to become a voter: {}", server.waits_for_vote());
                    }
                    for link in state
                        .links
                        .values()
                        .filter(|link| link.line == Line::Control)
                    {
                        link.send(link::Kind::Wants, Vec::new());
                    }
                }
                Progress::Forming if server.standing_in_group().is_some() => {
                    own.progress = Progress::Member;
                    save(&state.roster);
                }
                Progress::Member if server.is_removed() => {
                    own.progress = Progress::Removed;
                    save(&state.roster);
                }
                Progress::Removed if server.belongs() => {
                    own.progress = Progress::Member;
                    save(&state.roster);
                }
                Progress::Forming | Progress::Member | Progress::Removed => {}
            }
            state.forget_strangers(&server);
        }
    }
}

impl State {
    /// Returns true if a member is known already, or one more can be.
    fn has_room_for(&self, id: NodeId) -> bool {
        self.met.contains_key(&id) || self.met.len() < PEERS_KNOWN_MAX
    }

    /// Gives up those who are no members any more.
    fn forget_strangers(&mut self, server: &Server) {
        let own = self.roster.own.as_ref();
        if !own.is_some_and(|own| own.progress == Progress::Member && server.speaks_to(own.id)) {
            return;
        }
        self.guests.retain(|_, since| since.elapsed() < HOSPITALITY);
        let guests = &self.guests;
        let is_known = |id: NodeId| server.speaks_to(id) || guests.contains_key(&id);
        self.met.retain(|id, _| is_known(*id));
        let before = self.roster.contacts.len();
        self.roster.contacts.retain(|id, _| is_known(*id));
        if self.roster.contacts.len() == before {
            return;
        }
        self.links.retain(|(to, _), link| {
            let is_kept = is_known(*to);
            if !is_kept {
                link.give_up();
            }
            is_kept
        });
        save(&self.roster);
    }
}

/// The port of an address; 0 where it has none.
fn port_of(address: &str) -> u16 {
    let port = address.rsplit_once(':').map(|(_, port)| port.parse());
    port.and_then(Result::ok).unwrap_or(0)
}

fn save(roster: &Roster) {
    if let Err(error) = roster.save() {
        tracing::warn!("{error}");
    }
}
