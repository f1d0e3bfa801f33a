//! The make-up of a run, drawn from its seed: which faults are on and how strong, who the clients
//! are.

use seedis::ids::NodeId;
use seedis::limits;
use seedis::node::Node;
use seedis::node::config::{Borders, Config, Fsync, OutputLimit};
use seedis::time::Now;

use crate::draws::{Dice, Stream};
use crate::judge::Policy;
pub(crate) use crate::profile::Profile;
use crate::workload::{Kind, Shape};
use crate::world::frames::KINDS;

/// How often something happens: the mean time between two, in nanoseconds; nothing: never.
pub(crate) type Every = Option<u64>;

/// How clients ask while the leader is in trouble, in nanoseconds: the mean time between two
/// batches, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rush {
    pub(crate) think: u64,
    pub(crate) lasts: u64,
}

/// The parts of a run.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) policy: Policy,
    pub(crate) config: Config,
    pub(crate) members: usize,
    /// How many of them form the group; the others may come later.
    pub(crate) founders: usize,
    /// How often the others ask to be taken in until they vote, in nanoseconds; never, where they
    /// wait for the operator.
    pub(crate) newcomers_ask: Option<u64>,
    /// The others, and those whose disk was wiped, have no number before they are given one.
    pub(crate) knocks: bool,
    /// The founders have to hear of each other first.
    pub(crate) meets: bool,
    /// With how many of a thousand starts a member knows a version of entries that is newer than
    /// the code; 0: there is none.
    pub(crate) upgrades: u64,
    /// How long clients ask, in nanoseconds of true time.
    pub(crate) duration: u64,
    pub(crate) clients: Vec<(Kind, Shape)>,
    /// The mean time between two batches of a client, in nanoseconds.
    pub(crate) think: u64,
    /// Clients ask more often when the leader is struck.
    pub(crate) rush: Option<Rush>,
    /// After how many of a thousand batches a client thinks for seconds.
    pub(crate) naps: u64,
    /// The most batches that a client sends at once.
    pub(crate) pipeline: u64,
    /// For how long a client waits for an answer before it tries another member, in nanoseconds.
    pub(crate) patience: u64,
    /// Clients wait for each answer, and do only what the judge of their history understands.
    pub(crate) patient: bool,
    /// The most requests of a client on their way.
    pub(crate) depth: usize,
    /// The longest piece in which bytes travel.
    pub(crate) segment_max: u64,
    /// The mean of what a piece takes, in nanoseconds.
    pub(crate) latency: u64,
    /// The most bytes that a server reads at once.
    pub(crate) read_max: u64,
    /// In how many of a thousand cases a client is a slow reader.
    pub(crate) slow: u64,
    /// In how many of a thousand batches the client closes.
    pub(crate) close: u64,
    pub(crate) crashes: Every,
    /// How crashes are shared out: power, process, stop.
    pub(crate) ends: [u64; 3],
    pub(crate) pauses: Every,
    /// In how many of ten thousand turns the process stands still before it flushes.
    pub(crate) mid_turn: u64,
    pub(crate) jumps: Every,
    pub(crate) drifts: Every,
    pub(crate) freezes: Every,
    /// True if disk operations may end on the spot, as with a page cache.
    pub(crate) inline_disk: bool,
    /// The mean of what a disk operation takes, in nanoseconds.
    pub(crate) disk_latency: u64,
    /// In how many of ten thousand operations the disk stalls.
    pub(crate) stalls: u64,
    pub(crate) full: Every,
    /// True if a file's blocks are not reserved, as where a disk is copied on write: each write may
    /// find no space.
    pub(crate) thin_disk: bool,
    /// Each sync of a disk takes seconds for some time.
    pub(crate) slow_disks: Every,
    pub(crate) sync_fails: Every,
    /// Another operation of a disk fails.
    pub(crate) op_fails: Every,
    /// Some files of a disk take longer for some time.
    pub(crate) sticks: Every,
    /// The mean of what a piece of a base takes to be written until the faults end, in nanoseconds;
    /// 0: what any other operation takes.
    pub(crate) base_latency: u64,
    /// The mean of what a sync takes until the faults end, in nanoseconds; 0: what any other
    /// operation takes, eight times.
    pub(crate) sync_latency: u64,
    /// True if the data of a failed sync is lost, whatever is synced later.
    pub(crate) final_failures: bool,
    /// In how many of a thousand ends a bit of a file flips.
    pub(crate) flips: u64,
    /// In how many of a thousand ends what a member of a group has synced is damaged.
    pub(crate) damage: u64,
    /// In how many of a thousand ends the disk of a member of a group is wiped.
    pub(crate) wipes: u64,
    /// How many of a thousand frames between members are lost, and how many come twice.
    pub(crate) loss: u64,
    pub(crate) twice: u64,
    /// How many of a thousand frames are lost, by the kind of message.
    pub(crate) kinds: [u64; KINDS],
    /// How many of a thousand frames come seconds late.
    pub(crate) overdue: u64,
    /// How many of a thousand rare messages and steps of a group are struck.
    pub(crate) aims: u64,
    pub(crate) cuts: Every,
    /// A member hears the others late for some time.
    pub(crate) lags: Every,
    pub(crate) partitions: Every,
    /// How many of a thousand partitions come and go several times a second.
    pub(crate) flaps: u64,
    /// In how many of a thousand cases the leader is struck instead of the member that was drawn.
    pub(crate) hunts: u64,
    /// In how many of a thousand runs a minority never comes back.
    pub(crate) minority_lost: u64,
    /// The mean of what a frame takes, in nanoseconds.
    pub(crate) frame_latency: u64,
    /// In how many of a thousand turns the store is compared with the model.
    pub(crate) audits: u64,
    /// How many of a thousand batches are sent to two nodes on the side, cut differently.
    pub(crate) twins: u64,
}

