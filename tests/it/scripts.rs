//! Plays: scenes of Raft as scripts, acted by real cores, with what must happen beside them.
//!
//! A play is a file of `tests/it/scripts/plays`; `#` begins a comment. All that happens is written
//! down line by line and compared with a snapshot, so that a change of behaviour shows in a review.
//! The words:
//!
//! ```text
//! group 1 2 3          these voters are there, on empty disks
//! also 4 [life]        one more member, that belongs to no group yet (in another life)
//! log 1: 1 1 4         entries of these terms are durable on a disk, all before any start
//! term 1 5             a disk remembers this term
//! start [1 …]          processes begin
//! wake 1               a member's time has come: it campaigns, or a leader shows itself
//! pass 500, look 1     so many milliseconds pass; a member looks at the clock
//! deliver [1 2]        what is on its way (from 1 to 2) arrives, in order
//! drop [1 2]           it is lost instead
//! keep 1 2             it stays on its way while all else arrives, until `late` delivers it
//! settle               deliver, until nothing is on its way
//! cut 1 2 / heal       neither hears the other; `deaf 1 2`: 1 does not hear 2
//! slow 1 / persist 1   a disk does nothing by itself; it does now all it was asked for
//! crash 1, restart 1   the process dies with what was not durable; comes back
//! propose 1 x          a client's write; `read 1` a client's read
//! add 1 4, promote 1 4, remove 1 4, transfer 1 3
//! compact 1            a base at what is applied; the log is cut
//! show                 a table of all members
//! expect leader 1      also: `expect no leader`, `expect committed 1 4`, `expect applied 1 x y`
//! ```

mod stage;

use std::fmt::Write as _;
use std::path::Path;

use bytes::Bytes;
use seedis::ids::{LogIndex, NodeId, Term};
use seedis::raft::{Entry, EntryKind, KnownSum, Membership, MembershipChange};
use seedis::time::Stamp;

use stage::{Stage, member};

/// A member that is delivered more frames than this at once is in a loop.
const FRAMES_MAX: usize = 10_000;

struct Play {
    stage: Stage,
    founders: Option<Membership>,
    kept: Vec<stage::Flight>,
    keeping: Vec<(u64, u64)>,
}

fn numbers(words: &[&str]) -> Vec<u64> {
    words
        .iter()
        .map(|word| word.trim_end_matches(':').parse().expect("a number"))
        .collect()
}

impl Play {
    fn act(&mut self, words: &[&str]) {
        let stage = &mut self.stage;
        let all = || numbers(&words[1..]);
        match words[0] {
            "group" => {
                let ids = all();
                let voters = ids.iter().map(|id| member(*id, 0)).collect();
                let members = Membership::of(voters).expect("a group");
                for id in ids {
                    stage.add(member(id, 0), members.clone());
                }
                self.founders = Some(members);
            }
            "also" => {
                let life = words
                    .get(2)
                    .map_or(0, |life| life.parse().expect("a number"));
                let founders = self.founders.clone().expect("a group");
                stage.add(member(numbers(&words[1..2])[0], life), founders);
            }
            "log" => {
                let ids = all();
                let entries = (1..).zip(&ids[1..]).map(|(index, term)| {
                    let text = format!("{index}/{term}");
                    let (stamp, payload) = (Stamp(0), Bytes::from(text));
                    Entry {
                        term: Term(*term),
                        index: LogIndex(index),
                        stamp,
                        kind: EntryKind::Normal,
                        payload,
                        known: KnownSum::default(),
                    }
                });
                let disk = &mut stage.actor(ids[0]).disk;
                disk.entries = entries.collect();
                disk.term = disk
                    .entries
                    .last()
                    .map_or(disk.term, |e| e.term.max(disk.term));
            }
            "term" => stage.actor(all()[0]).disk.term = Term(all()[1]),
            "start" | "restart" => {
                let ids = match &all()[..] {
                    [] => stage.actors.keys().copied().collect(),
                    ids => ids.to_vec(),
                };
                for id in ids {
                    stage.start(id);
                }
            }
            "crash" => all().into_iter().for_each(|id| stage.crash(id)),
            "wake" => all().into_iter().for_each(|id| stage.wake(id)),
            "pass" => stage.pass(all()[0]),
            "look" => all().into_iter().for_each(|id| stage.look(id)),
            "slow" => stage.actor(all()[0]).slow = true,
            "quick" => stage.actor(all()[0]).slow = false,
            "persist" => stage.persist(all()[0]),
            "propose" => words[2..]
                .iter()
                .for_each(|text| stage.propose(numbers(&words[1..2])[0], text)),
            "read" => stage.read(all()[0]),
            "add" => {
                let [leader, id] = all()[..] else {
                    panic!("who, whom")
                };
                let added = stage.actor(id).member;
                stage.change(leader, MembershipChange::AddLearner(added));
            }
            "promote" => stage.change(all()[0], MembershipChange::Promote(NodeId(all()[1]))),
            "remove" => stage.change(all()[0], MembershipChange::Remove(NodeId(all()[1]))),
            "transfer" => stage.transfer(all()[0], all()[1]),
            "compact" => stage.compact(all()[0]),
            "cut" => {
                let [one, other] = all()[..] else {
                    panic!("who, whom")
                };
                stage.cuts.extend([(one, other), (other, one)]);
            }
            "deaf" => {
                stage.cuts.insert((all()[1], all()[0]));
            }
            "heal" => stage.cuts.clear(),
            "keep" => self.keeping.push((all()[0], all()[1])),
            "late" => {
                self.keeping.clear();
                for flight in std::mem::take(&mut self.kept) {
                    self.stage.arrive(&flight);
                }
            }
            "deliver" | "drop" => self.deliver(words[0] == "drop", &all()),
            "settle" => {
                for _ in 0..FRAMES_MAX {
                    if self.stage.flights.is_empty() {
                        return;
                    }
                    self.deliver(false, &[]);
                }
                panic!("they never come to rest");
            }
            "show" => stage.show(),
            "expect" => self.expect(&words[1..]),
            other => panic!("`{other}` is no word of a play"),
        }
    }

