//! The directions in which a campaign looks, and what runs of groups are made of in each.
//!
//! A profile is judged by how soon it finds planted bugs. Those that look at Raft alone have few
//! bytes, small files and short lives of leaders, so that a second of a core holds many elections.

use crate::draws::Dice;
use crate::scenario::{Every, MS, Rush, SECOND, Scenario, has_reader, waiters};
use crate::workload::{Kind, Shape};

/// A direction in which a campaign looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// One server, a little of everything.
    Smoke,
    /// One server, mainly disk faults and crashes.
    Disk,
    /// One server, mainly the bytes of clients: splits, garbage, slow readers, closes.
    Resp,
    /// As disk, and after a failed sync its data is never written: recovery must write again what
    /// it cannot know to be durable. Part of a fleet only on request.
    Sync,
    /// One server, mainly clocks that jump, drift and freeze, and keys that expire soon.
    Clocks,
    /// A group, a little of everything: all kinds of clients, and disks that fail.
    Raft,
    /// A group, mainly elections: few bytes, leaders that are killed, lost frames, crashes, and
    /// clients that read from one member while others write through another.
    Safety,
    /// A group, mainly changes of membership, with logs so short that members are sent whole
    /// states.
    Members,
    /// A group, mainly liveness: partitions that flap, and a minority that never comes back.
    Liveness,
}

impl Profile {
    /// Those that a fleet takes by itself.
    pub(crate) const ALL: [Self; 8] = [
        Self::Smoke,
        Self::Disk,
        Self::Resp,
        Self::Clocks,
        Self::Raft,
        Self::Safety,
        Self::Members,
        Self::Liveness,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Disk => "disk",
            Self::Resp => "resp",
            Self::Sync => "sync",
            Self::Clocks => "clocks",
            Self::Raft => "raft",
            Self::Safety => "safety",
            Self::Members => "members",
            Self::Liveness => "liveness",
        }
    }

    /// Returns true if it is about several members.
    pub(crate) fn is_of_a_group(self) -> bool {
        matches!(
            self,
            Self::Raft | Self::Safety | Self::Members | Self::Liveness
        )
    }

    /// Returns true if hardly any bytes travel but those of Raft.
    pub(crate) fn is_light(self) -> bool {
        matches!(self, Self::Safety | Self::Members | Self::Liveness)
    }

    /// How many members found the group, and how many more may come.
    pub(crate) fn sizes(self, founders: &mut Dice, spares: &mut Dice) -> (usize, usize) {
        let founders = match self {
            Self::Raft => *founders.pick(&[1, 3, 3, 3, 5]),
            Self::Safety => *founders.pick(&[3, 3, 3, 5]),
            Self::Members => *founders.pick(&[1, 1, 3, 3]),
            Self::Liveness => *founders.pick(&[3, 3, 5]),
            Self::Smoke | Self::Disk | Self::Resp | Self::Sync | Self::Clocks => return (1, 0),
        };
        let spares = match (self, spares.below(3) as usize) {
            (Self::Safety | Self::Liveness, _) => 0,
            (_, 0) if founders == 1 => 2,
            (Self::Members, spares) => spares.max(1),
            (_, spares) => spares,
        };
        (founders, spares)
    }
}

