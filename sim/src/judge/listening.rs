//! Channels: a client hears what it must, and nothing that it must not.
//!
//! A message is known from the moment when a client asks to publish it. The clients that must have
//! it on the publisher's own member are known when that is answered. A client hears only what it
//! listens to, as the replies before say.

use std::collections::BTreeSet;

use super::channels::{Change, Due, Key, Message, Topic, message_in, publishes, subscribes};
use super::dialogue::Dialogue;
use super::hearing::first_whole;
use super::history::{Command, Words, is_named};
use super::invariant::{Id, Verdict, Violation};
use super::known::Sentence;
use super::{Asked, Judge};
use crate::goals::Goal;
use crate::model::{Want, matches};
use crate::wire::{Value, shown};

impl Dialogue {
    /// Returns true if nobody knows what its client listens to: a transaction may be changing that.
    pub(super) fn is_in_flux(&self) -> bool {
        let mut queued = self.transaction.iter().flat_map(|open| &open.queued);
        self.listener.is_unsure || queued.any(|one| subscribes(&one.words).is_some())
    }
}

fn bulk(text: &[u8]) -> Want {
    Want::Bulk(text.to_vec())
}

impl Judge {
    /// Somebody asks to publish a message, if that is what is asked.
    pub(super) fn may_be_published(&mut self, conn: u64, member: usize, words: &[Vec<u8>]) {
        let Some(key) = publishes(words) else {
            return;
        };
        let message = Message {
            publisher: conn,
            member,
            nth: self.channels.messages.len() as u64,
            begun: None,
            told: None,
            is_refused: false,
            heard: BTreeSet::new(),
        };
        self.channels.messages.entry(key).or_insert(message);
    }

