//! A member: a machine with a disk and clocks, and at times a node that runs on it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use seedis::disk::{DiskDone, DiskError, FileName};
use seedis::ids::{ClusterId, Incarnation, NodeId, Term, Ticket};
use seedis::node::arrival::Arrival;
use seedis::node::config::Config;
use seedis::node::witness::Witnessed;
use seedis::node::{Node, Phase};
use seedis::store::Shape;
use seedis::time::{Mono, Now};

use super::World;
use super::before::Before;
use super::damage::Harmed;
use super::disk_jobs::Job;
use super::frames::{Cut, id_of};
use super::owed::Leading;
use crate::clock::Clock;
use crate::decisions::address::Files;
use crate::disk::FakeDisk;
use crate::draws::Stream;
use crate::failing::Failing;
use crate::judge::{Age, End, Reasons};
use crate::scenario::Scenario;
use crate::workload::address_of_member;

/// After so long without a frame of another, a leader no longer counts it as connected. It says so
/// much earlier.
const SILENT_NS: u64 = 4_000_000_000;
/// A disk that has room again is tried within so long.
const ROOM_AGAIN_NS: u64 = 2_000_000_000;

/// How a member is to end: the boundaries that are still to be passed first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doom {
    pub(super) end: End,
    pub(super) boundaries: u64,
}

/// A moment of a member: how long its process could run so far, and what its monotonic clock shows,
/// in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    pub(super) ran: u64,
    pub(super) mono: u64,
}

impl Passed {
    /// The time that has passed at least since an earlier moment: a process that stands still hears
    /// nothing, and for one whose clock stands still no time passes.
    pub(super) fn since(self, earlier: Self) -> u64 {
        let ran = self.ran.saturating_sub(earlier.ran);
        ran.min(self.mono.saturating_sub(earlier.mono))
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self {
            ran: self.ran.max(other.ran),
            mono: self.mono.max(other.mono),
        }
    }
}

/// News that a member is told of another without a frame.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// Its identity, as when it connects.
    Met {
        other: usize,
        id: NodeId,
        incarnation: Incarnation,
        entry_versions: (u8, u8),
    },
    /// That it wants to vote.
    Wants {
        id: NodeId,
        incarnation: Incarnation,
    },
    /// That it asks for a number, or for a certain one.
    Asks {
        wanted: NodeId,
        incarnation: Incarnation,
        newest: u8,
    },
    /// Its messages for subscribers.
    Told { from: NodeId, frame: Bytes },
    /// That messages for the subscribers of another could not leave.
    NotTold { messages: u64 },
    /// How it went with the configuration file.
    Configuration { wish: u64, fails: bool },
}

