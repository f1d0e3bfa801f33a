//! The invariants: their ids, their names, and in words what must hold.

use std::fmt;

macro_rules! invariants {
    ($($id:ident, $name:literal, $words:literal;)*) => {
        /// An invariant by its id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Id {
            $($id,)*
        }

        impl Id {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$id,)*];

            /// Its name, in a few words.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)*
                }
            }

            /// What must hold.
            pub(crate) fn words(self) -> &'static str {
                match self {
                    $(Self::$id => $words,)*
                }
            }
        }
    };
}

invariants! {
    A1, "acknowledged writes survive",
        "A write whose reply left the node is there after every crash that the policy promises to \
         survive: any crash under `always`, the death of the process alone under `everysec` and \
         `no`.";
    A2, "recovery is a prefix",
        "What is recovered is the state behind some prefix of the entries, without a gap; under \
         `everysec` nothing is missing that is older than three seconds in which the process and \
         its disk could work.";
    A3, "nothing is invented",
        "Every executed command was sent by a client, and is executed once; an entry is the same \
         each time it is read.";
    A4, "recovering twice equals once",
        "A recovery that is repeated, or was cut short by a crash before, gives the same state.";
    A5, "a torn tail and a damaged middle are told apart",
        "The node starts from whatever a crash leaves; where what a later record knew to be synced \
         is damaged, it refuses to.";
    A6, "a rewrite keeps the state",
        "What is recovered from a base and the log behind it is what was executed, writes during \
         the rewrite included.";
    A7, "the switch to a new base is atomic",
        "Whenever a crash comes, the manifest is whole and the base that it names too.";
    A8, "a failed sync is believed",
        "After a sync has failed the node acknowledges nothing more and stops.";
    A9, "a full disk refuses writes alone",
        "Without space reads go on, writes are refused or held, and service resumes when there is \
         space. The refusal says what is short, and no node ends for it.";
    A10, "damage is found",
        "Where a bit of a file has flipped, the node refuses to start or says what it has cut; it \
         never serves what nobody wrote.";
    P1, "any split gives the same requests",
        "The same bytes of a client get the same replies however they are cut, and no request is \
         taken for a protocol error.";
    P2, "no panic",
        "No bytes of a client, and no state of a disk, make the core panic.";
    P3, "replies are RESP",
        "A decoder that shares no code with the server reads all that it writes; each value has \
         one spelling.";
    P4, "one reply per command, in order",
        "Each client receives, in the order of its requests, exactly the replies that the model \
         gives when it executes the commands in the order that the node witnesses.";
    P5, "a protocol error ends the conversation",
        "Bytes that are no request get the error reply, then the connection closes, and nothing \
         behind them is executed.";
    P6, "limits hold at plus and minus one",
        "A request as long as may be is executed; one a byte longer gets the error reply, and the \
         connection closes.";
    P7, "a close in mid-pipeline leaves a prefix",
        "Of a pipeline whose client has gone, the commands that were executed are the first ones, \
         and none that was cut.";
    P8, "the end of input loses nothing",
        "Every request that a client has sent whole before it says that nothing more comes is \
         answered before its connection is closed.";
    R1, "one leader per term",
        "No two members lead in one term.";
    R2, "a leader only appends",
        "Whoever leads never replaces or drops an entry of its own log.";
    R3, "logs match",
        "Two entries with one index and one term say the same, and so do those before them.";
    R4, "leaders are complete",
        "Whoever begins to lead holds every entry that anybody knew to be committed.";
    R5, "state machines agree",
        "Where a member has applied an entry, no member ever applies another one at its index.";
    R6, "what is committed stays",
        "No two members ever know entries of different terms to be committed at one index.";
    R7, "committed is durable on a majority",
        "What a leader commits is durable on a majority of voters, of both halves of a joint \
         membership; those that are down count with what their disk holds.";
    R8, "terms never fall",
        "As long as a process lives its term does not fall.";
    R9, "commits never fall",
        "As long as a process lives its commit index does not fall.";
    R10, "what is applied stays",
        "As long as a process lives it applies one entry behind the other, each once, and the last \
         one that it has applied does not fall; what it loads anew it applies anew.";
    R11, "one vote in a term",
        "The life of a disk votes for one candidate in a term, crashes or not, as its frames show.";
    R12, "spoken is durable",
        "What a member has said to be durable (its term, its vote, entries that it accepted) its \
         disk still has after every crash.";
    R13, "applied, committed, held",
        "What is applied is committed, and what is committed is in the log.";
    R14, "a state is its entries",
        "The membership and the term that a member has with a state are those of the log at the \
         entry where the state stands.";
    R15, "one change at a time",
        "A leader appends a membership only when its own term has a committed entry and every \
         membership before it is committed.";
    R16, "one lease at a time",
        "At no true time two members may answer reads without asking anybody.";
    R17, "reads are not stale",
        "A read sees every write whose reply had reached a client before the read was asked.";
    R18, "no member speaks in an old term",
        "The life of a disk never speaks in a lower term than before, crashes or not.";
    R19, "limits hold",
        "No frame is longer than the settings allow, and no member keeps more entries for those \
         that lag, or waits for more to be committed.";
    R20, "under repair is silent",
        "Whoever has lost entries that it may have acknowledged neither leads nor votes nor asks \
         for votes before its log is as far again; and nobody says so who has lost nothing.";
    R21, "a frame is for one life",
        "A frame for another life of a member's disk changes nothing.";
    R22, "old reads keep their bound",
        "A read of which the client bounds the age sees every write whose reply had reached a \
         client so long before.";
    R23, "who serves is master",
        "A member of a group tells its clients that it is the master only while it serves as \
         leader.";
    R24, "who is gone is not connected",
        "A leader counts a member as connected, in ROLE and INFO, only while it hears of it.";
    S1, "the store equals the model",
        "All keys, values and times in the store are those of a naive model that executed the same \
         entries.";
    S2, "equal states",
        "Where two members have applied the same entries the digests of their states are equal, in \
         memory and in every base.";
    S3, "time comes from the log",
        "The stamp of an entry is never below that of the entry before it, whatever the wall clock \
         did, and when a key dies follows from the stamp alone.";
    S4, "an expired key is never seen",
        "A key whose time has come by the clock of the member that answers is not shown, and one \
         whose time has not come is.";
    S5, "transactions are atomic",
        "The commands of a transaction are executed one behind the other; EXEC is refused where a \
         watched key was written since WATCH.";
    S6, "an error leaves state untouched",
        "A command that answers an error has changed nothing.";
    S8, "memory is accounted for",
        "The store's account of its memory is no less than its keys and values take, and bounded \
         by the most that they have taken.";
    S9, "clients are accounted for",
        "The memory of clients is what a recount gives, and no client is kept that was killed or \
         has had its time.";
    S10, "lives last as long as they should",
        "Replicated time goes on as the monotonic clock of the member does that stamps, but for \
         steps of its wall clock of up to a second, and as the wall clock while a server is down; \
         and what an entry says of the wall clock is what that says.";
    S11, "memory has a bound",
        "Where maxmemory is exceeded a command that takes memory is refused before it goes to the \
         log, and so is whatever MULTI would queue; where memory is free it is not, and what the \
         log holds is executed in any case.";
    C1, "linearizable",
        "What clients have asked and seen can have happened one thing at a time, whatever the node \
         says of it: nothing acknowledged is lost, nothing refused is seen, and what was neither \
         happened at most once. Judged where clients do what that judge understands.";
    V1, "a version that all know",
        "A leader raises the version of entries only to one that every member in force has said \
         to know, learners and both halves of a joint membership.";
    V2, "one version for each entry",
        "Every member applies an entry by the version to which the entries up to there have raised \
         the group, whatever versions it knows itself, and from a base too.";
    J1, "one group out of one list",
        "Those who form a group from one list, and whose disks stay what they are, come to the \
         same group, whoever hears of whom in which order, and whoever dies on its way.";
    J2, "a number is given",
        "Nobody begins as a member of an existing group but under a number that a committed change \
         of members has given to the life of its disk.";
    J3, "who asks comes in",
        "When all faults have ended, and the members are there, whoever asks to be taken in has \
         come to vote.";
    L1, "there is a leader",
        "When all faults have ended, a member leads and serves.";
    L2, "pending requests end",
        "When all faults have ended, every request is answered within a bounded time.";
    L3, "members agree in the end",
        "When all faults have ended, all members have applied the same entries.";
    L4, "changes end",
        "When all faults have ended, no change of membership stays under way.";
    L5, "a leader stays",
        "Whoever leads while nothing goes wrong goes on to lead.";
    L7, "who has no room lets others lead",
        "A leader whose disk is full, or has kept the log waiting for more than a second, gives \
         its leadership away where a majority of the others has a disk that is well.";
    L8, "a version comes into force",
        "When all faults have ended, and every member is there and knows a later version of \
         entries, the group speaks it.";
    L6, "repair ends",
        "When all faults have ended and a majority of members lacks nothing, no member stays under \
         repair.";
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// An invariant that does not hold, and how that showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) id: Id,
    pub(crate) text: String,
}

impl Violation {
    pub(crate) fn new(id: Id, text: impl Into<String>) -> Self {
        Self {
            id,
            text: text.into(),
        }
    }
}

/// What every check gives.
pub(crate) type Verdict = Result<(), Violation>;
