//! The turn of the real world: what is ready is handled, then one flush, then its effects.
//!
//! Connection tasks read and hand bytes to the node; one flusher, behind all tasks that are ready
//! (the run queue is first in, first out), ends the turn for all of them: one append to the log,
//! one write to each socket.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use seedis::ids::{ConnId, Incarnation, LogIndex, NodeId, Term, Ticket};
use seedis::limits::INPUT_BYTES_MAX;
use seedis::node::effect::{Effect, Effects};
use seedis::node::greeting::{Admission, Greeting, Standing};
use seedis::node::input::Input;
use seedis::node::{Node, Phase};
use seedis::time::Deadline;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::config::LogLevel;
use crate::configuration::{self, Configuration};
use crate::disk::{Disk, Outcome};
use crate::lines;
use crate::manager::Manager;
use crate::peers::{Peers, beat};
use crate::stream::Stream;

/// A turn that begins so long after the sockets were last looked at lets the runtime look at them
/// first: tasks that wake one another would keep it from that.
const LOOK: Duration = Duration::from_millis(1);
/// How long a turn goes on with operations that end on the spot.
const TURN_MAX: Duration = Duration::from_millis(2);

/// How many clients beyond the most are let in at a time, to be told that they are too many.
const TOO_MANY_MAX: usize = 2;

/// Which other member leads, and in which term.
pub(crate) type Elsewhere = watch::Receiver<Option<(NodeId, Term)>>;

/// The state that the tasks of a server share.
pub(crate) struct Server {
    state: RefCell<State>,
    clock: Clock,
    /// Something was handled: the turn is to be ended.
    turn: Notify,
    /// The node has stopped.
    pub(crate) stopped: Notify,
    /// Sockets that serve clients, their ways to a leader among them.
    sockets: Cell<usize>,
    /// One of them is closed.
    left: Notify,
    /// Which other member leads, and in which term, as the last turn has left it.
    elsewhere: watch::Sender<Option<(NodeId, Term)>>,
}

/// A socket that serves a client, as it is counted.
pub(crate) struct Slot(Rc<Server>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.sockets.set(self.0.sockets.get() - 1);
        self.0.left.notify_waiters();
    }
}

struct State {
    node: Node,
    disk: Option<Disk>,
    configuration: Configuration,
    connections: BTreeMap<ConnId, Rc<Connection>>,
    last_conn: u64,
    effects: Effects,
    buffer: Vec<u8>,
    deadline: Option<Deadline>,
    failure: Option<String>,
    is_stopped: bool,
    peers: Option<Rc<Peers>>,
    manager: Rc<Manager>,
    /// The manager knows that the server serves.
    is_ready: bool,
}

/// The driver's state of one client.
struct Connection {
    conn: ConnId,
    stream: Stream,
    /// Something below has changed.
    changed: Notify,
    state: RefCell<Flow>,
}

#[derive(Default)]
struct Flow {
    /// The socket was full: the rest is written when it is not.
    wants_write: bool,
    /// Close when the outbox is empty.
    closing: bool,
    /// The client has said that it sends no more, and what it has sent is not all read.
    ending: bool,
    /// The client has said that it sends no more.
    ended: bool,
    gone: bool,
}

impl Server {
    pub(crate) fn new(
        node: Node,
        disk: Option<Disk>,
        configuration: Configuration,
        clock: Clock,
        peers: Option<Rc<Peers>>,
        manager: Rc<Manager>,
    ) -> Rc<Self> {
        let state = State {
            node,
            disk,
            configuration,
            connections: BTreeMap::new(),
            last_conn: 0,
            effects: Vec::new(),
            buffer: vec![0; INPUT_BYTES_MAX],
            deadline: None,
            failure: None,
            is_stopped: false,
            peers,
            manager,
            is_ready: false,
        };
        let (turn, stopped) = (Notify::new(), Notify::new());
        let server = Self {
            state: RefCell::new(state),
            clock,
            turn,
            stopped,
            sockets: Cell::new(0),
            left: Notify::new(),
            elsewhere: watch::Sender::new(None),
        };
        server.turn.notify_one();
        Rc::new(server)
    }

    /// Waits until there is a descriptor for one more client. There are a few more than clients may
    /// be, so that one too many can be told so; who comes beyond waits in the kernel meanwhile.
    pub(crate) async fn room(&self) {
        while self.sockets.get() >= self.clients_max() + TOO_MANY_MAX {
            self.left.notified().await;
        }
    }

    /// Returns true if a client may have a second socket, to the leader.
    pub(crate) fn has_place(&self) -> bool {
        self.sockets.get() < self.clients_max()
    }

