//! The requests that a member does not even look at, and what it says.

use seedis::command::table;
use seedis::node::witness::Answer;

use super::answer::{LOADING, WHILE_LOADING};
use super::history::{Words, is_write};
use super::memory::{self, grows};
use super::waiting::wrong_wait;
use super::{Circumstances, Judge, is_step};
use crate::goals::Goal;
use crate::model::{self, Class, Row, Want};

/// The commands that a listener in RESP2 may ask for.
const WHILE_LISTENING: [&str; 9] = [
    "subscribe",
    "unsubscribe",
    "psubscribe",
    "punsubscribe",
    "ssubscribe",
    "sunsubscribe",
    "ping",
    "quit",
    "reset",
];

impl Judge {
    /// Why a request is not even looked at, if so.
    pub(super) fn refusal(
        &mut self,
        member: usize,
        words: &Words,
        answer: Answer,
        around: Circumstances,
        (queues, listens): (bool, bool),
    ) -> Result<&'static Row, Want> {
        let name = words.first().map_or(&[][..], |word| &word[..]);
        let Some(row) = model::find(name) else {
            self.goals.reach(Goal::UnknownCommand);
            return Err(Want::Error(unknown(words)));
        };
        if let Some(text) = refusal_of_subcommand(words) {
            self.goals.reach(Goal::WrongArity);
            return Err(Want::Error(text.replace(['\r', '\n'], " ")));
        }
        if !row.takes(words.len()) {
            self.goals.reach(Goal::WrongArity);
            let text = format!("wrong number of arguments for '{}' command", row.name);
            let code = if row.name == "exec" {
                "EXECABORT Transaction discarded because of:"
            } else {
                "ERR"
            };
            return Err(Want::Error(format!("{code} {text}")));
        }
        if row.name == "object"
            && let Some(text) = model::refusal_of_object(words)
        {
            self.goals.reach(Goal::WrongArity);
            return Err(Want::Error(text.replace(['\r', '\n'], " ")));
        }
        if listens && !WHILE_LISTENING.contains(&row.name) {
            let name = match words.get(1) {
                Some(sub) if table::find(name).is_some_and(|row| row.is_container()) => {
                    format!("{}|{}", row.name, sub.to_ascii_lowercase().escape_ascii())
                }
                _ => row.name.to_owned(),
            };
            self.goals.reach(Goal::OnlyListens);
            let code = match row.name {
                "exec" => "EXECABORT Transaction discarded because of:",
                _ => "ERR",
            };
            return Err(Want::Error(format!(
                "{code} Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / \
                 QUIT / RESET are allowed in this context"
            )));
        }
        if row.name == "debug"
            && let Some(refused) = self.refuses_debug()
        {
            return Err(refused);
        }
        let always = row.class == Class::Session
            || WHILE_LOADING.contains(&row.name)
            || row.is_strange_server()
            || model::is_help_for_object(words);
        if !self.members[member].serving && !always {
            self.goals.reach(Goal::Loading);
            return Err(Want::Error(LOADING.to_owned()));
        }
        if is_write(words) && !is_step(answer) && !queues {
            let mut wants = Vec::new();
            if around.tight {
                self.goals.reach(Goal::NoSpace);
                wants = around.reasons.refusals("");
            }
            if around.memory.may && (grows(words) || !row.is_known) {
                wants.push(Want::Error(memory::REFUSAL.to_owned()));
            }
            if !wants.is_empty() {
                wants.extend(wrong_wait(words).map(Want::Error));
                return Err(Want::OneOf(wants));
            }
        }
        Ok(row)
    }
}

/// Redis's words for a subcommand that there is not, or that takes another number of words.
fn refusal_of_subcommand(words: &Words) -> Option<String> {
    let row = table::find(&words[0]).filter(|row| row.is_container())?;
    let given = words.get(1)?;
    let Some(own) = row.subcommand(given) else {
        let given = String::from_utf8_lossy(&given[..given.len().min(128)]);
        let name = row.name.to_ascii_uppercase();
        return Some(format!(
            "ERR unknown subcommand '{given}'. Try {name} HELP."
        ));
    };
    let name = format!("{}|{}", row.name, given.to_ascii_lowercase().escape_ascii());
    (!own.takes(words.len())).then(|| format!("ERR wrong number of arguments for '{name}' command"))
}

/// Redis's words for a command that it does not know.
fn unknown(words: &Words) -> String {
    let cut = |word: &[u8], most: usize| word[..word.len().min(most)].to_vec();
    let mut given = Vec::new();
    for word in &words[1..] {
        if given.len() >= 128 {
            break;
        }
        let shown = cut(word, 128 - given.len());
        given.extend([&b"'"[..], &shown, b"' "].concat());
    }
    let name = cut(&words[0], 128);
    let [name, given] = [name, given].map(|text| String::from_utf8_lossy(&text).into_owned());
    let all = format!("ERR unknown command '{name}', with args beginning with: {given}");
    all.replace(['\r', '\n'], " ")
}
