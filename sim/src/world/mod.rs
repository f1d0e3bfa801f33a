//! The world: members, clients, what travels between them, and one event at a time.

mod agreement;
mod aims;
mod arrivals;
mod before;
mod boundaries;
mod clients;
pub(crate) mod columns;
mod damage;
mod disk_jobs;
mod ending;
mod evicting;
mod eyes;
mod failing;
mod faults;
mod flips;
pub(crate) mod frames;
mod guests;
mod intake;
mod leading;
mod links;
mod member;
mod mining;
pub(crate) mod mishaps;
pub(crate) mod observed;
mod owed;
mod promises;
mod rare;
mod rest;
mod room;
mod rules;
mod saying;
mod second_look;
mod settling;
mod shapes;
pub(crate) mod standing;
mod stopping;
mod turn;
mod versions;

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::client::Client;
use crate::decisions::Decisions;
use crate::decisions::address::Address;
use crate::decisions::decision::Strike;
use crate::digest::Digest;
use crate::draws::{Dice, Stream};
use crate::goals::{Fault, Goals};
use crate::judge::Judge;
use crate::judge::elements::Elements;
use crate::judge::invariant::{Verdict, Violation};
use crate::judge::ledger::{Found, Ledger};
use crate::queue::Queue;
use crate::relations::{ADOPTED, Miner};
use crate::scenario::Scenario;
use crate::wire::Value;
use crate::workload::Workload;
use columns::What;
use links::Connection;
use member::Member;
use observed::{Seen, Watch};

/// A thing that travels one way on a connection.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    Opened,
    Bytes(Vec<u8>),
    /// No more bytes will come, but the other way is open.
    End,
    /// The connection is no more.
    Reset,
}

/// A thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A client does something.
    Act { client: usize },
    /// Something has come from a client to its member.
    Up { conn: u64, segment: Segment },
    /// Something has come from a member to its client.
    Down { conn: u64, segment: Segment },
    /// A slow client takes what has come.
    Take { conn: u64, count: usize },
    /// A member takes a turn.
    Turn { member: usize, life: u64 },
    /// A member that stood still in the middle of a turn goes on.
    Flush { member: usize, life: u64 },
    /// A frame of a peer has come.
    Frame {
        from: usize,
        to: usize,
        frame: Bytes,
    },
    /// Messages of a peer for subscribers have come, from one life of a process to another.
    Told {
        from: usize,
        to: usize,
        lives: [u64; 2],
        frame: Bytes,
    },
    /// Somebody new asks to be taken in.
    Wants { member: usize },
    /// A process that has no group yet looks what it has to do.
    Look { member: usize, life: u64 },
    /// A dial of such a process comes to a member.
    Call { from: usize, to: usize, call: u64 },
    /// It has ended.
    Answered { from: usize, call: u64 },
    /// The disk has done an operation.
    Disk { member: usize, life: u64, job: u64 },
    /// A member's deadline, unless it has another by now.
    Deadline {
        member: usize,
        life: u64,
        version: u64,
    },
    /// A member starts.
    Start { member: usize },
    /// Something goes wrong.
    Fault {
        member: usize,
        fault: Fault,
        ordinal: u64,
    },
    /// Something that went wrong is over.
    Over { member: usize, fault: Fault },
}

/// Something that will happen, and the event that led to it.
#[derive(Clone, Debug)]
struct Planned {
    cause: u64,
    event: Event,
}

/// Two ends between which bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Client(usize),
    Member(usize),
}

/// One direction between two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ends {
    pub(crate) from: End,
    pub(crate) to: End,
}

/// The nature of a direction for the whole run, and how many pieces have gone over it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) mean: u64,
    pub(crate) segments: u64,
}

