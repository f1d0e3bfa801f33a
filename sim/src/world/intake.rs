//! The intake of a member: news of others, frames, connections and their bytes are given to its
//! node.

use seedis::ids::ConnId;
use seedis::node::input::Input;

use super::member::{News, address_of};
use super::turn::Alive;
use super::{Segment, World};
use crate::draws::Dice;
use crate::goals::Fault;
use crate::workload::address_of_client;

impl World {
    /// Accepts, reads and writes what is ready.
    pub(super) fn read_all(&mut self, number: usize, dice: &mut Dice) -> Alive {
        for news in std::mem::take(&mut self.members[number].news) {
            let (address, told);
            let input = match news {
                News::Met {
                    other,
                    id,
                    incarnation,
                    entry_versions,
                } => {
                    self.greets(number, (id, incarnation), entry_versions.1);
                    address = self.members[other].told_address();
                    self.judge.meets(number, (id, incarnation), &address);
                    let address = &address[..];
                    Input::Met {
                        id,
                        incarnation,
                        address,
                        cluster_port: 16_379,
                        entry_versions,
                    }
                }
                News::Told { from, frame } => {
                    told = frame;
                    let frame = &told[..];
                    Input::Told { from, frame }
                }
                News::NotTold { messages } => Input::NotTold { messages },
                News::Wants { id, incarnation } => Input::Wants { id, incarnation },
                News::Asks {
                    wanted,
                    incarnation,
                    newest,
                } => Input::Asks {
                    wanted,
                    incarnation,
                    newest,
                },
                News::Configuration { wish, fails } => {
                    let outcome = if fails {
                        Err("the disk is broken")
                    } else {
                        Ok(())
                    };
                    self.judge.configuration_written(number, outcome);
                    Input::Configuration {
                        number: wish,
                        outcome,
                    }
                }
            };
            if !self.inform(number, input)? {
                return Ok(false);
            }
        }
        for (from, frame) in std::mem::take(&mut self.members[number].frames) {
            self.digest.bytes(&frame);
            let stands = self.stands_before(number, &frame);
            let passed = self.members[number].passed(self.time);
            self.members[number].heard.insert(from, passed);
            let whole = frame.clone();
            let (from, frame) = (self.members[from].config.id, &frame[..]);
            if !self.inform(number, Input::Message { from, frame })? {
                return Ok(false);
            }
            self.hears_leader(number, &whole);
            self.stands_still(number, stands)?;
        }
        for conn in std::mem::take(&mut self.members[number].arrivals) {
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.known = true;
                let address = &address_of_client(connection.client);
                let local = &address_of(number);
                self.judge.knows(conn, number, address, local);
                let conn = ConnId(conn);
                if !self.inform(
                    number,
                    Input::Opened {
                        conn,
                        address,
                        local,
                        descriptor: -1,
                    },
                )? {
                    return Ok(false);
                }
            }
        }
        for conn in std::mem::take(&mut self.members[number].writable) {
            if !self.write(number, conn)? {
                return Ok(false);
            }
        }
        for conn in std::mem::take(&mut self.members[number].stirred) {
            if !self.read(number, conn, dice)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads once from a connection.
    fn read(&mut self, number: usize, conn: u64, dice: &mut Dice) -> Alive {
        let Some(node) = &self.members[number].node else {
            return Ok(false);
        };
        let appetite = node.appetite(ConnId(conn));
        let Some(connection) = self.connections.get_mut(&conn).filter(|c| c.known) else {
            return Ok(true);
        };
        let there = connection.inbox.len();
        if there > 0 && appetite > 0 {
            let drawn = dice
                .within(1, self.scenario.read_max)
                .max(there as u64 / 16);
            let count = there.min(appetite).min(drawn as usize);
            let rest = connection.inbox.split_off(count);
            let bytes = std::mem::replace(&mut connection.inbox, rest);
            if bytes
                .windows(3)
                .skip(1)
                .any(|three| three == b"\n*1" || three == b"\n*2")
            {
                self.fired(Fault::Merge);
            }
            self.digest.word(conn);
            self.digest.bytes(&bytes);
            let (conn, bytes) = (ConnId(conn), &bytes[..]);
            if !self.inform(number, Input::Received { conn, bytes })? {
                return Ok(false);
            }
        }
        let Some(connection) = self.connections.get_mut(&conn) else {
            return Ok(true);
        };
        if !connection.inbox.is_empty() {
            // Who has no appetite now will say when it is back.
            if appetite > 0 {
                self.members[number].stirred.insert(conn);
            } else if connection.ended && !std::mem::replace(&mut connection.told_ending, true) {
                self.tell(|| format!("member {number} sees the end of c{conn} after its bytes"));
                return self.inform(number, Input::Ending { conn: ConnId(conn) });
            }
        } else if connection.ended {
            return self.sees_end(number, conn);
        }
        Ok(true)
    }

    /// A connection brings nothing more: its client may still read, or is gone.
    fn sees_end(&mut self, number: usize, conn: u64) -> Alive {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return Ok(true);
        };
        if connection.reset {
            self.tell(|| format!("member {number} sees that c{conn} is gone"));
            self.connections.remove(&conn);
            self.judge.knows_no_more(conn);
            return self.inform(number, Input::Closed { conn: ConnId(conn) });
        }
        if std::mem::replace(&mut connection.told_end, true) {
            return Ok(true);
        }
        self.tell(|| format!("member {number} sees that c{conn} sends no more"));
        self.inform(number, Input::Ended { conn: ConnId(conn) })
    }

    /// Writes what a connection's window takes.
    pub(super) fn write(&mut self, number: usize, conn: u64) -> Alive {
        loop {
            let Some(node) = &self.members[number].node else {
                return Ok(false);
            };
            let Some(connection) = self.connections.get_mut(&conn).filter(|c| c.known) else {
                return Ok(true);
            };
            let Some(chunk) = node.outbox(ConnId(conn)).next() else {
                break;
            };
            let room = connection.window.saturating_sub(connection.untaken);
            if room == 0 {
                connection.blocked = true;
                self.fired(Fault::SlowReader);
                return Ok(true);
            }
            let count = chunk.len().min(room);
            let bytes = chunk[..count].to_vec();
            connection.untaken = connection.untaken.saturating_add(count);
            self.digest.word(conn);
            self.digest.bytes(&bytes);
            self.send_bytes(conn, false, &bytes);
            let conn = ConnId(conn);
            if !self.inform(number, Input::Sent { conn, count })? {
                return Ok(false);
            }
        }
        if self.connections.get(&conn).is_some_and(|c| c.closing) {
            return self.shut(number, conn);
        }
        Ok(true)
    }

    /// Closes a connection.
    pub(super) fn shut(&mut self, number: usize, conn: u64) -> Alive {
        let Some(connection) = self.connections.get_mut(&conn).filter(|c| c.known) else {
            return Ok(true);
        };
        connection.known = false;
        self.judge.knows_no_more(conn);
        self.send(conn, false, Segment::End);
        self.inform(number, Input::Closed { conn: ConnId(conn) })
    }
}
