//! Real Raft cores that do nothing but what a script says, with what their disks hold and the
//! frames between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use seedis::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use seedis::raft::message::{EntryId, Message};
use seedis::raft::{
    Entry, EntryKind, Member, Membership, MembershipChange, Raft, Refused, RoleName, Settings,
    SnapshotId, wire,
};
use seedis::time::{Mono, Stamp};
use seedis_fuzz::raft_disk::{RaftDisk, Write};

/// How long a member listens that comes late: half a heartbeat.
const LISTENING: Duration = Duration::from_millis(25);
const CLUSTER: ClusterId = ClusterId(1);

#[derive(Debug)]
pub(super) struct Actor {
    pub(super) member: Member,
    pub(super) raft: Option<Raft>,
    pub(super) disk: RaftDisk,
    writes: VecDeque<Write>,
    /// Its disk does nothing until it is told to.
    pub(super) slow: bool,
    /// The entries that it has applied: index and text.
    pub(super) applied: Vec<(LogIndex, String)>,
    shown: (String, LogIndex),
    lives: u64,
}

#[derive(Debug)]
pub(super) struct Flight {
    pub(super) from: u64,
    pub(super) to: u64,
    frame: Vec<u8>,
    pub(super) words: String,
}

/// All that there is in a play.
#[derive(Debug, Default)]
pub(super) struct Stage {
    now: Mono,
    pub(super) actors: BTreeMap<u64, Actor>,
    pub(super) flights: VecDeque<Flight>,
    /// Pairs of which the second does not hear the first.
    pub(super) cuts: BTreeSet<(u64, u64)>,
    /// The events so far, for people.
    pub(super) told: String,
    leaders: BTreeMap<Term, u64>,
    agreed: BTreeMap<LogIndex, (Term, String)>,
    reads: u64,
}

pub(super) fn member(id: u64, life: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id * 10 + life),
    }
}

impl Stage {
    fn tell(&mut self, words: &str) {
        let _ = writeln!(self.told, "    {words}");
    }

    /// A member with an empty disk, which knows the founders.
    pub(super) fn add(&mut self, member: Member, members: Membership) {
        let actor = Actor {
            member,
            raft: None,
            disk: RaftDisk::new(members),
            writes: VecDeque::new(),
            slow: false,
            applied: Vec::new(),
            shown: (String::new(), LogIndex(0)),
            lives: 0,
        };
        self.actors.insert(member.id.0, actor);
    }

    pub(super) fn actor(&mut self, id: u64) -> &mut Actor {
        self.actors
            .get_mut(&id)
            .unwrap_or_else(|| panic!("{id} is not on stage"))
    }

    pub(super) fn raft(&mut self, id: u64) -> &mut Raft {
        let raft = self.actor(id).raft.as_mut();
        raft.unwrap_or_else(|| panic!("{id} is down"))
    }

    /// The process begins, as the disk remembers.
    pub(super) fn start(&mut self, id: u64) {
        let now = self.now;
        let actor = self.actor(id);
        actor.lives += 1;
        let disk = actor.disk.clone();
        actor.applied.retain(|(index, _)| *index <= disk.base.0);
        let settings = Settings {
            id: actor.member.id,
            incarnation: actor.member.incarnation,
            cluster: CLUSTER,
            seed: id + actor.lives * 100,
            ..Settings::default()
        };
        actor.raft = Some(Raft::new(settings, disk.restart(), now));
        self.settle(id);
    }

    /// The process dies, and with it what was on its way to the disk.
    pub(super) fn crash(&mut self, id: u64) {
        let actor = self.actor(id);
        (actor.raft, actor.shown) = (None, (String::new(), LogIndex(0)));
        let lost = actor.writes.len();
        actor.writes.clear();
        if lost > 0 {
            self.tell(&format!("{id} dies, {lost} of its writes are lost"));
        }
    }

    /// A member's time has come: an election timeout, or a leader's heartbeat.
    pub(super) fn wake(&mut self, id: u64) {
        let due = self.raft(id).deadline();
        let due = due.unwrap_or_else(|| panic!("{id} waits for nothing"));
        let is_late = due < self.now;
        self.now = self.now.max(due);
        let now = self.now;
        self.raft(id).tick(now);
        self.settle(id);
        // A member that comes late to what was due listens before it campaigns.
        let due = self.actor(id).raft.as_ref().and_then(Raft::deadline);
        if let Some(due) = due.filter(|due| is_late && due.since(now) <= LISTENING) {
            self.now = due;
            self.raft(id).tick(due);
            self.settle(id);
        }
    }

