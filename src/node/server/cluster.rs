//! CLUSTER: the group as a Redis Cluster of one shard, whose primary is the leader.
//!
//! Cluster clients learn from it whom to ask, and to whom to turn when another leads. A member
//! whose address for clients is not known yet is not shown: an empty address would be taken for the
//! one that was asked (redis.io/commands/cluster-slots).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::time::Duration;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::slot::{self, SLOTS};
use crate::command::verb::ClusterVerb;
use crate::ids::NodeId;
use crate::node::replica::standing::endpoint;
use crate::node::{Node, Phase};
use crate::raft::RoleName;
use crate::resp::reply::Reply;

use super::request::Request;

/// A member as clients see it.
struct Place<'a> {
    id: NodeId,
    /// 40 hexadecimal digits, another for every disk.
    name: String,
    host: &'a str,
    port: u16,
    cluster_port: u16,
    is_leader: bool,
    /// For how long it was not heard of, where this member listens for it.
    unheard: Option<Duration>,
    /// It counts as gone, as far as this member knows.
    is_silent: bool,
}

impl Place<'_> {
    fn role(&self) -> &'static [u8] {
        if self.is_leader {
            b"master"
        } else {
            b"replica"
        }
    }
}

impl Node {
    pub(super) fn cluster_verb(&mut self, verb: ClusterVerb, request: Request<'_, '_>) -> Outcome {
        let Request {
            args, mut reply, ..
        } = request;
        if verb != ClusterVerb::KeySlot && !self.is_cluster() {
            return Err(Error::text(
                "ERR This instance has cluster support disabled".into(),
            ));
        }
        match verb {
            ClusterVerb::KeySlot => reply.integer(i64::from(slot::of(args.at(2)))),
            ClusterVerb::CountKeysInSlot => {
                let count = self.keys_in(slot_of(args)?).count();
                reply.integer(count as i64);
            }
            ClusterVerb::GetKeysInSlot => {
                let most = usize::try_from(args.integer(3)?)
                    .map_err(|_| Error::text("ERR Invalid number of keys".into()))?;
                let keys: Vec<&[u8]> = self.keys_in(slot_of(args)?).take(most).collect();
                reply.array(keys.len());
                for key in keys {
                    reply.bulk(key);
                }
            }
            ClusterVerb::Info => reply.verbatim(*b"txt", &self.cluster_info()),
            ClusterVerb::Nodes => reply.verbatim(*b"txt", &self.cluster_nodes()),
            ClusterVerb::Slots => self.cluster_slots(&mut reply),
            ClusterVerb::Shards => self.cluster_shards(&mut reply),
            ClusterVerb::MyId => reply.bulk(self.name_of(self.config.id).as_bytes()),
            // There is one shard, the group.
            ClusterVerb::MyShardId => {
                let cluster = self.replica.cluster();
                reply.bulk_fmt(format_args!("{cluster:040x}"));
            }
        }
        Ok(())
    }