/// One member.
#[expect(clippy::struct_excessive_bools, reason = "each is about another thing")]
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) config: Config,
    pub(super) node: Option<Node>,
    /// A process that has no group yet, instead of a node.
    pub(super) arrival: Option<Arrival>,
    /// How often it had something to do.
    pub(super) looks: u64,
    /// How often it was turned away.
    pub(super) despairs: u64,
    /// It has come by asking, and has come to vote.
    pub(super) knocked: bool,
    pub(super) has_voted: bool,
    /// How often it has ended.
    pub(super) life: u64,
    pub(super) disk: FakeDisk,
    pub(super) clock: Clock,
    /// Disk operations on their way, by number.
    pub(super) jobs: BTreeMap<u64, Job>,
    pub(super) last_job: u64,
    /// When the last operation on each file ends, and the last on the directory.
    pub(super) busy: BTreeMap<FileName, u64>,
    pub(super) barrier: u64,
    /// The results of the disk that the node was not told yet.
    pub(super) outcomes: Vec<(Ticket, Result<DiskDone, DiskError>)>,
    /// Files that hold what no sync has covered.
    pub(super) unsynced: BTreeSet<FileName>,
    /// A sync of the log, or a write to it, has failed in this life: the process must end.
    pub(super) sync_failed: bool,
    /// Something of its disk has failed in this life for which it may end.
    pub(super) may_end: bool,
    /// A change of members was under way in its view behind its last turn.
    pub(super) changing: bool,
    /// The make-up of its store behind its last turn.
    pub(super) shape: Shape,
    /// The things that were true of it behind its last turn.
    pub(super) before: Before,
    /// Something that is written waits since then for a sync that is not on its way, and the most
    /// that a sync of the log has taken so far, in nanoseconds.
    pub(super) waits_unsynced: Option<Passed>,
    pub(super) longest_sync: u64,
    /// A base is being written, and whether the last one in this life was not.
    pub(super) is_rewriting: bool,
    pub(super) rewrite_failed: bool,
    /// One was written in the present turn, and how many in all.
    pub(super) has_rewritten: bool,
    pub(super) rewrites: u64,
    /// Files whose removal has failed: they may stay.
    pub(super) spared: BTreeSet<FileName>,
    /// The next operations of these kinds are to fail.
    pub(super) failing: Vec<Failing>,
    /// A file that cannot be read.
    pub(super) bad: Option<FileName>,
    /// Operations on these files take so much longer, in nanoseconds.
    pub(super) stuck: Option<(Files, u64)>,
    /// The news of others that it does not know yet.
    pub(super) news: Vec<News>,
    /// The facts that others have told it: the lives of their disks, and the newest version that
    /// they know.
    pub(super) greeted: BTreeMap<(NodeId, Incarnation), u8>,
    /// Frames that have come.
    pub(super) frames: Vec<(usize, Bytes)>,
    /// It is cut off from the others.
    pub(super) cut: Option<Cut>,
    /// By how much what it hears is late, in nanoseconds.
    pub(super) lag: u64,
    /// By how much each sync of its disk takes longer, in nanoseconds.
    pub(super) disk_lag: u64,
    /// A sync of its log hangs since then, and for how long the disk has hung before.
    pub(super) hangs_since: Option<u64>,
    pub(super) hung: u64,
    /// Connections that have come, that have something to read, that can be written again.
    pub(super) arrivals: Vec<u64>,
    pub(super) stirred: BTreeSet<u64>,
    pub(super) writable: BTreeSet<u64>,
    /// The deadline has passed.
    pub(super) due: bool,
    pub(super) deadline: Option<u64>,
    pub(super) deadline_version: u64,
    pub(super) turn_planned: bool,
    pub(super) turns: u64,
    /// How often it has asked to be taken in.
    pub(super) wishes: u64,
    /// The process stands still until then.
    pub(super) paused_until: u64,
    /// For how long it has stood still so far, and will by then, in nanoseconds.
    pub(super) stood: u64,
    /// It stands still between its inputs and its flush.
    pub(super) mid_turn: bool,
    pub(super) doom: Option<Doom>,
    /// It was asked to stop.
    pub(super) stopping: bool,
    /// When it was told so, and for how long its disk had hung by then.
    pub(super) told_to_stop: Option<(Passed, u64)>,
    /// The judge knows that it serves.
    pub(super) serving: bool,
    /// Since when, by the time that its process runs, it leads without room while others have some.
    pub(super) clings_since: Option<u64>,
    /// When, by that time, it last transferred leadership or tried to.
    pub(super) transferred_at: Option<u64>,
    /// It served as leader when it was last listened to.
    pub(super) led: bool,
    /// The others that it leads, since when, and when it was last given a frame of each member.
    pub(super) company: Vec<(NodeId, Incarnation)>,
    pub(super) led_from: Passed,
    pub(super) heard: BTreeMap<usize, Passed>,
    /// The time of the last heartbeat of its own term that it was given, and the turn.
    pub(super) was_told: Option<(Term, u64, u64)>,
    /// That of the last one that it has answered.
    pub(super) hears_leader: Option<(Term, u64, u64)>,
    /// The members that have asked whether it would vote for them, and whether it heard a leader
    /// each time.
    pub(super) asked_beside: BTreeMap<NodeId, bool>,
    /// The debts to the others that it has while it leads.
    pub(super) leading: Leading,
    /// The records that it witnessed since it began to serve and before that was judged.
    pub(super) held: Vec<Witnessed>,
    /// The bit that has flipped since the last life: its file, place and number.
    pub(super) flipped: Option<(FileName, usize, u8)>,
    /// The damage on its disk that is not yet known to be made good, and how often it was damaged.
    pub(super) harm: Vec<Harmed>,
    pub(super) harms: u64,
    /// Its disk is an older copy of itself, and nobody has told it yet.
    pub(super) rewound: bool,
    /// The disk as it was after earlier lives of its process, if a script wants that back.
    pub(super) copies: BTreeMap<u64, FakeDisk>,
    /// How many voters decided when its node was last up, if it knew.
    pub(super) decided: Option<usize>,
    /// How often its disk was wiped.
    pub(super) wipes: u64,
    /// It was, and the group has no voter of this life of its disk yet.
    pub(super) lost: bool,
    /// The disk is full, or was until a moment ago: until the process has run for so long.
    pub(super) tight_until: u64,
    /// The errors of its disk in this life of its process.
    pub(super) reasons: Reasons,
    /// The time on its monotonic clock when its node was last told.
    pub(super) told: Mono,
    /// The monotonic clock has stood still since the node has ended a turn.
    pub(super) stood_with_its_clock: bool,
    /// The monotonic clock stands still since then.
    pub(super) frozen_from: Option<u64>,
}

