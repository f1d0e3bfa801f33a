//! The plan of a process, out of its options and its data directory: a standalone server, or a
//! member.

use std::net::ToSocketAddrs;
use std::rc::Rc;

use seedis::ids::{Incarnation, NodeId};
use seedis::node::arrival::{Arrival, Wanted};
use seedis::node::config::Config;
use tokio::task;

use super::forming;
use super::roster::{Own, Progress, Roster};
use super::secret::Secret;
use super::{Peers, Settings, address};
use crate::config::Options;
use crate::{entropy, listener, places};

/// How far the cluster port lies above the clients' port, as in Redis.
pub(crate) const PORT_OFFSET: u16 = 10_000;

/// The role that a process is to take.
pub(crate) enum Plan {
    /// A server without a cluster port.
    Alone,
    /// A member, or a server that members may come to; what they all know.
    Member(Roster, Secret),
}

/// The plan for this process, from the options and the directory; errors if they contradict each
/// other. An error is the options' fault.
pub(crate) fn plan(options: &Options) -> Result<Plan, String> {
    if options.dir.as_os_str().is_empty() {
        return Err("dir is empty: name the data directory, or leave the option out".into());
    }
    places::check(options)?;
    let has_log = has_log(options);
    let mut roster = Roster::load(&options.dir)?;
    let is_member = roster.own.is_some();
    let is_asked = !options.peers.is_empty() || options.join.is_some();
    if !is_asked && !is_member && options.cluster_port.is_none() {
        return match options.id {
            None => Ok(Plan::Alone),
            Some(_) => Err(
                "--id is only for a member of a group: add --peers or --join, or --cluster-port so \
                 that others can join this one"
                    .into(),
            ),
        };
    }
    if !options.appendonly.is_on() {
        return Err("a member of a group needs its log: it cannot have --appendonly no".into());
    }
    let id = options.id.map(NodeId);
    if let (Some(id), Some(own)) = (id, &roster.own)
        && id != own.id
        && own.id != NodeId(0)
    {
        let (own, dir) = (own.id.0, options.dir.display());
        return Err(format!(
            "the data directory {dir} belongs to member {own}, not to {}",
            id.0
        ));
    }
    if is_asked && has_log && !is_member {
        let dir = options.dir.display();
        return Err(format!(
            "the data directory {dir} holds the data of a standalone server: start it with \
             --cluster-port and without --peers and --join, and let the others --join it"
        ));
    }
    if options.join.is_some()
        && let Some(own) = &roster.own
    {
        let (id, dir) = (own.id.0, options.dir.display());
        match own.progress {
            Progress::Removed => {
                return Err(format!(
                    "the data directory {dir} belongs to member {id}, which was removed from its \
                     group: empty it, and join again as a new member (--join)"
                ));
            }
            Progress::Member => tracing::info!(
                "--join is ignored: the data directory {dir} already belongs to member {id} of a \
                 group"
            ),
            Progress::Forming | Progress::Joining => {}
        }
    }
    let own_peer = own_peer(options, id.or(roster.own.as_ref().map(|own| own.id)))?;
    let address = match (&own_peer, options.cluster_port, &roster.own) {
        (Some(address), _, _) => address.clone(),
        (None, Some(port), _) => format!(":{port}"),
        (None, None, Some(own)) => own.address.clone(),
        (None, None, None) => match options.port.checked_add(PORT_OFFSET) {
            Some(port) if options.port != 0 => format!(":{port}"),
            _ => {
                return Err(format!(
                    "--port {} has no port 10000 above it, the default for other members: give \
                     --cluster-port",
                    options.port
                ));
            }
        },
    };
    for (id, address) in &options.peers {
        roster.contacts.insert(NodeId(*id), address.clone());
    }
    let incarnation = entropy::number().map_err(|error| error.to_string())?;
    let own = roster.own.get_or_insert(Own {
        id: id.unwrap_or(if options.join.is_some() {
            NodeId(0)
        } else {
            NodeId(1)
        }),
        incarnation: Incarnation(incarnation),
        address: String::new(),
        progress: match (&options.join, options.peers.is_empty()) {
            (Some(_), _) => Progress::Joining,
            (None, false) => Progress::Forming,
            (None, true) => Progress::Member,
        },
    });
    own.address = address;
    if own.id == NodeId(0) {
        own.id = id.unwrap_or_default();
    }
    if let Some(door) = &options.join
        && own.progress == Progress::Joining
    {
        roster.door = Some(door.clone());
    }
    roster.contacts.remove(&own.id);
    let file = options.cluster_secret_file.as_deref();
    let secret = Secret::read(&options.cluster_secret, file)?;
    let has_secret = !secret.bytes().is_empty();
    let own = roster.own.as_ref().map_or("", |own| &own.address);
    let port = own.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    if !has_secret {
        stays_here(options, &roster)?;
    }
    let bind = bind_addresses(options, has_secret);
    places::check_members(options, port.unwrap_or_default(), &bind)?;
    Ok(Plan::Member(roster, secret))
}

