//! P5, S9: clients are closed against their will for a reason, and for each reason.
//!
//! CLIENT KILL of another, `timeout`, `client-output-buffer-limit`, HTTP, and the end of the time
//! in which a client may take what it is owed. Rules of the node's clock are checked by the same
//! clock; requests that the node was told of are counted where it is told.

use std::time::Duration;

use seedis::ids::ConnId;
use seedis::node::config::OutputLimit;
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use super::World;
use super::links::Connection;
use crate::goals::Goal;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::judge::known::Sentence;

impl Connection {
    /// The node was told of something.
    fn hears(&mut self, bytes: usize, now: Mono) {
        self.heard = now;
        self.told += bytes as u64;
        while self.ends.pop_front_if(|end| *end <= self.told).is_some() {
            self.arrived += 1;
        }
    }
}

impl World {
    /// A node is told of a client.
    pub(super) fn client_is_heard(&mut self, input: &Input<'_>, now: Now) {
        let (conn, bytes) = match input {
            Input::Received { conn, bytes } => (conn, bytes.len()),
            Input::Opened { conn, .. } | Input::Sent { conn, .. } => (conn, 0),
            _ => return,
        };
        if let Some(connection) = self.connections.get_mut(&conn.0) {
            connection.hears(bytes, now.mono);
        }
    }

    /// Returns true if a request of a client has come whole and is not answered.
    fn waits_for_answer(&self, conn: u64, connection: &Connection) -> bool {
        connection.arrived + self.judge.unanswered(conn) > connection.asked
    }

    /// How long a client may be silent at a member; zero: for ever.
    fn silence(&self, number: usize) -> Duration {
        Duration::from_secs(self.members[number].config.timeout_s)
    }

    /// Returns true if a member may close a client at once, whatever it is owed.
    pub(super) fn may_be_dropped(&mut self, number: usize, conn: u64) -> bool {
        let time = self.time;
        let Some(connection) = self.connections.get(&conn) else {
            return true;
        };
        if self.judge.sentence(conn) != Sentence::None {
            self.judge.reached(Goal::Killed);
            return true;
        }
        if self.judge.has_offended(conn) {
            self.judge.reached(Goal::SentAway);
            return true;
        }
        let now = self.members[number].clock.read(time).mono;
        let silence = self.silence(number);
        let is_silent = !silence.is_zero() && now.since(connection.heard) >= silence;
        if is_silent && !self.waits_for_answer(conn, connection) {
            self.judge.reached(Goal::Silent);
            return true;
        }
        let config = &self.members[number].config;
        if config.clients_memory.most(config.memory_max).is_some() {
            self.judge.reached(Goal::Crowded);
            return true;
        }
        let limit = self.members[number].config.output_limits.normal;
        // A reply counts while it is being made, too.
        let is_owed = self.judge.is_owed(conn)
            || self.judge.may_listen(conn)
            || self.waits_for_answer(conn, connection);
        if limit.hard + limit.soft > 0 && is_owed {
            self.judge.reached(Goal::Unread);
            return true;
        }
        had_its_time(connection, time)
    }

    /// S9, Q4: behind a turn nobody is kept who is to be gone, nor waits beside an element.
    pub(super) fn check_rules(&mut self, number: usize) -> Verdict {
        let member = &self.members[number];
        let now = member.clock.read(self.time).mono;
        let (silence, limit) = (self.silence(number), member.config.output_limits.normal);
        let Some(node) = &member.node else {
            return Ok(());
        };
        if node.serves_and_rests() {
            self.judge.check_waits(number, node.store())?;
        }
        // A client that was killed and is kept is so in later turns too; for how long one has not
        // taken its replies must be known of each turn.
        let is_timed = !silence.is_zero() || limit != OutputLimit::default();
        if !is_timed && !self.is_checkpoint(number) {
            return Ok(());
        }
        let alone = self.members.len() == 1;
        let life = member.life;
        let mut crowds = Vec::new();
        let made = node.reply_being_made();
        for (conn, connection) in &self.connections {
            let is_here = connection.member == number && connection.life == life;
            if !is_here || !connection.known {
                continue;
            }
            let broken = |text: String| Err(Violation::new(Id::S9, format!("c{conn} {text}")));
            if self.judge.sentence(*conn) == Sentence::Killed {
                return broken("was killed by another, and is kept".to_owned());
            }
            let idle = now.since(connection.heard);
            // What one waited for that has just gone is not known any more, nor is what a node
            // waits for that does not read on.
            let may_be_silent = silence.is_zero()
                || !connection.inbox.is_empty()
                || connection.ended
                || self.judge.has_left(*conn)
                || self.judge.is_closing(*conn)
                || self.judge.may_listen(*conn)
                || self.waits_for_answer(*conn, connection);
            // One that had to wait in between may have twice as long.
            if alone && !may_be_silent && idle > silence * 2 + Duration::from_millis(100) {
                return broken(format!("has said nothing for {idle:?}, and is kept"));
            }
            if limit == OutputLimit::default() {
                continue;
            }
            let waits: usize = node.outbox(ConnId(*conn)).map(<[u8]>::len).sum();
            let made = made
                .filter(|(of, _)| of.0 == *conn)
                .map_or(0, |(_, bytes)| bytes);
            let waits = (waits + made) as u64;
            if limit.hard > 0 && waits >= limit.hard {
                return broken(format!("has not taken {waits} bytes, and is kept"));
            }
            let crowded = limit.soft > 0 && waits >= limit.soft;
            let since = crowded.then(|| connection.crowded_since.unwrap_or(now));
            let most = Duration::from_secs(limit.soft_s) + Duration::from_millis(1500);
            if since.is_some_and(|since| now.since(since) > most) {
                return broken(format!(
                    "has not taken {waits} bytes for {most:?}, and is kept"
                ));
            }
            crowds.push((*conn, since));
        }
        for (conn, since) in crowds {
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.crowded_since = since;
            }
        }
        Ok(())
    }
}

/// Returns true if a client that was to be closed had long enough to take what it was owed, as
/// clocks go. A member that stood still meanwhile hears of that time before it hears of its
/// sockets, so that the client may have room again by now.
fn had_its_time(connection: &Connection, time: u64) -> bool {
    let least = seedis::limits::LINGER.as_nanos() as u64 / 2;
    connection
        .lingers_since
        .is_some_and(|since| time - since >= least)
}