    /// Counts a socket until what is returned is dropped.
    pub(crate) fn place(self: &Rc<Self>) -> Slot {
        self.sockets.set(self.sockets.get() + 1);
        Slot(Rc::clone(self))
    }

    fn clients_max(&self) -> usize {
        self.state.borrow().node.clients_max() as usize
    }

    /// Tells the node something, and asks for the turn to be ended.
    pub(crate) fn tell(&self, input: Input<'_>) {
        self.state.borrow_mut().node.handle(self.clock.now(), input);
        self.turn.notify_one();
    }

    /// Returns true if only clients of this machine may come in.
    pub(crate) fn is_protected(&self) -> bool {
        self.state.borrow().node.is_protected()
    }

    /// This member's standing in its group, and the life of its disk; `None` while the disk has not
    /// been read.
    pub(crate) fn standing_in_group(&self) -> Option<(Incarnation, Standing)> {
        self.state.borrow().node.standing_in_group()
    }

    /// The last entry that is applied.
    pub(crate) fn applied(&self) -> LogIndex {
        self.state.borrow().node.applied()
    }

    /// The answer to a new process that asks for a number.
    pub(crate) fn admission(&self, asks: &Greeting) -> Admission {
        let (wanted, incarnation) = (asks.id, asks.incarnation);
        self.tell(Input::Asks {
            wanted,
            incarnation,
            newest: asks.entry_versions.1,
        });
        self.state.borrow().node.admission(wanted, incarnation)
    }

    /// The version of entries that its group speaks, as far as it knows.
    pub(crate) fn speaks(&self) -> u8 {
        self.state.borrow().node.entry_version().number
    }

    /// For what this member waits that is to vote, for people.
    pub(crate) fn waits_for_vote(&self) -> String {
        self.state.borrow().node.waits_for_vote()
    }

    /// The members of the group, as this one knows it.
    pub(crate) fn members(&self) -> Vec<(NodeId, Incarnation)> {
        let state = self.state.borrow();
        let all = state.node.membership().into_iter();
        let all = all.flat_map(|all| all.members());
        all.map(|one| (one.id, one.incarnation)).collect()
    }

    /// The same, and those whose removal may be undone yet.
    pub(crate) fn members_for_good(&self) -> Vec<(NodeId, Incarnation)> {
        let mut members = self.members();
        let state = self.state.borrow();
        let raft = state.node.raft().into_iter();
        for member in raft.flat_map(|raft| raft.membership().members()) {
            if members.iter().all(|(id, _)| *id != member.id) {
                members.push((member.id, member.incarnation));
            }
        }
        members
    }

    /// Returns true if this member speaks to another, be it to tell it of its removal.
    pub(crate) fn speaks_to(&self, id: NodeId) -> bool {
        self.state.borrow().node.speaks_to(id)
    }

    /// Returns true if this member was removed from its group.
    pub(crate) fn is_removed(&self) -> bool {
        self.state.borrow().node.is_removed()
    }

    /// Returns true if its group has this member, as far as it knows.
    pub(crate) fn belongs(&self) -> bool {
        self.state.borrow().node.belongs()
    }

    /// Returns true if this member is a voter, and no change under way would end that. A change
    /// that is not committed may be undone by the next leader; and who had this number before, with
    /// another disk, is somebody else.
    pub(crate) fn is_settled_voter(&self, id: NodeId) -> bool {
        let state = self.state.borrow();
        let (Some(raft), Some((incarnation, _))) =
            (state.node.raft(), state.node.standing_in_group())
        else {
            return false;
        };
        let settled = raft.membership();
        let member = settled.get(id);
        member.is_some_and(|member| member.incarnation == incarnation)
            && settled.is_voter(id)
            && !settled.is_joint()
    }

    /// The leader to which the requests of a new client are to be forwarded, and a signal for when
    /// the leader changes.
    pub(crate) fn forwards_to(&self) -> Option<(String, Elsewhere)> {
        let state = self.state.borrow();
        self.watch_leader(&state.node);
        let address = state.node.forwards_to()?;
        Some((address, self.elsewhere.subscribe()))
    }

    /// Tells those that wait for it that another leads, or nobody, or in another term.
    fn watch_leader(&self, node: &Node) {
        let now = node.leads_elsewhere();
        self.elsewhere
            .send_if_modified(|known| std::mem::replace(known, now) != now);
    }

    /// Returns true if a new client is to be kept waiting until there is a leader.
    pub(crate) fn waits_for_leader(&self) -> bool {
        self.state.borrow().node.waits_for_leader()
    }

