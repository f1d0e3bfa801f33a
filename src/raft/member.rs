//! The state machine of one member: what it is given, what it hands over, what may be asked of it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ids::{Incarnation, LogIndex, NodeId, PersistSeq, Term};
use crate::time::{Mono, Stamp};

use super::conflict::Conflicts;
use super::entry::{Entry, bytes};
use super::history::History;
use super::log::{Log, TermAt};
use super::loss::Loss;
use super::membership::{Member, Membership};
use super::message::{EntryId, Envelope, Message, Outgoing};
use super::outbox::Outbox;
use super::part::Arriving;
use super::receiving::Receiving;
use super::role::{Following, Role, RoleName};
use super::rounds::ReadDone;
use super::settings::{Restart, Settings, Unpersisted};
use super::wire;

/// One member's part in the agreement.
#[derive(Clone, Debug)]
pub struct Raft {
    pub(super) settings: Settings,
    /// The latest time that it was told.
    pub(super) now: Mono,
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    pub(super) role: Role,
    pub(super) log: Log,
    pub(super) history: History,
    pub(super) commit: LogIndex,
    /// The last entry that was given away to be applied.
    pub(super) applied: LogIndex,
    /// Term or vote have changed since the last hand-over.
    hard_state_changed: bool,
    /// The last hand-over.
    pub(super) seq: PersistSeq,
    /// The last hand-over that is durable.
    pub(super) persisted: PersistSeq,
    /// The hand-over that holds the present term.
    pub(super) term_seq: PersistSeq,
    pub(super) outbox: Outbox,
    /// Reads whose fate is known.
    pub(super) reads_done: Vec<ReadDone>,
    /// Memory for the entries of an append.
    pub(super) spare_entries: Vec<Entry>,
    /// A state that a leader sends to this member.
    pub(super) receiving: Option<Receiving>,
    /// A large entry of which a part is here.
    pub(super) arriving: Option<Box<Arriving>>,
    /// How far the log must come again before this member may vote.
    pub(super) owes: Option<EntryId>,
    /// The loss that a leader has shown, until the owner has taken it.
    pub(super) lost: Option<Loss>,
    /// The contradictions between this log and those of others.
    pub(super) conflicts: Conflicts,
    /// When a leader last spoke, or this process began: until an election timeout after that no
    /// vote is given, since a leader may rely on it.
    pub(super) heard: Mono,
    /// Since a leader last spoke, somebody to whom this member is a voter has asked for its vote in
    /// vain: it holds more. Its own log may know it as a learner, where the entry that gave it a
    /// vote was superseded; but nobody else may be left to whom all may give theirs.
    pub(super) is_needed: bool,
    /// The disk has no room, or keeps its owner waiting.
    pub(super) is_strained: bool,
    pub(super) election_at: Mono,
    /// The end of the last pause.
    pub(super) listened: Mono,
    /// How many campaigns in a row were put off.
    pub(super) put_off: u8,
    /// How many election timeouts have been drawn.
    pub(super) draws: u64,
}

impl Raft {
    /// A member as its disk remembers it. A sole voter campaigns at once: there is nobody to wait
    /// for, unless the entry that left it alone may not be committed. Then another may have led
    /// until now, and rely on its silence.
    pub fn new(settings: Settings, restart: Restart, now: Mono) -> Self {
        let mut history = History::new(restart.membership, settings.id, settings.incarnation);
        let log = Log::new(restart.base, restart.tail);
        for entry in log.window() {
            history.appended(entry);
        }
        let (last, last_term) = log.last();
        let mut raft = Self {
            settings,
            now,
            term: restart.term.max(last_term),
            vote: restart.vote.filter(|_| restart.term >= last_term),
            role: Role::Follower(Following::default()),
            commit: restart.commit.min(last).max(restart.base.0),
            applied: restart.base.0,
            log,
            history,
            hard_state_changed: false,
            seq: PersistSeq(0),
            persisted: PersistSeq(0),
            term_seq: PersistSeq(0),
            outbox: Outbox::default(),
            reads_done: Vec::new(),
            spare_entries: Vec::new(),
            receiving: None,
            arriving: None,
            owes: restart.owes,
            lost: None,
            conflicts: Conflicts::default(),
            heard: now,
            is_needed: false,
            is_strained: false,
            election_at: now,
            listened: now,
            put_off: 0,
            draws: 0,
        };
        raft.reset_election_timer();
        if restart.restate {
            raft.hard_state_changed();
        }
        raft.pay();
        let is_alone = raft.history.in_force().is_sole_voter(settings.id);
        if raft.may_campaign() && is_alone && raft.is_in_force_committed() {
            raft.pre_campaign();
        }
        raft
    }

