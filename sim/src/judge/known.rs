//! Which clients a member knows, and what CLIENT KILL does to them.

use super::dialogue::{Asked, Dialogue};
use super::history::Words;
use super::{Judge, is_silent_error};
use crate::model::Want;

/// The state of a client that is to be closed by another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sentence {
    /// Nobody has asked for it.
    #[default]
    None,
    /// Somebody may have.
    Perhaps,
    /// Somebody has.
    Killed,
}

/// A client that a member was told of, and not yet that it is gone.
#[derive(Clone, Debug)]
pub(super) struct Known {
    member: usize,
    address: String,
    local: String,
    sentence: Sentence,
}

/// The clients that one CLIENT KILL names.
#[derive(Debug, Default)]
struct Meant<'a> {
    id: Option<u64>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    kind: Option<Kind>,
    itself: bool,
}

/// A class of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Listener,
    /// Of which there is none.
    Server,
}

const SYNTAX: &str = "ERR syntax error";

impl Known {
    /// The state of the client, as far as others may close it.
    pub(super) fn sentence(&self) -> Sentence {
        self.sentence
    }
}

impl<'a> Meant<'a> {
    /// The clients that the arguments of CLIENT KILL name; errors with Redis's words if they are
    /// wrong.
    fn of(words: &'a [Vec<u8>]) -> Result<Self, String> {
        let mut meant = Self::default();
        if let [address] = words {
            (meant.address, meant.itself) = (Some(&address[..]), true);
            return Ok(meant);
        }
        for pair in words.chunks(2) {
            let [name, value] = pair else {
                return Err(SYNTAX.to_owned());
            };
            let text = String::from_utf8_lossy(value).to_ascii_lowercase();
            match &name.to_ascii_lowercase()[..] {
                b"id" => {
                    let id = text.parse().ok().filter(|id| *id > 0);
                    meant.id = Some(id.ok_or("ERR client-id should be greater than 0")?);
                }
                b"addr" => meant.address = Some(value),
                b"laddr" => meant.local = Some(value),
                b"type" => match &text[..] {
                    "normal" => meant.kind = Some(Kind::Normal),
                    "pubsub" => meant.kind = Some(Kind::Listener),
                    "master" | "replica" | "slave" => meant.kind = Some(Kind::Server),
                    _ => return Err(format!("ERR Unknown client type '{text}'")),
                },
                b"skipme" => match &text[..] {
                    "yes" => meant.itself = false,
                    "no" => meant.itself = true,
                    _ => return Err(SYNTAX.to_owned()),
                },
                _ => return Err(SYNTAX.to_owned()),
            }
        }
        Ok(meant)
    }

    fn means(&self, conn: u64, known: &Known, is_asking: bool) -> bool {
        let is = |wanted: Option<&[u8]>, text: &str| wanted.is_none_or(|w| w == text.as_bytes());
        self.kind != Some(Kind::Server)
            && (self.itself || !is_asking)
            && self.id.is_none_or(|id| id == conn)
            && is(self.address, &known.address)
            && is(self.local, &known.local)
    }
}

impl Judge {
    /// A member is told of a client.
    pub(crate) fn knows(&mut self, conn: u64, member: usize, address: &str, local: &str) {
        let known = Known {
            member,
            address: address.to_owned(),
            local: local.to_owned(),
            sentence: Sentence::None,
        };
        self.known.insert(conn, known);
        self.shows_from(conn, address);
        if !self.dialogues.contains_key(&conn) {
            // It has gone before, and what it has sent arrives all the same.
            self.channels.gone.insert(conn, member);
        }
    }

    /// It is told that the client is gone. Why that may be is kept: the client has still to see its
    /// connection end.
    pub(crate) fn knows_no_more(&mut self, conn: u64) {
        if self.sentence(conn) == Sentence::Perhaps {
            self.drops(conn);
        }
        self.known.remove(&conn);
        self.listener_is_gone(conn);
    }

    /// A member knows nobody any more.
    pub(super) fn knows_nobody(&mut self, member: usize) {
        self.members[member].kills_unheard = false;
        self.nobody_waits(member);
        self.nobody_listens(member);
        self.known.retain(|_, known| known.member != member);
    }

    /// Returns whether a client is to be closed because another has asked for it.
    pub(crate) fn sentence(&self, conn: u64) -> Sentence {
        match self.known.get(&conn) {
            None => Sentence::None,
            Some(Known {
                member, sentence, ..
            }) if *sentence == Sentence::None && self.members[*member].kills_unheard => {
                Sentence::Perhaps
            }
            Some(known) => known.sentence,
        }
    }

    /// Returns true if a client has sent something that is answered only by the end of its
    /// connection.
    pub(crate) fn has_offended(&self, conn: u64) -> bool {
        self.dialogues
            .get(&conn)
            .is_some_and(|dialogue| dialogue.asked.iter().any(|q| is_silent_error(&q.asked)))
    }

