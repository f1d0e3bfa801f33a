//! P1: what a client sends means the same however it is cut.
//!
//! Two nodes without a log, of the same seed and at the same moment, are sent the same bytes: one
//! in large pieces, the other in small ones, with a flush behind each. Their replies must be equal
//! byte by byte, and both must close or neither.

use seedis::ids::ConnId;
use seedis::node::Node;
use seedis::node::config::Config;
use seedis::node::effect::{Effect, Effects};
use seedis::node::input::Input;
use seedis::time::{Mono, Now};

use crate::client::Batch;
use crate::draws::Dice;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::model::Template;
use crate::wire::shown;
use crate::workload::Piece;

/// Commands whose replies may depend on how many bytes or entries there were, or on the entry in
/// which their transaction stands; and WATCH, to which a write that is on its way counts as one
/// behind it.
const UNEVEN: [&[u8]; 8] = [
    b"info",
    b"role",
    b"hrandfield",
    b"randomkey",
    b"spop",
    b"srandmember",
    b"watch",
    b"zrandmember",
];
/// The largest piece that a node takes.
const PIECE_BYTES_MAX: usize = 64 << 10;

const CONN: ConnId = ConnId(1);
const NOW: Now = Now {
    mono: Mono(1_000_000_000),
    wall_us: 1_900_000_000_000_000,
};

/// Subcommands of which the same is true, or whose pause no time that passes here ends.
const UNEVEN_SUBCOMMANDS: [[&[u8]; 2]; 6] = [
    // A word of what is written stands between replies where the turn has room.
    [b"client", b"tracking"],
    [b"client", b"info"],
    [b"client", b"list"],
    [b"client", b"pause"],
    [b"latency", b"histogram"],
    [b"memory", b"stats"],
];

/// Returns true if the reply to a request may depend on how it came.
fn is_uneven(words: &[Vec<u8>]) -> bool {
    let is = |place: usize, known: &[u8]| {
        let word = words.get(place);
        word.is_some_and(|word| word.eq_ignore_ascii_case(known))
    };
    UNEVEN.iter().any(|name| is(0, name))
        || Template::draws(words)
        || UNEVEN_SUBCOMMANDS
            .iter()
            .any(|[name, own]| is(0, name) && is(1, own))
}

/// The same of bytes that are no whole request, by the names in them.
fn may_be_uneven(bytes: &[u8]) -> bool {
    let names = UNEVEN.iter().chain(UNEVEN_SUBCOMMANDS.iter().flatten());
    let holds = |name: &&[u8]| {
        bytes
            .windows(name.len())
            .any(|part| part.eq_ignore_ascii_case(name))
    };
    let chance = Template::Chance;
    let scripts = [chance.text().as_bytes(), chance.sha().as_bytes()].map(|name| holds(&name));
    if scripts.contains(&true) {
        return true;
    }
    { names }.any(holds)
}

/// Sends a batch to both, cut as the dice say.
pub(crate) fn check(batch: &Batch, dice: &mut Dice) -> Verdict {
    let asks_uneven = batch.pieces.iter().any(|(piece, _)| match piece {
        Piece::Request(words) | Piece::Inline(words) => is_uneven(words),
        Piece::Mangled(bytes) => may_be_uneven(bytes),
        Piece::Garbage { .. } | Piece::Behind(_) => false,
    });
    // How much is said before depends on how many turns there are.
    if asks_uneven || batch.ends_at_once() {
        return Ok(());
    }
    let whole = replies(&batch.bytes, &mut || PIECE_BYTES_MAX);
    // However small the pieces, there are some hundred at most.
    let least = batch.bytes.len() as u64 / 200;
    let most = least + *dice.pick(&[1, 2, 9, 100]);
    let cut = replies(&batch.bytes, &mut || {
        dice.within(1.max(least), most) as usize
    });
    if whole == cut {
        return Ok(());
    }
    let same = whole
        .0
        .iter()
        .zip(&cut.0)
        .take_while(|(a, b)| a == b)
        .count();
    let from = same.saturating_sub(20);
    let text = format!(
        "{} is answered {} (closed: {}) in one piece and {} (closed: {}) in small ones",
        shown(&batch.bytes),
        shown(&whole.0[from..]),
        whole.1,
        shown(&cut.0[from..]),
        cut.1
    );
    Err(Violation::new(Id::P1, text))
}

/// The answers of a fresh node, and whether it closes.
fn replies(bytes: &[u8], length: &mut dyn FnMut() -> usize) -> (Vec<u8>, bool) {
    let config = Config {
        append_only: false,
        protected_mode: false,
        ..Config::default()
    };
    let mut twin = Twin {
        node: Node::new(config, NOW),
        replies: Vec::new(),
        closed: false,
    };
    twin.flush();
    let address = "10.0.0.1:1";
    twin.node.handle(
        NOW,
        Input::Opened {
            conn: CONN,
            address,
            local: address,
            descriptor: -1,
        },
    );
    let mut rest = bytes;
    while !rest.is_empty() && !twin.closed {
        let (piece, behind) = rest.split_at(length().clamp(1, rest.len()).min(PIECE_BYTES_MAX));
        rest = behind;
        twin.receive(piece);
        twin.flush();
    }
    (twin.replies, twin.closed)
}

struct Twin {
    node: Node,
    replies: Vec<u8>,
    closed: bool,
}

impl Twin {
    fn receive(&mut self, bytes: &[u8]) {
        self.node.handle(NOW, Input::Received { conn: CONN, bytes });
    }

    /// Ends turns until nothing is left to be done.
    fn flush(&mut self) {
        let mut again = true;
        while std::mem::take(&mut again) {
            let mut effects = Effects::new();
            self.node.flush(NOW, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Send { .. } => self.take(),
                    Effect::Close { .. } => {
                        self.take();
                        self.closed = true;
                    }
                    _ => {}
                }
            }
            if self.node.deadline().is_some_and(|due| due.at <= NOW.mono) {
                self.node.handle(NOW, Input::Timer);
                again = true;
            }
        }
    }

    fn take(&mut self) {
        let sent: Vec<u8> = self.node.outbox(CONN).flatten().copied().collect();
        let count = sent.len();
        self.replies.extend(sent);
        self.node.handle(NOW, Input::Sent { conn: CONN, count });
    }
}