    /// A client's message is on its way, and the client will be answered later.
    pub(super) fn begins_to_publish(&mut self, conn: u64) {
        self.channels.moment += 1;
        let moment = self.channels.moment;
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return;
        };
        dialogue.listener.begun = Some(moment);
        let first = dialogue.asked.front();
        if let Some(Asked::Request(words)) = first.map(|question| &question.asked)
            && let Some(key) = publishes(words)
            && let Some(message) = self.channels.messages.get_mut(&key)
        {
            message.begun = Some(moment);
        }
        self.goals.reach(Goal::PublishCut);
    }

    /// The commands that were queued were not run.
    pub(super) fn were_not_run(&mut self, queued: &[Command]) {
        let keys = queued.iter().filter_map(|one| publishes(&one.words));
        for key in keys {
            if let Some(message) = self.channels.messages.get_mut(&key) {
                message.is_refused = true;
            }
        }
    }

    /// A member stands in the middle of a command or transaction, or does not.
    pub(crate) fn stands_midway(&mut self, member: usize, is_midway: bool) {
        self.members[member].touches.stands(is_midway);
    }

    /// A client listens to nothing any more.
    pub(super) fn ends_listening(&mut self, conn: u64) {
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.listener.names.clear();
            dialogue.changes = vec![Change::EndsAll];
            dialogue.listener.monitor.is_on = false;
        }
    }

    /// The commands that were queued may have been run.
    pub(super) fn may_have_run(&mut self, conn: u64, queued: &[Command]) {
        let listens = queued.iter().any(|one| subscribes(&one.words).is_some());
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.listener.is_unsure |= listens;
        }
    }

    /// The answer to a request about channels, and what it changes for its client. It is run since
    /// some moment at the earliest.
    pub(super) fn about_channels(
        &mut self,
        member: usize,
        conn: u64,
        words: &Words,
        since: Option<u64>,
    ) -> Option<(Vec<Want>, Vec<Change>)> {
        if let Some((begins, topic)) = subscribes(words) {
            // In a transaction of its own it begins between two steps.
            let is_midway = since.is_none() && self.members[member].touches.is_midway;
            let events = first_whole(self.events_so_far(member), is_midway);
            let dialogue = self.dialogues.get_mut(&conn)?;
            let since = (self.channels.moment, events);
            return Some(subscribe(dialogue, (begins, topic), &words[1..], since));
        }
        if let Some(key) = publishes(words) {
            return Some((vec![self.published(member, conn, &key, since)], Vec::new()));
        }
        let is_pubsub = words[0].eq_ignore_ascii_case(b"pubsub");
        is_pubsub.then(|| (vec![self.of_channels(member, words)], Vec::new()))
    }

    /// A message was published, as its publisher is told.
    fn published(&mut self, member: usize, conn: u64, key: &Key, since: Option<u64>) -> Want {
        let moment = self.channels.moment;
        let own = self.dialogues.get_mut(&conn);
        let begun = own.and_then(|dialogue| dialogue.listener.begun.take());
        let begun = begun.or(since).unwrap_or(moment);
        let (topic, channel, _) = key;
        let Some(message) = self.channels.messages.get_mut(key) else {
            return Want::Anything;
        };
        message.begun = Some(begun);
        message.told = Some(moment);
        message.is_refused = false;
        let (nth, publisher) = (message.nth, message.publisher);
        let (mut least, mut most) = (0, 0);
        let kills_unheard = self.members[member].kills_unheard;
        for (other, dialogue) in &mut self.dialogues {
            if dialogue.member != member {
                continue;
            }
            let known = self.known.get(other);
            let is_certain = known.is_some_and(|known| known.sentence() == Sentence::None)
                && !kills_unheard
                && !dialogue.closing
                && !dialogue.ended
                && !dialogue.blind
                && !dialogue.is_in_flux();
            if dialogue.is_in_flux() {
                most = i64::MAX / 2;
            }
            for (name, since) in dialogue.listener.names_of(*topic, channel) {
                most += 1;
                if !is_certain || since >= begun {
                    continue;
                }
                least += 1;
                if !message.heard.contains(&(*other, name.clone())) {
                    dialogue.listener.due.push(Due {
                        key: key.clone(),
                        name,
                        publisher,
                        nth,
                        since: moment,
                    });
                }
            }
        }
        let is_known = begun == moment && !self.channels.gone.values().any(|of| *of == member);
        if least > 1 {
            self.goals.reach(Goal::Published);
        }
        Want::Between(least, if is_known { most } else { i64::MAX })
    }

    /// The answer to PUBSUB.
    fn of_channels(&self, member: usize, words: &Words) -> Want {
        let topic = |word: &[u8]| match word.first() {
            Some(b's') => Topic::Shard,
            _ => Topic::Channel,
        };
        let unsure = self.channels.gone.values().any(|of| *of == member);
        let here = || {
            self.dialogues
                .iter()
                .filter(|(_, one)| one.member == member)
        };
        let unsure = unsure || here().any(|(_, one)| one.is_in_flux());
        let count = |topic: Topic, name: &[u8]| {
            let name = (topic, name.to_vec());
            let all = here().filter(|(_, one)| one.listener.names.contains_key(&name));
            let (mut least, mut most) = (0, 0);
            for (conn, one) in all {
                let is_there =
                    self.known.contains_key(conn) && self.sentence(*conn) == Sentence::None;
                most += 1;
                let stays = is_there && !one.closing && !one.ended && !one.is_in_flux();
                least += i64::from(stays);
            }
            (least, if unsure { i64::MAX } else { most })
        };
        let named = |topic: Topic| {
            let names = here().flat_map(|(_, one)| one.listener.names.keys());
            let names = names.filter(|(of, _)| *of == topic);
            names.map(|(_, name)| name.clone()).collect::<BTreeSet<_>>()
        };
        let sub = words[1].to_ascii_lowercase();
        match &sub[..] {
            b"numsub" | b"shardnumsub" => {
                let counts = words[2..].iter().flat_map(|name| {
                    let (least, most) = count(topic(&sub), name);
                    [Want::Bulk(name.clone()), Want::Between(least, most)]
                });
                Want::Array(counts.collect())
            }
            b"numpat" => {
                let most = named(Topic::Pattern).len() as i64;
                Want::Between(0, if unsure { i64::MAX } else { most })
            }
            b"channels" | b"shardchannels" if words.len() > 3 => Want::ErrorCode("ERR unknown sub"),
            b"channels" | b"shardchannels" => {
                let mut names = named(topic(&sub));
                names.retain(|name| words.get(2).is_none_or(|one| matches(one, name)));
                let is_sure = |name: &Vec<u8>| count(topic(&sub), name).0 > 0;
                if unsure || !names.iter().all(is_sure) {
                    return Want::Anything;
                }
                Want::Unordered(names.into_iter().collect())
            }
            _ => Want::Anything,
        }
    }

    /// N1, N2, N3: a message has come to a client. False where the value is none.
    pub(super) fn heard(&mut self, conn: u64, value: &Value) -> Result<bool, Violation> {
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(false);
        };
        let resp3 = matches!(value, Value::Push(_));
        let Some((name, key)) = message_in(value, resp3) else {
            return Ok(false);
        };
        let listener = &mut dialogue.listener;
        let wrong = |id: Id, why: &str| Err(Violation::new(id, format!("c{conn} {why}: {value}")));
        let is_known = listener.known.contains(&name) || listener.given_up.contains(&name);
        let fits = name.0 != Topic::Pattern || matches(&name.1, &key.1);
        if !(is_known || listener.is_unsure) || !fits {
            return wrong(Id::N1, "hears what it does not listen to");
        }
        if key.0 == Topic::Channel && self.heard_event(conn, &name, (&key.1, &key.2))? {
            return Ok(true);
        }
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(true);
        };
        let listener = &mut dialogue.listener;
        let Some(message) = self.channels.messages.get_mut(&key) else {
            return wrong(Id::N1, "hears what nobody has published");
        };
        if message.is_refused {
            return wrong(Id::N1, "hears what was not published");
        }
        if !message.heard.insert((conn, name.clone())) {
            return wrong(Id::N2, "hears twice");
        }
        let (publisher, nth) = (message.publisher, message.nth);
        let last = listener.last.entry(publisher).or_default();
        if *last > nth {
            return wrong(Id::N2, "hears after a later message of the same publisher");
        }
        *last = nth;
        let passed = |due: &Due| due.publisher == publisher && due.nth < nth;
        if let Some(due) = listener.due.iter().find(|due| passed(due)) {
            let lost = shown(&due.key.2);
            return wrong(Id::N3, &format!("has not heard {lost}, and hears"));
        }
        listener
            .due
            .retain(|due| due.key != key || due.name != name);
        let overtaken = dialogue.owed.front();
        if message.member == dialogue.member
            && let Some(begun) = message.begun
            && overtaken.is_some_and(|owed| owed.moment < begun)
        {
            return wrong(Id::P4, "hears before a reply that was given earlier");
        }
        if publisher == conn
            && let Some(told) = message.told
            && overtaken.is_some_and(|owed| owed.moment <= told)
        {
            return wrong(Id::P4, "hears its own message before the reply to PUBLISH");
        }
        if message.member != dialogue.member {
            self.goals.reach(Goal::HeardElsewhere);
        }
        self.goals.reach(Goal::Heard);
        Ok(true)
    }

    /// N3: a reply has come that was given at some moment.
    pub(super) fn has_heard_all(&self, conn: u64, moment: u64) -> Verdict {
        self.was_shown_all(conn, moment)?;
        let Some(dialogue) = self.dialogues.get(&conn) else {
            return Ok(());
        };
        let mut due = dialogue.listener.due.iter();
        due.find(|due| due.since < moment)
            .map_or(Ok(()), |due| Err(is_lost(conn, due)))
    }

    /// N3: all that was sent has arrived.
    pub(crate) fn all_is_heard(&self, conn: u64) -> Verdict {
        self.was_shown_all(conn, u64::MAX)?;
        let dialogue = self.dialogues.get(&conn);
        let due = dialogue.and_then(|dialogue| dialogue.listener.due.first());
        due.map_or(Ok(()), |due| Err(is_lost(conn, due)))?;
        self.all_events_are_heard(conn)?;
        self.all_kept_is_so(conn)
    }

    /// A client has gone: its member may not have heard of it yet.
    pub(super) fn listener_leaves(&mut self, conn: u64, dialogue: &Dialogue) {
        let asks = dialogue.asked.iter().any(|question| match &question.asked {
            Asked::Request(words) => subscribes(words).is_some() || is_named(words, &["exec"]),
            _ => false,
        });
        if (asks || dialogue.listener.listens() || dialogue.listener.is_unsure)
            && self.known.contains_key(&conn)
        {
            self.channels.gone.insert(conn, dialogue.member);
        }
    }

    /// Returns true if a client listens to something, or may, or monitors.
    pub(crate) fn may_listen(&self, conn: u64) -> bool {
        self.dialogues.get(&conn).is_some_and(|one| {
            let hears = one.listener.listens() || one.listener.monitor.is_on;
            hears || one.listener.is_unsure || one.keeper.may_track()
        })
    }

    /// A member knows of a client's end.
    pub(super) fn listener_is_gone(&mut self, conn: u64) {
        self.channels.gone.remove(&conn);
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.listener.names.clear();
            dialogue.listener.monitor.is_forgotten();
        } else {
            self.showing.asks_no_more(conn);
        }
    }

    /// A member has ended, and with it all that its clients listened to.
    pub(super) fn nobody_listens(&mut self, member: usize) {
        self.channels.gone.retain(|_, of| *of != member);
        for dialogue in self.dialogues.values_mut() {
            if dialogue.member == member {
                dialogue.listener.names.clear();
                dialogue.listener.due.clear();
                dialogue.listener.monitor.is_forgotten();
            }
        }
    }
}