impl Scenario {
    /// Few bytes, small files, leaders that are hunted, clients that come when one is struck.
    pub(crate) fn lighten(&mut self, profile: Profile, class: &impl Fn(u64) -> Dice) {
        let mut dice = class(40);
        let dice = &mut dice;
        let shape = Shape {
            keys: *dice.pick(&[1, 1, 2, 5]),
            // Some are longer than a frame may be, and go in parts.
            value_bytes: *class(57).pick(&[24, 24, 24, 1000]),
            members: self.members as u64,
            garbage: false,
            kills: false,
        };
        self.patient = dice.permille(600);
        self.clients = clients(dice, shape, self.patient);
        if self.members > self.founders {
            self.clients.push((Kind::Operator, shape));
        }
        if has_reader(class, self.members) {
            self.clients.push((Kind::Reader, shape));
        }
        if class(83).permille(300) {
            let own = (Kind::Queue, shape);
            self.clients
                .extend((0..class(84).within(1, 3)).map(|_| own));
        }
        self.clients.extend(waiters(class, shape));
        self.think = dice.within(200, 900) * MS;
        self.rush = dice.permille(700).then(|| Rush {
            think: dice.within(10, 60) * MS,
            lasts: dice.within(300, 1200) * MS,
        });
        self.naps = *dice.pick(&[0, 0, 50, 200]);
        self.pipeline = *dice.pick(&[1, 1, 1, 3]);
        self.depth = *dice.pick(&[1, 1, 8, 64]);
        if self.patient {
            (self.pipeline, self.depth) = (1, 1);
        }
        self.patience = *dice.pick(&[80 * MS, 150 * MS, 300 * MS, SECOND]);
        (self.segment_max, self.read_max) = (65_536, 65_536);
        (self.slow, self.twins, self.audits) = (0, 0, 1);
        self.latency = dice.within(20, 1000) * 1000;
        self.inline_disk = true;
        self.disk_latency = dice.within(20, 2000) * 1000;
        self.frame_latency = *dice.pick(&[100, 500, 2000, 8000]) * dice.within(500, 1500);
        (self.full, self.slow_disks, self.freezes) = (None, None, None);
        let mut rare = class(94);
        self.freezes = rare.permille(250).then(|| rare.within(8, 20) * SECOND);
        self.aims = *rare.pick(&[0, 0, 200, 500]);
        self.hunts = *dice.pick(&[0, 300, 700]);
        self.config.segment_bytes = 16 << 10;
        self.config.retained_bytes = *dice.pick(&[0, 0, 300, 4 << 10, 64 << 10]);
        self.config.chunk_bytes = *dice.pick(&[200, 1000, 16 << 10]);
        // Where entries of several terms do not go in one frame, a majority can come to hold old
        // ones before it has any of the leader's own term (figure 8).
        self.config.append_bytes = *class(44).pick(&[1, 200, 1 << 20, 1 << 20]);
        let mut often = |mean: u64, share: u64| -> Every {
            let mean = mean / 2 + dice.below(mean * 3 / 2);
            dice.permille(share).then_some(mean)
        };
        // The mean is that of one member: of three or five somebody is struck all the time.
        self.crashes = often(15 * SECOND, 600);
        self.pauses = often(15 * SECOND, 400);
        self.cuts = often(8 * SECOND, 600);
        self.lags = often(10 * SECOND, 600);
        self.partitions = often(15 * SECOND, 600);
        self.sync_fails = often(60 * SECOND, 200);
        self.flaps = *dice.pick(&[0, 300, 1000]);
        if profile == Profile::Safety && class(59).permille(300) {
            // Leadership comes back to members that were sent a state meanwhile, and clients that
            // watch a key think for as long.
            self.clients.push((Kind::Mover, shape));
            self.clients.push((Kind::CompareAndSet, shape));
            self.naps = 300;
            self.config.retained_bytes = 0;
        }
        if class(60).permille(400) {
            // What is read and written is on its way for some time.
            self.inline_disk = false;
            self.disk_latency = class(61).within(2000, 20_000) * 1000;
        }
        if class(118).permille(120) {
            // A process that comes late all the time, and to much of what it should notice.
            self.mid_turn = *class(119).pick(&[300, 1000, 3000]);
        }
        let mut disk = class(92);
        // Hand-overs to the disk are on their way for as long as leaders lead.
        self.sync_latency = *disk.pick(&[0, 0, 0, 0, 0, 20, 60, 150, 300]) * MS;
        self.op_fails = disk.permille(400).then(|| disk.within(3, 12) * SECOND);
        self.sticks = disk.permille(300).then(|| disk.within(5, 15) * SECOND);
        match profile {
            Profile::Members => {
                self.change_often(dice);
                self.come_by_asking(&mut class(200));
            }
            Profile::Liveness => {
                self.duration = 10 * SECOND;
                self.minority_lost = 1000;
            }
            _ => {}
        }
    }

    /// Members that join have to ask for a number, and those that form a group have to hear of each
    /// other.
    fn come_by_asking(&mut self, dice: &mut Dice) {
        self.knocks = dice.permille(600);
        // One that has a number from the beginning knows the group's name from then on.
        let all_ask = self.knocks || self.members == self.founders;
        self.meets = dice.permille(400) && self.founders > 1 && all_ask;
        if self.knocks {
            self.newcomers_ask = self.newcomers_ask.or(Some(SECOND));
        }
    }

    /// Members come and go, and bring the clocks that they have.
    fn change_often(&mut self, dice: &mut Dice) {
        self.duration = 15 * SECOND;
        self.newcomers_ask = dice.permille(700).then_some(SECOND);
        self.jumps = dice.coin().then_some(SECOND);
        self.think = dice.within(50, 300) * MS;
        if dice.coin() {
            // What is on its way while the group changes.
            self.think = dice.within(5, 30) * MS;
            (self.depth, self.patient) = (64, false);
        }
    }
}

/// Some clients that contend for the same keys. Sums are hard to judge when the fate of some
/// addends is unknown: clients that wait for each answer add up nothing.
fn clients(dice: &mut Dice, shape: Shape, patient: bool) -> Vec<(Kind, Shape)> {
    const KINDS: [Kind; 5] = [
        Kind::Register,
        Kind::Register,
        Kind::CompareAndSet,
        Kind::Counter,
        Kind::Bank,
    ];
    let known = if patient { &KINDS[..3] } else { &KINDS };
    let one = dice.coin().then(|| *dice.pick(known));
    let count = dice.within(2, 4);
    let kind = |dice: &mut Dice| one.unwrap_or_else(|| *dice.pick(known));
    (0..count).map(|_| (kind(dice), shape)).collect()
}