    /// Why the node has stopped, where it was not asked to.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state.borrow().failure.clone()
    }

    /// Serves one client until it is gone.
    pub(crate) async fn connection(self: Rc<Self>, stream: Stream, address: String) {
        let conn = {
            let mut state = self.state.borrow_mut();
            state.last_conn += 1;
            ConnId(state.last_conn)
        };
        let connection = Rc::new(Connection {
            conn,
            stream,
            changed: Notify::new(),
            state: RefCell::default(),
        });
        self.state
            .borrow_mut()
            .connections
            .insert(conn, Rc::clone(&connection));
        self.tell(Input::Opened {
            conn,
            address: &address,
            local: &connection.stream.local(),
            descriptor: connection.stream.descriptor(),
        });
        // An error here is the client's going away, which is all that there is to say of it.
        let is_there = self.converse(&connection).await.is_ok();
        self.state.borrow_mut().connections.remove(&conn);
        self.tell(Input::Closed { conn });
        let (closing, ended) = {
            let flow = connection.state.borrow();
            (flow.closing, flow.ended)
        };
        if is_there && closing && !ended {
            connection.stream.part().await;
        }
    }

    async fn converse(&self, connection: &Connection) -> io::Result<()> {
        loop {
            let (wants_write, gone, ending) = {
                let flow = connection.state.borrow();
                (flow.wants_write, flow.gone, flow.ending || flow.ended)
            };
            if gone {
                return Ok(());
            }
            let hungry = self.state.borrow().node.appetite(connection.conn) > 0;
            tokio::select! {
                biased;
                ready = connection.stream.readable(), if hungry => {
                    ready?;
                    self.read(connection)?;
                }
                ready = connection.stream.writable(), if wants_write => {
                    ready?;
                    connection.state.borrow_mut().wants_write = false;
                    let mut state = self.state.borrow_mut();
                    if state.write(connection, self.clock)? {
                        return Ok(());
                    }
                    drop(state);
                    self.turn.notify_one();
                }
                () = connection.changed.notified() => {}
                // Nothing is read: a client that goes away would be noticed only at the next write.
                gone = connection.stream.hung_up(!ending), if !hungry => {
                    if gone? {
                        return Ok(());
                    }
                    connection.state.borrow_mut().ending = true;
                    self.tell(Input::Ending { conn: connection.conn });
                }
            }
        }
    }

    /// Reads what the socket has and hands it to the node.
    fn read(&self, connection: &Connection) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let State { node, buffer, .. } = &mut *state;
        let most = node.appetite(connection.conn).min(buffer.len());
        if most == 0 {
            return Ok(());
        }
        let conn = connection.conn;
        let input = match connection.stream.try_read(&mut buffer[..most]) {
            Ok(0) => {
                connection.state.borrow_mut().ended = true;
                Input::Ended { conn }
            }
            Ok(count) => Input::Received {
                conn,
                bytes: &buffer[..count],
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        node.handle(self.clock.now(), input);
        self.turn.notify_one();
        Ok(())
    }

    /// Ends turns for ever: after each notification, and when the node's deadline has passed.
    pub(crate) async fn flusher(self: Rc<Self>) {
        let mut looked = self.clock.now().mono;
        loop {
            let deadline = self.state.borrow().deadline;
            match deadline {
                None => self.turn.notified().await,
                Some(deadline) => {
                    if self.wait(deadline).await {
                        self.state
                            .borrow_mut()
                            .node
                            .handle(self.clock.now(), Input::Timer);
                    }
                }
            }
            if self.clock.now().mono.since(looked) >= LOOK {
                tokio::task::yield_now().await;
                looked = self.clock.now().mono;
            }
            let mut state = self.state.borrow_mut();
            if state.turn(self.clock) {
                self.turn.notify_one();
            }
            self.watch_leader(&state.node);
            if state.is_stopped {
                self.stopped.notify_one();
                return;
            }
        }
    }

    /// Waits for a notification or the deadline; true if it was the deadline.
    async fn wait(&self, deadline: Deadline) -> bool {
        let now = self.clock.now().mono;
        if deadline.at <= now {
            // What is left over must not starve those who are ready by now.
            tokio::task::yield_now().await;
            return true;
        }
        if deadline.at.since(now) < Duration::from_millis(1) {
            // The runtime's timer counts in milliseconds; a linger of microseconds is waited out by
            // looking again.
            tokio::task::yield_now().await;
            return self.clock.now().mono >= deadline.at;
        }
        tokio::select! {
            biased;
            () = self.turn.notified() => false,
            () = tokio::time::sleep_until(self.clock.instant(deadline.at)) => true,
        }
    }

    /// Brings home how it went with the configuration file.
    pub(crate) async fn configuration_outcomes(
        self: Rc<Self>,
        mut done: UnboundedReceiver<configuration::Done>,
    ) {
        while let Some((number, outcome)) = done.recv().await {
            let outcome = match &outcome {
                Ok(()) => Ok(()),
                Err(why) => Err(why.as_str()),
            };
            self.tell(Input::Configuration { number, outcome });
        }
    }

    /// Brings the disk thread's outcomes home.
    pub(crate) async fn disk_outcomes(
        self: Rc<Self>,
        mut done: UnboundedReceiver<(Ticket, Outcome)>,
    ) {
        while let Some((ticket, outcome)) = done.recv().await {
            if let Some(disk) = &mut self.state.borrow_mut().disk {
                disk.ended(ticket);
            }
            self.tell(Input::Disk { ticket, outcome });
        }
    }
}