    /// Looks at the time: what is due happens.
    pub fn tick(&mut self, now: Mono) {
        self.now = self.now.max(now);
        self.notice_pause();
        if let Role::Leader(_) = self.role {
            self.tick_leader();
        } else if self.campaign_at().is_some_and(|at| at <= self.now) {
            self.pre_campaign();
        } else if self.forgets_leader_at().is_some_and(|at| at <= self.now) {
            self.follow(None);
        }
    }

    /// When `tick` has something to do; never, for a group of one.
    pub fn deadline(&self) -> Option<Mono> {
        match &self.role {
            Role::Leader(leadership) => self.leader_deadline(leadership),
            _ => self.campaign_at().or_else(|| self.forgets_leader_at()),
        }
    }

    /// When a member that does not campaign no longer believes its leader to be there: one that
    /// has no vote, or was removed. Otherwise it would send clients to one that is gone, for ever.
    fn forgets_leader_at(&self) -> Option<Mono> {
        let waits = self.leader().is_some() && !self.may_campaign();
        waits.then_some(self.election_at)
    }

    /// The term or the vote is another: that must be durable before anything is said of it.
    pub(super) fn hard_state_changed(&mut self) {
        self.hard_state_changed = true;
        self.term_seq = self.seq.next();
    }

    /// The hand-over that holds all that is true now.
    pub(super) fn present(&self) -> PersistSeq {
        if self.hard_state_changed || self.log.has_unwritten() {
            self.seq.next()
        } else {
            self.seq
        }
    }

    pub(super) fn envelope(&self, to: Member) -> Envelope {
        Envelope {
            cluster: self.settings.cluster,
            from: self.settings.me(),
            to,
            term: self.term,
        }
    }

    /// Says something that is true once the hand-over `needs` is durable.
    pub(super) fn send(&mut self, to: Member, message: &Message, needs: PersistSeq) {
        let buffer = self.outbox.buffer();
        let frame = wire::encode_in(buffer, &self.envelope(to), message);
        let (class, to) = (message.class(), to.id);
        if needs <= self.persisted {
            self.outbox.send(to, class, frame);
        } else {
            let kind = wire::kind(&frame);
            let outgoing = Outgoing { to, class, frame };
            self.outbox.hold(needs, kind, outgoing);
        }
    }

    /// The messages that may be sent, in order. Entries that were proposed since are gathered into
    /// one append per member.
    pub fn messages(&mut self, out: &mut Vec<Outgoing>) {
        self.begin_round(false);
        self.replicate();
        self.offer_snapshots();
        self.outbox.take(out);
    }

    /// Takes a frame back that has been sent, so that another can use its memory.
    pub fn recycle(&mut self, frame: Vec<u8>) {
        self.outbox.recycle(frame);
    }

