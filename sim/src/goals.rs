//! The list of things that a campaign must have seen: faults that fired, and situations that are
//! sometimes reached.

use std::collections::BTreeMap;

use crate::counted::counted;
use crate::states::RareState;

counted! {
    /// A class of faults.
    Fault:
    Split, "split", "a request arrives in several pieces, from one byte on";
    Merge, "merge", "several requests arrive in one piece";
    SlowReader, "slow-reader", "a client reads its replies so slowly that the server cannot send";
    Close, "close", "a client closes while requests are in flight, sometimes in the middle of one";
    HalfClose, "half-close", "a client closes its sending side and waits for the remaining replies";
    Dropped, "dropped", "a client that was about to be closed read too few of its replies";
    Garbage, "garbage", "a client sends bytes that are not a request";
    Mangled, "mangled", "a client sends requests of which some bytes are lost, doubled or others";
    Power, "power", "the power fails between two effects; unsynced data may or may not survive";
    Kill, "kill", "the process dies between any two effects; written data stays";
    Stop, "stop", "the operator stops the server in good order";
    DuringRecovery, "in-recovery", "one of the three above, while the member recovers";
    Pause, "pause", "the process stands still for up to two seconds";
    MidTurn, "mid-turn", "the process stands still between taking its inputs and ending the turn";
    Jump, "jump", "the wall clock jumps by up to two days, either way, or is set right";
    Drift, "drift", "the clocks run at another speed";
    Freeze, "freeze", "the monotonic clock stands still while time passes";
    Stall, "stall", "the disk takes up to half a second for one operation";
    Full, "full", "the disk has no space for some time";
    Flip, "flip", "a bit of a file flips while the member is down";
    Damage, "damage", "a member that is down loses bits, or a sector of what it has synced";
    Wipe, "wipe", "the disk of a member that is down is replaced by an empty one";
    SyncFails, "sync-fails", "a sync fails, and the data that it should have made durable may be \
        lost";
    OpFails, "op-fails", "an operation other than the sync of a file fails: a write, a read, a new \
        file or name, a removal, a sync of the directory";
    BadFile, "bad-file", "a base cannot be read until it is removed";
    Stuck, "stuck", "all that is asked of some files, and of no others, takes longer for some time";
    Loss, "loss", "a frame between two members is lost";
    Twice, "twice", "a frame arrives twice";
    LossByKind, "loss-by-kind", "a frame is lost because messages of its kind suffer";
    Impatience, "impatience", "a client gives up waiting and asks another member";
    Overdue, "overdue", "a frame comes seconds late";
    Partition, "partition", "the group falls apart: halves, a bridge, a ring, one way";
    Cut, "cut", "a member cannot hear the others, cannot reach them, or both";
    Lag, "lag", "a member hears the others up to two seconds late, and sometimes they do not hear \
        it";
    Aimed, "aimed", "a member is struck at the very step at which leadership or members change";
    Flap, "flap", "a partition comes and goes several times a second";
    Upgrade, "upgrade", "a member comes back with a binary that knows a later version of entries";
    Downgrade, "downgrade", "a member comes back with a binary that does not know that version";
    SlowDisk, "slow-disk", "each sync of a disk takes seconds for some time";
}