/// For what clients may be closed against their will: in one run for one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    None,
    /// They close each other.
    Kills,
    /// They say nothing for so long.
    Silence {
        after_s: u64,
    },
    /// They do not take their replies.
    Output(OutputLimit),
}

impl Rules {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0 => Self::Kills,
            1 => Self::Silence {
                after_s: dice.within(1, 3),
            },
            2 => Self::Output(OutputLimit {
                hard: *dice.pick(&[0, 6000, 30_000, 200_000]),
                soft: *dice.pick(&[0, 500, 3000]),
                soft_s: dice.within(1, 3),
            }),
            _ => Self::None,
        }
    }
}

/// Pieces of states in which the collections of a run travel in the time that a group has to
/// settle.
const COLLECTIONS_CHUNK_BYTES: usize = 8 << 10;

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1000 * MS;

/// Returns true if one of the clients reads old states of which it bounds the age.
pub(crate) fn has_reader(class: &impl Fn(u64) -> Dice, members: usize) -> bool {
    members > 1 && class(43).permille(400)
}

/// Clients that wait for keys, in one of four runs.
pub(crate) fn waiters(class: &impl Fn(u64) -> Dice, shape: Shape) -> Vec<(Kind, Shape)> {
    let garbage = false;
    let own = (Kind::Waiter, Shape { garbage, ..shape });
    let is_on = class(85).permille(250);
    let count = if is_on { class(86).within(3, 7) } else { 0 };
    vec![own; count as usize]
}

/// Clients that subscribe and publish, in one of four runs.
pub(crate) fn listeners(class: &impl Fn(u64) -> Dice, shape: Shape) -> Vec<(Kind, Shape)> {
    let garbage = false;
    let own = (Kind::Listener, Shape { garbage, ..shape });
    let is_on = class(112).permille(250);
    let count = if is_on { class(113).within(2, 6) } else { 0 };
    vec![own; count as usize]
}

/// A client that has the requests of others wait, in one of six runs.
pub(crate) fn pausers(class: &impl Fn(u64) -> Dice, shape: Shape) -> Vec<(Kind, Shape)> {
    let garbage = false;
    let own = (Kind::Pauser, Shape { garbage, ..shape });
    let count = u64::from(class(160).permille(160));
    vec![own; count as usize]
}

