//! The content of a page about a run: all of it in outline, and a window before its end in every
//! detail.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use seedis::raft::RoleName;

use crate::goals::Fault;
use crate::json::Json;
use crate::judge::invariant::Id;
use crate::subject::Subject;
use crate::timeline::{Keep, Timeline, message};
use crate::wire::shown;
use crate::world::columns::What;
use crate::world::observed::Seen;
use crate::world::standing::{Standing, Trouble};

/// How much of a request or an answer is shown.
const TEXT_MAX: usize = 120;
/// How many entries at the end of a log are shown.
const TAIL: u64 = 24;

/// A moment: the event and the true time.
#[derive(Clone, Copy, Debug)]
struct Moment {
    event: u64,
    time: u64,
}

impl From<Moment> for Json {
    fn from(moment: Moment) -> Self {
        Self::list([moment.event, moment.time])
    }
}

/// A frame on its way.
#[derive(Debug)]
struct Flight {
    from: usize,
    to: usize,
    sent: Moment,
    came: Option<Moment>,
    /// It came and was heard; it came and was not; it was lost; it is on its way.
    fate: &'static str,
    frame: Bytes,
}

/// A request of a client.
#[derive(Debug)]
struct Operation {
    client: usize,
    conn: u64,
    words: String,
    asked: Moment,
    /// The event at which it took effect, or was refused.
    decided: Option<(Moment, usize)>,
    answered: Option<(Moment, String)>,
    /// Nobody waits for the answer any more.
    left: Option<Moment>,
}

/// A story as it is gathered.
#[derive(Debug, Default)]
pub(super) struct Story {
    events: Vec<Json>,
    changes: Vec<Json>,
    faults: Vec<Json>,
    flights: Vec<Flight>,
    /// The places in the list of the frames on their way.
    aloft: Vec<usize>,
    operations: Vec<Operation>,
    open: BTreeMap<u64, VecDeque<usize>>,
    standings: Vec<Option<Standing>>,
}

/// Goes through a run twice: to its end, and again to tell what led to that. `detailed` is the
/// number of events before the end of which every detail is told.
pub(super) fn tell(subject: &Subject, detailed: u64) -> (Timeline, Json) {
    let mut timeline = Timeline::new(subject, Keep::Nothing);
    timeline.goto_end();
    let end = timeline.event();
    let chain: BTreeSet<u64> = timeline.chain(end).into_iter().collect();
    let window = end.saturating_sub(detailed) + 1;
    let mut again = Timeline::new(subject, Keep::Nothing);
    let mut story = Story {
        standings: vec![None; again.world.members_count()],
        ..Story::default()
    };
    story.stand(&again, true);
    while again.event() < end && again.next() {
        let event = again.event();
        story.take(&again, event >= window, chain.contains(&event));
    }
    let illegal = match timeline.ending().map(|ending| &ending.verdict) {
        Some(Err(broken)) if broken.id == Id::C1 => timeline.world.illegal_history(),
        _ => Vec::new(),
    };
    let json = story.into_json(&again, window, &chain, &illegal);
    (timeline, json)
}

