//! The rare states: what a campaign must come to if it is to say anything of them, each with a
//! name.

use crate::counted::counted;

counted! {
    /// A state of a member, of its disk or of a group that is seldom met.
    RareState:
    Divided, "divided", "a segment of a table was divided";
    Joined, "joined", "two segments of a table became one";
    Deeper, "deeper", "the directory of a table was doubled";
    Shallower, "shallower", "the directory of a table was halved";
    Detached, "detached", "a table was emptied out before a base held all of it";
    Retired, "retired", "a large value was removed, or changed as a whole, before a base held it";
    Renamed, "renamed", "a large value was renamed before a base held it";
    Freed, "freed", "something that was removed waits to be freed";
    EndedMidCommand, "ended-mid-command", "a process ended in the middle of a command that takes \
        several turns";
    EndedInBase, "ended-in-base", "a process ended while it wrote a base";
    BaseGivenUp, "base-given-up", "a base was begun and given up";
    BaseUnread, "base-unread", "a base could not be read for a member that needed it";
    TailCut, "tail-cut", "recovery has found damage, and has said so";
    ServedTogether, "served-together", "one entry has served several clients that waited for a key";
    WaitersLeft, "waiters-left", "a leader has ceased to lead while clients waited at it for a key";
    HandOver, "hand-over", "the disk has ended what a member had asked of it in an earlier term";
    Outage, "outage", "all members of a group have lost their power at the same moment";
    DamagedAgain, "damaged-again", "a member was damaged again while it was under repair";
    BaseBesideSupply, "base-beside-supply", "a leader began a base while it sent an older one to a \
        member";
    TwoSupplies, "two-supplies", "a leader sends a state to two members at a time";
    StateBesideBase, "state-beside-base", "a member has taken the state of another while it wrote \
        a base of its own";
    StateTwice, "state-twice", "a member has taken the state of another twice in one life";
    StateRefused, "state-refused", "a member could not use the state that it was sent";
    EndedInState, "ended-in-state", "a process ended while it was being sent a state";
    LearnerState, "learner-state", "a learner has taken the state of another";
    InParts, "in-parts", "an entry went to a member in several frames";
    LackedBefore, "lacked-before", "a member has refused entries because it lacked those before";
    LogCut, "log-cut", "a member has dropped entries that its leader does not have";
    ChangeCut, "change-cut", "a member has dropped a change of members with the end of its log";
    OldTerms, "old-terms", "a member began to lead while its log held entries of earlier terms \
        that were not committed";
    SplitVote, "split-vote", "two members campaigned in one term";
    TwoLeaders, "two-leaders", "two members led at a time, each in a term of its own";
    JointElection, "joint-election", "a member began to lead in the middle of a change of members";
    RemovedLeads, "removed-leads", "a leader led a group whose latest membership has no place for \
        it";
    ShrunkToOne, "shrunk-to-one", "a group of several voters has shrunk to one";
    TransferGivenUp, "transfer-given-up", "a leader has given up a transfer of leadership";
    LeaseAfterTransfer, "lease-after-transfer", "a leader had a lease after it had given up a \
        transfer";
    NoRoomInChange, "no-room-in-change", "a leader had no room on its disk while members changed";
}

impl RareState {
    /// Of so many runs over all profiles some must have met it; of those that are rarer a campaign
    /// must be told to demand them.
    pub(crate) fn expected_in_runs(self) -> u64 {
        match self {
            Self::Divided | Self::Joined | Self::Retired | Self::Freed => 200,
            Self::Deeper
            | Self::Shallower
            | Self::Detached
            | Self::Renamed
            | Self::HandOver
            | Self::Outage
            | Self::DamagedAgain => 2000,
            _ => u64::MAX,
        }
    }

    /// Returns true if it takes several members.
    pub(crate) fn takes_a_group(self) -> bool {
        // These stand behind all others.
        self >= Self::WaitersLeft
    }
}