/// Everything there is in one run.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    /// True time, in nanoseconds since the start.
    pub(crate) time: u64,
    pub(crate) events: u64,
    pub(crate) digest: Digest,
    pub(crate) judge: Judge,
    ledger: Ledger,
    elements: Elements,
    /// The verdict on the clients' history.
    pub(crate) found: Found,
    queue: Queue<Planned>,
    members: Vec<Member>,
    clients: Vec<Client>,
    /// Clients from outside, and what they have heard and not taken yet.
    guests: BTreeMap<usize, Vec<Value>>,
    links: BTreeMap<Ends, Link>,
    /// How many frames for subscribers one member has sent another, and when the last comes.
    told: BTreeMap<(usize, usize), (u64, u64)>,
    connections: BTreeMap<u64, Connection>,
    last_conn: u64,
    agreement: agreement::Agreement,
    arrivals: arrivals::Arrivals,
    /// The source of faults, and of clients' actions.
    pub(crate) decisions: Decisions,
    /// The members that hear each other, while the group is parted.
    partition: Option<Vec<u64>>,
    /// How long it holds, and does not hold, in turns, in nanoseconds.
    flaps: Option<u64>,
    /// Clients hurry until then.
    hurry_until: u64,
    /// All faults have ended: what is pending must come to its end.
    healed: bool,
    settling: settling::Settling,
    /// The latest version of entries to which a leader has raised the group.
    versions_raised: u8,
    /// Why the run ended although something was pending.
    pub(crate) stands_still: Option<String>,
    /// Only what clients see counts.
    pub(crate) black_box: bool,
    /// Relations are looked for between the figures of members.
    pub(crate) miner: Option<Box<Miner>>,
    /// The relations that must hold.
    adopted: Miner,
    pub(crate) trace: bool,
    /// True if a line with a column per member is written for each event.
    pub(crate) columns: bool,
    columns_shown: Vec<String>,
    /// How much is noted for whoever looks at the run from outside, and what was.
    pub(crate) watch: Watch,
    seen: RefCell<Vec<Seen>>,
}

