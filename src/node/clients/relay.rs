//! The knowledge that a member that does not lead has of a client whose bytes it carries to the
//! leader.
//!
//! All state of the session is the leader's: the member reads along only to know, should the leader
//! go, what the client is still owed. Then each of those requests that may change something may
//! have happened, which the client is told before its connection is closed; the others are refused.
//! Closing, where nothing is owed, says the same as from any server: connect again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::Error;
use crate::command::flag::Flag;
use crate::command::row::Kind;
use crate::command::verb::SessionVerb;
use crate::limits;
use crate::node::requests::lookup::row_of;
use crate::node::requests::outcome::write_error;
use crate::resp::parse::{Limits, Parser, Step};
use crate::resp::reply::{Protocol, Reply};
use crate::resp::value::{Decoded, Decoder, Value};

/// One client's requests and the replies that have come for them.
#[derive(Debug, Default)]
pub struct Relay {
    requests: Reading<Parser>,
    replies: Reading<Decoder>,
    /// The requests that are not answered yet, in order: whether each may change anything.
    owed: VecDeque<bool>,
    /// True once the replies that are owed cannot be counted any more: a side has not spoken RESP,
    /// or wants no replies.
    is_lost_track: bool,
}

/// Bytes of which the beginning is understood.
#[derive(Debug, Default)]
struct Reading<T> {
    by: T,
    kept: Vec<u8>,
}

impl Relay {
    /// Takes note of what the client has sent.
    pub fn asked(&mut self, bytes: &[u8]) {
        let Reading { by, kept } = &mut self.requests;
        if self.is_lost_track {
            return;
        }
        kept.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match by.next(&kept[at..], &Limits::normal()) {
                Ok(Step::Request { consumed }) => {
                    let rest = &kept[at..];
                    let args = Args::new(by.bytes(rest), by.arguments());
                    let is_reply = args.is(0, "client") && args.len() > 1 && args.is(1, "reply");
                    self.is_lost_track |= is_reply || listens(args);
                    self.owed.push_back(may_change(args));
                    at += consumed;
                }
                Ok(Step::Empty { consumed }) => at += consumed,
                Ok(Step::Incomplete { .. }) => break,
                Err(_) => {
                    self.is_lost_track = true;
                    break;
                }
            }
        }
        kept.drain(..at);
        self.is_lost_track |= kept.len() > limits::QUERY_BUFFER_BYTES_MAX;
    }

    /// Takes note of what the leader has answered.
    pub fn answered(&mut self, bytes: &[u8]) {
        let Reading { by, kept } = &mut self.replies;
        if self.is_lost_track {
            return;
        }
        kept.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match by.next(&kept[at..]) {
                Ok(Decoded::Value { value, consumed }) => {
                    // A push answers nothing. An answer without a question is a last word.
                    let is_push = matches!(value, Value::Push(_));
                    self.is_lost_track |= !is_push && self.owed.pop_front().is_none();
                    at += consumed;
                }
                Ok(Decoded::Incomplete { .. }) => break,
                Err(_) => {
                    self.is_lost_track = true;
                    break;
                }
            }
        }
        kept.drain(..at);
    }

    /// Returns true if the client may wait for an answer.
    pub fn is_owing(&self) -> bool {
        self.is_lost_track || !self.owed.is_empty()
    }

    /// The leader is gone: what the client is told before its connection is closed. Nothing, where
    /// a reply has begun that cannot be ended.
    pub fn lost(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.is_lost_track || !self.replies.kept.is_empty() {
            return out;
        }
        for may_change in &self.owed {
            let error = if *may_change {
                Error::UNCERTAIN
            } else {
                Error::CLUSTER_DOWN
            };
            write_error(&mut Reply::new(&mut out, Protocol::Resp2), &error);
        }
        out
    }
}

/// Returns true if what follows is no longer one reply for each request.
fn listens(args: Args<'_>) -> bool {
    let is_subscription = |verb| {
        matches!(
            verb,
            SessionVerb::Subscribe(_) | SessionVerb::Unsubscribe(_)
        )
    };
    row_of(args).is_ok_and(|row| matches!(row.kind, Kind::Session(verb) if is_subscription(verb)))
}