impl State {
    /// One flush and its effects; again while operations end on the spot, for what they allow is to
    /// leave now. True if they go on and others come first.
    fn turn(&mut self, clock: Clock) -> bool {
        let began = clock.now().mono;
        let goes_on = loop {
            let mut effects = std::mem::take(&mut self.effects);
            self.node.flush(clock.now(), &mut effects);
            let mut ended = false;
            for effect in effects.drain(..) {
                ended |= self.perform(effect, clock);
            }
            self.effects = effects;
            if !ended || self.is_stopped {
                break false;
            }
            if clock.now().mono.since(began) >= TURN_MAX {
                break true;
            }
        };
        beat::turn_ended();
        self.node.turned(clock.now());
        self.deadline = self.node.deadline();
        if !self.is_ready && self.node.phase() == Phase::Serving {
            self.is_ready = true;
            self.manager.ready("accepting clients");
        }
        goes_on
    }

    /// Performs one effect; true if the node has been told an outcome.
    fn perform(&mut self, effect: Effect, clock: Clock) -> bool {
        match effect {
            Effect::Send { conn } => {
                if let Some(connection) = self.connections.get(&conn).map(Rc::clone) {
                    self.send(&connection, clock);
                }
            }
            Effect::Close { conn, linger } => {
                if let Some(connection) = self.connections.get(&conn) {
                    let empty = self.node.outbox(conn).next().is_none();
                    let mut flow = connection.state.borrow_mut();
                    flow.closing = linger;
                    flow.gone |= empty || !linger;
                    connection.changed.notify_one();
                }
            }
            Effect::Resume { conn } => {
                if let Some(connection) = self.connections.get(&conn) {
                    connection.changed.notify_one();
                }
            }
            Effect::Disk { ticket, op } => {
                let outcome = self.disk.as_mut().and_then(|disk| disk.perform(ticket, op));
                if let Some(outcome) = outcome {
                    self.node
                        .handle(clock.now(), Input::Disk { ticket, outcome });
                    return true;
                }
            }
            Effect::Configuration { number, settings } => {
                self.configuration.save(number, *settings);
            }
            Effect::LogLevel(level) => lines::set_level(LogLevel::of(&level)),
            Effect::Note(note) => {
                let text = note.to_string();
                self.manager.status(&text);
                lines::write_note(&text, note.is_warning());
            }
            Effect::ScriptLine(line) => lines::write_line(&line),
            Effect::Stopped { failure } => {
                self.is_stopped = true;
                self.failure = failure.map(|failure| *failure);
            }
            effect @ (Effect::Message { .. } | Effect::Tell { .. }) => {
                if let Some(input) = self.peers.as_ref().and_then(|p| p.perform(effect)) {
                    self.node.handle(clock.now(), input);
                }
            }
        }
        false
    }

    fn send(&mut self, connection: &Connection, clock: Clock) {
        if connection.state.borrow().wants_write {
            return;
        }
        if !matches!(self.write(connection, clock), Ok(false)) {
            connection.state.borrow_mut().gone = true;
        }
        let flow = connection.state.borrow();
        if flow.wants_write || flow.gone {
            connection.changed.notify_one();
        }
    }

    /// Writes as much of the outbox as the socket takes; true when the connection has nothing more
    /// to live for.
    fn write(&mut self, connection: &Connection, clock: Clock) -> io::Result<bool> {
        let conn = connection.conn;
        loop {
            let pieces = self.node.outbox(conn);
            let Some(written) = connection.stream.try_write_pieces(pieces) else {
                return Ok(connection.state.borrow().closing);
            };
            match written {
                Ok((count, whole)) => {
                    self.node.handle(clock.now(), Input::Sent { conn, count });
                    if !whole {
                        connection.state.borrow_mut().wants_write = true;
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    connection.state.borrow_mut().wants_write = true;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
    }
}
