//! The actions of clients: when it is their time, and when something has come for them.

use std::collections::VecDeque;

use seedis::time::Mono;

use super::links::Connection;
use super::member::at_address;
use super::observed::Seen;
use super::{Event, Segment, World};
use crate::client::Batch;
use crate::decisions::decision::{Deal, Leave, Slowness};
use crate::draws::Stream;
use crate::goals::{Fault, Goal};
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::scenario::Scenario;
use crate::wire::Value;
use crate::workload::Piece;

impl World {
    /// A client connects, asks or goes away, and decides when it acts again.
    pub(super) fn act(&mut self, number: usize) -> Verdict {
        if self.decisions.are_scripted() {
            return self.act_as_written(number);
        }
        if self.clients[number].acts_at != self.time {
            return Ok(());
        }
        self.clients[number].acts += 1;
        let acts = self.clients[number].acts;
        let mut dice = self.dice(Stream::CLIENT, number as u64, acts);
        let think = self.think(&mut dice);
        if self.healed && self.time >= self.scenario.duration + super::settling::CALM {
            // Nobody may come any more with what it waits for.
            if let Some(conn) = self.clients[number].conn
                && self.clients[number].may_wait_for_ever()
            {
                self.give_up(number, conn);
            }
            return Ok(());
        }
        self.plan_act(number, think);
        let Some(conn) = self.clients[number].conn else {
            self.connect(number, &mut dice);
            return Ok(());
        };
        if self.clients[number].leaving {
            return Ok(());
        }
        if self.clients[number].pending.is_empty() {
            self.clients[number].heard = self.time;
        } else if self.time - self.clients[number].heard > self.scenario.patience {
            self.give_up(number, conn);
            return Ok(());
        }
        if self.clients[number].pending.len() < self.scenario.depth {
            let batch = self.clients[number].ask(self.scenario.pipeline, &mut dice);
            if !self.healed && dice.permille(self.scenario.close) {
                self.close(number, conn, batch, &mut dice);
                return Ok(());
            }
            self.try_twins(number, &batch)?;
            let whole = batch.bytes.len();
            if batch.is_last() {
                self.leave(number, conn, batch, whole, Leave::Half);
            } else {
                self.say(number, conn, batch, whole);
            }
        } else if !self.healed && dice.permille(self.scenario.close) {
            self.close(number, conn, Batch::default(), &mut dice);
        }
        Ok(())
    }

    /// Performs the actions that a script has for a client now.
    fn act_as_written(&mut self, number: usize) -> Verdict {
        let mut batch = Batch::default();
        let (mut twins, mut leave) = (None, None);
        for deal in self.decisions.deals(number, self.time) {
            match deal {
                Deal::Connect { member, slow } => {
                    self.clients[number].usual = member;
                    if self.clients[number].conn.is_none() {
                        self.open(number, member, slow);
                    }
                }
                // Where nothing wrong stands in front of it, it is a request as any other.
                Deal::Ask(Piece::Behind(words)) if !batch.errs() => {
                    batch.push(Piece::Request(words));
                }
                Deal::Ask(piece) => batch.push(piece),
                Deal::Twins { dice } => twins = Some(dice),
                Deal::Leave { cut, how } => leave = Some((cut, how)),
                Deal::GiveUp => {
                    if let Some(conn) = self.clients[number].conn {
                        self.give_up(number, conn);
                    }
                }
            }
        }
        if self.clients[number].conn.is_none() && !batch.pieces.is_empty() {
            // Who has lost its connection, or was sent elsewhere, connects first.
            let usual = self.clients[number].usual;
            let member = self.clients[number].hint.take().unwrap_or(usual);
            self.open(number, member, None);
        }
        let Some(conn) = self.clients[number].conn else {
            return Ok(());
        };
        if self.clients[number].leaving {
            return Ok(());
        }
        self.clients[number].leaving = batch.errs();
        if let Some(dice) = twins {
            self.check_twins(number, &batch, dice)?;
        }
        if let Some((cut, how)) = leave {
            self.leave(number, conn, batch, cut, how);
        } else {
            let whole = batch.bytes.len();
            self.say(number, conn, batch, whole);
        }
        Ok(())
    }

    /// A client waits no longer.
    fn give_up(&mut self, number: usize, conn: u64) {
        self.fired(Fault::Impatience);
        self.tell(|| format!("c{conn} waits no longer"));
        self.did(number, || Deal::GiveUp);
        self.send(conn, true, Segment::Reset);
        self.hang_up(number, conn);
    }

    pub(super) fn did(&mut self, client: usize, deal: impl FnOnce() -> Deal) {
        let time = self.time;
        self.decisions.note_act(client, time, deal);
    }

    /// Plans when a client acts next.
    pub(super) fn plan_act(&mut self, client: usize, after: u64) {
        self.clients[client].acts_at = self.time + after;
        self.push(after, Event::Act { client });
    }

