//! The address of a decision, by meaning: it still says something when event numbers have moved.

use seedis::disk::{DiskOp, FileKind, FileName};
use seedis::node::effect::Effect;
use seedis::node::input::Input;
use seedis::raft::message::Message;
use seedis::raft::wire;

use bytes::Bytes;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident: $($variant:ident $words:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($variant,)*
        }

        impl $name {
            /// All of them.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in a file.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)*
                }
            }

            /// The one of that name.
            pub(crate) fn find(name: &str) -> Option<Self> {
                match name {
                    $($words => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

named! {
    /// Kinds of messages between members.
    Kind:
    PreVote "pre-vote",
    PreVoteReply "pre-vote-reply",
    Vote "vote",
    VoteReply "vote-reply",
    Append "append",
    Accepted "accepted",
    Rejected "rejected",
    Heartbeat "heartbeat",
    HeartbeatReply "heartbeat-reply",
    TimeoutNow "timeout-now",
    Reminder "reminder",
    StateOffer "state-offer",
    Piece "piece",
    PieceReply "piece-reply",
    Part "entry-piece",
    PartReply "entry-piece-reply",
    Unread "frame",
}

impl Kind {
    /// The kind of a message.
    pub(crate) fn of(message: &Message) -> Self {
        match message {
            Message::PreVote { .. } => Self::PreVote,
            Message::PreVoteReply { .. } => Self::PreVoteReply,
            Message::Vote { .. } => Self::Vote,
            Message::VoteReply { .. } => Self::VoteReply,
            Message::Append(_) => Self::Append,
            Message::Accepted { .. } => Self::Accepted,
            Message::Rejected { .. } => Self::Rejected,
            Message::Heartbeat { .. } => Self::Heartbeat,
            Message::HeartbeatReply { .. } => Self::HeartbeatReply,
            Message::TimeoutNow => Self::TimeoutNow,
            Message::Reminder { .. } => Self::Reminder,
            Message::Part(_) => Self::Part,
            Message::PartReply { .. } => Self::PartReply,
            Message::SnapshotOffer { .. } => Self::StateOffer,
            Message::SnapshotChunk(_) => Self::Piece,
            Message::ChunkReply { .. } => Self::PieceReply,
        }
    }

    fn of_frame(frame: &[u8]) -> Self {
        let decoded = wire::decode(&Bytes::copy_from_slice(frame));
        decoded.map_or(Self::Unread, |(_, message)| Self::of(&message))
    }
}

named! {
    /// The kind of an operation on a disk.
    Verb:
    Create "create",
    Write "write",
    Sync "sync",
    Read "read",
    Truncate "truncate",
    Rename "rename",
    Remove "remove",
    List "list",
}

named! {
    /// To what of a disk it is done.
    Part:
    Directory "directory",
    Manifest "manifest",
    NewManifest "new-manifest",
    Base "base",
    NewBase "new-base",
    Log "log",
}

impl Part {
    fn of(file: FileName) -> Self {
        match file.kind() {
            FileKind::Manifest => Self::Manifest,
            FileKind::ManifestTmp => Self::NewManifest,
            FileKind::Base => Self::Base,
            FileKind::BaseTmp => Self::NewBase,
            FileKind::Log => Self::Log,
        }
    }
}

named! {
    /// Some files of a disk.
    Files:
    Logs "logs",
    EvenLogs "even-logs",
    OddLogs "odd-logs",
    Bases "bases",
    Names "names",
}

impl Files {
    /// Returns true if an operation is about one of them.
    pub(crate) fn hold(self, op: &DiskOp) -> bool {
        let Deed { part, .. } = Deed::of(op);
        let number = match op {
            DiskOp::WriteAt { file, .. }
            | DiskOp::WriteShared { file, .. }
            | DiskOp::Sync { file } => file.number(),
            _ => 0,
        };
        match self {
            Self::Logs => part == Part::Log,
            Self::EvenLogs => part == Part::Log && number % 2 == 0,
            Self::OddLogs => part == Part::Log && number % 2 == 1,
            Self::Bases => matches!(part, Part::Base | Part::NewBase),
            Self::Names => matches!(part, Part::Directory | Part::Manifest | Part::NewManifest),
        }
    }
}

/// An operation of a disk, whatever the number of its file: `sync of log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deed {
    pub(crate) verb: Verb,
    pub(crate) part: Part,
}

impl Deed {
    /// The kind of an operation.
    pub(crate) fn of(op: &DiskOp) -> Self {
        let (verb, part) = match op {
            DiskOp::Create { file, .. } => (Verb::Create, Part::of(*file)),
            DiskOp::WriteAt { file, .. } | DiskOp::WriteShared { file, .. } => {
                (Verb::Write, Part::of(*file))
            }
            DiskOp::Sync { file } => (Verb::Sync, Part::of(*file)),
            DiskOp::Read { file, .. } => (Verb::Read, Part::of(*file)),
            DiskOp::Truncate { file, .. } => (Verb::Truncate, Part::of(*file)),
            DiskOp::Rename { to, .. } => (Verb::Rename, Part::of(*to)),
            DiskOp::Remove { file } => (Verb::Remove, Part::of(*file)),
            DiskOp::SyncDir => (Verb::Sync, Part::Directory),
            DiskOp::List => (Verb::List, Part::Directory),
        };
        Self { verb, part }
    }

    /// The one of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let (verb, part) = name.split_once(" of ")?;
        let (verb, part) = (Verb::find(verb)?, Part::find(part)?);
        Some(Self { verb, part })
    }

    /// Its name in a file.
    pub(crate) fn name(self) -> String {
        format!("{} of {}", self.verb.name(), self.part.name())
    }
}

named! {
    /// A boundary that is about nothing else.
    Plain:
    TurnBegun "turn begun",
    Opened "connection opened",
    Received "request received",
    Sent "reply sent",
    Closed "connection closed",
    Wanted "newcomer heard",
    Met "member met",
    Woken "deadline passed",
    Stopping "stop asked for",
    Flushed "flush",
    Replies "reply allowed",
    Closes "close wanted",
    Resumes "appetite back",
    Notes "note",
}

/// A boundary in the life of a process: it may end, or stand still, right behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    Plain(Plain),
    /// A message was heard.
    Heard(Kind),
    /// A message was handed over to be sent.
    Said(Kind),
    /// An operation was asked of the disk.
    Ordered(Deed),
    /// The process knows what came of an operation.
    Known,
}