/// Returns true if a request may leave something changed that outlives its connection.
fn may_change(args: Args<'_>) -> bool {
    row_of(args).is_ok_and(|row| {
        let is_exec = matches!(row.kind, Kind::Session(SessionVerb::Exec));
        row.is_write() || is_exec || row.has(Flag::Admin)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use proptest::prelude::*;

    /// The codes of the errors that the client is told.
    fn codes(relay: &Relay) -> Vec<String> {
        let text = String::from_utf8(relay.lost()).unwrap();
        let lines = text.lines().map(|line| line.split(' ').next().unwrap());
        lines.map(Into::into).collect()
    }

    fn told(relay: &Relay) -> usize {
        codes(relay).len()
    }

    #[test]
    fn what_is_owed_is_told_and_nothing_else() {
        let mut relay = Relay::default();
        relay.asked(b"*1\r\n$4\r\nPING\r\nGET a\r\n\r\n*1\r\n$4\r\nEX");
        assert_eq!(told(&relay), 2);
        relay.answered(b"+PONG\r\n>2\r\n$1\r\na\r\n:1\r\n");
        assert_eq!(told(&relay), 1);
        relay.answered(b"$-1\r\n");
        assert_eq!(told(&relay), 0);
        // Half of a request has not been asked.
        relay.asked(b"EC\r\n");
        assert_eq!(told(&relay), 1);
    }

    #[test]
    fn only_what_may_have_changed_something_is_uncertain() {
        let mut relay = Relay::default();
        relay.asked(b"SET a 1\r\nGET a\r\nMULTI\r\nget a\r\nEXEC\r\nPING\r\nNOSUCH\r\n");
        relay.asked(b"CONFIG SET a 1\r\nRAFT REMOVE 1\r\nINFO\r\nwait 1 0\r\n");
        let (uncertain, down) = ("-UNCERTAIN", "-CLUSTERDOWN");
        let wanted = [
            uncertain, down, down, down, uncertain, down, down, uncertain, uncertain, down, down,
        ];
        assert_eq!(codes(&relay), wanted);
        relay.answered(b"+OK\r\n$-1\r\n+OK\r\n+QUEUED\r\n");
        assert_eq!(codes(&relay), wanted[4..]);
    }

    #[test]
    fn behind_last_words_nothing_is_said() {
        let mut relay = Relay::default();
        relay.answered(b"-ERR max number of clients reached\r\n");
        relay.asked(b"GET a\r\n");
        assert_eq!(relay.lost(), b"");
    }

    #[test]
    fn behind_half_of_a_reply_nothing_can_be_said() {
        let mut relay = Relay::default();
        relay.asked(b"GET a\r\nGET b\r\n");
        relay.answered(b"$5\r\nhel");
        assert_eq!(relay.lost(), b"");
        relay.answered(b"lo\r\n");
        assert_eq!(told(&relay), 1);
    }

    #[test]
    fn who_wants_no_replies_is_owed_none() {
        let mut relay = Relay::default();
        relay.asked(b"CLIENT REPLY OFF\r\nSET a b\r\n");
        assert_eq!(relay.lost(), b"");
    }

    proptest! {
        #[test]
        fn pieces_count_as_the_whole_does(cuts in prop::collection::vec(0usize..60, 0..6)) {
            let requests: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n*1\r\n$4\r\nPING\r\n";
            let replies: &[u8] = b"*2\r\n$1\r\nx\r\n:1\r\n+PONG\r\n";
            let mut relay = Relay::default();
            for (bytes, is_request) in [(requests, true), (replies, false)] {
                let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
                ends.push(bytes.len());
                ends.sort_unstable();
                let mut from = 0;
                for end in ends {
                    let piece = &bytes[from..end];
                    if is_request { relay.asked(piece) } else { relay.answered(piece) }
                    from = end;
                }
            }
            prop_assert_eq!(told(&relay), 1);
        }
    }
}