    /// Time passes, and nobody looks at the clock.
    pub(super) fn pass(&mut self, millis: u64) {
        self.now.0 += millis * 1_000_000;
    }

    /// A member looks at the clock.
    pub(super) fn look(&mut self, id: u64) {
        let now = self.now;
        // A leader has looked whenever a heartbeat was due: otherwise it would have paused.
        while self.raft(id).is_leader()
            && let Some(due) = self.raft(id).deadline().filter(|due| *due < now)
        {
            self.raft(id).tick(due);
            self.settle(id);
        }
        self.raft(id).tick(now);
        self.settle(id);
    }

    pub(super) fn propose(&mut self, id: u64, text: &str) {
        let payload = Bytes::copy_from_slice(text.as_bytes());
        let proposed = self.raft(id).propose(Stamp(0), payload);
        match proposed {
            Ok(_) => {}
            Err(Refused::NotLeader { leader }) => {
                let leader = leader.map_or("nobody".to_owned(), |id| id.0.to_string());
                self.tell(&format!("{id} refuses: {leader} leads"));
            }
            Err(refused) => self.tell(&format!("{id} refuses: {refused:?}")),
        }
        self.settle(id);
    }

    pub(super) fn change(&mut self, id: u64, change: MembershipChange) {
        if let Err(refused) = self.raft(id).change(&[change]) {
            self.tell(&format!("{id} refuses: {refused:?}"));
        }
        self.settle(id);
    }

    pub(super) fn transfer(&mut self, id: u64, to: u64) {
        if let Err(refused) = self.raft(id).transfer(Some(NodeId(to))) {
            self.tell(&format!("{id} refuses: {refused:?}"));
        }
        self.settle(id);
    }

    pub(super) fn read(&mut self, id: u64) {
        self.reads += 1;
        let (now, read) = (self.now, self.reads);
        self.raft(id).read(now, read);
        self.settle(id);
    }

    /// The member's disk gets a base at its last applied entry, and its log is cut there.
    pub(super) fn compact(&mut self, id: u64) {
        let actor = self.actor(id);
        let raft = actor.raft.as_mut().expect("it runs");
        let Some((index, _)) = actor.applied.last() else {
            return;
        };
        let term = raft.term_of(*index).expect("it is in the log");
        let membership = raft.membership().clone();
        actor.disk.rebase((*index, term), membership, true);
        raft.compacted(*index, term);
        let words = format!("{id} has a base at {index} of {term}");
        self.tell(&words);
        self.settle(id);
    }

    /// A slow disk does all that it was asked for.
    pub(super) fn persist(&mut self, id: u64) {
        let actor = self.actor(id);
        let mut last = None;
        while let Some(write) = actor.writes.pop_front() {
            last = Some(write.seq);
            actor.disk.take(write);
        }
        if let (Some(seq), Some(raft)) = (last, &mut actor.raft) {
            raft.persisted(seq);
            self.settle(id);
        }
    }

    /// A frame arrives.
    pub(super) fn arrive(&mut self, flight: &Flight) {
        let Flight {
            from,
            to,
            frame,
            words,
        } = flight;
        let now = self.now;
        let Some(raft) = self
            .actors
            .get_mut(to)
            .and_then(|actor| actor.raft.as_mut())
        else {
            self.tell(&format!("{from}→{to} {words}: nobody hears it"));
            return;
        };
        if let Err(refused) = raft.step(now, NodeId(*from), frame) {
            self.tell(&format!("{from}→{to} {words}: refused, {refused:?}"));
        }
        self.settle(*to);
    }

