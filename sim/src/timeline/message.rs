//! A frame in words: what kind of message it is, in which term, and the places in the log of which
//! it speaks.

use bytes::Bytes;
use seedis::raft::message::{EntryId, Message};
use seedis::raft::wire;

/// The parts of a frame that people want to know.
#[derive(Clone, Debug)]
pub(crate) struct Spelled {
    pub(crate) kind: &'static str,
    pub(crate) term: u64,
    /// The rest of its content.
    pub(crate) says: String,
}

impl std::fmt::Display for Spelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} T{} {}", self.kind, self.term, self.says)
    }
}

fn place((index, term): EntryId) -> String {
    format!("{}:T{}", index.0, term.0)
}

/// Reads a frame.
pub(crate) fn spelled(frame: &Bytes) -> Spelled {
    let Ok((envelope, message)) = wire::decode(frame) else {
        let says = format!("{} bytes", frame.len());
        return Spelled {
            kind: "noise",
            term: 0,
            says,
        };
    };
    let (kind, says) = match &message {
        Message::PreVote { prospective, last } => (
            "pre-vote",
            format!("for T{}, log ends {}", prospective.0, place(*last)),
        ),
        Message::PreVoteReply {
            prospective,
            granted,
        } => (
            "pre-vote reply",
            format!("for T{}: {}", prospective.0, yes(*granted)),
        ),
        Message::Vote { last, transfer } => {
            let how = if *transfer {
                ", the leader wishes it"
            } else {
                ""
            };
            ("vote", format!("log ends {}{how}", place(*last)))
        }
        Message::VoteReply { granted } => ("vote reply", yes(*granted).to_owned()),
        Message::Append(append) => {
            let count = append.entries.len();
            let last = append
                .entries
                .last()
                .map_or(append.prev.0, |entry| entry.index);
            let (prev, commit) = (place(append.prev), append.commit.0);
            let upto = last.0;
            (
                "append",
                format!("{count} behind {prev} up to {upto}, commit {commit}"),
            )
        }
        Message::Part(part) => {
            let (prev, from, bytes) = (place(part.prev), part.offset, part.data.len());
            let all = part.length;
            (
                "entry piece",
                format!("behind {prev} from {from}, {bytes} of {all} bytes"),
            )
        }
        Message::PartReply { place: of, bytes } => (
            "entry piece reply",
            format!("of {}, has {bytes}", place(*of)),
        ),
        Message::Accepted { index } => ("accepted", format!("up to {}", index.0)),
        Message::Rejected { at, hint } => {
            ("rejected", format!("at {}, hint {}", at.0, place(*hint)))
        }
        Message::Heartbeat {
            commit,
            round,
            echo,
            led_before,
        } => {
            let echo = echo & 0xffff;
            let led = led_before.map_or(String::new(), |nanos| {
                format!(", led {:.1} ms before", nanos as f64 / 1e6)
            });
            let says = format!("commit {}, round {round}, echo {echo:04x}{led}", commit.0);
            ("heartbeat", says)
        }
        Message::HeartbeatReply {
            round,
            received,
            durable,
            token,
            is_strained,
            contradicts,
        } => {
            let strain = match (*is_strained, *contradicts) {
                (_, true) => ", contradicts",
                (true, false) => ", strained",
                (false, false) => "",
            };
            let (received, durable, token) = (received.0, durable.0, token & 0xffff);
            let says = format!(
                "round {round}, received {received}, durable {durable}, token {token:04x}{strain}"
            );
            ("heartbeat reply", says)
        }
        Message::Reminder { held, last } => {
            let says = format!("held {}, last {}", place(*held), place(*last));
            ("reminder", says)
        }
        Message::TimeoutNow => ("timeout now", String::new()),
        Message::SnapshotOffer { id, .. } => (
            "state offer",
            format!("at {}, {} bytes", place(id.base), id.bytes),
        ),
        Message::SnapshotChunk(chunk) => {
            let (at, bytes) = (place(chunk.id.base), chunk.data.len());
            (
                "state piece",
                format!("of {at} from {}, {bytes} bytes", chunk.offset),
            )
        }
        Message::ChunkReply { id, offset } => (
            "piece reply",
            format!("of {}, wants {offset}", place(id.base)),
        ),
    };
    Spelled {
        kind,
        term: envelope.term.0,
        says,
    }
}

fn yes(granted: bool) -> &'static str {
    if granted { "granted" } else { "refused" }
}