counted! {
    /// A situation that some run of a campaign must reach.
    Goal:
    ExecDone, "exec", "a transaction was executed";
    ExecWatched, "exec-watched", "a transaction was executed under WATCH";
    ExecRefused, "exec-nil", "a transaction was refused because a watched key was written";
    ExecAborted, "exec-abort", "a transaction was refused because a request could not be queued";
    HelloQueued, "hello-queued", "a transaction changed the protocol in its middle";
    ProtocolError, "protocol-error", "bytes that are not a request were answered with the error";
    UnknownCommand, "unknown", "a command that does not exist was refused";
    WrongArity, "arity", "a wrong number of arguments was refused";
    WrongType, "wrong-type", "a command met a key of another type";
    Expired, "expired", "a key was seen to have expired";
    Loading, "loading", "a client was told that the server is loading";
    NoSpace, "no-space", "a write was refused because the disk is full";
    OutOfMemory, "no-memory", "a write was refused because maxmemory is exceeded";
    Evicted, "evicted", "keys were evicted";
    EvictedVolatile, "evicted-volatile", "keys with an expiry were evicted, and no others";
    MemoryBack, "memory-back", "a run that evicts has come to its end with maxmemory kept";
    Recovered, "recovered", "a member came back with entries from its log";
    AnsweredLost, "lost", "an answered entry was lost, as its policy allows";
    Refused, "refused", "a node refused to start because its files are damaged";
    Stopped, "sync-stop", "a node stopped by itself because a sync had failed";
    Elected, "elected", "a member began to lead";
    Elsewhere, "elsewhere", "a client was redirected, or told that there is no leader";
    OldRead, "old-read", "a follower answered a client that accepts old data";
    OldExec, "old-exec", "a follower has run a transaction of reads";
    OldExecCut, "old-exec-cut", "a follower's transaction of reads took several turns";
    CombineCut, "combine-cut", "sorted sets were combined, or a range of one stored, in pieces";
    CopyCut, "copy-cut", "a large value was copied in pieces";
    OldExecNil, "old-exec-nil", "a follower refused a transaction of reads because a watched key \
        was written";
    Silenced, "silenced", "a client has asked for something whose reply it does not want";
    Heard, "heard", "a message has come to a client that listens";
    PrefixInvalidated, "prefix-invalidated", "a client has heard of a key for its prefix alone";
    CachingQueued, "caching-queued", "a transaction has said which of its reads its client keeps";
    Invalidated, "invalidated", "a client that tracks has heard that what it keeps is so no more";
    HeardEvent, "heard-event", "a keyspace event has come to a client that listens";
    HeardElsewhere, "heard-elsewhere", "a message has come to a subscriber of another member";
    Shown, "shown", "a client was shown what another has asked";
    Published, "published", "a message was published to several clients";
    PublishCut, "publish-cut", "a message was brought to its subscribers in several turns";
    OnlyListens, "only-listens", "a listener was refused whatever else it asked for";
    Walked, "walked", "a client has followed a cursor through several steps to its end";
    BoundedRead, "bounded-read", "a follower answers a client that bounds the age of what it reads";
    Uncertain, "uncertain", "a client was told that its write may have been applied";
    Restored, "restored", "a member of a group starts from a base, its own or that of another \
        member";
    Installed, "installed", "a member has taken the state of another";
    Repaired, "repaired", "a member fetched from others what its disk had lost";
    Reborn, "reborn", "a member whose disk was wiped was removed, and votes again as another";
    AskedFollower, "asked-role", "a follower was asked whether it is the master";
    AskedLeader, "asked-company", "a leader that has lost a member was asked who is connected";
    TooFew, "too-few", "a change of membership was refused because too few of the voters would \
        answer";
    Formed, "formed", "a group was formed by members that found each other";
    Admitted, "admitted", "a new member was given a number";
    TurnedAway, "turned-away", "a new member was told that its number is taken, or which member to \
        ask";
    Unwritten, "unwritten", "a client was told that the configuration file could not be written";
    Strained, "strained", "a leader transferred leadership because of its disk";
    Waited, "waited", "a client has waited for a key, and nothing has come";
    ServedFirst, "served-first", "of several clients that waited for a key the first was served";
    Unblocked, "unblocked", "a wait for a key was ended by CLIENT UNBLOCK of another";
    Paused, "paused", "a client has had the requests of others wait, by CLIENT PAUSE";
    Killed, "killed", "a client was closed by CLIENT KILL of another";
    Silent, "silent", "a client was closed because it was idle for too long";
    Unread, "unread", "a client was closed because it did not read its replies";
    Crowded, "crowded", "a client was closed because all together took too much memory";
    SentAway, "sent-away", "a client was closed because it sent HTTP";
    Raised, "raised", "a leader has raised the version of entries";
    Outdated, "outdated", "a member stopped because it does not know the version of its group";
    MinorityLost, "minority-lost", "some members never came back, and the others continued";
}

impl Fault {
    /// Returns true if it takes several members.
    pub(crate) fn takes_a_group(self) -> bool {
        matches!(
            self,
            Self::Loss
                | Self::Damage
                | Self::Wipe
                | Self::Twice
                | Self::Cut
                | Self::LossByKind
                | Self::Impatience
                | Self::Overdue
                | Self::Lag
                | Self::Flap
                | Self::Aimed
                | Self::Partition
                | Self::Upgrade
                | Self::Downgrade
        )
    }
}

impl Goal {
    /// Returns true if it takes several members.
    pub(crate) fn takes_a_group(self) -> bool {
        matches!(
            self,
            Self::Elected
                | Self::Elsewhere
                | Self::Uncertain
                | Self::Restored
                | Self::Installed
                | Self::Repaired
                | Self::Reborn
                | Self::AskedFollower
                | Self::AskedLeader
                | Self::TooFew
                | Self::Formed
                | Self::Admitted
                | Self::TurnedAway
                | Self::Strained
                | Self::MinorityLost
                | Self::Raised
                | Self::Outdated
        )
    }
}

/// Which goals were reached, which rare states were met, and which faults fired how often.
#[expect(clippy::struct_field_names, reason = "one of its kinds has its name")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Goals {
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) goals: BTreeMap<Goal, u64>,
    pub(crate) states: BTreeMap<RareState, u64>,
}

impl Goals {
    /// A fault has fired.
    pub(crate) fn fired(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// A goal is reached.
    pub(crate) fn reach(&mut self, goal: Goal) {
        *self.goals.entry(goal).or_default() += 1;
    }

    /// A rare state is met.
    pub(crate) fn met(&mut self, state: RareState) {
        *self.states.entry(state).or_default() += 1;
    }

    /// Adds what another run has seen.
    pub(crate) fn add(&mut self, other: &Self) {
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (goal, count) in &other.goals {
            *self.goals.entry(*goal).or_default() += count;
        }
        for (state, count) in &other.states {
            *self.states.entry(*state).or_default() += count;
        }
    }

    /// The faults that fired, by class.
    pub(crate) fn faults_line(&self) -> String {
        let shown = self
            .faults
            .iter()
            .map(|(fault, count)| format!("{}={count}", fault.key()));
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() {
            "none".to_owned()
        } else {
            shown.join(" ")
        }
    }
}