    /// Everything that a member's owner does after an event.
    fn settle(&mut self, id: u64) {
        loop {
            let actor = self.actor(id);
            let Some(raft) = &mut actor.raft else {
                return;
            };
            while let Some(new) = raft.unpersisted() {
                actor.writes.push_back(Write::of(&new));
            }
            if actor.slow || actor.writes.is_empty() {
                break;
            }
            while let Some(write) = actor.writes.pop_front() {
                let seq = write.seq;
                actor.disk.take(write);
                raft.persisted(seq);
            }
        }
        self.states(id);
        let mut lines = Vec::new();
        let actor = self.actor(id);
        let Some(raft) = &mut actor.raft else {
            return;
        };
        while let Some(entry) = raft.next_committed() {
            let text = text_of(&entry);
            lines.push(format!("{id} applies {} {text}", entry.index.0));
            actor.applied.push((entry.index, text));
        }
        let mut done = Vec::new();
        raft.ready_reads(&mut done);
        for read in done {
            lines.push(match read.outcome {
                Ok(index) => format!("{id} may answer read {} from entry {}", read.id, index.0),
                Err(_) => format!("{id} refuses read {}", read.id),
            });
        }
        let mut sent = Vec::new();
        raft.messages(&mut sent);
        let role = raft.role();
        let name = match role {
            RoleName::Leader => "leads",
            RoleName::Follower => "follows",
            RoleName::PreCandidate => "asks around",
            RoleName::Candidate => "campaigns",
        };
        let state = format!("{id} {name} in {}", raft.term());
        if actor.shown.0 != state {
            actor.shown.0.clone_from(&state);
            lines.insert(0, state);
        }
        for out in sent {
            let frame = Bytes::from(out.frame.clone());
            let (_, message) = wire::decode(&frame).expect("what it says is a frame");
            let (to, words) = (out.to.0, words_of(&message));
            if self.cuts.contains(&(id, to)) {
                lines.push(format!("{id}→{to} {words}: lost"));
                continue;
            }
            lines.push(format!("{id}→{to} {words}"));
            let (from, frame) = (id, out.frame);
            self.flights.push_back(Flight {
                from,
                to,
                frame,
                words,
            });
        }
        for line in lines {
            self.tell(&line);
        }
        self.check(id);
    }

    /// One leader a term, and the same entries everywhere.
    fn check(&mut self, id: u64) {
        let actor = &self.actors[&id];
        if let Some(raft) = actor.raft.as_ref().filter(|raft| raft.is_leader()) {
            let leader = *self.leaders.entry(raft.term()).or_insert(id);
            assert_eq!(leader, id, "two lead in {}", raft.term());
        }
        for (index, text) in &actor.applied {
            let raft = actor.raft.as_ref();
            let term = raft.and_then(|raft| raft.term_of(*index));
            let Some(term) = term else { continue };
            let said = (term, text.clone());
            let known = self.agreed.entry(*index).or_insert_with(|| said.clone());
            assert_eq!(*known, said, "{id} has applied another entry {index}");
        }
    }

    /// States on their way: a leader's owner reads them, a follower's keeps them.
    fn states(&mut self, id: u64) {
        let actor = self.actors.get_mut(&id).expect("it is on stage");
        let Some(raft) = &mut actor.raft else {
            return;
        };
        let texts = actor
            .applied
            .iter()
            .map(|(index, text)| format!("{} {text}\n", index.0));
        let state: String = texts.collect();
        let (base, members) = (actor.disk.base, actor.disk.membership.clone());
        // The state that is sent is the one at the base.
        let upto = |line: &&str| {
            line.split(' ')
                .next()
                .is_some_and(|index| index.parse::<u64>().is_ok_and(|index| index <= base.0.0))
        };
        let bytes = state.lines().filter(upto).collect::<Vec<_>>().join("\n") + "\n";
        let name = SnapshotId {
            base,
            bytes: bytes.len() as u64,
            sum: id,
        };
        let wanted: Vec<_> = raft.snapshots_wanted().collect();
        for wanted in wanted
            .into_iter()
            .filter(|wanted| wanted.at_least <= base.0)
        {
            raft.supply(wanted.to, name, members.clone());
        }
        while let Some(wanted) = raft.chunk_wanted() {
            let from = wanted.offset as usize;
            let data = bytes.as_bytes()[from..from + wanted.bytes].to_vec();
            raft.chunk(&wanted, Bytes::from(data));
        }
        while let Some(chunk) = raft.received_chunk() {
            let Some(members) = chunk.whole else {
                continue;
            };
            let (base, text) = (
                chunk.id.base,
                String::from_utf8_lossy(&chunk.data).into_owned(),
            );
            let keeps = raft.term_of(base.0) == Some(base.1);
            actor.disk.rebase(base, members.clone(), keeps);
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let lines = lines.filter_map(|(index, text)| Some((index.parse().ok()?, text)));
            actor.applied = lines
                .map(|(i, text)| (LogIndex(i), text.to_owned()))
                .collect();
            raft.installed(base, members);
            let _ = writeln!(self.told, "    {id} has taken the state at {}", base.0);
        }
    }