/// Returns true if this version of the node has a log.
pub(crate) fn has_log() -> bool {
    let config = Config {
        append_only: true,
        ..Config::default()
    };
    let node = Node::new(config, Now::default());
    node.phase() == seedis::node::Phase::Recovering
}

impl Scenario {
    /// The run of a seed under a profile.
    pub(crate) fn draw(seed: u64, profile: Profile) -> Self {
        let mut dice = Dice::new(seed, Stream::SCENARIO, 0, 0);
        let dice = &mut dice;
        // Each class has dice of its own: a class more leaves the others as they were.
        let class = |number: u64| Dice::new(seed, Stream::SCENARIO, 1, number);
        let strong = |profiles: &[Profile]| profiles.contains(&profile);
        let every = |number: u64, mean: u64, always: bool| {
            let mut dice = class(number);
            let on = always || dice.coin();
            let mean = mean / 2 + dice.below(mean * 3 / 2);
            on.then_some(mean)
        };
        let share = |number: u64, most: u64, always: bool| {
            let mut dice = class(number);
            let on = always || dice.coin();
            if on { dice.within(1, most) } else { 0 }
        };
        let on_disk = strong(&[Profile::Disk, Profile::Sync]);
        let on_bytes = strong(&[Profile::Resp]);
        let on_clocks = strong(&[Profile::Clocks]);
        let grouped = profile.is_of_a_group();
        // In a group every policy promises the same; alone, who waits for company must not forget.
        let (founders, spares) = profile.sizes(&mut class(23), &mut class(29));
        let policy = if grouped && founders == 1 {
            Policy::Logged(Fsync::Always)
        } else if grouped {
            Self::policy(&mut class(1), true)
        } else {
            Self::policy(&mut class(1), on_disk)
        };
        let logged = policy != Policy::Memory;
        let members = founders + spares;
        let lease = grouped && class(33).coin();
        let shape = Shape {
            keys: *dice.pick(&[1, 3, 8, 30, 200]),
            value_bytes: *dice.pick(&[16, 100, 2000, 40_000]),
            members: members as u64,
            garbage: class(2).coin() || on_bytes,
            kills: false,
        };
        let rules = Rules::draw(&mut class(56));
        let shape = Shape {
            kills: rules == Rules::Kills,
            ..shape
        };
        let mut clients = Self::clients(&mut class(3), profile, shape);
        if spares > 0 {
            clients.push((Kind::Operator, shape));
        }
        if has_reader(&class, members) {
            clients.push((Kind::Reader, shape));
        }
        if class(58).permille(300) {
            // Of values that nobody knows nobody knows the memory either: they are short.
            let wild = Shape {
                keys: 4,
                value_bytes: 24,
                garbage: false,
                kills: false,
                ..shape
            };
            clients.push((Kind::Wild, wild));
        }
        let has_anything = clients.iter().any(|(kind, _)| *kind == Kind::Anything);
        if class(83).permille(300) && !has_anything {
            let own = (Kind::Queue, shape);
            clients.extend((0..class(84).within(1, 3)).map(|_| own));
        }
        clients.extend(waiters(&class, shape));
        clients.extend(listeners(&class, shape));
        clients.extend(pausers(&class, shape));
        let walks = class(110).permille(350);
        if walks {
            clients.push((Kind::Walker, shape));
        }
        let collects = class(80).permille(400);
        if collects {
            let kind = Kind::Collections;
            let own = Shape { keys: 3, ..shape };
            clients.extend((0..class(81).within(1, 2)).map(|_| (kind, own)));
        }
        if class(120).permille(350) {
            clients.push((Kind::Coded, shape));
        }
        // Clients that wait for each answer leave little doubt when they lose their connection.
        let known = |(kind, _): &(Kind, Shape)| {
            !matches!(
                kind,
                Kind::Anything | Kind::Wild | Kind::Listener | Kind::Pauser
            )
        };
        let patient = class(34).permille(500) && clients.iter().all(known);
        let crash_mean = if on_disk { 4 * SECOND } else { 10 * SECOND };
        let mut scenario = Self {
            seed,
            policy,
            config: if grouped {
                let mut dice = class(28);
                Config {
                    lease_reads: lease,
                    retained_bytes: *dice.pick(&[0, 4 << 10, 64 << 10, 64 << 20]),
                    // A state must get through in the time that a group has to settle.
                    chunk_bytes: dice
                        .pick(&[1000, 16 << 10, 512 << 10])
                        .max(&(shape.keys as usize * shape.value_bytes as usize / 32))
                        .max(if collects || walks {
                            &COLLECTIONS_CHUNK_BYTES
                        } else {
                            &0
                        })
                        .to_owned(),
                    ..Self::config(&mut class(4), &mut class(52), policy)
                }
            } else {
                Self::config(&mut class(4), &mut class(52), policy)
            },
            members,
            founders,
            knocks: false,
            meets: false,
            newcomers_ask: every(36, 2 * SECOND, false).filter(|_| spares > 0),
            upgrades: 0,
            duration: 60 * SECOND,
            clients,
            think: dice.within(20, 400) * MS,
            rush: None,
            naps: 0,
            pipeline: *dice.pick(if patient { &[1] } else { &[1, 1, 3, 10, 40] }),
            depth: *dice.pick(if patient { &[1] } else { &[1, 8, 64, 200] }),
            patient,
            patience: if grouped {
                *class(35).pick(&[150 * MS, 400 * MS, SECOND, 5 * SECOND, u64::MAX])
            } else {
                u64::MAX
            },
            segment_max: *class(5).pick(if on_bytes {
                &[1, 3, 17, 100]
            } else {
                &[20, 100, 1500, 65_536]
            }),
            latency: dice.within(20, 3000) * 1000,
            read_max: *class(6).pick(&[1, 64, 4096, 65_536, 65_536, 65_536]),
            slow: share(7, 400, on_bytes),
            close: share(8, 25, on_bytes),
            crashes: every(9, crash_mean, on_disk),
            ends: *class(10).pick(&[[6, 3, 1], [1, 0, 0], [0, 1, 0], [2, 2, 2]]),
            pauses: every(11, 6 * SECOND, on_clocks),
            mid_turn: share(12, 30, on_clocks),
            jumps: every(13, 5 * SECOND, on_clocks),
            drifts: every(14, 8 * SECOND, on_clocks),
            freezes: every(15, 12 * SECOND, on_clocks),
            inline_disk: class(16).coin(),
            disk_latency: class(17).within(20, 4000) * 1000,
            stalls: if logged { share(18, 60, on_disk) } else { 0 },
            full: every(19, 15 * SECOND, on_disk).filter(|_| logged),
            thin_disk: logged && class(54).permille(300),
            slow_disks: every(55, 20 * SECOND, false).filter(|_| logged),
            final_failures: profile == Profile::Sync,
            sync_fails: every(20, 25 * SECOND, false).filter(|_| logged),
            op_fails: every(90, if on_disk { 3 } else { 10 } * SECOND, on_disk).filter(|_| logged),
            sticks: every(91, 15 * SECOND, false).filter(|_| logged),
            sync_latency: 0,
            base_latency: 0,
            flips: if logged && !grouped {
                share(22, 250, false)
            } else {
                0
            },
            damage: if grouped { share(41, 900, false) } else { 0 },
            // Somebody must be there who removes and adds members.
            wipes: if spares > 0 && founders > 1 {
                share(42, 300, false)
            } else {
                0
            },
            loss: if grouped { share(24, 300, false) } else { 0 },
            twice: if grouped { share(25, 300, false) } else { 0 },
            kinds: Self::kinds(&mut class(30), grouped),
            overdue: if grouped { share(31, 20, false) } else { 0 },
            aims: if grouped { share(93, 500, false) } else { 0 },
            cuts: every(26, 6 * SECOND, false).filter(|_| grouped),
            lags: every(37, 20 * SECOND, false).filter(|_| grouped),
            partitions: every(32, 20 * SECOND, false).filter(|_| grouped),
            flaps: if grouped { 200 } else { 0 },
            hunts: 0,
            minority_lost: 500,
            frame_latency: class(27).within(20, 20_000) * 1000,
            // Members of a group take many turns that change nothing.
            audits: *class(21).pick(if grouped { &[1, 2, 5] } else { &[2, 5, 20] }),
            twins: if on_bytes { 200 } else { 10 },
        };
        scenario.config.debug_command = class(111).coin();
        scenario.tables(&mut class(45));
        scenario.small_parts(&mut class(82));
        match rules {
            Rules::Silence { after_s } => scenario.config.timeout_s = after_s,
            Rules::Output(limit) => {
                let limits = &mut scenario.config.output_limits;
                (limits.normal, limits.pubsub) = (limit, limit);
            }
            Rules::Kills | Rules::None => {}
        }
        // Bounds of large values that most values exceed, or some, or none.
        scenario.config.log_piece_bytes = *class(46).pick(&[200, 1000, 1 << 20, 1 << 20]);
        let bounds = [1, 1, 20, 200, 256 << 10, 256 << 10];
        scenario.config.large_argument_bytes = *class(47).pick(&bounds);
        // Clients that write wait for one another's entries often, or never.
        scenario.config.waiting_bytes_max = *class(48).pick(&[0, 300, 64 << 20, 64 << 20]);
        if !patient && class(62).permille(250) {
            scenario.config.memory_max = *class(63).pick(&[1, 30_000, 100_000, 400_000]);
        }
        scenario.evict(&class, shape);
        if matches!(profile, Profile::Raft | Profile::Members) {
            scenario.upgrades = *class(70).pick(&[0, 0, 0, 400, 700, 900]);
        }
        if let Some(most) = *class(71).pick(&[None, None, Some(1), Some(3), Some(10)]) {
            scenario.config.borders = Borders::alike(most);
        }
        if profile.is_light() {
            scenario.config.memory_max = 0;
            scenario.lighten(profile, &class);
        } else {
            scenario.draw_length(&mut class(150));
        }
        scenario.turn_knobs(&class, profile.is_light());
        scenario.hear_events(&class, shape);
        scenario
    }

