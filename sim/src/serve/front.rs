//! The proxy between real clients and the simulated members: it finds the leader, and asks again
//! where a member redirects a client.
//!
//! It only sees the world and what it is given, never a socket or a clock: given the same at the
//! same events, it does the same.

use std::collections::{BTreeMap, VecDeque};

use super::reply;
use super::request::Reader;
use super::session::Given;
use crate::wire::Value;
use crate::workload::Request;
use crate::world::World;
use crate::world::mishaps::{MISHAPS, Mishap};

/// For how long a request waits for somebody who leads, in nanoseconds of simulated time.
const PATIENCE: u64 = 5_000_000_000;

/// One real client.
#[derive(Clone, Debug)]
struct Guest {
    /// Its number in the world.
    client: usize,
    reader: Reader,
    /// The requests that were not answered yet, and since when the first of them waits.
    waiting: VecDeque<Request>,
    since: u64,
    /// The first of it is on its way. One at a time: what is asked again must not have happened.
    is_sent: bool,
    /// The requests that made its connection what it is, to be sent again on another, by name.
    said: BTreeMap<Vec<u8>, Request>,
    /// So many replies are to things that were said again.
    to_drop: usize,
    /// It is in the middle of a transaction, or watches keys: another connection knows nothing of
    /// that.
    is_bound: bool,
    out: Vec<u8>,
    ended: bool,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Front {
    /// The member to which all are connected, if not to the one that leads.
    member: Option<usize>,
    guests: BTreeMap<u64, Guest>,
    /// Somebody has asked for the end of the session.
    pub(super) is_over: bool,
}

impl Front {
    pub(super) fn new(member: Option<usize>) -> Self {
        Self {
            member,
            guests: BTreeMap::new(),
            is_over: false,
        }
    }

    /// Something comes from outside.
    pub(super) fn take(&mut self, world: &mut World, given: &Given) {
        match given {
            Given::Comes(number) => {
                let guest = Guest {
                    client: world.welcome(),
                    reader: Reader::default(),
                    waiting: VecDeque::new(),
                    since: world.time,
                    is_sent: false,
                    said: BTreeMap::new(),
                    to_drop: 0,
                    is_bound: false,
                    out: Vec::new(),
                    ended: false,
                };
                self.guests.insert(*number, guest);
            }
            Given::Sends(number, bytes) => {
                if let Some(guest) = self.guests.get_mut(number) {
                    guest.reader.feed(bytes);
                }
            }
            Given::Goes(number) => {
                if let Some(guest) = self.guests.remove(number) {
                    world.goes(guest.client);
                }
            }
        }
        self.attend(world);
    }

    /// Looks after all guests: to be called behind each event.
    pub(super) fn attend(&mut self, world: &mut World) {
        for guest in self.guests.values_mut() {
            guest.read(world, &mut self.is_over);
            guest.hear(world, self.member.is_none());
            guest.ask(world, self.member);
        }
    }