    /// Returns the word by which clients know what they talk to.
    pub(in crate::node) fn mode(&self) -> &'static str {
        if self.is_cluster() {
            "cluster"
        } else {
            "standalone"
        }
    }

    /// Returns true if clients see a cluster: there are other members, or may come to be some.
    pub(in crate::node) fn is_cluster(&self) -> bool {
        self.replica.is_grouped() || self.config.process.cluster_port != 0
    }

    fn keys_in(&self, wanted: u16) -> impl Iterator<Item = &[u8]> {
        let keys = self.store.keys(0, self.replicated.stamp());
        keys.filter(move |key| slot::of(key) == wanted)
    }

    /// Returns the name of a member, which tells it and the disk that it has.
    fn name_of(&self, id: NodeId) -> String {
        let raft = self.replica.raft();
        let member = raft.and_then(|raft| raft.in_force().get(id));
        let life = match raft {
            Some(raft) if id == self.config.id => raft.incarnation().0,
            _ => member.map_or(0, |member| member.incarnation.0),
        };
        let cluster = self.replica.cluster();
        format!("{cluster:016x}{life:016x}{:08x}", id.0 as u32)
    }

    /// The members that clients can be sent to, the leader first; as long as nobody leads, the one
    /// that did last.
    fn places(&self) -> Vec<Place<'_>> {
        let Some(raft) = self.replica.raft() else {
            return Vec::new();
        };
        let leader = raft.leader().or(self.replica.last_leader());
        // This member shows itself as the master only while it serves.
        let leader = leader.filter(|leader| *leader != self.config.id || self.is_master());
        let members = raft.in_force().members();
        let mut places: Vec<Place<'_>> = members
            .filter_map(|member| {
                let met = self.replica.met(member.id)?;
                let (host, port) = endpoint(&met.address)?;
                Some(Place {
                    id: member.id,
                    name: self.name_of(member.id),
                    host,
                    port,
                    cluster_port: met.cluster_port,
                    is_leader: Some(member.id) == leader,
                    unheard: raft.unheard(member.id, self.now.mono),
                    is_silent: self.is_silent(member.id),
                })
            })
            .collect();
        places.sort_by_key(|place| !place.is_leader);
        places
    }

    /// Returns true if a member counts as gone, or its log contradicts this leader's. A leader
    /// knows that of all others; one that follows knows it only of the leader that it had.
    pub(super) fn is_silent(&self, id: NodeId) -> bool {
        let raft = self.replica.raft();
        raft.is_some_and(|raft| {
            let is_former = self.replica.last_leader() == Some(id) && raft.leader().is_none();
            let is_gone = raft.is_silent(id, self.now.mono) || raft.is_contradicted_by(id);
            id != self.config.id && (is_former || is_gone)
        })
    }

    /// Up to which entry a member is known to hold the log; 0 where that is not known.
    fn offset_of(&self, place: &Place<'_>) -> i64 {
        let raft = self.replica.raft();
        let held = raft.map_or(0, |raft| match raft.role() {
            _ if place.id == self.config.id => self.replica.applied().0,
            RoleName::Leader => raft.held_by(place.id).0,
            _ if place.is_leader => raft.known_commit().0,
            _ => 0,
        });
        held as i64
    }

    /// Returns true if somebody leads, and this member is on terms with it: it serves, or follows
    /// with its state loaded.
    fn is_linked(&self) -> bool {
        let raft = self.replica.raft();
        let leader = raft
            .filter(|raft| !raft.contradicts_leader())
            .and_then(|raft| raft.leader());
        let is_other = leader.is_some_and(|leader| leader != self.config.id);
        let is_follower = is_other && !self.is_removed();
        self.phase != Phase::Recovering && (self.is_master() || is_follower)
    }

    /// Returns true if this member is still being given the state that it is to serve.
    fn is_given_state(&self) -> bool {
        self.phase == Phase::Recovering || self.replica.is_receiving_state()
    }

    fn others<'a>(&self, places: &'a [Place<'a>]) -> Vec<&'a Place<'a>> {
        let others = places.iter().filter(|place| place.id != self.config.id);
        others.collect()
    }

    fn cluster_info(&self) -> String {
        let raft = self.replica.raft();
        let state = if self.is_linked() { "ok" } else { "fail" };
        let known = raft.map_or(1, |raft| raft.in_force().members().count());
        let term = raft.map_or(0, |raft| raft.term().0);
        let mut text = String::new();
        for (field, value) in [
            ("cluster_enabled", "1"),
            ("cluster_state", state),
            ("cluster_slots_assigned", "16384"),
            ("cluster_slots_ok", "16384"),
            ("cluster_slots_pfail", "0"),
            ("cluster_slots_fail", "0"),
        ] {
            let _ = write!(text, "{field}:{value}\r\n");
        }
        let _ = write!(
            text,
            "cluster_known_nodes:{known}\r\ncluster_size:1\r\ncluster_current_epoch:{term}\r\n\
             cluster_my_epoch:{term}\r\n"
        );
        text
    }

    fn cluster_nodes(&self) -> String {
        let places = self.places();
        let leader = places.iter().find(|place| place.is_leader);
        let leader = leader.map_or("-", |place| &place.name);
        let term = self.replica.raft().map_or(0, |raft| raft.term().0);
        let mut text = String::new();
        for place in &places {
            let own = if place.id == self.config.id {
                "myself,"
            } else {
                ""
            };
            let (role, of, slots) = if place.is_leader {
                ("master", "-", " 0-16383")
            } else {
                ("slave", leader, "")
            };
            let (fail, link) = if place.is_silent {
                (",fail", "disconnected")
            } else {
                ("", "connected")
            };
            let (name, host, port) = (&place.name, place.host, place.port);
            let bus = place.cluster_port;
            let _ = writeln!(
                text,
                "{name} {host}:{port}@{bus} {own}{role}{fail} {of} 0 0 {term} {link}{slots}"
            );
        }
        if places.iter().all(|place| place.id != self.config.id) {
            // Clients look for the one that they ask: it shows itself also where the group does
            // not have it, or nobody has told it yet by which address it is reached.
            let name = self.name_of(self.config.id);
            let met = self.replica.met(self.config.id);
            let (host, port) = met
                .and_then(|met| endpoint(&met.address))
                .unwrap_or(("", self.config.process.port));
            let bus = self.config.process.cluster_port;
            let link = if self.is_linked() {
                "connected"
            } else {
                "disconnected"
            };
            let _ = writeln!(
                text,
                "{name} {host}:{port}@{bus} myself,slave {leader} 0 0 {term} {link}"
            );
        }
        text
    }

    fn cluster_slots(&self, reply: &mut Reply<'_>) {
        let mut places = self.places();
        // As in Redis: nobody is to read from a replica that is gone.
        places.retain(|place| place.is_leader || !place.is_silent);
        // The first that is named is taken for the master: where none is known, none is named.
        if !places.first().is_some_and(|place| place.is_leader) {
            reply.array(0);
            return;
        }
        reply.array(1);
        reply.array(2 + places.len());
        reply.integer(0);
        reply.integer(i64::from(SLOTS - 1));
        for place in &places {
            reply.array(4);
            reply.bulk(place.host.as_bytes());
            reply.integer(i64::from(place.port));
            reply.bulk(place.name.as_bytes());
            reply.array(0);
        }
    }

    fn cluster_shards(&self, reply: &mut Reply<'_>) {
        let places = self.places();
        reply.array(1);
        reply.map(2);
        reply.bulk(b"slots");
        reply.array(2);
        reply.integer(0);
        reply.integer(i64::from(SLOTS - 1));
        reply.bulk(b"nodes");
        reply.array(places.len());
        for place in &places {
            reply.map(7);
            reply.bulk(b"id");
            reply.bulk(place.name.as_bytes());
            reply.bulk(b"port");
            reply.integer(i64::from(place.port));
            reply.bulk(b"ip");
            reply.bulk(place.host.as_bytes());
            reply.bulk(b"endpoint");
            reply.bulk(place.host.as_bytes());
            reply.bulk(b"role");
            reply.bulk(place.role());
            reply.bulk(b"replication-offset");
            reply.integer(self.offset_of(place));
            reply.bulk(b"health");
            let is_loading = place.id == self.config.id && self.phase == Phase::Recovering;
            let health: &[u8] = match (place.is_silent, is_loading) {
                (true, _) => b"fail",
                (false, true) => b"loading",
                (false, false) => b"online",
            };
            reply.bulk(health);
        }
    }

    /// How a leader stands with another member, in Redis's words for a replica. In Redis one that
    /// is gone is not shown at all; here it is known to belong to the group.
    fn state_of(&self, place: &Place<'_>) -> &'static str {
        let raft = self.replica.raft();
        if place.is_silent {
            "offline"
        } else if raft.is_some_and(|raft| raft.is_supplying(place.id)) {
            "send_bulk"
        } else {
            "online"
        }
    }

    /// ROLE: a leader names those who follow it and are there, a follower whom it follows.
    pub(super) fn role_verb(&self, request: Request<'_, '_>) {
        let mut reply = request.reply;
        let applied = self.replica.applied().0 as i64;
        let places = self.places();
        if self.is_master() {
            let mut online = self.others(&places);
            online.retain(|place| self.state_of(place) == "online");
            reply.array(3);
            reply.bulk(b"master");
            reply.integer(applied);
            reply.array(online.len());
            for place in online {
                reply.array(3);
                reply.bulk(place.host.as_bytes());
                reply.bulk_fmt(format_args!("{}", place.port));
                reply.bulk_fmt(format_args!("{}", self.offset_of(place)));
            }
            return;
        }
        let leader = places.iter().find(|place| place.is_leader);
        let state: &[u8] = match (self.is_linked(), self.is_given_state()) {
            (_, true) => b"sync",
            (true, false) => b"connected",
            (false, false) => b"connect",
        };
        reply.array(5);
        reply.bulk(b"slave");
        reply.bulk(leader.map_or(&b""[..], |place| place.host.as_bytes()));
        reply.integer(leader.map_or(0, |place| i64::from(place.port)));
        reply.bulk(state);
        reply.integer(applied);
    }

    /// INFO's section about replication, with Redis's names.
    pub(super) fn replication_lines(&self) -> Vec<String> {
        let places = self.places();
        let mut lines = Vec::new();
        if self.is_master() {
            let mut others = self.others(&places);
            // The first are those that count as connected.
            others.sort_by_key(|place| place.is_silent);
            let connected = others.iter().filter(|place| !place.is_silent).count();
            lines.push("role:master".into());
            lines.push(format!("connected_slaves:{connected}"));
            for (number, place) in others.iter().enumerate() {
                let (host, port, state) = (place.host, place.port, self.state_of(place));
                let lag = place.unheard.map_or(0, |unheard| unheard.as_secs());
                let held = self.offset_of(place);
                lines.push(format!(
                    "slave{number}:ip={host},port={port},state={state},offset={held},lag={lag}"
                ));
            }
            return lines;
        }
        let leader = places.iter().find(|place| place.is_leader);
        let (host, port) = leader.map_or(("", 0), |place| (place.host, place.port));
        let syncing = self.is_given_state();
        let link = if self.is_linked() && !syncing {
            "up"
        } else {
            "down"
        };
        lines.push("role:slave".into());
        lines.push(format!("master_host:{host}"));
        lines.push(format!("master_port:{port}"));
        lines.push(format!("master_link_status:{link}"));
        let unheard = leader.and_then(|place| place.unheard);
        let last_io_s = unheard.map_or(-1, |unheard| unheard.as_secs() as i64);
        lines.push(format!("master_last_io_seconds_ago:{last_io_s}"));
        lines.push(format!("master_sync_in_progress:{}", u8::from(syncing)));
        lines.push("slave_read_only:1".into());
        lines.push(format!("slave_repl_offset:{}", self.replica.applied().0));
        lines.push("connected_slaves:0".into());
        lines
    }
}

fn slot_of(args: Args<'_>) -> Result<u16, Error> {
    let slot = u16::try_from(args.integer(2)?)
        .ok()
        .filter(|slot| *slot < SLOTS);
    slot.ok_or_else(|| Error::text("ERR Invalid or out of range slot".into()))
}