    /// Secrets that are no good, keys that collide, and tables of many small segments.
    fn tables(&mut self, dice: &mut Dice) {
        let drawn = u128::from(dice.draw()) << 64 | u128::from(dice.draw());
        let config = &mut self.config;
        config.hash_seed = *dice.pick(&[drawn, drawn, drawn, 0, 1, u128::MAX]);
        config.tables.hash_bits = *dice.pick(&[
            [64, 64],
            [64, 64],
            [64, 64],
            [0, 64],
            [3, 64],
            [34, 64],
            [64, 0],
            [0, 0],
        ]);
        config.tables.segment_keys_max =
            *dice.pick(&[limits::SEGMENT_KEYS_MAX, limits::SEGMENT_KEYS_MAX, 8, 40]);
    }

    /// A member's borders: options are its own, and differ from those of others where they are not
    /// Redis's.
    pub(crate) fn borders_of(&self, number: usize) -> Borders {
        match self.config.borders {
            same if same == Borders::default() => same,
            others => Borders::alike(others.integers + number as u64),
        }
    }

    /// Large collections whose parts hold little, so that few items make many.
    fn small_parts(&mut self, dice: &mut Dice) {
        let tables = &mut self.config.tables;
        tables.list_group_blocks_max = *dice.pick(&[limits::LIST_GROUP_BLOCKS_MAX, 2, 5]);
        tables.tree_children_max = *dice.pick(&[limits::TREE_CHILDREN_MAX, 4, 7]);
    }