    /// The bytes to be sent to a guest; and whether it is to be closed after that.
    pub(super) fn out(&mut self) -> impl Iterator<Item = (u64, Vec<u8>, bool)> {
        let guests = self.guests.iter_mut();
        guests
            .map(|(number, guest)| (*number, std::mem::take(&mut guest.out), guest.ended))
            .filter(|(_, out, ended)| *ended || !out.is_empty())
    }
}

/// Returns true if a request has this name, which is written in lower case.
fn is_named(request: &Request, name: &str) -> bool {
    let first = request.first();
    first.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

fn sends_elsewhere(value: &Value) -> bool {
    matches!(value, Value::Error(text)
        if text.starts_with(b"MOVED ") || text.starts_with(b"CLUSTERDOWN "))
}

impl Guest {
    /// Reads what it has sent; what is for the simulator is done at once.
    fn read(&mut self, world: &mut World, is_over: &mut bool) {
        // Replies come in order: what is for the simulator waits for those before.
        while self.waiting.is_empty() && !self.ended {
            match self.reader.next() {
                Ok(Some(request)) if is_named(&request, "debug") => {
                    let answer = told(&request, world, is_over);
                    reply::write(&mut self.out, &answer);
                }
                Ok(Some(request)) => {
                    self.waiting.push_back(request);
                    self.since = world.time;
                }
                Ok(None) => return,
                Err(why) => {
                    let text = format!("ERR Protocol error: {why}");
                    reply::write(&mut self.out, &Value::Error(text.into_bytes()));
                    self.ended = true;
                }
            }
        }
    }

    /// Hears what members have answered, and may turn to another.
    fn hear(&mut self, world: &mut World, may_turn: bool) {
        for value in world.heard(self.client) {
            if self.to_drop > 0 {
                self.to_drop -= 1;
            } else if may_turn && self.may_ask_again(&value, world) {
                // The world has hung up; the request has not happened, and is asked again.
                self.is_sent = false;
            } else {
                self.answered(&value);
            }
        }
        let is_gone = !world.is_connected(self.client);
        if is_gone && self.is_sent {
            // Whether it has happened nobody knows, as when a real server dies.
            self.ended = true;
        }
        if is_gone {
            (self.is_sent, self.to_drop) = (false, 0);
        }
    }

    fn answered(&mut self, value: &Value) {
        reply::write(&mut self.out, value);
        self.is_sent = false;
        let Some(request) = self.waiting.pop_front() else {
            return;
        };
        for name in ["hello", "select"] {
            if is_named(&request, name) && !value.is_error() {
                self.said.insert(name.into(), request.clone());
            }
        }
        if ["multi", "watch"]
            .iter()
            .any(|name| is_named(&request, name))
            && !value.is_error()
        {
            self.is_bound = true;
        }
        let frees = ["exec", "discard", "unwatch", "reset"];
        if frees.iter().any(|name| is_named(&request, name)) {
            self.is_bound = false;
        }
        if is_named(&request, "reset") {
            self.said.clear();
        }
    }

    /// Returns true if it is refused only because another member leads.
    fn may_ask_again(&self, value: &Value, world: &World) -> bool {
        sends_elsewhere(value) && !self.is_bound && self.is_patient(world)
    }

    fn is_patient(&self, world: &World) -> bool {
        world.time < self.since + PATIENCE
    }

    /// Asks what is to be asked next, of whoever leads.
    fn ask(&mut self, world: &mut World, member: Option<usize>) {
        if self.ended || self.is_sent || self.waiting.is_empty() {
            return;
        }
        if !world.is_connected(self.client) {
            // A transaction ends with its connection.
            if std::mem::take(&mut self.is_bound) {
                self.ended = true;
                return;
            }
            let member = member.or_else(|| world.leading());
            if !member.is_some_and(|member| world.dial(self.client, member)) {
                if !self.is_patient(world) {
                    let text = b"CLUSTERDOWN nobody leads, or the member is down".to_vec();
                    self.answered(&Value::Error(text));
                }
                return;
            }
            for said in self.said.values() {
                world.ask(self.client, said.clone());
                self.to_drop += 1;
            }
        }
        if let Some(request) = self.waiting.front() {
            world.ask(self.client, request.clone());
            self.is_sent = true;
        }
    }
}

/// The answer of the simulator to `DEBUG SIM`.
fn told(request: &Request, world: &mut World, is_over: &mut bool) -> Value {
    let words = request.iter().map(|word| String::from_utf8_lossy(word));
    let words: Vec<String> = words.map(|word| word.to_ascii_uppercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let error = |why: &str| Value::Error(format!("ERR {why}").into_bytes());
    match words.get(1..).unwrap_or_default() {
        ["SIM"] | ["SIM", "HELP"] => {
            let own = [
                ("STATE", "time, events, digest, and how each member is"),
                ("LEADER", "the number of the member that leads"),
                ("END", "end the session"),
            ];
            let lines = MISHAPS.iter().chain(&own);
            let lines = lines.map(|(name, words)| format!("{name}: {words}").into_bytes());
            Value::Array(lines.map(Value::Bulk).collect())
        }
        ["SIM", "STATE"] => Value::Bulk(world.condition().into_bytes()),
        ["SIM", "LEADER"] => match world.leading() {
            Some(member) => Value::Integer(member as i64),
            None => Value::Integer(-1),
        },
        ["SIM", "END"] => {
            *is_over = true;
            Value::Simple(b"OK".to_vec())
        }
        ["SIM", mishap @ ..] => {
            let mishap = mishap.join(" ").parse::<Mishap>();
            match mishap.and_then(|mishap| world.befall(&mishap)) {
                Ok(()) => Value::Simple(b"OK".to_vec()),
                Err(why) => error(&format!("{why}; see DEBUG SIM HELP")),
            }
        }
        _ => error("only DEBUG SIM is known here"),
    }
}