    /// A table of all members.
    pub(super) fn show(&mut self) {
        let mut rows = Vec::new();
        for (id, actor) in &self.actors {
            let log = |entries: &mut dyn Iterator<Item = &Entry>| {
                let terms: Vec<String> = entries.map(|entry| entry.term.0.to_string()).collect();
                terms.join(" ")
            };
            rows.push(match &actor.raft {
                None => format!("{id}  down"),
                Some(raft) => {
                    let (role, term) = (format!("{:?}", raft.role()), raft.term().to_string());
                    let base = actor.disk.base.0.0;
                    let log = log(&mut raft.entries_after(LogIndex(0)));
                    let base = if base > 0 {
                        format!("({base}) ")
                    } else {
                        String::new()
                    };
                    let members = shown(raft.in_force());
                    let commit = raft.commit().0;
                    let state = format!("{id}  {role:<12} {term:<4} committed {commit:<3}");
                    format!("{state} {members:<16} log {base}{log}")
                }
            });
        }
        for row in rows {
            self.tell(row.trim_end());
        }
    }
}

/// A membership in a few signs: voters, `>` and the next ones, learners in brackets.
fn shown(members: &Membership) -> String {
    let list = |list: &[Member]| {
        let ids: Vec<String> = list.iter().map(|member| member.id.0.to_string()).collect();
        ids.join(" ")
    };
    let (text, learners) = match members {
        Membership::Stable { voters, learners } => (list(voters), learners),
        Membership::Joint { old, new, learners } => {
            (format!("{} > {}", list(old), list(new)), learners)
        }
    };
    if learners.is_empty() {
        text
    } else {
        format!("{text} ({})", list(learners))
    }
}

fn text_of(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Noop => "-".to_owned(),
        EntryKind::Normal => String::from_utf8_lossy(&entry.payload).into_owned(),
        EntryKind::Membership => entry.membership().map_or("?".to_owned(), |m| shown(&m)),
    }
}

fn place((index, term): EntryId) -> String {
    format!("{} of {term}", index.0)
}

fn words_of(message: &Message) -> String {
    match message {
        Message::PreVote { prospective, last } => {
            format!("would you vote in {prospective}? I end at {}", place(*last))
        }
        Message::PreVoteReply { granted: true, .. } => "I would".to_owned(),
        Message::PreVoteReply { granted: false, .. } => "I would not".to_owned(),
        Message::Vote { last, transfer } => {
            let why = if *transfer { ", as it is wished" } else { "" };
            format!("vote for me{why}, I end at {}", place(*last))
        }
        Message::VoteReply { granted: true } => "my vote is yours".to_owned(),
        Message::VoteReply { granted: false } => "no vote".to_owned(),
        Message::Append(append) => {
            let texts: Vec<String> = append.entries.iter().map(text_of).collect();
            let (behind, texts) = (place(append.prev), texts.join(", "));
            format!(
                "append behind {behind}: [{texts}], committed {}",
                append.commit.0
            )
        }
        Message::Part(part) => format!("a piece of the entry behind {}", place(part.prev)),
        Message::PartReply { bytes, .. } => format!("I have {bytes} bytes of it"),
        Message::Accepted { index } => format!("accepted up to {}", index.0),
        Message::Rejected { at, hint } => {
            format!("not behind {}; try {}", at.0, place(*hint))
        }
        Message::Heartbeat { commit, .. } => format!("heartbeat, committed {}", commit.0),
        Message::HeartbeatReply { round: 0, .. } => "your term is over".to_owned(),
        Message::HeartbeatReply { .. } => "I hear you".to_owned(),
        Message::Reminder { held, .. } => format!("you have accepted {}", held.0.0),
        Message::TimeoutNow => "campaign now".to_owned(),
        Message::SnapshotOffer { id, .. } => format!("a state at {}", place(id.base)),
        Message::SnapshotChunk(chunk) => format!("{} bytes of it", chunk.data.len()),
        Message::ChunkReply { offset, .. } => format!("I want byte {offset} of it"),
    }
}