/// The number under which a newcomer asks: whoever has written one down and is not told one by its
/// operator was given it.
fn wanted(options: &Options, id: NodeId) -> Wanted {
    match id {
        NodeId(0) => Wanted::Any,
        id if options.id == Some(id.0) => Wanted::Named(id),
        id => Wanted::Given(id),
    }
}

/// Returns true if the data directory holds a log.
fn has_log(options: &Options) -> bool {
    options.dir.join("manifest").exists()
}

/// This member's own place among those that are to form a group.
fn own_peer(options: &Options, id: Option<NodeId>) -> Result<Option<String>, String> {
    if options.peers.is_empty() {
        return Ok(None);
    }
    let id = id.ok_or("--peers needs --id, the number of this member")?;
    let mut numbers: Vec<u64> = options.peers.iter().map(|(id, _)| *id).collect();
    numbers.sort_unstable();
    if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("--peers names a number twice".into());
    }
    let own = options.peers.iter().find(|(peer, _)| *peer == id.0);
    let own = own.ok_or_else(|| {
        format!(
            "--peers does not list member {}, which is this one (--id)",
            id.0
        )
    })?;
    Ok(Some(own.1.clone()))
}

/// The advice if members of other machines are to be let in.
const MAKE_A_SECRET: &str = "make one with: openssl rand -hex 32, and give the same to every \
                             member as --cluster-secret-file FILE or in SEEDIS_CLUSTER_SECRET";

/// Errors if a group without a secret could be reached from other machines: any process that
/// reaches the cluster port of such a group is let in. A password for clients and protected-mode
/// are about another port.
fn stays_here(options: &Options, roster: &Roster) -> Result<(), String> {
    for address in bind_addresses(options, false) {
        let host = listener::host_of(&address);
        // A name that is not known stands in the way of listening, which says so.
        if address::all_here(&format!("{}:0", bracketed(host))) == Some(false) {
            return Err(format!(
                "--cluster-bind {address} lets other machines reach the cluster port, and there is \
                 no cluster-secret: anybody could join the group, read all data and change it, \
                 regardless of requirepass and protected-mode; {MAKE_A_SECRET}, or listen on \
                 127.0.0.1 only"
            ));
        }
    }
    let mut addresses = roster.contacts.values().chain(&roster.door);
    // A name that is not known yet is none of this machine's, or will be told later.
    match addresses.find(|address| address::all_here(address) == Some(false)) {
        None => Ok(()),
        Some(address) => Err(format!(
            "{address} is another machine, and members on several machines accept each other only \
             with a --cluster-secret, the same for all; {MAKE_A_SECRET}"
        )),
    }
}

