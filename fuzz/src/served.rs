//! A bare node without a disk, and clients that send bytes and read replies.

use std::collections::BTreeMap;

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::Effect;
use seedis::node::input::Input;
use seedis::resp::value::{Decoded, Decoder, Value};
use seedis::time::{Mono, Now};

/// A node and its clients.
#[derive(Debug)]
pub struct Served {
    node: Node,
    now: Now,
    effects: Vec<Effect>,
    clients: BTreeMap<u64, Client>,
}

#[derive(Debug, Default)]
struct Client {
    decoder: Decoder,
    unread: Vec<u8>,
    is_closed: bool,
}

impl Served {
    /// A node that serves `clients` clients, numbered from 1.
    pub fn new(clients: u64) -> Self {
        let mut served = Self::with(Config::default());
        for id in 1..=clients {
            served.connect(id);
        }
        served
    }

    /// A node of this configuration, except that it has no disk.
    pub fn with(config: Config) -> Self {
        let now = Now {
            mono: Mono::from_millis(1),
            wall_us: 1_700_000_000_000_000,
        };
        let config = Config {
            append_only: false,
            ..config
        };
        let mut served = Self {
            node: Node::new(config, now),
            now,
            effects: Vec::new(),
            clients: BTreeMap::new(),
        };
        served.turn();
        served
    }

    /// Opens a connection, unless it is open or was.
    pub fn connect(&mut self, id: u64) {
        if self.clients.contains_key(&id) {
            return;
        }
        let conn = ConnId(id);
        let address = "127.0.0.1:1";
        self.node.handle(
            self.now,
            Input::Opened {
                conn,
                address,
                local: "",
                descriptor: -1,
            },
        );
        self.clients.insert(id, Client::default());
        self.turn();
    }

    /// Returns true if the node has closed a client.
    pub fn is_closed(&self, id: u64) -> bool {
        self.clients.get(&id).is_some_and(|client| client.is_closed)
    }

    /// Lets time pass, and the node do what it does by itself then.
    pub fn pass(&mut self, millis: u64) {
        self.now.mono.0 += millis * 1_000_000;
        self.now.wall_us += millis * 1000;
        self.node.handle(self.now, Input::Timer);
        self.turn();
    }

    /// Gives the node one client's bytes and ends the turn. False once the client is sent away.
    pub fn send(&mut self, id: u64, bytes: &[u8]) -> bool {
        let conn = ConnId(id);
        if self.clients[&id].is_closed {
            return false;
        }
        for bytes in bytes.chunks(60_000) {
            self.node.handle(self.now, Input::Received { conn, bytes });
            self.turn();
        }
        !self.clients[&id].is_closed
    }

    /// All replies that have reached a client since the last call; they must be well-formed and
    /// whole.
    pub fn replies(&mut self, id: u64) -> Vec<Value> {
        let Some(client) = self.clients.get_mut(&id) else {
            return Vec::new();
        };
        let mut replies = Vec::new();
        loop {
            match client.decoder.next(&client.unread) {
                Ok(Decoded::Value { value, consumed }) => {
                    client.unread.drain(..consumed);
                    replies.push(value);
                }
                Ok(Decoded::Incomplete { .. }) if client.unread.is_empty() => return replies,
                other => panic!("{other:?} in {}", client.unread.escape_ascii()),
            }
        }
    }

    /// Ends turns until the node has nothing more to say.
    fn turn(&mut self) {
        loop {
            self.node.flush(self.now, &mut self.effects);
            if self.effects.is_empty() {
                let due = self.node.deadline().map(|deadline| deadline.at);
                if due.is_none_or(|at| at > self.now.mono) {
                    return;
                }
                // A long command goes on in further turns.
                self.node.handle(self.now, Input::Timer);
            }
            for effect in std::mem::take(&mut self.effects) {
                match effect {
                    Effect::Send { conn } => self.fetch(conn),
                    Effect::Close { conn, .. } => {
                        self.fetch(conn);
                        if let Some(client) = self.clients.get_mut(&conn.0) {
                            client.is_closed = true;
                        }
                        self.node.handle(self.now, Input::Closed { conn });
                    }
                    Effect::Disk { op, .. } => panic!("{op:?} without a disk"),
                    Effect::Stopped { failure } => panic!("it stopped: {failure:?}"),
                    Effect::Resume { .. }
                    | Effect::Message { .. }
                    | Effect::Tell { .. }
                    | Effect::Note(_)
                    | Effect::LogLevel(_)
                    | Effect::ScriptLine(_)
                    | Effect::Configuration { .. } => {}
                }
            }
        }
    }

    fn fetch(&mut self, conn: ConnId) {
        let mut count = 0;
        let Some(client) = self.clients.get_mut(&conn.0) else {
            return;
        };
        for bytes in self.node.outbox(conn) {
            client.unread.extend_from_slice(bytes);
            count += bytes.len();
        }
        self.node.handle(self.now, Input::Sent { conn, count });
    }
}