    /// The data to write to the log, if anything is new.
    pub fn unpersisted(&mut self) -> Option<Unpersisted<'_>> {
        let must_sync = core::mem::take(&mut self.hard_state_changed);
        if !must_sync && !self.log.has_unwritten() {
            // What was applied before it was handed over may go now.
            self.let_go();
            return None;
        }
        self.seq = self.seq.next();
        Some(Unpersisted {
            seq: self.seq,
            term: self.term,
            vote: self.vote,
            commit: self.commit,
            must_sync,
            entries: self.log.hand_over(self.seq),
        })
    }

    /// The next committed entry, in order, each once.
    pub fn next_committed(&mut self) -> Option<Entry> {
        if self.applied >= self.commit {
            return None;
        }
        let entry = self.log.get(self.applied.next())?.clone();
        self.applied = entry.index;
        self.history.applied(entry.index);
        self.let_go();
        Some(entry)
    }

    /// Lets applied entries go: all where nobody else will ever want them, otherwise the oldest.
    fn let_go(&mut self) {
        if self.history.in_force().is_alone(self.settings.id) {
            self.log.trim(self.applied, 0);
        } else if self.log.bytes() > self.settings.retained_bytes {
            let kept = self.settings.retained_bytes.max(self.fed_bytes());
            self.log.trim(self.applied, kept);
        }
    }

    /// How many bytes are kept for members that are being sent a state and will want what comes
    /// behind it.
    fn fed_bytes(&self) -> usize {
        if self.feeds_somebody() {
            self.settings.fed_bytes.saturating_add(self.parted_bytes())
        } else {
            0
        }
    }

    /// The owner's base reaches up to this entry, durably: entries up to it may go, whatever
    /// `retained_bytes` says, but not those that a member which is being sent a state will want. An
    /// owner that wants to keep some for members that lag names an earlier entry. Nothing is done
    /// where the entry is not applied, or not of that term.
    pub fn compacted(&mut self, up_to: LogIndex, term: Term) {
        if up_to <= self.applied && self.log.term_at(up_to) == TermAt::Known(term) {
            let kept = self.fed_bytes();
            self.log.trim(up_to, kept);
        }
    }

    /// The stamp of the last entry in memory; 0 where there is none, for then it is applied.
    pub fn last_stamp(&self) -> Stamp {
        let last = self.log.window().last();
        last.map_or(Stamp(0), |entry| entry.stamp)
    }

    /// The last entry of the log.
    pub fn last(&self) -> LogIndex {
        self.log.last().0
    }

    /// The life of this member's disk.
    pub fn incarnation(&self) -> Incarnation {
        self.settings.incarnation
    }

    /// Returns true if this member leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The role of this member.
    pub fn role(&self) -> RoleName {
        match self.role {
            Role::Follower(_) => RoleName::Follower,
            Role::PreCandidate(_) => RoleName::PreCandidate,
            Role::Candidate(_) => RoleName::Candidate,
            Role::Leader(_) => RoleName::Leader,
        }
    }

    /// The leader of the present term, if it is known.
    pub fn leader(&self) -> Option<NodeId> {
        match &self.role {
            Role::Leader(_) => Some(self.settings.id),
            Role::Follower(following) => following.leader.map(|leader| leader.id),
            Role::PreCandidate(_) | Role::Candidate(_) => None,
        }
    }

    /// The moment up to which `known_commit` is complete: it covers all that any leader knew to be
    /// committed by then; `None` if this member leads, or its leader has not said so.
    pub fn fresh_since(&self) -> Option<Mono> {
        match &self.role {
            Role::Follower(following) => following.fresh,
            _ => None,
        }
    }

    /// The present term.
    pub fn term(&self) -> Term {
        self.term
    }

    /// The vote in it.
    pub fn vote(&self) -> Option<NodeId> {
        self.vote
    }

    /// Up to where the log is committed.
    pub fn commit(&self) -> LogIndex {
        self.commit
    }

    /// Up to where the log is committed as far as anybody has told this member, which may lack some
    /// of it.
    pub fn known_commit(&self) -> LogIndex {
        match &self.role {
            Role::Follower(following) => self.commit.max(following.told_commit),
            _ => self.commit,
        }
    }

    /// The first entry of the term in which this member leads.
    pub fn led_from(&self) -> Option<LogIndex> {
        match &self.role {
            Role::Leader(leadership) => Some(leadership.first),
            _ => None,
        }
    }

    /// The term of an entry, where it is still known.
    pub fn term_of(&self, index: LogIndex) -> Option<Term> {
        match self.log.term_at(index) {
            TermAt::Known(term) => Some(term),
            TermAt::Compacted | TermAt::Beyond => None,
        }
    }

    /// An entry that the window holds.
    pub fn entry(&self, index: LogIndex) -> Option<&Entry> {
        self.log.get(index)
    }

    /// Up to where the log is durable here.
    pub fn durable(&self) -> LogIndex {
        self.log.durable()
    }

    /// The membership at the last applied entry.
    pub fn membership(&self) -> &Membership {
        self.history.settled()
    }

    /// The entries behind an index that the window holds.
    pub fn entries_after(&self, index: LogIndex) -> impl Iterator<Item = &Entry> {
        let window = self.log.window().iter();
        window.filter(move |entry| entry.index > index)
    }

    /// How many bytes those are.
    pub fn bytes_after(&self, index: LogIndex) -> usize {
        let entries = self.log.behind(index, usize::MAX, usize::MAX);
        entries.map_or(0, bytes)
    }
}
