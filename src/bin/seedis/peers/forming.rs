//! How a process comes to its group on its first day: the connections that its `Arrival` wants.

use std::net::IpAddr;
use std::rc::Rc;

use seedis::node::arrival::{Arrival, Failed, Group, Wish};
use seedis::node::greeting::{Greeting, Line, Refusal};
use tokio::net::TcpStream;
use tokio::task;

use super::handshake::{self, Failure};
use super::{Peers, address, save};

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(error) => Self::Lost(error.to_string()),
            Failure::NotYet(why) => Self::NotYet(why),
            Failure::Refused(refusal) => Self::Refused(refusal),
            Failure::TurnedAway(why) => Self::TurnedAway(why),
        }
    }
}

/// Waits until this process has its place in a group.
pub(crate) async fn arrive(peers: &Rc<Peers>, arrival: Arrival) -> Result<Group, String> {
    peers.state.borrow_mut().arrival = Some(arrival);
    loop {
        let (wishes, deadline) = {
            let mut state = peers.state.borrow_mut();
            let Some(arrival) = &mut state.arrival else {
                return Err("nobody wants to come in".into());
            };
            let now = peers.now();
            (arrival.next(now), arrival.deadline())
        };
        for wish in wishes {
            match wish {
                Wish::Dial(address) => {
                    task::spawn_local(dial(Rc::clone(peers), address));
                }
                Wish::Tell(text) => tracing::info!("{text}"),
                Wish::Enter(group) => {
                    enter(peers, &group);
                    return Ok(group);
                }
                Wish::GiveUp(why) => return Err(why),
            }
        }
        let pause = deadline.since(peers.now());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = peers.news.notified() => {}
        }
    }
}

/// Writes down which number this member has.
fn enter(peers: &Peers, group: &Group) {
    let mut state = peers.state.borrow_mut();
    let state = &mut *state;
    if let Some(own) = &mut state.roster.own {
        if own.id != group.id {
            tracing::info!("this member takes number {}", group.id.0);
        }
        own.id = group.id;
    }
    // Others remember who had this number before.
    state.roster.contacts.remove(&group.id);
    save(&state.roster);
}

async fn dial(peers: Rc<Peers>, to: String) {
    let outcome = talk(&peers, &to).await;
    match outcome {
        Ok((stream, other)) => {
            let ends = stream
                .local_addr()
                .and_then(|here| Ok((here, stream.peer_addr()?)));
            let ends = ends.map(|(here, there)| (here.ip(), there.ip()));
            match ends {
                Ok((here, there)) => heard(&peers, &to, (here, there), &other),
                Err(error) => failed(&peers, &to, error.into()),
            }
        }
        Err(failure) => failed(&peers, &to, failure),
    }
    peers.news.notify_one();
}

async fn talk(peers: &Rc<Peers>, to: &str) -> Result<(TcpStream, Greeting), Failure> {
    let own = peers.greeting(Line::Control).ok_or(Refusal::NotReady)?;
    let mut stream = address::connect(to, peers.settings.has_secret()).await?;
    let other = handshake::dial(&mut stream, peers.settings.secret.bytes(), &own).await?;
    Ok((stream, other))
}

fn heard(peers: &Rc<Peers>, to: &str, (here, there): (IpAddr, IpAddr), other: &Greeting) {
    let now = peers.now();
    let host = there.to_canonical().to_string();
    if let Some(arrival) = &mut peers.state.borrow_mut().arrival {
        arrival.heard(now, to, &host, other);
        if arrival.greeting().judge(&[], other).is_err() {
            return;
        }
    }
    peers.met(other, here, there);
}

fn failed(peers: &Peers, to: &str, failure: Failure) {
    let now = peers.now();
    if let Some(arrival) = &mut peers.state.borrow_mut().arrival {
        arrival.failed(now, to, failure.into());
    }
}
