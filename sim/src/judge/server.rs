//! The answers to requests about the server whose moment tells what they may be: WAIT, SAVE, DEBUG.

use seedis::node::config::Config;

use super::dialogue::Question;
use super::history::Words;
use super::{Circumstances, Judge, Policy};
use crate::model::want::Score;
use crate::model::{self, SYNTAX, Want};

/// Redis's words where DEBUG may not be used.
const REFUSED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set \
    to \"local\", you can run it from a local connection, otherwise you need to set this option \
    in the configuration file, and then restart the server.";

/// For so long a CLIENT UNBLOCK may be on its way, in nanoseconds.
const UNBLOCKED_FOR: u64 = 20_000_000_000;

/// Clients that keep have fewer keys: where so many may be known none has to make room.
const ROOM_FOR_ALL: usize = 1000;

impl Judge {
    /// The settings of members say what their clients may do.
    #[must_use]
    pub(crate) fn allowing(mut self, config: &Config) -> Self {
        self.staleness_ms = config.staleness_ms_max;
        self.eviction = config.memory_policy;
        let letters = config.events.letters();
        self.tells_events = [b'K', b'E'].map(|letter| letters.contains(&letter));
        (self.leases, self.debugs) = (config.lease_reads, config.debug_command);
        for member in &mut self.members {
            member.touches.makes_room = config.tracked_keys_max < ROOM_FOR_ALL;
        }
        self
    }

    /// A member has written a base, or has failed to.
    pub(crate) fn has_saved(&mut self, member: usize, is_done: bool, time: u64) {
        let saved = &mut self.members[member].saved;
        *(if is_done { &mut saved.0 } else { &mut saved.1 }) = Some(time);
    }

    /// The answer to WAIT: no more members hold what its client has written than reach so far, and
    /// fewer than it wants are told only when its time is over.
    pub(super) fn wait(
        &self,
        member: usize,
        conn: u64,
        (question, words): (&Question, &Words),
        around: Circumstances,
    ) -> Want {
        let error = |text: &str| Want::Error(text.to_owned());
        let Some(wanted) = model::integer(&words[1]) else {
            return error(model::NOT_AN_INTEGER);
        };
        let Some(timeout) = model::integer(&words[2]) else {
            return error("ERR timeout is not an integer or out of range");
        };
        let Ok(timeout) = u64::try_from(timeout) else {
            return error("ERR timeout is negative");
        };
        let dialogue = self.dialogues.get(&conn);
        let wrote = dialogue.map_or(0, |dialogue| dialogue.wrote);
        let others = self
            .members
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != member);
        let most = others.filter(|(_, one)| one.longest >= wrote).count() as i64;
        let passed = around.time.saturating_sub(question.at) / 1_000_000;
        // Its monotonic clock may go faster than true time, but not much.
        let is_over = timeout > 0 && passed * 2 + 20 >= timeout;
        // Another may have ended the wait, by a request that came later than it was asked.
        let is_ended = self
            .unblocked_at
            .is_some_and(|at| at + UNBLOCKED_FOR >= question.at);
        let may_be_few = is_over || is_ended || dialogue.is_some_and(|dialogue| dialogue.ended);
        let least = if may_be_few { 0 } else { wanted.max(0) };
        let mut wants = vec![Want::Between(least, most)];
        if self.group.is_some() || is_ended {
            wants.push(Want::ErrorCode("UNBLOCKED "));
        }
        if self.group.is_some() {
            let since = self.members[member].leader_since;
            if since.is_none_or(|since| since >= question.at) {
                wants.push(error("ERR WAIT cannot be used with replica instances."));
            }
        }
        Want::OneOf(wants)
    }

    /// The answer to SAVE: a base was written since.
    pub(super) fn save(&self, member: usize, question: &Question) -> Want {
        let member = &self.members[member];
        if member.durability.policy == Policy::Memory {
            let text = "ERR there is no log to rewrite: appendonly is no";
            return Want::Error(text.to_owned());
        }
        let since = |time: Option<u64>| time >= Some(question.at);
        let mut wants = Vec::new();
        if since(member.saved.0) {
            wants.push(Want::OK);
        }
        if since(member.saved.1) {
            wants.push(Want::ErrorCode("ERR the rewrite failed ("));
        }
        Want::OneOf(wants)
    }

    /// The answer to DEBUG, as far as it harms nothing.
    pub(super) fn debug(question: &Question, words: &Words, around: Circumstances) -> Want {
        let word = |place: usize| {
            let word = words.get(place).map_or(&[][..], |word| &word[..]);
            String::from_utf8_lossy(word).to_ascii_lowercase()
        };
        let wrong = || {
            let given = String::from_utf8_lossy(&words[1][..words[1].len().min(128)]);
            let text = format!(
                "ERR unknown subcommand or wrong number of arguments for '{given}'. Try DEBUG HELP."
            );
            Want::Error(text.replace(['\r', '\n'], " "))
        };
        match (&word(1)[..], words.len()) {
            ("sleep", 3) => {
                let seconds: Option<f64> = word(2).parse().ok();
                let Some(seconds) = seconds else {
                    return Want::Error("ERR value is not a valid float".to_owned());
                };
                let passed = around.time.saturating_sub(question.at) as f64 / 1e9;
                let is_over = passed * 2.0 + 0.02 >= seconds;
                Want::OneOf(if is_over { vec![Want::OK] } else { Vec::new() })
            }
            ("protocol", 3) => match &word(2)[..] {
                "string" => Want::Bulk(b"Hello World".to_vec()),
                "integer" => Want::Integer(12_345),
                "double" => Want::Score(Score(3141.0 / 1000.0)),
                "null" => Want::Null,
                "array" => Want::Array((0..3).map(Want::Integer).collect()),
                "verbatim" => Want::Text,
                _ => Want::OneOf(vec![Want::Anything, Want::ErrorCode("ERR ")]),
            },
            ("digest" | "help", 2) => Want::Anything,
            ("object", 3 | 4) => {
                let absent = Want::Error("ERR no such key".to_owned());
                Want::OneOf(vec![Want::Anything, absent, Want::Error(SYNTAX.to_owned())])
            }
            ("reload" | "loadaof" | "set-active-expire" | "panic", _) => Want::whatever(),
            _ => wrong(),
        }
    }

    /// Redis's refusal of DEBUG, where it may not be used.
    pub(super) fn refuses_debug(&self) -> Option<Want> {
        (!self.debugs).then(|| Want::Error(REFUSED.to_owned()))
    }
}