impl World {
    /// A world in which the seed decides.
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self::decided(scenario, Decisions::default())
    }

    /// A world in which somebody decides.
    pub(crate) fn decided(scenario: Scenario, decisions: Decisions) -> Self {
        let seed = scenario.seed;
        let members = (0..scenario.members).map(|number| Member::new(number, &scenario));
        let clients = scenario
            .clients
            .iter()
            .enumerate()
            .map(|(number, (kind, shape))| {
                Client::new(Workload::new(*kind, *shape, number as u64))
            });
        let mut world = Self {
            time: 0,
            events: 0,
            digest: Digest::new(),
            judge: Judge::new(scenario.members, scenario.policy).allowing(&scenario.config),
            ledger: Ledger::new(scenario.is_linear()),
            elements: Elements::new(scenario.keeps_elements()),
            found: Found::Nothing,
            queue: Queue::new(seed),
            members: members.collect(),
            clients: clients.collect(),
            guests: BTreeMap::new(),
            links: BTreeMap::new(),
            told: BTreeMap::new(),
            connections: BTreeMap::new(),
            last_conn: 0,
            agreement: agreement::Agreement::default(),
            arrivals: arrivals::Arrivals::default(),
            decisions,
            partition: None,
            flaps: None,
            hurry_until: 0,
            healed: false,
            settling: settling::Settling::default(),
            versions_raised: 0,
            stands_still: None,
            black_box: false,
            miner: None,
            adopted: Miner::new(ADOPTED.to_vec()),
            trace: false,
            columns: false,
            columns_shown: Vec::new(),
            watch: Watch::Off,
            seen: RefCell::new(Vec::new()),
            scenario,
        };
        for member in 0..world.members.len() {
            world.push(0, Event::Start { member });
            world.plan_faults(member);
        }
        world.plan_script();
        for member in world.scenario.founders..world.members.len() {
            world.plan_wish(member);
        }
        if !world.decisions.are_scripted() {
            for client in 0..world.clients.len() {
                world.plan_act(client, 1_000_000 * (client as u64 + 1));
            }
        }
        world
    }

    /// The faults that fired and the goals that were reached.
    pub(crate) fn goals(&self) -> &Goals {
        &self.judge.goals
    }

    fn fired(&mut self, fault: Fault) {
        self.judge.goals.fired(fault);
        self.note(|| Seen::Fired(fault));
    }

    /// Records a fault, for whoever wants to know which fired.
    fn record(&mut self, address: Option<Address>, strike: impl FnOnce() -> Strike) {
        if address.is_some() {
            let now = (self.events, self.time);
            self.decisions.note(now, address, strike());
        }
    }

    fn dice(&self, stream: Stream, a: u64, b: u64) -> Dice {
        Dice::new(self.scenario.seed, stream, a, b)
    }

    fn push(&mut self, after: u64, event: Event) {
        let key = match &event {
            Event::Act { client } => 0x1_0000 + *client as u64,
            Event::Up { conn, .. } => 0x2_0000_0000 + conn,
            Event::Down { conn, .. } => 0x3_0000_0000 + conn,
            Event::Take { conn, .. } => 0x4_0000_0000 + conn,
            Event::Turn { member, .. } => 0x5_0000 + *member as u64,
            Event::Flush { member, .. } => 0x6_0000 + *member as u64,
            Event::Frame { from, to, .. } => 0xc_0000_0000 | (*from as u64) << 16 | *to as u64,
            Event::Told { from, to, .. } => 0x10_0000_0000 | (*from as u64) << 16 | *to as u64,
            Event::Disk { member, job, .. } => (*member as u64) << 48 | 0x7_0000_0000_0000 | job,
            Event::Deadline { member, .. } => 0x8_0000 + *member as u64,
            Event::Start { member } => 0x9_0000 + *member as u64,
            Event::Wants { member } => 0xd_0000 + *member as u64,
            Event::Look { member, .. } => 0xe_0000 + *member as u64,
            Event::Call { call, .. } => 0xf_0000_0000 + call,
            Event::Answered { call, .. } => 0x10_0000_0000 + call,
            Event::Fault { member, fault, .. } => (*fault as u64) << 20 | 0xa_0000 | *member as u64,
            Event::Over { member, fault } => (*fault as u64) << 20 | 0xb_0000 | *member as u64,
        };
        let cause = self.events;
        let planned = Planned { cause, event };
        self.queue
            .push(self.time.saturating_add(after), key, planned);
    }

    /// Writes a line for whoever follows the run.
    fn tell(&self, line: impl FnOnce() -> String) {
        if self.trace {
            let (event, time) = (self.events, self.time);
            crate::report::line(&format!(
                "{event:>7} {:>12.6}s {}",
                time as f64 / 1e9,
                line()
            ));
        } else {
            self.note(|| Seen::Line(line()));
        }
    }

    /// Runs until clients have stopped asking and all is answered, or `events` have happened, or
    /// it is so late.
    pub(crate) fn run(&mut self, events: u64, until: u64) -> Verdict {
        while self.queue.next_at().is_none_or(|at| at <= until) {
            if !self.advance(events)? {
                return self.judge_history();
            }
        }
        Ok(())
    }

    /// C1, when the run is over.
    pub(crate) fn judge_history(&mut self) -> Verdict {
        self.found = self.ledger.judge()?;
        Ok(())
    }

    /// Makes the next event happen; false when the run is over, and all that must hold then does.
    pub(crate) fn advance(&mut self, events: u64) -> Result<bool, Violation> {
        if self.events >= events {
            self.comes_to_rest(events)?;
            return Ok(false);
        }
        if self.has_settled()? {
            return Ok(false);
        }
        let more = self.step()?;
        if !more && self.healed {
            self.last_words()?;
        }
        Ok(more)
    }

    /// The next event; false where there is none.
    pub(crate) fn step(&mut self) -> Result<bool, Violation> {
        let Some((time, Planned { cause, event })) = self.queue.pop() else {
            return Ok(false);
        };
        self.time = time;
        self.decisions.tell_time(time);
        self.events += 1;
        self.digest.word(time);
        let what = What::of(&event);
        self.happens(cause, what);
        match event {
            Event::Act { client } => self.act(client)?,
            Event::Up { conn, segment } => self.up(conn, segment),
            Event::Down { conn, segment } => self.down(conn, segment)?,
            Event::Take { conn, count } => self.take(conn, count),
            Event::Turn { member, life } => self.turn(member, life)?,
            Event::Flush { member, life } => self.late_flush(member, life)?,
            Event::Frame { from, to, frame } => self.frame(from, to, frame),
            Event::Told {
                from,
                to,
                lives,
                frame,
            } => self.are_told((from, to), lives, frame),
            Event::Wants { member } => self.wants_in(member),
            Event::Look { member, life } => self.look(member, life)?,
            Event::Call { from, to, call } => self.called(from, to, call),
            Event::Answered { from, call } => self.answered(from, call),
            Event::Disk { member, life, job } => self.disk_done(member, life, job),
            Event::Deadline {
                member,
                life,
                version,
            } => self.deadline(member, life, version),
            Event::Start { member } => self.start(member),
            Event::Fault {
                member,
                fault,
                ordinal,
            } => self.fault(member, fault, ordinal),
            Event::Over { member, fault } => self.over(member, fault),
        }
        if self.columns {
            self.print_columns(&what.to_string());
        }
        Ok(true)
    }
}