    /// Lets what is on its way now arrive or get lost.
    fn deliver(&mut self, lost: bool, between: &[u64]) {
        for flight in std::mem::take(&mut self.stage.flights) {
            let ends = (flight.from, flight.to);
            if self.keeping.contains(&ends) {
                self.kept.push(flight);
            } else if !between.is_empty() && between != [ends.0, ends.1] {
                self.stage.flights.push_back(flight);
            } else if lost || self.stage.cuts.contains(&ends) {
                let (from, to, words) = (flight.from, flight.to, &flight.words);
                let _ = writeln!(self.stage.told, "    {from}→{to} {words}: lost");
            } else {
                self.stage.arrive(&flight);
            }
        }
    }

    fn expect(&mut self, words: &[&str]) {
        let alive = self.stage.actors.iter();
        let alive = alive.filter_map(|(id, actor)| Some((*id, actor.raft.as_ref()?)));
        match words[0] {
            "leader" => {
                let latest = alive.filter(|(_, raft)| raft.is_leader());
                let latest = latest.max_by_key(|(_, raft)| raft.term());
                assert_eq!(latest.map(|(id, _)| id), Some(numbers(&words[1..])[0]));
            }
            "no" => assert!(!alive.into_iter().any(|(_, raft)| raft.is_leader())),
            "committed" => {
                let [id, index] = numbers(&words[1..])[..] else {
                    panic!("who, what")
                };
                assert_eq!(self.stage.raft(id).commit(), LogIndex(index));
            }
            "applied" => {
                let id = numbers(&words[1..2])[0];
                let applied = self.stage.actor(id).applied.iter();
                let texts: Vec<&str> = applied.map(|(_, text)| &text[..]).collect();
                let written = texts.into_iter().filter(|text| *text != "-");
                let written: Vec<&str> = written.collect();
                assert_eq!(written, &words[2..]);
            }
            "term" => {
                let [id, term] = numbers(&words[1..])[..] else {
                    panic!("who, what")
                };
                assert_eq!(self.stage.raft(id).term(), Term(term));
            }
            other => panic!("`{other}` cannot be expected"),
        }
    }
}

/// Plays a script; what has happened, line by line.
fn play(name: &str, script: &str) -> String {
    let mut play = Play {
        stage: Stage::default(),
        founders: None,
        kept: Vec::new(),
        keeping: Vec::new(),
    };
    play.stage.pass(1000);
    for (number, line) in (1..).zip(script.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let _ = writeln!(play.stage.told, "{line}");
        let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play.act(&words)));
        let told = &play.stage.told;
        assert!(acted.is_ok(), "{name}:{number}: {line}\n\n{told}");
    }
    play.stage.told
}

#[test]
fn all_plays_go_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scripts/plays");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "play"))
        .collect();
    files.sort();
    assert!(files.len() > 10, "only {} plays", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("scripts/plays");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let script = std::fs::read_to_string(&file).unwrap();
            insta::assert_snapshot!(name, play(name, &script));
        }
    });
}