    /// How often each class of faults strikes.
    pub(crate) fn intervals(&mut self) -> [&mut Every; 13] {
        [
            &mut self.crashes,
            &mut self.pauses,
            &mut self.jumps,
            &mut self.drifts,
            &mut self.freezes,
            &mut self.full,
            &mut self.slow_disks,
            &mut self.sync_fails,
            &mut self.op_fails,
            &mut self.sticks,
            &mut self.cuts,
            &mut self.lags,
            &mut self.partitions,
        ]
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&mut self) {
        for every in self.intervals() {
            *every = None;
        }
        for share in [
            &mut self.mid_turn,
            &mut self.stalls,
            &mut self.flips,
            &mut self.loss,
            &mut self.twice,
            &mut self.overdue,
            &mut self.aims,
            &mut self.damage,
            &mut self.wipes,
        ] {
            *share = 0;
        }
        self.kinds.fill(0);
    }

    /// Returns true if the history of clients must be linearizable, and the judge of that
    /// understands it.
    pub(crate) fn is_linear(&self) -> bool {
        let keeps = self.members > 1 || self.policy == Policy::Logged(Fsync::Always);
        keeps && self.flips == 0 && !self.final_failures && self.patient
    }

    /// Returns true if no element of a queue may be lost or given twice.
    pub(crate) fn keeps_elements(&self) -> bool {
        let keeps = self.members > 1 || self.policy == Policy::Logged(Fsync::Always);
        let pushes = self.clients.iter().any(|(kind, _)| *kind == Kind::Queue);
        keeps && pushes && !self.evicts() && self.flips == 0 && !self.final_failures
    }