    /// How long a client thinks.
    fn think(&self, dice: &mut crate::draws::Dice) -> u64 {
        let Scenario { think, naps, .. } = self.scenario;
        let rush = self.scenario.rush.filter(|_| self.time < self.hurry_until);
        let think = rush.map_or(think, |rush| rush.think);
        let think = dice.exponential(think).max(1000);
        if naps > 0 && dice.permille(naps) && !self.healed {
            return think + 500_000_000 + dice.exponential(2_000_000_000);
        }
        think
    }

    /// The leader is in trouble: clients ask more often for some time, of whom they are connected
    /// to and of whom they turn to next.
    pub(super) fn hurry(&mut self) {
        let Some(rush) = self.scenario.rush else {
            return;
        };
        self.hurry_until = self.time + rush.lasts;
        for client in 0..self.clients.len() {
            let acts = self.clients[client].acts;
            let mut dice = self.dice(Stream::HURRY, client as u64, acts);
            let after = dice.exponential(rush.think).max(1000);
            let planned = self.clients[client].acts_at.saturating_sub(self.time);
            // Who thinks for seconds is not disturbed.
            if (after..self.scenario.think * 8).contains(&planned) {
                self.plan_act(client, after);
            }
        }
    }

    /// P1: two nodes on the side are sent the same bytes, cut differently.
    fn try_twins(&mut self, client: usize, batch: &Batch) -> Verdict {
        let acts = self.clients[client].acts;
        let mut dice = self.dice(Stream::TWINS, client as u64, acts);
        if dice.permille(self.scenario.twins) {
            self.check_twins(client, batch, acts)?;
        }
        Ok(())
    }

    fn check_twins(&mut self, client: usize, batch: &Batch, acts: u64) -> Verdict {
        if self.black_box {
            return Ok(());
        }
        self.did(client, || Deal::Twins { dice: acts });
        let mut dice = self.dice(Stream::TWINS, client as u64, acts);
        // The first draw has decided that they are asked at all.
        dice.draw();
        crate::twins::check(batch, &mut dice)
    }

    fn connect(&mut self, client: usize, dice: &mut crate::draws::Dice) {
        let drawn = dice.below(self.members.len() as u64) as usize;
        let member = self.clients[client].hint.take().unwrap_or(drawn);
        if !self.members[member].is_up() {
            return;
        }
        let slow = dice.permille(self.scenario.slow) && !self.healed;
        let slow = slow.then(|| Slowness {
            window: dice.within(1, 2000) as usize,
            each: dice.exponential(20_000_000).max(1),
        });
        let Some(conn) = self.open(client, member, slow) else {
            return;
        };
        let greeting = self.clients[client].greeting(dice);
        let whole = greeting.bytes.len();
        self.say(client, conn, greeting, whole);
    }

    /// A client connects to a member, if there is one.
    pub(super) fn open(
        &mut self,
        client: usize,
        member: usize,
        slow: Option<Slowness>,
    ) -> Option<u64> {
        if !self.members[member].is_up() {
            return None;
        }
        self.last_conn += 1;
        let conn = self.last_conn;
        self.connections.insert(
            conn,
            Connection {
                client,
                member,
                life: self.members[member].life,
                inbox: Vec::new(),
                ended: false,
                reset: false,
                told_ending: false,
                told_end: false,
                lingers_since: None,
                said: 0,
                told: 0,
                ends: VecDeque::new(),
                arrived: 0,
                asked: 0,
                heard: Mono(0),
                crowded_since: None,
                dropped: false,
                known: false,
                closing: false,
                untaken: 0,
                window: slow.map_or(1 << 20, |slow| slow.window),
                blocked: false,
                slowness: slow.map_or(0, |slow| slow.each),
                last_up: self.time,
                last_down: self.time,
                last_take: self.time,
            },
        );
        self.clients[client].conn = Some(conn);
        self.clients[client].workload.connected(conn);
        self.judge.connected(conn, member);
        self.tell(|| format!("client {client} connects to member {member} as c{conn}"));
        self.did(client, || Deal::Connect { member, slow });
        self.send(conn, true, Segment::Opened);
        Some(conn)
    }

    /// Goes away in the middle of a batch.
    fn close(&mut self, client: usize, conn: u64, batch: Batch, dice: &mut crate::draws::Dice) {
        let cut = dice.below(batch.bytes.len() as u64 + 1) as usize;
        let how = match dice.below(4) {
            0 => Leave::End,
            1 => Leave::Reset,
            _ => Leave::Half,
        };
        // Drawn last, so that all that was drawn before is as it was: what nobody will ever hold.
        let goes_on = !batch.errs() && !batch.is_last();
        let waits = how != Leave::Reset && goes_on && dice.permille(200);
        let (mut batch, mut cut) = (batch, cut);
        if waits {
            batch.push(crate::workload::words(&["WAIT", "9", "0"]));
            cut = batch.bytes.len();
        }
        self.leave(client, conn, batch, cut, how);
    }

