//! The one server: inputs in, effects out.
//!
//! A driver calls `handle` for everything that has happened, `flush` when nothing more is ready,
//! and then performs the effects. A node never waits, reads no clock and opens no file.

mod client_events;
mod clients;
pub mod config;
mod deadline;
pub mod effect;
pub mod input;
mod metrics;
mod offline;
mod replica;
mod requests;
mod server;
pub mod witness;

pub use clients::relay;
pub use config::options;
pub use offline::{backup, inspect, restore};
pub use replica::{arrival, greeting, versions};
pub use requests::entry;

use alloc::string::String;
use alloc::vec::Vec;

use crate::aof::LogSize;
use crate::aof::manifest::Manifest;
use crate::ids::{ConnId, Incarnation, LogIndex, NodeId, Term};
use crate::raft::{Member, Membership, Raft};
use crate::store::Store;
use crate::time::{Mono, Now, Stamp};

use clients::Clients;
use config::Config;
use effect::{Effect, Effects};
use input::Input;
use metrics::Metrics;
use replica::Replica;
use replica::greeting::{Admission, Standing};
use replica::peers::Met;
use replica::replicated::Replicated;
use replica::versions::EntryVersion;
use requests::Requests;
use witness::{Answer, Witness, Witnessed};

/// The version of Redis that clients are told.
pub const REDIS_VERSION: &str = "7.2.0";

/// The stages of a node's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It reads what its disk holds; clients are told LOADING.
    Recovering,
    /// It serves.
    Serving,
    /// It was asked to stop and waits for its last sync.
    Stopping,
    /// It does nothing any more.
    Stopped,
}

/// One server.
#[derive(Clone, Debug)]
pub struct Node {
    config: Config,
    phase: Phase,
    now: Now,
    clients: Clients,
    requests: Requests,
    store: Store,
    replica: Replica,
    /// When the first input of this turn was handled.
    turn_began: Option<Mono>,
    replicated: Replicated,
    metrics: Metrics,
    /// How often the configuration file was to be written.
    configurations: u64,
    /// True if dead keys are freed without being asked for.
    active_expire: bool,
    /// Keys were due when the last turn reached its bound.
    expiry_left_over: bool,
    witness: Witness,
    /// The effects that `handle` decided and `flush` will emit.
    effects: Vec<Effect>,
    /// The last effect of all, once there is one.
    last_effect: Option<Effect>,
}

/// The base and the first segment that a manifest names, for a judge; nothing where it cannot be
/// read.
pub fn named_in(manifest: &[u8]) -> Option<(u64, u64)> {
    let manifest = Manifest::decode(manifest).ok()?;
    Some((manifest.base, manifest.first_segment))
}

impl Node {
    /// A node that has nothing yet but its configuration; it asks for its files at the first
    /// `flush`.
    pub fn new(config: Config, now: Now) -> Self {
        let store = config.store(None);
        let mut node = Self {
            phase: Phase::Recovering,
            now,
            clients: Clients::default(),
            requests: Requests::new(config.turn_work),
            metrics: Metrics::new(now, store.memory()),
            store,
            replica: Replica::default(),
            turn_began: None,
            replicated: Replicated::default(),
            configurations: 0,
            active_expire: true,
            expiry_left_over: false,
            witness: Witness::new(config.witness),
            effects: Vec::new(),
            last_effect: None,
            config,
        };
        node.clients.may_publish(node.config.turn_work);
        node.begin(0);
        node
    }