impl Member {
    /// The time that its process and its clock have passed.
    pub(super) fn passed(&self, time: u64) -> Passed {
        Passed {
            ran: self.ran(time),
            mono: self.clock.read(time).mono.0,
        }
    }

    /// How many others it has heard of lately, as a leader counts that.
    pub(super) fn hears(&self, time: u64) -> usize {
        let now = self.passed(time);
        let lately = |heard: &&Passed| now.since(heard.max(self.led_from)) < SILENT_NS;
        if now.since(self.led_from) < SILENT_NS {
            return usize::MAX;
        }
        self.heard.values().filter(lately).count()
    }

    pub(super) fn new(number: usize, scenario: &Scenario) -> Self {
        Self {
            number,
            config: config_of(number, scenario),
            node: None,
            arrival: None,
            looks: 0,
            despairs: 0,
            knocked: scenario.knocks && number >= scenario.founders,
            has_voted: false,
            life: 0,
            disk: disk_of(scenario.seed.wrapping_add(number as u64), scenario),
            clock: Clock::new(0, 0),
            told: Mono(0),
            jobs: BTreeMap::new(),
            last_job: 0,
            busy: BTreeMap::new(),
            barrier: 0,
            outcomes: Vec::new(),
            unsynced: BTreeSet::new(),
            sync_failed: false,
            may_end: false,
            changing: false,
            shape: Shape::default(),
            before: Before::default(),
            waits_unsynced: None,
            longest_sync: 0,
            is_rewriting: false,
            rewrite_failed: false,
            has_rewritten: false,
            rewrites: 0,
            spared: BTreeSet::new(),
            failing: Vec::new(),
            bad: None,
            stuck: None,
            news: Vec::new(),
            greeted: BTreeMap::new(),
            frames: Vec::new(),
            cut: None,
            lag: 0,
            disk_lag: 0,
            hangs_since: None,
            hung: 0,
            arrivals: Vec::new(),
            stirred: BTreeSet::new(),
            writable: BTreeSet::new(),
            due: false,
            deadline: None,
            deadline_version: 0,
            turn_planned: false,
            turns: 0,
            wishes: 0,
            paused_until: 0,
            stood: 0,
            mid_turn: false,
            doom: None,
            stopping: false,
            told_to_stop: None,
            serving: false,
            clings_since: None,
            transferred_at: None,
            led: false,
            company: Vec::new(),
            led_from: Passed::default(),
            heard: BTreeMap::new(),
            was_told: None,
            hears_leader: None,
            asked_beside: BTreeMap::new(),
            leading: Leading::default(),
            held: Vec::new(),
            flipped: None,
            harm: Vec::new(),
            harms: 0,
            rewound: false,
            copies: BTreeMap::new(),
            decided: None,
            wipes: 0,
            lost: false,
            tight_until: 0,
            reasons: Reasons::default(),
            stood_with_its_clock: false,
            frozen_from: None,
        }
    }