    /// Loss by kind is cheap and strong: what a leader cannot commit, another must not count.
    fn kinds(dice: &mut Dice, grouped: bool) -> [u64; KINDS] {
        let on = grouped && dice.coin();
        [(); KINDS].map(|()| {
            let share = *dice.pick(&[0, 0, 0, 0, 50, 300, 700]);
            if on { share } else { 0 }
        })
    }

    fn policy(dice: &mut Dice, on_disk: bool) -> Policy {
        if !has_log() || !on_disk && dice.permille(150) {
            return Policy::Memory;
        }
        // The one that promises most as often as all others.
        let others = Fsync::ALL.iter().filter(|other| **other != Fsync::Always);
        let mut policies: Vec<Fsync> = others.copied().collect();
        let all = policies.len();
        policies.splice(0..0, vec![Fsync::Always; all]);
        Policy::Logged(*dice.pick(&policies))
    }

    fn config(dice: &mut Dice, work: &mut Dice, policy: Policy) -> Config {
        let fsync = match policy {
            Policy::Memory => Fsync::No,
            Policy::Logged(fsync) => fsync,
        };
        Config {
            id: NodeId(1),
            seed: dice.draw(),
            append_only: policy != Policy::Memory,
            fsync,
            rewrite_percentage: *dice.pick(&[0, 50, 100]),
            rewrite_min_bytes: *dice.pick(&[4 << 10, 64 << 10, 1 << 20]),
            segment_bytes: *dice.pick(&[16 << 10, 256 << 10, 1 << 20]),
            client_work: *work.pick(&[1, 5, 40, limits::CLIENT_WORK]),
            turn_work: *work.pick(&[1, 20, 300, limits::TURN_WORK]),
            protected_mode: false,
            witness: true,
            ..Config::default()
        }
    }

    fn clients(dice: &mut Dice, profile: Profile, shape: Shape) -> Vec<(Kind, Shape)> {
        let count = dice.within(1, 8);
        let has_strings = seedis::command::table::find(b"set").is_some();
        let kinds: Vec<Kind> = Kind::ALL
            .into_iter()
            .filter(|k| has_strings || !k.needs_strings())
            .collect();
        // Most runs mix workloads, some are all of a kind, so that keys are contended.
        let one = dice.permille(250).then(|| *dice.pick(&kinds));
        let kind = |dice: &mut Dice| match profile {
            Profile::Clocks if has_strings && dice.coin() => Kind::Ttl,
            Profile::Resp if dice.coin() => Kind::Anything,
            _ => one.unwrap_or_else(|| *dice.pick(&kinds)),
        };
        (0..count).map(|_| (kind(dice), shape)).collect()
    }
}

#[cfg(test)]
mod tests;