    /// A member closes a client at once: nothing more is answered.
    pub(crate) fn drops(&mut self, conn: u64) {
        self.waiting.remove(&conn);
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.closing = true;
        }
    }

    /// A client goes: nobody will hear whom its last requests had closed.
    pub(super) fn leaves_kills(&mut self, dialogue: &Dialogue) {
        let kills = |words: &Words| {
            words
                .first()
                .is_some_and(|name| name.eq_ignore_ascii_case(b"client"))
        };
        let asked = dialogue.asked.iter().any(|question| match &question.asked {
            Asked::Request(words) => kills(words),
            _ => false,
        });
        let queued = dialogue.transaction.as_ref();
        if asked || queued.is_some_and(|t| t.queued.iter().any(|c| kills(&c.words))) {
            self.members[dialogue.member].kills_unheard = true;
        }
    }

    /// Returns true if a client has gone away itself: its member may not have heard of it.
    pub(crate) fn has_left(&self, conn: u64) -> bool {
        !self.dialogues.contains_key(&conn)
    }

    /// How many requests of a client are not answered.
    pub(crate) fn unanswered(&self, conn: u64) -> usize {
        self.dialogues.get(&conn).map_or(0, |d| d.asked.len())
    }

    /// Returns true if replies that a member has given have not reached the client yet.
    pub(crate) fn is_owed(&self, conn: u64) -> bool {
        self.dialogues
            .get(&conn)
            .is_some_and(|dialogue| !dialogue.owed.is_empty())
    }

    /// Returns true if a client was told that its connection ends.
    pub(crate) fn is_closing(&self, conn: u64) -> bool {
        self.dialogues
            .get(&conn)
            .is_some_and(|dialogue| dialogue.closing)
    }

    /// The answer to CLIENT.
    pub(super) fn client(&mut self, member: usize, conn: u64, words: &Words) -> Want {
        let steps = self.members[member].touches.steps;
        let dialogue = self.dialogues.get_mut(&conn);
        let said = dialogue.and_then(|one| one.keeper.caching.request(words, steps, false));
        if let Some(want) = said {
            return want;
        }
        match &words[1].to_ascii_lowercase()[..] {
            b"id" => Want::Integer(conn as i64),
            b"kill" => self.client_kill(member, conn, &words[2..]),
            b"pause" => self.client_pause(member, words),
            b"unpause" => Want::OK,
            b"unblock" => self.client_unblock(member, words),
            b"info" | b"list" if words.len() == 2 => Want::Text,
            // Only ON is answered.
            b"reply" if words[2].eq_ignore_ascii_case(b"on") => Want::OK,
            b"reply" => Want::Error(SYNTAX.to_owned()),
            _ => Want::OneOf(vec![Want::Anything, Want::ErrorCode("ERR ")]),
        }
    }

    /// The answer to CLIENT KILL; the clients that it names are to be closed.
    fn client_kill(&mut self, member: usize, conn: u64, behind: &[Vec<u8>]) -> Want {
        let meant = match Meant::of(behind) {
            Ok(meant) => meant,
            Err(text) => return Want::Error(text.replace(['\r', '\n'], " ")),
        };
        let of_member = self
            .known
            .iter()
            .filter(|(_, known)| known.member == member);
        let found = of_member.filter(|(other, known)| meant.means(**other, known, **other == conn));
        let found: Vec<u64> = found.map(|(other, _)| *other).collect();
        let (mut least, mut most) = (0, 0);
        for other in found {
            // One that is about to go is counted or not.
            let goes = self.has_offended(other);
            let sentence = self.sentence(other);
            // A client that has gone may still be known as one that listens.
            let kind = self.dialogues.get(&other);
            let kind = kind.filter(|one| !one.is_in_flux()).map(|one| {
                if one.listener.listens() {
                    Kind::Listener
                } else {
                    Kind::Normal
                }
            });
            if meant.kind.is_some() && kind.is_some() && kind != meant.kind {
                continue;
            }
            if meant.kind.is_some() && kind.is_none() {
                most += i64::from(sentence != Sentence::Killed);
                if let Some(known) = self.known.get_mut(&other)
                    && known.sentence == Sentence::None
                {
                    known.sentence = Sentence::Perhaps;
                }
                continue;
            }
            most += i64::from(sentence != Sentence::Killed);
            least += i64::from(sentence == Sentence::None && !goes);
            if other == conn {
                // It is told so first.
                if let Some(dialogue) = self.dialogues.get_mut(&conn) {
                    dialogue.closing = true;
                }
            } else if let Some(known) = self.known.get_mut(&other) {
                known.sentence = Sentence::Killed;
            }
        }
        if behind.len() > 1 {
            return Want::Between(least, most);
        }
        let mut wants = Vec::new();
        if most > 0 {
            wants.push(Want::OK);
        }
        if least == 0 {
            wants.push(Want::Error("ERR No such client".to_owned()));
        }
        Want::OneOf(wants)
    }
}