/// The addresses of the cluster port: with a secret all of this machine, of both versions as far as
/// it has them; without one only those that no other machine can reach.
fn bind_addresses(options: &Options, has_secret: bool) -> Vec<String> {
    let given = options.cluster_bind.as_deref().unwrap_or_default();
    let default = if has_secret {
        "* -::*"
    } else {
        "127.0.0.1 -::1"
    };
    let given = if given.trim().is_empty() {
        default
    } else {
        given
    };
    given.split_whitespace().map(str::to_owned).collect()
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Opens the cluster port and, on the first day, waits for the group. The configuration is
/// completed by what it says.
pub(crate) async fn enter(
    options: &Options,
    roster: Roster,
    secret: Secret,
    config: &mut Config,
) -> Result<Rc<Peers>, String> {
    let Some(own) = roster.own.clone() else {
        return Err("a member without a number".into());
    };
    let is_new = !has_log(options);
    let (door, contacts) = (roster.door.clone(), roster.contacts.clone());
    // What is said to others of this member is to be the same after a crash. Where they are
    // reached, they will say themselves.
    if let Err(error) = roster.save() {
        if !roster.knows_itself() {
            return Err(error);
        }
        tracing::warn!("{error}; the addresses of the other members in it are not updated");
    }
    let settings = Settings {
        secret,
        pinned: options.peers.iter().map(|(id, _)| NodeId(*id)).collect(),
        clients: advertised(options)?,
    };
    let peers = Peers::new(settings, roster);
    config.process.cluster_port = listen(options, &own.address, &peers)?;
    config.incarnation = own.incarnation;
    config.process.was_removed = own.progress == Progress::Removed;
    config.process.has_voted =
        config.process.was_removed || !is_new && own.progress == Progress::Member;
    let arrival = match (own.progress, door) {
        _ if !is_new => None,
        (Progress::Member | Progress::Removed, _) => None,
        (Progress::Forming, _) => {
            let mut with: Vec<u64> = contacts.keys().map(|id| id.0).chain([own.id.0]).collect();
            with.sort_unstable();
            let with: Vec<String> = with.iter().map(u64::to_string).collect();
            tracing::info!("forming a group of members {}", with.join(", "));
            let now = peers.now();
            Some(Arrival::forming(own.id, own.incarnation, &contacts, now))
        }
        (Progress::Joining, Some(door)) => {
            tracing::info!("asking {door} to join its group");
            let now = peers.now();
            Some(Arrival::joining(
                wanted(options, own.id),
                own.incarnation,
                &door,
                &contacts,
                now,
            ))
        }
        (Progress::Joining, None) => {
            return Err("no group to join: give --join".into());
        }
    };
    if let Some(arrival) = arrival {
        let arrival = arrival.knowing(config.entry_versions);
        let group = forming::arrive(&peers, arrival).await?;
        (config.cluster, config.founders) = (group.cluster, group.founders);
    }
    config.id = peers.own_id();
    Ok(peers)
}

/// The address at which clients reach this member, in numbers, which every client understands.
fn advertised(options: &Options) -> Result<String, String> {
    let Some(address) = &options.advertise else {
        return Ok(format!(":{}", options.port));
    };
    let resolved = address
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next());
    let resolved =
        resolved.ok_or_else(|| format!("--advertise {address}: there is no such host"))?;
    Ok(resolved.to_string())
}

fn listen(options: &Options, address: &str, peers: &Rc<Peers>) -> Result<u16, String> {
    let port = address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let port = port.ok_or_else(|| format!("{address} has no port"))?;
    let has_secret = peers.settings.has_secret();
    let mut opened = Vec::new();
    for bind in bind_addresses(options, has_secret) {
        for listener in listener::listen(&bind, port).map_err(|error| error.to_string())? {
            let own = listener.local_addr().map_err(|error| error.to_string())?;
            if !has_secret && !address::is_here(own.ip()) {
                return Err(format!(
                    "{own} can be reached from other machines, and there is no cluster-secret; \
                     {MAKE_A_SECRET}"
                ));
            }
            opened.push(own.to_string());
            task::spawn_local(Rc::clone(peers).answer(listener));
        }
    }
    let opened = opened.join(", ");
    if opened.is_empty() {
        return Err(format!(
            "there is no address to listen on for other members, port {port}"
        ));
    }
    if !has_secret {
        tracing::warn!(
            "no cluster-secret: every process of this machine that can connect to {opened} can \
             join the group, read all data and change it"
        );
    } else if peers.settings.secret.is_short() {
        tracing::warn!(
            "the cluster-secret is short: somebody who records the members' traffic can guess it; \
             {MAKE_A_SECRET}"
        );
    }
    Ok(port)
}