/// A word as people write it: quotes only where it needs them.
fn plain(word: &[u8]) -> String {
    let is_plain = !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
    if is_plain && !word.contains(&b'"') && word.len() <= TEXT_MAX {
        word.iter().copied().map(char::from).collect()
    } else {
        shown(word)
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

impl Story {
    fn take(&mut self, timeline: &Timeline, in_window: bool, in_chain: bool) {
        let event = timeline.event();
        let Some(head) = timeline.head(event).copied() else {
            return;
        };
        let now = Moment {
            event,
            time: head.time,
        };
        let mut lines = Vec::new();
        for seen in &timeline.seen {
            if let Some(line) = crate::replay::shown(seen) {
                lines.push(cut(&line));
            }
            self.see(seen, now, head.what, in_window || in_chain);
        }
        let is_turning_point = self.stand(timeline, in_window || in_chain);
        if in_window || in_chain || is_turning_point {
            let place = place(head.what, timeline);
            self.events.push(Json::List(vec![
                event.into(),
                head.time.into(),
                head.cause.into(),
                place,
                label(head.what, timeline).into(),
                Json::list(lines),
            ]));
        }
    }

    fn see(&mut self, seen: &Seen, now: Moment, what: What, in_detail: bool) {
        match seen {
            Seen::Fired(fault) if is_shown(*fault) || in_detail => {
                let member = what.member();
                self.faults.push(Json::List(vec![
                    now.into(),
                    member.into(),
                    fault.key().into(),
                ]));
            }
            Seen::Sent {
                from,
                to,
                frame,
                is_lost,
            } if in_detail => {
                if !is_lost {
                    self.aloft.push(self.flights.len());
                }
                self.flights.push(Flight {
                    from: *from,
                    to: *to,
                    sent: now,
                    came: None,
                    fate: if *is_lost { "lost" } else { "aloft" },
                    frame: frame.clone(),
                });
            }
            Seen::Came { frame, is_heard } => self.came(frame, *is_heard, now),
            Seen::Asked {
                client,
                conn,
                words,
            } => {
                let words: Vec<String> = words.iter().map(|word| plain(word)).collect();
                self.open
                    .entry(*conn)
                    .or_default()
                    .push_back(self.operations.len());
                self.operations.push(Operation {
                    client: *client,
                    conn: *conn,
                    words: cut(&words.join(" ")),
                    asked: now,
                    decided: None,
                    answered: None,
                    left: None,
                });
            }
            Seen::Decided { member, conn } => {
                let open = self.open.get(conn).into_iter().flatten();
                let undecided = open
                    .copied()
                    .find(|at| self.operations[*at].decided.is_none());
                if let Some(at) = undecided {
                    self.operations[at].decided = Some((now, *member));
                }
            }
            Seen::Replied { conn, value } => {
                let next = self.open.get_mut(conn).and_then(VecDeque::pop_front);
                if let Some(at) = next {
                    self.operations[at].answered = Some((now, cut(value)));
                }
            }
            Seen::HungUp { conn } => {
                for at in self.open.remove(conn).unwrap_or_default() {
                    self.operations[at].left = Some(now);
                }
            }
            _ => {}
        }
    }

    /// A frame has come; the second time it is another line on the page.
    fn came(&mut self, frame: &Bytes, is_heard: bool, now: Moment) {
        let same = |flight: &Flight| flight.frame.as_ptr() == frame.as_ptr();
        let fate = if is_heard { "heard" } else { "unheard" };
        let waiting = self.aloft.iter().position(|at| same(&self.flights[*at]));
        if let Some(waiting) = waiting {
            let flight = &mut self.flights[self.aloft.swap_remove(waiting)];
            (flight.came, flight.fate) = (Some(now), fate);
        } else if let Some(first) = self.flights.iter().rev().find(|flight| same(flight)) {
            self.flights.push(Flight {
                came: Some(now),
                fate,
                frame: frame.clone(),
                ..*first
            });
        }
    }

    /// Notes where members stand, if that is another than before. True where one has another role
    /// or term, or where something begins or ends to be wrong.
    fn stand(&mut self, timeline: &Timeline, in_detail: bool) -> bool {
        let world = &timeline.world;
        let mut turns = false;
        for number in 0..world.members_count() {
            let standing = world.standing(number);
            let before = self.standings[number].as_ref();
            if before.is_some_and(|before| *before == standing) {
                continue;
            }
            let outline = |one: &Standing| (one.role, one.term, Trouble::ALL.map(|t| one.has(t)));
            let is_other = before.is_none_or(|before| outline(before) != outline(&standing));
            turns |= is_other && before.is_some();
            if !in_detail && !is_other {
                continue;
            }
            let tail = world.log_tail(number, TAIL);
            self.changes
                .push(change(number, timeline, &standing, &tail));
            self.standings[number] = Some(standing);
        }
        turns
    }

    fn into_json(
        self,
        timeline: &Timeline,
        window: u64,
        chain: &BTreeSet<u64>,
        illegal: &[(u64, u64)],
    ) -> Json {
        let world = &timeline.world;
        let flights = self.flights.iter().map(|flight| {
            let spelled = message::spelled(&flight.frame);
            Json::List(vec![
                flight.from.into(),
                flight.to.into(),
                flight.sent.into(),
                flight.came.into(),
                flight.fate.into(),
                spelled.kind.into(),
                spelled.term.into(),
                spelled.says.into(),
            ])
        });
        let is_culprit = |one: &&Operation| illegal.contains(&(one.conn, one.asked.time));
        let operations = self.operations.iter().map(|one| {
            let (decided, by) = one.decided.unzip();
            let (answered, value) = one.answered.clone().unzip();
            Json::List(vec![
                one.client.into(),
                one.conn.into(),
                one.words.clone().into(),
                one.asked.into(),
                decided.into(),
                by.into(),
                answered.into(),
                value.into(),
                one.left.into(),
                u64::from(is_culprit(&one)).into(),
            ])
        });
        Json::object([
            ("members", world.members_count().into()),
            ("clients", world.scenario.clients.len().into()),
            ("window", window.into()),
            (
                "end",
                Moment {
                    event: timeline.event(),
                    time: world.time,
                }
                .into(),
            ),
            ("chain", Json::list(chain.iter().copied())),
            ("troubles", Json::list(Trouble::ALL.map(Trouble::key))),
            ("events", Json::List(self.events)),
            ("changes", Json::List(self.changes)),
            ("faults", Json::List(self.faults)),
            ("frames", Json::list(flights)),
            ("operations", Json::list(operations)),
        ])
    }
}

/// Returns true if a fault is worth a mark far from where anything breaks: one that strikes a
/// member, and not each frame and piece.
fn is_shown(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::Split
            | Fault::Merge
            | Fault::SlowReader
            | Fault::Loss
            | Fault::LossByKind
            | Fault::Twice
            | Fault::Overdue
            | Fault::Stall
    )
}

fn change(number: usize, timeline: &Timeline, standing: &Standing, tail: &[(u64, u64)]) -> Json {
    let role = match standing.role {
        None => "none",
        Some(RoleName::Leader) => "leader",
        Some(RoleName::Follower) => "follower",
        Some(RoleName::PreCandidate) => "pre-candidate",
        Some(RoleName::Candidate) => "candidate",
    };
    let troubles = Trouble::ALL.into_iter().filter(|one| standing.has(*one));
    let now = Moment {
        event: timeline.event(),
        time: timeline.world.time,
    };
    Json::List(vec![
        number.into(),
        now.into(),
        role.into(),
        standing.term.into(),
        standing.vote.into(),
        standing.applied.into(),
        standing.commit.into(),
        standing.durable.into(),
        standing.last.into(),
        Json::list(troubles.map(|one| one as usize)),
        // Where each term begins.
        Json::list(tail.iter().map(|(index, term)| Json::list([*index, *term]))),
    ])
}

/// The lane in which an event stands: a member's number, or a client's behind the members.
fn place(what: What, timeline: &Timeline) -> Json {
    let world = &timeline.world;
    let client = match what {
        What::Act { client } => Some(client),
        What::Up { conn } | What::Down { conn } | What::Take { conn } => world.client_of(conn),
        _ => None,
    };
    let behind = client.map(|client| client + world.members_count());
    what.member().or(behind).into()
}

fn label(what: What, timeline: &Timeline) -> String {
    match what {
        What::Act { client } => format!("client {client} acts"),
        What::Turn { member } => format!("member {member} takes a turn"),
        What::Frame { from, to } => {
            let came = timeline.seen.iter().find_map(|seen| match seen {
                Seen::Came { frame, .. } => Some(message::spelled(frame).kind),
                _ => None,
            });
            format!("{from} → {to} {}", came.unwrap_or_default())
        }
        what => what.to_string(),
    }
}