impl Point {
    /// The boundary behind an input.
    pub(crate) fn behind_input(input: &Input<'_>) -> Self {
        Self::Plain(match input {
            Input::Message { frame, .. } => return Self::Heard(Kind::of_frame(frame)),
            Input::Disk { .. } => return Self::Known,
            Input::Opened { .. } => Plain::Opened,
            Input::Received { .. } => Plain::Received,
            Input::Sent { .. } => Plain::Sent,
            Input::Ending { .. } | Input::Ended { .. } | Input::Closed { .. } => Plain::Closed,
            Input::Wants { .. } | Input::Asks { .. } => Plain::Wanted,
            Input::Met { .. } | Input::RefusedPeer | Input::Told { .. } | Input::NotTold { .. } => {
                Plain::Met
            }
            Input::Timer | Input::Sampled(_) | Input::Configuration { .. } => Plain::Woken,
            Input::Stop => Plain::Stopping,
        })
    }

    /// The boundary behind an effect.
    pub(crate) fn behind_effect(effect: &Effect) -> Self {
        Self::Plain(match effect {
            Effect::Message { frame, .. } => return Self::Said(Kind::of_frame(frame)),
            Effect::Disk { op, .. } => return Self::Ordered(Deed::of(op)),
            Effect::Send { .. } | Effect::Tell { .. } => Plain::Replies,
            Effect::Close { .. } => Plain::Closes,
            Effect::Resume { .. } => Plain::Resumes,
            Effect::Configuration { .. }
            | Effect::LogLevel(_)
            | Effect::ScriptLine(_)
            | Effect::Note(_)
            | Effect::Stopped { .. } => Plain::Notes,
        })
    }

