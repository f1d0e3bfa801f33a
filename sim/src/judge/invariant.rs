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

            /// The promise, in words.
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
        "The recovered state is that after some prefix of the entries, without a gap; under \
         `everysec` no entry is missing that is older than three seconds in which the process and \
         its disk could work.";
    A3, "nothing is invented",
        "Every executed command was sent by a client, and is executed once; an entry is the same \
         each time it is read.";
    A4, "recovering twice equals once",
        "A recovery that is repeated, or was cut short by a crash before, gives the same state.";
    A5, "a torn tail and a damaged middle are told apart",
        "The node starts from whatever a crash leaves; it refuses to start if data is damaged that \
         a later record shows to have been synced.";
    A6, "a rewrite keeps the state",
        "The state recovered from a base and the log after it is that of the executed commands, \
         writes during the rewrite included.";
    A7, "the switch to a new base is atomic",
        "Whenever a crash comes, the manifest is whole and the base that it names too.";
    A8, "a failed sync is believed",
        "After a sync has failed the node acknowledges nothing more and stops.";
    A9, "a full disk refuses writes alone",
        "Without space, reads go on, writes are refused or held, and service resumes when there is \
         space. The error says what is short, and no node stops because of it.";
    A10, "damage is found",
        "If a bit of a file has flipped, the node refuses to start or reports what it has cut; it \
         never serves data that nobody wrote.";
    A11, "nothing is left over",
        "When a base has taken the place of the log, no file stays that the manifest does not name \
         unless its removal has failed; the log knows how long it is; and old states are kept for \
         a base only while one is being written.";
    A12, "what waits for a sync is synced",
        "Where each write is answered behind a sync, one is on its way soon after something was \
         written, whether anybody writes more or not.";
    P1, "any split gives the same requests",
        "The same bytes of a client get the same replies however they are cut, and no request is \
         taken for a protocol error.";
    P2, "no panic",
        "No bytes of a client, and no state of a disk, make the core panic.";
    P3, "replies are RESP",
        "A decoder that shares no code with the server can read every reply; each value has one \
         encoding.";
    P4, "one reply per command, in order",
        "Each client receives, in the order of its requests, exactly the replies that the model \
         gives when it executes the commands in the order that the node witnesses.";
    P5, "a protocol error ends the conversation",
        "Bytes that are not a request get the error reply, then the connection closes, and nothing \
         after them is executed.";
    P6, "limits hold at plus and minus one",
        "A request of the maximum length is executed; one that is a byte longer gets the error \
         reply, and the connection closes.";
    P7, "a close in mid-pipeline leaves a prefix",
        "If a client goes away in the middle of its pipeline, the executed commands are a prefix \
         of it, and none was cut short.";
    P8, "the end of input loses nothing",
        "Every complete request that a client sent before it closed its sending side is answered \
         before its connection is closed.";
    N1, "only subscribers hear",
        "A client hears nothing but messages that somebody has published, to what it listens to as \
         the replies before say.";
    N2, "once and in order",
        "No client hears a message twice by one name; those of one publisher come in the order in \
         which they were published.";
    N3, "who listens hears",
        "A client that listened before a message was published on its own member, and is not \
         closed, has the message before any reply that is given later.";
    N4, "who monitors sees all",
        "A client that has asked for MONITOR is shown each request that is run at its member, once \
         and without passwords, and those of one client in their order.";
    N5, "events are of what has happened",
        "Each keyspace event that a client hears is one of a command that its member has applied \
         while it listened; it hears each once by one name, and in the order of the log.";
    N6, "no event is missed",
        "A client that listens to keyspace events, and is not closed, has each event of what its \
         member applies before any later one, and in the end all of them.";
    N7, "nobody keeps what is old",
        "A client that tracks hears that a key is written which it has read before any reply that \
         is given behind the next step but one; and in the end it keeps what its member has.";
    N8, "no word without a reason",
        "A client that tracks hears of a key once for each time that it has read it in a way in \
         which it is to hear of it, and with NOLOOP not of what it alone has written.";
    R1, "one leader per term",
        "No two members lead in one term.";
    R2, "a leader only appends",
        "A leader never replaces or drops an entry of its own log.";
    R3, "logs match",
        "Two entries with the same index and term are identical, and so are all entries before \
         them.";
    R4, "leaders are complete",
        "A new leader holds every entry that any member knew to be committed.";
    R5, "state machines agree",
        "If a member has applied an entry, no member ever applies a different one at its index.";
    R6, "what is committed stays",
        "No two members ever know entries of different terms to be committed at one index.";
    R7, "committed is durable on a majority",
        "An entry that a leader commits is durable on a majority of voters, of both halves of a \
         joint membership; members that are down count with what their disks hold.";
    R8, "terms never fall",
        "As long as a process lives its term does not fall.";
    R9, "commits never fall",
        "As long as a process lives its commit index does not fall.";
    R10, "what is applied stays",
        "As long as a process lives it applies entries in order, each once, and its applied index \
         does not fall; after loading a state it continues from there.";
    R11, "one vote in a term",
        "In one life of its disk a member votes for at most one candidate in a term, across \
         crashes, as its frames show.";
    R12, "spoken is durable",
        "Whatever a member has reported as durable (its term, its vote, accepted entries) is still \
         on its disk after every crash.";
    R13, "applied, committed, held",
        "Applied entries are committed, and committed entries are in the log.";
    R14, "a state is its entries",
        "The membership and the term that come with a state are those of the log at the entry of \
         that state.";
    R15, "one change at a time",
        "A leader appends a membership only when its own term has a committed entry and every \
         membership before it is committed.";
    R16, "one lease at a time",
        "Two members never hold a lease at the same true time.";
    R17, "reads are not stale",
        "A read sees every write whose reply had reached a client before the read was asked.";
    R18, "no member speaks in an old term",
        "In one life of its disk a member never sends a message of a lower term than before, \
         across crashes.";
    R19, "limits hold",
        "No frame is longer than the settings allow, and no member keeps more entries for lagging \
         members, or has more uncommitted entries, than they allow.";
    R20, "under repair is silent",
        "A member that has lost entries that it may have acknowledged does not lead, vote or \
         campaign until its log has caught up with them; and no member without a loss claims to be \
         under repair.";
    R21, "a frame is for one life",
        "A frame for another life of a member's disk changes nothing.";
    R22, "old reads keep their bound",
        "A read with a bounded age sees every write whose reply had reached a client longer ago \
         than that.";
    R23, "the serving leader is the master",
        "A member of a group tells its clients that it is the master only while it serves as \
         leader.";
    R24, "a lost member is not connected",
        "A leader counts a member as connected, in ROLE and INFO, only while it hears from it.";
    R25, "a removed member is told",
        "A leader speaks to a member that is removed until it has told it that the removal is \
         committed, or has tried for two election timeouts.";
    R26, "entries are kept for others",
        "A leader that has others lets applied entries go only beyond the bytes that it is to \
         retain.";
    R27, "a healthy leader is not deposed",
        "A member that has just been given a leader's heartbeat does not tell others that it would \
         vote for them.";
    R28, "mined relations hold",
        "A leader has voted for itself, and its last entry is of its term, whose first entry is \
         one; nobody has an entry of a term that a majority has not come to; no base stands for \
         what its member's disk lacks; a committed entry has one term, and is applied by one \
         version.";
    S1, "the store equals the model",
        "All keys, values and times in the store are those of a naive model that executed the same \
         entries.";
    S2, "equal states",
        "Where two members have applied the same entries the digests of their states are equal, in \
         memory and in every base.";
    S3, "time comes from the log",
        "The stamp of an entry is never below that of the entry before it, whatever the wall clock \
         does, and whether a key has expired depends on the stamp alone.";
    S4, "an expired key is never seen",
        "A key is not shown once it has expired by the clock of the answering member, and is shown \
         until then.";
    S5, "transactions are atomic",
        "The commands of a transaction are executed one after the other, with none in between; \
         EXEC is refused if a watched key was written since WATCH.";
    S6, "an error leaves state untouched",
        "A command that returns an error has changed nothing.";
    S8, "memory is accounted for",
        "The store's account of its memory is no less than its keys and values take, and bounded \
         by the most that they have taken.";
    S9, "clients are accounted for",
        "The memory counted for clients equals a recount, no client is kept that was killed or has \
         timed out, and each key has those watchers that are there and watch it.";
    S10, "lives last as long as they should",
        "Replicated time advances as the monotonic clock of the stamping member does, but for \
         steps of its wall clock of up to a second, and as the wall clock while a server is down; \
         and the wall-clock time in an entry is what the wall clock showed.";
    S11, "memory has a bound",
        "While maxmemory is exceeded, a command that needs memory is refused before it is logged \
         or queued by MULTI; while memory is free it is not refused; and what the log holds is \
         executed in any case.";
    S12, "memory is alike",
        "Where two members have applied the same entries, their keys in pages take the same number \
         of bytes; and so do their tables, unless one of them has loaded a state, freed expired \
         keys or copied a value for a base.";
    S13, "a walk shows what stays",
        "A client that follows SCAN, HSCAN, SSCAN or ZSCAN from cursor 0 to cursor 0 is shown \
         whatever was there at each of its steps.";
    S14, "what dies next is known",
        "The time at which the store looks for dead keys is no later than that at which any key of \
         any database dies.";
    S15, "only what may go is evicted",
        "Keys are evicted by the log alone, where the policy says so, and under a volatile policy \
         only keys with an expiry.";
    S16, "memory comes back",
        "When nobody asks for anything any more, the leader uses no more memory than maxmemory \
         allows, or has nothing that may be evicted, and nothing named that does not go.";
    S17, "a pause keeps writes back",
        "While CLIENT PAUSE is in force a member hands nothing to the log that changes keys, but \
         what its clients have waited for and is there now.";
    C1, "linearizable",
        "The requests and replies of clients are linearizable, judged without a look at the node: \
         nothing acknowledged is lost, nothing refused is seen, and a request that was neither \
         happened at most once. Judged only for workloads that this judge supports.";
    C6, "a redirect leads to the leader",
        "A client is sent elsewhere only by a member that does not lead, for what only a leader \
         may do: to the leader that the member knows, with the slot of the request's first key; \
         and is told that nobody leads only where the member knows nobody.";
    Q1, "an element goes once",
        "An element that clients push is popped at most once, and is there at the end if it was \
         not; judged by what clients saw: what was refused is never seen, and of what nobody was \
         told either may be so.";
    Q2, "first in, first out",
        "Of two elements that are pushed to the end of a list one after the other, and popped from \
         its front alone, the second is not given before the first.";
    Q3, "first waiter first",
        "Of two clients that wait for one key on the serving leader, the one that has waited \
         longer is served first: its place is that of its request, whatever was proposed for it \
         in vain.";
    Q4, "nobody waits beside an element",
        "When a turn of the serving leader has ended, and all that was proposed is applied, no \
         client waits for a key that holds a value of the type that it waits for.";
    V1, "a version that all know",
        "A leader raises the version of entries only to one that every current member has reported \
         to know, learners and both halves of a joint membership included.";
    V2, "one version for each entry",
        "Every member applies an entry by the version to which the entries up to there have raised \
         the group, whatever versions it knows itself, and from a base too.";
    J1, "one group out of one list",
        "Members that form a group from one list, and keep their disks, arrive at the same group, \
         in whatever order they hear of each other, and whichever of them crash meanwhile.";
    J2, "a number is given",
        "A process starts as a member of an existing group only under a number that a committed \
         change of membership has given to this life of its disk.";
    J3, "a member that asks joins",
        "When all faults have ended and the members are up, every process that asks to join has \
         become a voter.";
    L1, "there is a leader",
        "When all faults have ended, a member leads and serves.";
    L2, "pending requests end",
        "When all faults have ended, every request is answered within a bounded time.";
    L3, "members agree in the end",
        "When all faults have ended, all members have applied the same entries.";
    L4, "changes end",
        "When all faults have ended, no change of membership stays under way.";
    L5, "a leader stays",
        "A leader remains the leader while nothing goes wrong.";
    L7, "a leader without room steps down",
        "A leader whose disk is full, or has kept the log waiting for more than a second, \
         transfers leadership if a majority of the others has healthy disks.";
    L8, "a version comes into force",
        "When all faults have ended, and every member is up and knows a later version of entries, \
         the group uses it.";
    L9, "a stop ends",
        "A server that is told to stop ends within fourteen seconds in which its process and its \
         disk could work, whatever becomes of the others.";
    L10, "a server at rest rests",
        "When nobody asks for anything any more, and no key is about to die, the log does not grow \
         and the members have nothing left to do.";
    L11, "a log that has outgrown its base is rewritten",
        "When all faults have ended, and a log is longer than the settings want, a base is written \
         whoever of the others is away.";
    L12, "a leader that is not heard steps down",
        "A member does not go on to lead that has heard no majority for two seconds in which it \
         could listen.";
    L6, "repair ends",
        "When all faults have ended and a majority of members lacks no entries, no member stays \
         under repair.";
}

impl Id {
    /// Returns true if a client can see it broken, who knows only what was asked and answered, and
    /// that a server is gone or does not answer.
    pub(crate) fn is_seen_by_clients(self) -> bool {
        matches!(
            self,
            Self::C1 | Self::Q1 | Self::Q2 | Self::L2 | Self::P2 | Self::P3
        )
    }
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

/// The result of every check.
pub(crate) type Verdict = Result<(), Violation>;