    /// The process stands still for some time from now on.
    pub(super) fn stand_still(&mut self, time: u64, length: u64) {
        let (from, until) = (self.paused_until.max(time), time + length);
        self.stood += until.saturating_sub(from);
        self.paused_until = self.paused_until.max(until);
    }

    /// It goes on, or is gone.
    pub(super) fn stands_no_longer(&mut self, time: u64) {
        self.stood -= self.paused_until.saturating_sub(time);
        self.paused_until = 0;
    }

    /// For how long it could run so far: what it promises it promises for such time.
    pub(super) fn ran(&self, time: u64) -> u64 {
        let ahead = self.paused_until.saturating_sub(time);
        time - (self.stood - ahead)
    }

    /// The time that its node is told.
    ///
    /// Panics where a monotonic clock ran back: that is the simulator's error, whatever invariant
    /// it would break.
    pub(super) fn looks_at_its_clock(&mut self, time: u64) -> Now {
        let now = self.clock.read(time);
        let (number, told) = (self.number, self.told);
        assert!(now.mono >= told, "the clock of member {number} runs back");
        self.told = now.mono;
        now
    }

    /// How old its process is.
    pub(super) fn age(&self, time: u64) -> Age {
        let hangs = self.hangs_since.map_or(0, |since| time - since);
        Age {
            ran: self.ran(time),
            hung: self.hung + hangs,
        }
    }

    /// No sync of its log hangs any more.
    pub(super) fn hangs_no_longer(&mut self, time: u64) {
        self.hung += self.hangs_since.take().map_or(0, |since| time - since);
    }

    /// Its disk has room again. It learns of that when it tries again, behind what it has asked of
    /// the disk by now.
    pub(super) fn has_room_again(&mut self, time: u64) {
        let last = self.busy.values().copied().fold(self.barrier, u64::max);
        let tried = last.saturating_sub(time) + ROOM_AGAIN_NS;
        self.tight_until = self.ran(time) + tried;
    }

    /// Returns true if it may still believe that its disk is full.
    pub(super) fn is_tight(&self, time: u64) -> bool {
        self.ran(time) < self.tight_until
    }

    /// Which life of its disk this is.
    pub(super) fn incarnation(&self) -> Incarnation {
        Incarnation(incarnation_of(self.number).0 | self.wipes << 16)
    }

    /// Its disk is another, and empty; what it is told about its group a newcomer is told.
    pub(super) fn wipe(&mut self, scenario: &Scenario) {
        self.wipes += 1;
        let seed = scenario
            .seed
            .wrapping_add(self.wipes << 32 | self.number as u64);
        self.disk = disk_of(seed, scenario);
        self.unsynced.clear();
        self.harm.clear();
        (self.decided, self.lost) = (None, true);
        self.bad = None;
        let (own, incarnation) = (self.config.id, self.incarnation());
        self.config.incarnation = incarnation;
        self.config.founders.retain(|(id, _)| *id != own);
        if scenario.knocks {
            (self.config.id, self.knocked, self.has_voted) = (NodeId(0), true, false);
        }
    }

    /// Returns true if its process can be ended, and is not about to end.
    pub(super) fn may_be_ended(&self) -> bool {
        self.is_up() && self.doom.is_none() && !self.stopping
    }

    /// The term in which its node is; 0 where that knows none yet.
    pub(super) fn term(&self) -> u64 {
        let raft = self.node.as_ref().and_then(Node::raft);
        raft.map_or(0, |raft| raft.term().0)
    }

    /// Returns true if there is a process.
    pub(super) fn is_up(&self) -> bool {
        self.node.is_some()
    }

    /// Returns true if it serves.
    pub(super) fn is_serving(&self) -> bool {
        self.node
            .as_ref()
            .is_some_and(|node| node.phase() == Phase::Serving)
    }

    /// How it is, for a report.
    pub(super) fn condition(&self) -> String {
        let phase = self.node.as_ref().map(Node::phase);
        let (number, jobs, deadline) = (self.number, self.jobs.len(), self.deadline);
        let standing = self.node.as_ref().and_then(Node::standing);
        let standing = standing.unwrap_or_default();
        format!(
            "member {number}: {phase:?}, {jobs} disk operations, deadline {deadline:?}, {standing}"
        )
    }
}

