//! The judge: whether what the clients received is what the model gives in the witnessed order.
//!
//! The node tells in which order it did things (entries, steps, answers). The judge executes the
//! same on the model, knows from the clients what was asked, and so knows every reply before it
//! arrives.

mod answer;
mod blame;
pub(crate) mod channels;
mod departed;
mod dialogue;
mod draws;
mod durability;
pub(crate) mod elements;
mod events;
mod eviction;
mod group;
mod hearing;
mod history;
pub(crate) mod invariant;
mod keeper;
mod keeping;
pub(crate) mod known;
mod leaders;
pub(crate) mod ledger;
mod listening;
mod memory;
mod monitors;
mod old_exec;
mod overheard;
mod pausing;
mod queues;
mod reasons;
mod redirect;
mod refusal;
mod replied;
mod server;
mod showing;
mod silence;
mod staleness;
pub(crate) mod state;
mod time;
mod topic;
mod verbs;
mod waiting;
mod walks;
mod watching;
mod writes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use seedis::ids::Term;
use seedis::node::config::MemoryPolicy;
use seedis::node::effect::ScriptLine;
use seedis::node::versions::EntryVersion;
use seedis::node::witness::{Answer, Witnessed};
use seedis::time::Now;

use departed::Departed;
pub(crate) use dialogue::Asked;
use dialogue::{Dialogue, Question};
use durability::Durability;
pub(crate) use durability::{Age, End, Policy};
use group::Group;
use history::{
    Command, Draws, Entry, Executed, History, Step, Words, fingerprint, is_pause, is_unblock,
    is_unpause, parts_of, spelled,
};
use invariant::{Id, Verdict, Violation};
pub(crate) use memory::{Account, CLIENTS_BYTES, Refusal};
pub(crate) use reasons::Reasons;
use time::Times;

use crate::goals::{Goal, Goals};
use crate::model::Want;
use crate::model::waits::{has_taken, may_wait};

/// The judge's state of one member.
#[derive(Clone, Debug, Default)]
struct Member {
    serving: bool,
    history: History,
    durability: Durability,
    /// The latest that replicated time may be by its clocks, in milliseconds, with what its wall
    /// and its monotonic clock said then.
    high: (u64, u64, u64),
    /// How many requests had been asked of all members when it began to serve.
    serves_from: u64,
    /// How many requests had been asked of all members when it last could believe its disk to be
    /// full.
    tight_asked: u64,
    memory: memory::Memory,
    /// Somebody may have had clients closed without a word of it.
    kills_unheard: bool,
    /// The answer due to the client that had the configuration file written.
    configuration: Option<Want>,
    /// How often its memory began to hold another state, as far as it serves a group.
    states: u64,
    /// Clients whose waits have just ended in vain, and whether that was before their time: then
    /// another has ended them, who has still to be told so.
    ended: Vec<(u64, bool)>,
    /// When it has last ceased to lead, and since when it is the leader, if it is.
    fell_at: Option<u64>,
    leader_since: Option<u64>,
    /// The term in which it led when it was listened to last.
    leads_in: Option<Term>,
    /// How often it was asked for CLIENT PAUSE.
    pauses_asked: u64,
    /// Until when it keeps writes back, by its monotonic clock in nanoseconds.
    paused_until: u64,
    /// The last entry that its log has held.
    longest: u64,
    /// When it has last written a base, and when it has last failed to.
    saved: (Option<u64>, Option<u64>),
    redirects: leaders::Redirects,
    /// The events of keys, by the steps that it has applied.
    happened: Vec<Vec<events::Event>>,
    /// The keys that these have touched.
    touches: keeper::Touches,
    writes: writes::Writes,
}

impl Member {
    /// Replicated time goes on as the monotonic clock does, whatever the wall clock says, and
    /// follows a wall clock that has stepped ahead by no more than a step.
    fn raise(&mut self, wall: u64, mono: u64) {
        let (before, wall_then, mono_then) = self.high;
        let passed = mono.saturating_sub(mono_then).div_ceil(1_000_000);
        let by_wall = wall.saturating_sub(wall_then);
        let is_step = by_wall <= passed + time::step_ms(passed);
        let went = if is_step { passed.max(by_wall) } else { passed };
        self.high = (wall.max(before + went), wall, mono);
    }
}