    /// Says the first bytes of a batch, and goes away.
    fn leave(&mut self, client: usize, conn: u64, batch: Batch, cut: usize, how: Leave) {
        let half = how == Leave::Half;
        self.fired(if half { Fault::HalfClose } else { Fault::Close });
        let cut = cut.min(batch.bytes.len());
        self.say(client, conn, batch, cut);
        self.did(client, || Deal::Leave { cut, how });
        if half {
            self.tell(|| format!("c{conn} sends no more"));
            self.judge.half_closed(conn);
            self.clients[client].leaving = true;
            return self.send(conn, true, Segment::End);
        }
        self.tell(|| format!("c{conn} goes away"));
        let last = match how {
            Leave::End | Leave::Half => Segment::End,
            Leave::Reset => Segment::Reset,
        };
        self.send(conn, true, last);
        self.hang_up(client, conn);
    }

    /// The client wants to know nothing more of a connection.
    pub(super) fn hang_up(&mut self, client: usize, conn: u64) {
        self.note(|| Seen::HungUp { conn });
        self.judge.ended(conn);
        self.ledger.ended(conn);
        self.elements.ended(conn);
        self.clients[client].disconnected();
        // Whatever still comes for it is dropped; the member learns of the end by itself.
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.window = usize::MAX;
        }
    }

    /// Something has come to a client.
    pub(super) fn down(&mut self, conn: u64, segment: Segment) -> Verdict {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return Ok(());
        };
        let client = connection.client;
        let listens = self.clients[client].conn == Some(conn);
        match segment {
            Segment::Bytes(bytes) => {
                let count = bytes.len();
                if connection.slowness == 0 {
                    connection.untaken = connection.untaken.saturating_sub(count);
                    if connection.blocked {
                        self.push(0, Event::Take { conn, count: 0 });
                    }
                } else {
                    let at = connection.last_take.max(self.time) + connection.slowness;
                    connection.last_take = at;
                    self.push(at - self.time, Event::Take { conn, count });
                }
                if listens {
                    self.received(client, conn, &bytes)?;
                }
            }
            Segment::End | Segment::Reset => {
                if listens {
                    self.finished(client, conn)?;
                }
                let gone = self.connections.get(&conn).is_some_and(|connection| {
                    self.members[connection.member].life != connection.life || !connection.known
                });
                if gone {
                    self.connections.remove(&conn);
                }
            }
            Segment::Opened => {}
        }
        Ok(())
    }

    fn received(&mut self, client: usize, conn: u64, bytes: &[u8]) -> Verdict {
        self.clients[client].decoder.feed(bytes);
        loop {
            let next = self.clients[client].decoder.next();
            let next =
                next.map_err(|wrong| Violation::new(Id::P3, format!("c{conn}: {}", wrong.0)));
            let Some(value) = next? else {
                return Ok(());
            };
            self.tell(|| format!("c{conn} receives {value}"));
            self.note(|| Seen::Replied {
                conn,
                value: value.to_string(),
            });
            let ends = self.black_box || self.judge.replied(conn, &value, self.time)?;
            if !ends {
                continue;
            }
            self.ledger.answered(conn, &value, self.time);
            self.elements.answered(conn, &value, self.time)?;
            if let Some(heard) = self.guests.get_mut(&client) {
                heard.push(value.clone());
            }
            if matches!(&value, Value::Error(text) if text.starts_with(b"WRONGTYPE")) {
                self.judge.reached(Goal::WrongType);
            }
            if let Value::Error(text) = &value
                && (text.starts_with(b"MOVED ") || text.starts_with(b"CLUSTERDOWN "))
            {
                self.turn_elsewhere(client, conn, text);
                return Ok(());
            }
            let now = self.time;
            let client = &mut self.clients[client];
            client.heard = now;
            if let Some(Some(request)) = client.pending.pop_front() {
                client.workload.replied(&request, &value);
            }
        }
    }

    /// Its member does not lead: the client tries the one that it was told of, or any.
    fn turn_elsewhere(&mut self, client: usize, conn: u64, text: &[u8]) {
        let address = text.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        self.send(conn, true, Segment::End);
        self.hang_up(client, conn);
        let client = &mut self.clients[client];
        client.hint = at_address(address).filter(|_| !client.workload.stays_near());
    }

    /// P5: the connection is no more.
    fn finished(&mut self, client: usize, conn: u64) -> Verdict {
        let Some(connection) = self.connections.get(&conn) else {
            return Ok(());
        };
        let crashed = self.members[connection.member].life != connection.life;
        let amid = self.clients[client].decoder.is_amid();
        self.tell(|| format!("c{conn} is closed by the server"));
        if connection.dropped {
            self.fired(Fault::Dropped);
        } else if !crashed {
            if amid {
                let text = format!("c{conn} was closed in the middle of a reply");
                self.sees(Err(Violation::new(Id::P4, text)))?;
            }
            self.looks_inside(|world| world.judge.closed(conn))?;
        }
        self.hang_up(client, conn);
        Ok(())
    }
}