/// An empty disk.
fn disk_of(seed: u64, scenario: &Scenario) -> FakeDisk {
    let mut disk = FakeDisk::new(seed, scenario.final_failures);
    disk.thin = scenario.thin_disk;
    disk
}

/// The configuration of a member: about itself and its group.
fn config_of(number: usize, scenario: &Scenario) -> Config {
    let mut config = scenario.config.clone();
    "seedis.conf".clone_into(&mut config.process.config_file);
    if scenario.members > 1 {
        let members = 0..scenario.founders;
        let is_asked_for = scenario.knocks && number >= scenario.founders;
        config.id = if is_asked_for {
            NodeId(0)
        } else {
            id_of(number)
        };
        config.borders = scenario.borders_of(number);
        // One of them gives its secret to all.
        config.hash_seed ^= (number as u128) << 32;
        config.incarnation = incarnation_of(number);
        config.cluster = ClusterId(scenario.seed);
        config.founders = members.map(|m| (id_of(m), incarnation_of(m))).collect();
    }
    config
}

/// The first life of a member's disk.
fn incarnation_of(number: usize) -> Incarnation {
    Incarnation(number as u64 + 1)
}

/// The address at which clients reach a member.
pub(super) fn address_of(number: usize) -> String {
    address_of_member(number)
}

/// The member that an address is of, or was.
pub(super) fn at_address(address: &[u8]) -> Option<usize> {
    let host = |address: &[u8]| address.iter().position(|byte| *byte == b':');
    let own = |number: usize| address_of(number).into_bytes();
    let is_of = |number: &usize| {
        let own = own(*number);
        host(&own).map(|end| &own[..end]) == host(address).map(|end| &address[..end])
    };
    (0..16).find(is_of)
}

impl Member {
    /// The address at which it tells others that clients reach it: in many lives another one.
    pub(super) fn told_address(&self) -> String {
        let own = address_of(self.number);
        let host = own.split(':').next().unwrap_or_default();
        format!("{host}:{}", 6379 + self.life % 3)
    }
}

impl World {
    /// A member's process begins.
    pub(super) fn start(&mut self, number: usize) {
        let is_gone = self.is_gone(number);
        let member = &self.members[number];
        if member.node.is_some() || is_gone || self.arrives(number) {
            return;
        }
        self.draw_versions(number);
        self.begin(number);
    }

    /// Its node begins.
    pub(super) fn begin(&mut self, number: usize) {
        let time = self.time;
        let member = &mut self.members[number];
        let mut config = member.config.clone();
        let seed = self.scenario.seed;
        let mut dice = crate::draws::Dice::new(seed, Stream::IDENTITY, number as u64, member.life);
        config.seed = dice.draw();
        let now = member.looks_at_its_clock(time);
        member.node = Some(Node::new(config, now));
        member.transferred_at = None;
        self.tell(|| format!("member {number} starts"));
        for other in 0..self.members.len() {
            if other != number {
                self.meet(number, other);
                self.meet(other, number);
            }
        }
        self.wake(number);
    }

    /// A member hears who another is, as when it connects.
    fn meet(&mut self, number: usize, other: usize) {
        let is_there = self.members[other].node.is_some();
        let incarnation = self.members[other].incarnation();
        let is_refused = self.is_refused(number, other) || self.is_refused(other, number);
        if is_there && self.members[number].node.is_some() && !is_refused {
            let id = self.members[other].config.id;
            let met = News::Met {
                other,
                id,
                incarnation,
                entry_versions: self.members[other].config.entry_versions,
            };
            self.members[number].news.push(met);
            self.wake(number);
        }
    }
}

/// Returns true if a node serves as leader: the first entry of its own term is applied. A node
/// without other members leads whatever it has loaded.
pub(super) fn serves_as_leader(node: &Node) -> bool {
    let Some(raft) = node.raft() else {
        return false;
    };
    let has_begun = raft.led_from().is_some_and(|first| first <= node.applied());
    has_begun && node.phase() != Phase::Recovering || !node.is_grouped()
}