    /// Takes note of one thing that has happened. Asks for nothing yet: that is for `flush`.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        self.now = now;
        self.turn_began.get_or_insert(now.mono);
        self.pass_time();
        match input {
            Input::Opened {
                conn,
                address,
                local,
                descriptor,
            } => {
                let client = (address, local, descriptor);
                let is_refused = self.clients.open(conn, client, now.mono, &self.config);
                self.metrics.connected(is_refused);
            }
            Input::Received { conn, bytes } => {
                let Some(slot) = self.clients.slot(conn) else {
                    return;
                };
                self.metrics.received(bytes.len());
                if let Some(session) = self.clients.get_mut(slot) {
                    session.heard = now.mono;
                }
                self.received(slot, bytes);
            }
            Input::Sent { conn, count } => {
                self.metrics.sent(count);
                self.clients.sent(conn, count, now.mono);
            }
            Input::Ending { conn } => {
                self.clients.ending(conn, now.mono);
                self.end_wait_of_ending(conn);
            }
            Input::Ended { conn } => {
                self.clients.ended(conn, now.mono);
                self.end_wait_of_ending(conn);
            }
            Input::Closed { conn } => self.clients.closed(conn),
            Input::Message { from, frame } => self.message(from, frame),
            Input::Told { from, frame } => self.told(from, frame),
            Input::NotTold { messages } => self.metrics.not_told(messages),
            Input::Met {
                id,
                incarnation,
                address,
                cluster_port,
                entry_versions,
            } => {
                let address = String::from(address);
                self.replica.meet(
                    id,
                    Met {
                        incarnation,
                        address,
                        cluster_port,
                        entry_versions,
                    },
                );
            }
            Input::Asks {
                wanted,
                incarnation,
                newest,
            } => {
                let number = self.replicated.version().number;
                if self.replica.takes_in(newest, number)
                    && let Some(change) = self.replica.asks_for_number(wanted, incarnation)
                {
                    self.begin_admission(change);
                }
            }
            Input::Wants { id, incarnation } => {
                let asks = Member { id, incarnation };
                if let Some(change) = self.replica.wants_in(asks) {
                    self.begin_admission(change);
                }
            }
            Input::RefusedPeer => self.metrics.refused_peer(),
            Input::Disk { ticket, outcome } => self.disk(ticket, outcome),
            Input::Configuration { number, outcome } => self.configuration_written(number, outcome),
            // What else is due is looked for at `flush`, whatever woke the driver.
            Input::Timer => self.take_turns(),
            Input::Sampled(sample) => {
                let used = self.used_memory() as u64;
                self.metrics.sampled(now.mono, sample, used);
            }
            Input::Stop => self.stop(),
        }
    }

    /// Ends a turn: what was asked for in it becomes one append, and what is decided by now leaves.
    pub fn flush(&mut self, now: Now, out: &mut Effects) {
        self.now = now;
        if let Some(began) = self.turn_began.take() {
            self.replica.paused(began, now.mono);
        }
        self.pass_time();
        self.watch_clocks();
        self.tend_clients();
        self.assemble_turn();
        self.tend_due();
        self.go_on_publishing();
        self.resume_paused();
        self.commit_turn();
        // Without a disk the turn's writes are applied by now, and with them what was parked
        // behind.
        self.resume_paused();
        self.expire_turn();
        self.evict_turn();
        self.look_for_the_one_ahead();
        self.emit_told();
        out.append(&mut self.effects);
        self.settle_clients(out);
        self.requests.end_turn(self.config.turn_work);
        self.clients.may_publish(self.config.turn_work);
        self.metrics.weigh(self.used_memory());
        // What was said of clients that are sent away.
        out.append(&mut self.effects);
        out.extend(self.last_effect.take());
    }

    /// The bytes of a connection that may leave, in order.
    pub fn outbox(&self, conn: ConnId) -> impl Iterator<Item = &[u8]> {
        self.clients.outbox(conn)
    }

    /// How many bytes a connection may bring now; 0: do not read it until `Effect::Resume`.
    pub fn appetite(&self, conn: ConnId) -> usize {
        let is_stopping = self.phase == Phase::Stopping;
        self.clients.appetite(conn, is_stopping)
    }

    /// The turn is over, and its effects are performed: the commands that ran in it have taken
    /// until now.
    pub fn turned(&mut self, now: Now) {
        self.now = now;
        self.pass_time();
    }

    /// The driver has told the time.
    fn pass_time(&mut self) {
        let sessions = &self.clients;
        self.metrics
            .pass_time(self.now, &self.config, |slot, conn| {
                sessions.same(slot, conn)
            });
    }

    /// Replicated time, if an entry were made now.
    fn clock(&self) -> Stamp {
        self.replicated.clock(self.now)
    }

    /// The stage of this node's life.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns true if only clients of this machine may come in: nobody has set a password.
    pub fn is_protected(&self) -> bool {
        self.config.protected_mode && self.config.requirepass.is_empty()
    }

    /// The most clients at a time.
    pub fn clients_max(&self) -> u32 {
        self.config.clients_max
    }

    /// The members of the group, as the last entry of the log has them; nothing while recovering.
    pub fn membership(&self) -> Option<&Membership> {
        self.replica.raft().map(Raft::in_force)
    }

    /// The agreement with its peers, for a judge; nothing while recovering.
    pub fn raft(&self) -> Option<&Raft> {
        self.replica.raft()
    }

    /// Returns true if the log says that this member belongs to a group: it serves as leader only
    /// when the first entry of its term is applied.
    pub fn is_grouped(&self) -> bool {
        self.replica.is_grouped()
    }

    /// The member's place in its group, for people; nothing while recovering.
    pub fn standing(&self) -> Option<String> {
        let raft = self.replica.raft()?;
        Some(alloc::format!(
            "{:?} in {:?}, committed {} of {}, {:?}",
            raft.role(),
            raft.term(),
            raft.commit().0,
            raft.last().0,
            raft.in_force()
        ))
    }

    /// The last entry that is applied.
    pub fn applied(&self) -> LogIndex {
        self.replica.applied()
    }

    /// The term that this member leads, if it does.
    pub fn leads(&self) -> Option<Term> {
        self.replica.leads()
    }

    /// The record since the last call, where the configuration asks for one.
    pub fn witness(&mut self) -> Vec<Witnessed> {
        self.witness.take()
    }

    /// Takes note of a reply.
    fn note_answer(&mut self, conn: ConnId, answer: Answer) {
        self.witness.note(|| Witnessed::Answered { conn, answer });
    }

    /// All keys and values, for whoever judges them.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The version by which this member applies entries.
    pub fn entry_version(&self) -> EntryVersion {
        self.replicated.version()
    }

    /// The versions that this member could apply.
    pub fn entry_versions(&self) -> (u8, u8) {
        self.config.entry_versions
    }

    /// Returns true if this member was removed from its group.
    pub fn is_removed(&self) -> bool {
        self.replica.is_removed()
    }

    /// Returns true if the group, as far as this member knows, has it.
    pub fn belongs(&self) -> bool {
        self.replica.belongs(self.config.id)
    }

    /// Returns true if a member, or this one itself, is of the group as far as this one knows, or
    /// is still to be told of its removal.
    pub fn speaks_to(&self, id: NodeId) -> bool {
        self.replica.speaks_to(id)
    }

    /// How large the log is, and the last entry in its base, for a judge; nothing where there is no
    /// log, or none yet.
    pub fn log_size(&self) -> Option<(LogSize, LogIndex)> {
        self.replica.log_size()
    }

    /// Returns true if the log has no room.
    pub fn no_space(&self) -> bool {
        self.replica.no_space()
    }

    /// The reason why writes are to be refused, if they are.
    fn refuses_writes(&self) -> Option<&'static str> {
        let is_serving = self.phase == Phase::Serving;
        self.replica.refuses_writes(self.now.mono, is_serving)
    }

    /// The group of this member; nothing while its disk has not said so.
    pub fn standing_in_group(&self) -> Option<(Incarnation, Standing)> {
        self.replica.standing_in_group()
    }

    /// The answer to a newcomer that has asked for a number, or for a certain one.
    pub fn admission(&self, wanted: NodeId, incarnation: Incarnation) -> Admission {
        self.replica.admission(wanted, incarnation)
    }

    /// The reason why this member, which is to vote, still waits for that, for people.
    pub fn waits_for_vote(&self) -> String {
        self.replica.waits_for_vote(self.config.id)
    }
}