/// The judge of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judge {
    members: Vec<Member>,
    /// The judge's state of the group, if there is more than one member.
    group: Option<Group>,
    /// The digest of the state at an entry, as a member had it first.
    states: BTreeMap<u64, u128>,
    /// The shape of the tables behind an entry, as a member had it first.
    shapes: BTreeMap<u64, state::Shape>,
    draws: Draws,
    dialogues: BTreeMap<u64, Dialogue>,
    /// Requests that were sent and not executed, by fingerprint.
    outstanding: BTreeMap<u128, u32>,
    /// Requests behind bytes that were none, by fingerprint.
    forbidden: BTreeSet<u128>,
    /// Pipelines of clients that have gone.
    departed: VecDeque<Departed>,
    /// Requests of which the end was never sent.
    cuts: VecDeque<Words>,
    pub(crate) goals: Goals,
    /// Replies compared.
    pub(crate) replies: u64,
    /// Requests asked so far.
    asked: u64,
    /// Clients that wait for a key, by connection.
    waiting: BTreeMap<u64, queues::Waiting>,
    /// Clients that members know, by connection.
    known: BTreeMap<u64, known::Known>,
    /// The stamps so far, and the times that they imply.
    time: Times,
    channels: channels::Channels,
    showing: monitors::Showing,
    /// How old a state may be that a follower shows; 0: as old as it is.
    staleness_ms: u64,
    /// The policy by which keys are evicted.
    eviction: MemoryPolicy,
    /// True if reads by lease are allowed.
    leases: bool,
    /// True if members tell keyspace events on the channels of keys, and of events.
    tells_events: [bool; 2],
    /// True if DEBUG is allowed.
    debugs: bool,
    /// When somebody has last asked for CLIENT UNBLOCK.
    unblocked_at: Option<u64>,
    /// When somebody has last asked for CLIENT UNPAUSE.
    unpaused_at: Option<u64>,
    /// The member that has last given a waiting client what it waited for, and by which entry.
    served: Option<(usize, u64)>,
}

/// The circumstances under which a member did what it witnesses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// True time, in nanoseconds.
    pub(crate) time: u64,
    /// The reading of its clocks.
    pub(crate) now: Now,
    /// How old its process is.
    pub(crate) age: Age,
    /// True if its node serves.
    pub(crate) serving: bool,
    /// True if it serves as leader, or did when it was last listened to; or is the only member.
    pub(crate) leads: bool,
    /// How many others it may say to be connected, where it leads.
    pub(crate) hears: usize,
    /// True if a request may have been refused because the member was, or is, loading.
    pub(crate) loading: bool,
    /// True if its disk is full, or was a moment ago.
    pub(crate) tight: bool,
    /// The reasons that its disk has given.
    pub(crate) reasons: Reasons,
    /// The refusals of commands that take memory that are allowed, or due.
    pub(crate) memory: Refusal,
}

impl Judge {
    pub(crate) fn new(members: usize, policy: Policy) -> Self {
        let member = || Member {
            durability: Durability::new(policy),
            ..Member::default()
        };
        Self {
            members: (0..members).map(|_| member()).collect(),
            group: (members > 1).then(Group::default),
            time: Times::new(members),
            ..Self::default()
        }
    }

    /// A member is told how it went with its configuration file.
    pub(crate) fn configuration_written(&mut self, member: usize, outcome: Result<(), &str>) {
        let want = match outcome {
            Ok(()) => Want::OK,
            Err(why) => {
                self.goals.reach(Goal::Unwritten);
                Want::Error(format!(
                    "ERR Rewriting config file: {why}. The file is as it was"
                ))
            }
        };
        self.members[member].configuration = Some(want);
    }

    /// A member was told the time.
    pub(crate) fn told_time(&mut self, member: usize, now: Now) {
        self.members[member].raise(now.wall_ms(), now.mono.0);
        self.time.told(member, now);
    }

    /// A member's account of its memory.
    pub(crate) fn uses_memory(&mut self, member: usize, account: Account) {
        let asked = self.asked;
        if self.members[member].memory.looked_at(asked, account) {
            self.may_skip(member);
        }
    }

