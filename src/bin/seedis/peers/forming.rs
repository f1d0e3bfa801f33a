//! How a member comes to its group on its first day: it forms one with others, or is taken in.
//!
//! Those who form a group tell each other the lives of their disks, which are durable by then.
//! Whoever has heard all of them knows the group: its name follows from them, so that all come to
//! the same one without a vote. Whoever was away when the others had heard enough is told by them.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use seedis::ids::{ClusterId, Incarnation, NodeId};
use seedis::node::greeting::{Greeting, Line, Refusal, Standing, seen_from};
use seedis::rng;

use super::handshake::{self, Failure};
use super::{Peers, address, save};

/// What names a group.
const CLUSTER_STREAM: u64 = 0x636c_7573;
/// How long a newcomer waits before it knocks again.
const PAUSE: Duration = Duration::from_millis(500);

/// A group, as its members' logs begin with it.
pub(crate) struct Group {
    pub(crate) cluster: ClusterId,
    pub(crate) founders: Vec<(NodeId, Incarnation)>,
}

/// Waits until all who are to form a group have been heard of.
pub(crate) async fn form(peers: &Rc<Peers>) -> Result<Group, String> {
    peers.link_to_contacts();
    loop {
        if let Some(why) = peers.state.borrow_mut().fatal.take() {
            return Err(why);
        }
        if let Some(group) = known_group(peers) {
            return Ok(group);
        }
        peers.news.notified().await;
    }
}

fn known_group(peers: &Peers) -> Option<Group> {
    let state = peers.state.borrow();
    if let Some(Standing::Member { cluster, founders }) =
        state.found.as_ref().map(|found| found.standing.clone())
    {
        return Some(Group { cluster, founders });
    }
    let (own, Some(Standing::Forming { with })) = (state.roster.own.as_ref()?, &state.standing)
    else {
        return None;
    };
    let life = |id: &NodeId| {
        let met = || state.met.get(id).map(|met| met.incarnation);
        let incarnation = if *id == own.id {
            Some(own.incarnation)
        } else {
            met()
        };
        incarnation.map(|incarnation| (*id, incarnation))
    };
    let founders: Vec<_> = with.iter().map(life).collect::<Option<_>>()?;
    let cluster = founders.iter().fold(0, |name, (id, incarnation)| {
        rng::draw(name, CLUSTER_STREAM, id.0, incarnation.0)
    });
    let cluster = ClusterId(cluster);
    Some(Group { cluster, founders })
}

/// Knocks until a group opens, and takes a number there if this member has none.
pub(crate) async fn join(peers: &Rc<Peers>, door: &str) -> Result<Group, String> {
    let found = loop {
        match knock(peers, door).await {
            Ok(found) => break found,
            Err(Failure::NotYet(why)) => tracing::info!("waiting for a group at {door}: {why}"),
            Err(Failure::Lost(error)) => tracing::info!("waiting for a group at {door}: {error}"),
            Err(Failure::Refused(refusal)) => return Err(format!("{door} is refused: {refusal}")),
            Err(Failure::TurnedAway(why)) => return Err(format!("{door} refuses: {why}")),
        }
        tokio::time::sleep(PAUSE).await;
    };
    let Standing::Member { cluster, founders } = &found.standing else {
        return Err(format!(
            "{door} belongs to no group yet: knock at another member's"
        ));
    };
    let mut state = peers.state.borrow_mut();
    let state = &mut *state;
    let taken = state.roster.contacts.keys().max().copied();
    let founding = founders.iter().map(|(id, _)| *id).max();
    if let Some(own) = &mut state.roster.own
        && own.id == NodeId(0)
    {
        own.id = taken
            .max(founding)
            .max(Some(found.id))
            .unwrap_or_default()
            .next();
        tracing::info!("this member takes number {}", own.id.0);
    }
    let own = state.roster.own.as_ref().map(|own| own.id);
    state.standing = Some(Standing::Joining {
        cluster: Some(*cluster),
    });
    save(&state.roster);
    // A disk that is lost may have had this number. Whoever has opened is of the group for certain:
    // founders that were replaced one after the other must not leave a newcomer that thinks it has
    // founded the group alone.
    let opened = (found.id, found.incarnation);
    let others = founders.iter().copied();
    let others = others.filter(|(id, _)| Some(*id) != own && *id != opened.0);
    let mut founders: Vec<_> = others.chain([opened]).collect();
    founders.sort_unstable();
    Ok(Group {
        cluster: *cluster,
        founders,
    })
}

async fn knock(peers: &Rc<Peers>, door: &str) -> Result<Greeting, Failure> {
    let own = peers.greeting(Line::Control).ok_or(Refusal::NotReady)?;
    let mut stream = address::connect(door, peers.settings.has_secret()).await?;
    let found = handshake::dial(&mut stream, peers.settings.secret.bytes(), &own).await?;
    if !matches!(found.standing, Standing::Member { .. }) {
        return Err(Failure::Lost(io::Error::other("it forms its group yet")));
    }
    let there = stream.peer_addr()?.ip().to_canonical().to_string();
    let mut state = peers.state.borrow_mut();
    let state = &mut *state;
    let contacts = &mut state.roster.contacts;
    for contact in &found.contacts {
        contacts.insert(contact.id, contact.address.clone());
    }
    contacts.insert(found.id, seen_from(&found.address, &there));
    if let Some(own) = &state.roster.own {
        // They remember who had this number before.
        contacts.remove(&own.id);
    }
    Ok(found)
}
