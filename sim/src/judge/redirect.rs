//! C6: where a client is sent that has asked a member for what only the leader may do.

use seedis::ids::{Incarnation, NodeId};
use seedis::raft::Raft;

use super::dialogue::{Asked, Question};
use super::invariant::{Id, Violation};
use super::reasons::DEPOSED;
use super::{Circumstances, Judge};
use crate::goals::Goal;
use crate::model::waits::may_wait;
use crate::model::{Class, Row, Want, find};

/// How many slots there are.
const SLOTS: u16 = 16_384;

impl Judge {
    /// A member hears the address of another.
    pub(crate) fn meets(&mut self, member: usize, other: (NodeId, Incarnation), address: &str) {
        self.members[member].redirects.meets(other, address);
    }

    /// A member was listened to: whom it knows to lead, whether it led before and does now, and
    /// how far its log reaches.
    pub(crate) fn follows(
        &mut self,
        member: usize,
        raft: Option<&Raft>,
        (led, leads): (bool, bool),
        time: u64,
    ) {
        let member = &mut self.members[member];
        let term = raft.filter(|raft| raft.is_leader()).map(Raft::term);
        // One that is elected again at once has ceased to lead in between.
        let is_deposed = member.leads_in.is_some() && member.leads_in != term;
        if led && !leads || is_deposed {
            member.fell_at = Some(time);
        }
        member.leads_in = term;
        // A leader that has not applied the first entry of its term serves nobody yet.
        let is_leader = leads && raft.is_some_and(Raft::is_leader);
        let since = member.leader_since.unwrap_or(time);
        member.leader_since = is_leader.then_some(since);
        let last = raft.map_or(0, |raft| raft.last().0);
        member.longest = member.longest.max(last);
        member.redirects.follows(raft, time);
    }

    /// C6: the answers allowed from a member that does not lead, or ceases to.
    pub(super) fn elsewhere(
        &mut self,
        member: usize,
        conn: u64,
        question: &Question,
        around: Circumstances,
    ) -> Result<Want, Violation> {
        self.goals.reach(Goal::Elsewhere);
        let Asked::Request(words) = &question.asked else {
            return Ok(Want::OneOf(Vec::new()));
        };
        let row = words.first().and_then(|name| find(name));
        let name = row.map_or("", |row| row.name);
        if !row.is_some_and(may_need_leader) {
            let text = format!("c{conn} is sent elsewhere for {name}, which any member does");
            return Err(Violation::new(Id::C6, text));
        }
        let is_changed = row.is_some_and(|row| row.class != Class::Read);
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            let transaction = dialogue.transaction.as_ref();
            if name == "exec" && transaction.is_none_or(|transaction| transaction.failed) {
                // What cannot be run is no better elsewhere.
                return Ok(Want::OneOf(Vec::new()));
            }
        }
        self.refused(conn, name);
        if row.is_some_and(|row| !row.is_known || row.name == "raft") {
            let codes = ["MOVED ", "CLUSTERDOWN ", "UNCERTAIN "];
            return Ok(Want::OneOf(codes.map(Want::ErrorCode).to_vec()));
        }
        // It is decided at some time between question and answer.
        let known = self.members[member].redirects.since(question.at);
        let slots = slots_of(name, words);
        let mut wants = Vec::new();
        for address in known {
            match address {
                None => wants.push(Want::ErrorCode("CLUSTERDOWN ")),
                Some(address) => wants.extend(slots.iter().map(|slot| {
                    let text = format!("MOVED {slot} {address}");
                    Want::Error(text)
                })),
            }
        }
        if is_changed {
            wants.push(Want::Error(DEPOSED.to_owned()));
            if around.tight {
                wants.extend(around.reasons.doubts());
            }
        }
        if may_wait(words) {
            wants.push(Want::ErrorCode("UNBLOCKED "));
        }
        Ok(Want::OneOf(wants))
    }

    /// A request was refused by a member that does not lead.
    fn refused(&mut self, conn: u64, name: &str) {
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return;
        };
        if name != "exec" {
            if let Some(transaction) = &mut dialogue.transaction {
                transaction.failed = true;
            }
            return;
        }
        dialogue.watched.clear();
        let Some(transaction) = dialogue.transaction.take() else {
            return;
        };
        // A transaction that may have been executed may have changed the database, and more.
        dialogue.blind |= transaction.db != dialogue.db;
        self.may_have_run(conn, &transaction.queued);
        for command in &transaction.queued {
            self.wants_reads(conn, &command.words, false);
        }
    }
}

/// Returns true if only a leader may answer some requests of a command.
fn may_need_leader(row: &Row) -> bool {
    match row.class {
        _ if !row.is_known => true,
        Class::Write => true,
        Class::Read => !row.looks_at_nothing(),
        Class::Session => matches!(row.name, "exec" | "watch"),
        Class::Server => row.name == "raft",
    }
}

/// The slots that the redirect of a request may name: that of its first key, 0 where it has none.
fn slots_of(name: &str, words: &[Vec<u8>]) -> Vec<u16> {
    let place = match name {
        "dbsize" | "exec" | "flushall" | "flushdb" | "function" | "keys" | "randomkey" | "scan"
        | "script" => None,
        "blmpop" | "bzmpop" | "eval" | "evalsha" | "eval_ro" | "evalsha_ro" | "fcall"
        | "fcall_ro" => Some(3),
        "bitop" | "lmpop" | "object" | "pfdebug" | "sintercard" | "zdiff" | "zinter"
        | "zintercard" | "zmpop" | "zunion" => Some(2),
        _ => Some(1),
    };
    let slot = place
        .and_then(|place| words.get(place))
        .map(|key| slot(key));
    let mut slots = vec![slot.unwrap_or(0)];
    if place.is_some_and(|place| place > 1) {
        // Where the number of keys is none, nobody can tell which words are keys.
        slots.push(0);
    }
    slots
}

/// The slot of a key: CRC-16 of it, or of what stands in its first braces, bit by bit.
fn slot(key: &[u8]) -> u16 {
    let open = key.iter().position(|byte| *byte == b'{');
    let tag = open.and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        Some(&rest[..close]).filter(|tag| !tag.is_empty())
    });
    let mut sum = 0_u32;
    for byte in tag.unwrap_or(key) {
        for bit in (0..8).rev() {
            sum = sum << 1 | u32::from(byte >> bit & 1);
            sum ^= if sum & 0x1_0000 == 0 { 0 } else { 0x1_1021 };
        }
    }
    // The polynomial's own 16 bits behind the message.
    for _ in 0..16 {
        sum <<= 1;
        sum ^= if sum & 0x1_0000 == 0 { 0 } else { 0x1_1021 };
    }
    sum as u16 % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        let known: [(&[u8], u16); 4] = [
            (b"foo", 12_182),
            (b"{foo}.bar", 12_182),
            (b"foo{}{bar}", 8_363),
            (b"123456789", 0x31c3),
        ];
        for (key, number) in known {
            assert_eq!(slot(key), number % SLOTS);
        }
    }
}