    /// A member may believe that its disk is full.
    pub(crate) fn is_tight(&mut self, member: usize) {
        self.members[member].tight_asked = self.asked;
    }

    /// A client has connected to a member.
    pub(crate) fn connected(&mut self, conn: u64, member: usize) {
        let dialogue = Dialogue {
            member,
            ..Dialogue::default()
        };
        self.dialogues.insert(conn, dialogue);
    }

    /// A client has sent something.
    pub(crate) fn asked(&mut self, conn: u64, asked: Asked, at: u64) {
        match &asked {
            Asked::Request(words) => {
                self.unblocked_at = is_unblock(words).then_some(at).or(self.unblocked_at);
                self.unpaused_at = is_unpause(words).then_some(at).or(self.unpaused_at);
                let known = fingerprint(words);
                *self.outstanding.entry(known).or_default() += 1;
                self.is_asked_again(known);
            }
            Asked::Behind(words) => {
                self.forbidden.insert(fingerprint(words));
            }
            Asked::Garbage { .. } => {}
        }
        if let (Asked::Request(words), Some(dialogue)) = (&asked, self.dialogues.get(&conn)) {
            self.may_be_published(conn, dialogue.member, words);
            self.may_be_shown(conn, words);
        }
        let moment = self.channels.moment;
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            self.asked += 1;
            if matches!(&asked, Asked::Request(words) if is_pause(words)) {
                self.members[dialogue.member].pauses_asked += 1;
            }
            dialogue.asked.push_back(Question {
                asked,
                at,
                number: self.asked,
                moment,
                stamp: self.members[dialogue.member].history.stamp,
                floor: self.group.as_ref().map_or(0, |group| group.tellings.last()),
            });
        }
    }

    /// P5: a serving member has closed a connection, for which there must be a reason.
    pub(crate) fn closed(&mut self, conn: u64) -> Verdict {
        let Some(dialogue) = self.dialogues.get(&conn) else {
            return Ok(());
        };
        if self.sentence(conn) == known::Sentence::Perhaps {
            return Ok(());
        }
        if !dialogue.closing && !dialogue.ended {
            let text = format!("c{conn} was closed without a reason");
            return Err(Violation::new(Id::P5, text));
        }
        // One that waits for the end of a pause for too long is closed as it is.
        let may_be_undone = dialogue.closing || self.members[dialogue.member].pauses_asked > 0;
        let left = dialogue.asked.front().filter(|_| !may_be_undone);
        if let Some(Asked::Request(words)) = left.map(|question| &question.asked) {
            let text = format!(
                "c{conn} sent no more, was closed and has asked {}",
                spelled(words)
            );
            return Err(Violation::new(Id::P8, text));
        }
        if let Some(owed) = dialogue.owed.front() {
            let text = format!("c{conn} was closed and is owed {}", owed.want);
            return Err(Violation::new(Id::P4, text));
        }
        Ok(())
    }

    /// A client will send nothing more, and reads on.
    pub(crate) fn half_closed(&mut self, conn: u64) {
        if let Some(dialogue) = self.dialogues.get_mut(&conn) {
            dialogue.ended = true;
        }
    }

    /// A connection has ended on the client's side: nothing that is owed matters any more.
    pub(crate) fn ended(&mut self, conn: u64) {
        self.waiting.remove(&conn);
        if let Some(dialogue) = self.dialogues.remove(&conn) {
            self.departs(conn, &dialogue);
            self.listener_leaves(conn, &dialogue);
            self.leaves_kills(&dialogue);
        }
    }

    /// Takes the witness records of a member since the last time.
    pub(crate) fn witnessed(
        &mut self,
        member: usize,
        records: Vec<Witnessed>,
        around: Circumstances,
    ) -> Verdict {
        if around.tight {
            self.may_skip(member);
        }
        if !around.leads {
            self.members[member].writes.forget(around.time);
        }
        for record in records {
            match record {
                Witnessed::Entry {
                    index,
                    stamp,
                    version,
                    payload,
                } => {
                    let (raises, offset, steps) = parts_of(&payload);
                    let entry = Entry {
                        index: index.0,
                        stamp: stamp.0,
                        offset,
                        raises,
                        steps: Rc::new(steps),
                    };
                    self.entry(member, entry, around)?;
                    self.applies_by(member, version)?;
                    self.time
                        .applied(stamp, self.members[member].history.offset)?;
                }
                Witnessed::Stamped { stamp, offset } => {
                    self.time.stamped(member, stamp, offset, around.now)?;
                }
                Witnessed::Reloads => self.group_reloads(member),
                Witnessed::Restored { index, version } => {
                    self.group_restored(member, index.0)?;
                    self.applies_by(member, version)?;
                }
                // The world has looked at it, which knows what members have said.
                Witnessed::Raises { .. } => {}
                Witnessed::Waits { conn, ticket } => {
                    self.begins_to_wait(member, conn.0, ticket)?;
                }
                Witnessed::Digest { index, digest } => self.has_state(member, index.0, digest)?,
                Witnessed::Step { reply, lines } => {
                    self.step(member, (&reply, &lines), around.time)?;
                    self.has_happened(member, around);
                }
                Witnessed::Proposed { db, words } => {
                    let words = Rc::new(words);
                    let moment = (around.time, around.now.mono.0);
                    self.keeps_its_pause(member, &words, moment)?;
                    self.members[member].writes.propose(Command { db, words });
                }
                Witnessed::Held { conn } => {
                    if let Some(dialogue) = self.dialogues.get_mut(&conn.0) {
                        dialogue.held_at = Some(around.time);
                    }
                }
                Witnessed::Publishes { conn } => self.begins_to_publish(conn.0),
                Witnessed::Piece { name } => self.met_in_pieces(name),
                Witnessed::Answered { conn, answer } => {
                    self.is_first(member, conn.0, answer)?;
                    self.is_told_of_end(member, conn.0, answer);
                    self.answered(member, conn.0, answer, around)?;
                    self.waiting.remove(&conn.0);
                }
            }
        }
        self.check_ends(member)
    }

    /// A command is run in pieces: of some it is to be met.
    fn met_in_pieces(&mut self, name: &str) {
        match name {
            "zunion" | "zunionstore" | "zinter" | "zinterstore" | "zdiff" | "zdiffstore"
            | "zintercard" | "zrangestore" => self.goals.reach(Goal::CombineCut),
            "copy" => self.goals.reach(Goal::CopyCut),
            _ => {}
        }
    }

    /// V2: a member applies by this version from the entry on that it has come to.
    fn applies_by(&self, number: usize, version: u8) -> Verdict {
        let history = &self.members[number].history;
        let wanted = history.version.max(EntryVersion::default().number);
        if self.group.is_none() || version == wanted {
            return Ok(());
        }
        let text = format!(
            "member {number} applies entry {} by version {version}, and the group speaks {wanted}",
            history.applied
        );
        Err(Violation::new(Id::V2, text))
    }

    /// A3, S3: an entry is applied for the first time, or again in recovery.
    fn entry(&mut self, number: usize, entry: Entry, around: Circumstances) -> Verdict {
        if self.group.is_some() {
            return self.group_entry(number, &entry, around);
        }
        let member = &mut self.members[number];
        member.history.check_done()?;
        let known = member.history.entry(entry.index).cloned();
        if !member.serving && member.history.applied == 0 && entry.index > 1 {
            // Recovery starts behind a base: the state there is the one behind the entry before.
            member.history.rebuild(entry.index - 1, &self.draws);
            member.history.from_base = true;
        }
        let applied = member.history.applied;
        let mut is_first = false;
        if entry.index != applied + 1 {
            let gap = !member.serving && entry.index > applied;
            let text = format!("entry {} follows entry {applied}", entry.index);
            return Err(Violation::new(if gap { Id::A2 } else { Id::A3 }, text));
        }
        match known {
            Some(known) if known != entry && !member.serving => {
                // The old entry did not survive, and its place was given to another.
                let survived = entry.index - 1;
                member.durability.check_prefix(survived)?;
                member.history.entries.retain(|old| old.index <= survived);
                self.draws.forget_behind(survived);
                self.goals.reach(Goal::AnsweredLost);
                return self.entry(number, entry, around);
            }
            Some(known) if known != entry => {
                let text = format!("entry {} was {known:?} and is {entry:?}", entry.index);
                return Err(Violation::new(Id::A3, text));
            }
            Some(_) => {}
            None => {
                // An entry that opens a term may know no stamp yet: nothing is executed by it.
                if entry.stamp < member.history.stamp && !entry.steps.is_empty() {
                    let (new, old) = (entry.stamp, member.history.stamp);
                    let text = format!("entry {} has stamp {new} after {old}", entry.index);
                    return Err(Violation::new(Id::S3, text));
                }
                self.executes_steps(&entry)?;
                self.members[number].history.entries.push(entry.clone());
                is_first = true;
            }
        }
        let member = &mut self.members[number];
        member.raise(around.now.wall_ms().max(entry.stamp), around.now.mono.0);
        if member.serving {
            let high = member.high.0;
            member.durability.applied(entry.index, entry.stamp, high);
        }
        member.history.begin(&entry);
        member.history.is_first = is_first;
        Ok(())
    }

    /// The steps of an entry are executed for the first time.
    fn executes_steps(&mut self, entry: &Entry) -> Verdict {
        for step in entry.steps.iter() {
            let (commands, is_alone) = match step {
                Step::Command(command) => (std::slice::from_ref(command), true),
                Step::Transaction(commands) => (&commands[..], false),
                Step::Victims(victims) => {
                    self.may_go(victims, entry.index)?;
                    continue;
                }
            };
            for command in commands {
                // What finds nothing is executed again when there is something.
                let is_once = !is_alone || !may_wait(&command.words);
                self.executed(&command.words, entry.index, is_once)?;
            }
        }
        Ok(())
    }

    /// A3, P5, P7: a command is executed for the first time, and will not be again if `is_once`.
    fn executed(&mut self, words: &Words, index: u64, is_once: bool) -> Verdict {
        let left = self.outstanding.get_mut(&fingerprint(words));
        let Some(left) = left.filter(|left| **left > 0) else {
            let text = format!("entry {index} executes {}: not asked", spelled(words));
            return Err(Violation::new(self.invented(words), text));
        };
        if !is_once {
            return Ok(());
        }
        *left -= 1;
        self.executes(words)
    }

    /// A3: a command that may find nothing has taken something, which it does once.
    fn has_taken(&mut self, member: usize) -> Verdict {
        let history = &self.members[member].history;
        let Some(Executed {
            step: Step::Command(command),
            want,
        }) = &history.last
        else {
            return Ok(());
        };
        if !history.is_first || !may_wait(&command.words) || !has_taken(want) {
            return Ok(());
        }
        let (words, index) = (Words::clone(&command.words), history.applied);
        self.executed(&words, index, true)
    }

    /// The next command of the present entry is executed, with this reply.
    fn step(&mut self, member: usize, told: (&[u8], &[ScriptLine]), time: u64) -> Verdict {
        let history = &self.members[member].history;
        if let Some(step) = history.ahead.front() {
            self.draws.note(history.place(), step, told)?;
        }
        let history = &mut self.members[member].history;
        if let Some(executed) = history.execute(&self.draws) {
            let commands = executed.step.commands().to_vec();
            let touched = history.model.touched();
            let writes = &mut self.members[member].writes;
            writes.executed(&commands, touched, time);
            return self.has_taken(member);
        }
        let history = &self.members[member].history;
        let text = format!("entry {} has no more steps", history.applied);
        Err(Violation::new(Id::A3, text))
    }

    /// How many requests wait for a reply on a connection.
    pub(crate) fn waiting(&self, conn: u64) -> usize {
        self.dialogues
            .get(&conn)
            .map_or(0, |d| d.asked.len() + d.owed.len())
    }

    /// Notes that something was seen which every campaign should see.
    pub(crate) fn reached(&mut self, goal: Goal) {
        self.goals.reach(goal);
    }
}

/// Returns true if the only answer to a client's bytes is the end of its connection.
fn is_silent_error(asked: &Asked) -> bool {
    matches!(asked, Asked::Garbage { complaint, .. } if complaint.is_empty())
}

/// Returns true if an answer is one of those that look at the store.
fn is_step(answer: Answer) -> bool {
    answer == Answer::Step
}