    /// Its name in a file.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Plain(plain) => plain.name().to_owned(),
            Self::Heard(kind) => format!("{} heard", kind.name()),
            Self::Said(kind) => format!("{} said", kind.name()),
            Self::Ordered(deed) => format!("{} ordered", deed.name()),
            Self::Known => "operation done".to_owned(),
        }
    }

    /// The one of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        if name == "operation done" {
            return Some(Self::Known);
        }
        Plain::find(name).map(Self::Plain).or_else(|| {
            let (what, how) = name.rsplit_once(' ')?;
            match how {
                "heard" => Kind::find(what).map(Self::Heard),
                "said" => Kind::find(what).map(Self::Said),
                "ordered" => Deed::find(what).map(Self::Ordered),
                _ => None,
            }
        })
    }
}

/// The place at which a decision falls. Members are counted from 0 here, and from 1 in files;
/// ordinals from 1, lives from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    /// A member, or all, at a moment, in nanoseconds.
    Time { member: Option<usize>, at: u64 },
    /// The n-th message of a kind from one to another, sent in a term.
    Frame {
        kind: Kind,
        from: usize,
        to: usize,
        term: u64,
        nth: u64,
    },
    /// Behind a boundary that a member passes for the n-th time in a life.
    Point {
        member: usize,
        life: u64,
        point: Point,
        nth: u64,
    },
    /// The n-th such operation that a member asks of its disk in a life.
    Deed {
        member: usize,
        life: u64,
        deed: Deed,
        nth: u64,
    },
    /// While a member is down behind a life.
    Down { member: usize, life: u64 },
    /// When all other faults end.
    End,
    /// The n-th such place from a moment on, in whatever life or term; the place's own ordinal,
    /// life and term are 0.
    Since {
        place: Box<Address>,
        at: u64,
        nth: u64,
    },
}

impl Address {
    /// The members that it is about.
    pub(crate) fn members(&self) -> [Option<usize>; 2] {
        match *self {
            Self::Time { member, .. } => [member, None],
            Self::Frame { from, to, .. } => [Some(from), Some(to)],
            Self::Point { member, .. } | Self::Deed { member, .. } | Self::Down { member, .. } => {
                [Some(member), None]
            }
            Self::Since { ref place, .. } => place.members(),
            Self::End => [None, None],
        }
    }

    /// The same place in whatever life or term, whichever time it is passed; nothing where a place
    /// is not passed again and again.
    pub(crate) fn anywhere(&self) -> Option<Self> {
        let mut place = self.clone();
        match &mut place {
            Self::Frame { term, nth, .. } => (*term, *nth) = (0, 0),
            Self::Point { life, nth, .. } | Self::Deed { life, nth, .. } => (*life, *nth) = (0, 0),
            Self::Time { .. } | Self::Down { .. } | Self::End | Self::Since { .. } => return None,
        }
        Some(place)
    }

    /// The same place without its ordinal.
    pub(crate) fn uncounted(&self) -> Self {
        let mut place = self.clone();
        match &mut place {
            Self::Frame { nth, .. } | Self::Point { nth, .. } | Self::Deed { nth, .. } => *nth = 0,
            Self::Time { .. } | Self::Down { .. } | Self::End | Self::Since { .. } => {}
        }
        place
    }

    /// The moment that it names, in nanoseconds.
    pub(crate) fn moment(&mut self) -> Option<&mut u64> {
        match self {
            Self::Time { at, .. } | Self::Since { at, .. } => Some(at),
            _ => None,
        }
    }

    /// How often a place is passed until it is meant.
    pub(crate) fn ordinal(&self) -> Option<u64> {
        match self {
            Self::Frame { nth, .. } | Self::Point { nth, .. } | Self::Deed { nth, .. } => {
                Some(*nth)
            }
            _ => None,
        }
    }
}