fn is_lost(conn: u64, due: &Due) -> Violation {
    let text = format!(
        "c{conn} has not heard {} in {}, which was published before what it has now",
        shown(&due.key.2),
        shown(&due.key.1)
    );
    Violation::new(Id::N3, text)
}

/// SUBSCRIBE, UNSUBSCRIBE and their kin.
fn subscribe(
    dialogue: &mut Dialogue,
    (begins, topic): (bool, Topic),
    names: &[Vec<u8>],
    (moment, events): (u64, usize),
) -> (Vec<Want>, Vec<Change>) {
    let listener = &mut dialogue.listener;
    let word = |name: &str| match topic {
        Topic::Channel => name.to_owned(),
        Topic::Pattern => format!("p{name}"),
        Topic::Shard => format!("s{name}"),
    };
    let word = word(if begins { "subscribe" } else { "unsubscribe" });
    let all: Vec<Vec<u8>> = listener
        .names
        .keys()
        .filter(|(of, _)| *of == topic)
        .map(|(_, name)| name.clone())
        .collect();
    let is_unsure = listener.is_unsure;
    let told = |count: i64| {
        if is_unsure {
            Want::Between(0, i64::MAX)
        } else {
            Want::Integer(count)
        }
    };
    if !begins && names.is_empty() {
        let mut wants = Vec::new();
        let mut changes = Vec::new();
        for name in &all {
            listener.names.remove(&(topic, name.clone()));
            let count = listener.told(topic);
            wants.push(Want::Pushed(vec![
                bulk(word.as_bytes()),
                bulk(name),
                told(count),
            ]));
            changes.push(Change::Ends((topic, name.clone())));
        }
        if all.is_empty() {
            let count = listener.told(topic);
            wants.push(Want::Pushed(vec![
                bulk(word.as_bytes()),
                Want::Null,
                told(count),
            ]));
        }
        return (wants, changes);
    }
    let mut wants = Vec::new();
    let mut changes = Vec::new();
    for name in names {
        let key = (topic, name.clone());
        if begins {
            listener.names.entry(key.clone()).or_insert(moment);
            changes.push(Change::Begins(key, events));
        } else {
            listener.names.remove(&key);
            changes.push(Change::Ends(key));
        }
        let count = listener.told(topic);
        wants.push(Want::Pushed(vec![
            bulk(word.as_bytes()),
            bulk(name),
            told(count),
        ]));
    }
    (wants, changes)
}
