//! The progress and the findings of a campaign, as a file from which it can be resumed.
//!
//! The file is written whole under another name and then renamed, so that whatever ends the process
//! leaves the last one. Runs since then are done again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum as _;

use super::Plan;
use super::tally::{Kind, Share, Tally};
use crate::digest::Digest;
use crate::goals::{Fault, Goal};
use crate::judge::invariant::Id;
use crate::report::Failure;
use crate::scenario::Profile;
use crate::states::RareState;

/// The first line; its number changes with the format.
const HEAD: &str = "sim fleet, state 2";

/// Writes the state.
pub(super) fn write(path: &Path, plan: &Plan, tally: &Tally) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let text = written(&build()?, plan, tally);
    fs::write(&beside, text).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}

/// Reads a state, which must be of this build and this plan.
pub(super) fn read(path: &Path, plan: &Plan) -> Result<Tally, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    let tally = text.and_then(|text| parse(&text, &build()?, plan));
    tally.map_err(|why| format!("cannot resume from {}: {why}", path.display()))
}

/// The mark that tells this program from another: a digest of its file.
fn build() -> Result<String, String> {
    let program = std::env::current_exe().and_then(fs::read);
    let program = program.map_err(|error| format!("cannot read the running program: {error}"))?;
    let mut digest = Digest::new();
    digest.bytes(&program);
    Ok(digest.to_string())
}

fn plan_line(plan: &Plan) -> String {
    let profiles: Vec<&str> = plan.profiles.iter().map(|p| p.name()).collect();
    let (from, to) = (plan.seeds.start, plan.seeds.end);
    format!("{from}..{to} {}", profiles.join(","))
}

fn written(build: &str, plan: &Plan, tally: &Tally) -> String {
    let mut text = format!("{HEAD}\nbuild {build}\nplan {}\n", plan_line(plan));
    let mut line = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    line(&format!("wall {}", tally.wall.as_micros()));
    line(&format!("done {}", tally.done.below));
    for number in &tally.done.also {
        line(&format!("also {number}"));
    }
    line(&format!("replies {}", tally.replies));
    line(&format!("histories {} {}", tally.histories, tally.gave_up));
    for (profile, share) in &tally.shares {
        let Share {
            runs,
            events,
            simulated,
            busy_us,
        } = share;
        line(&format!(
            "share {profile} {runs} {events} {simulated} {busy_us}"
        ));
    }
    for (fault, count) in &tally.goals.faults {
        line(&format!("fault {} {count}", fault.key()));
    }
    for (goal, count) in &tally.goals.goals {
        line(&format!("goal {} {count}", goal.key()));
    }
    for (state, count) in &tally.goals.states {
        line(&format!("state {} {count}", state.key()));
    }
    for ((key, class), count) in &tally.drawn {
        line(&format!("drawn {key} {class} {count}"));
    }
    for ((id, profile), kind) in &tally.failures {
        let Failure {
            events,
            time,
            digest,
            ..
        } = &kind.first;
        let seeds: Vec<String> = kind.seeds.iter().map(ToString::to_string).collect();
        let (count, seeds) = (kind.count, seeds.join(","));
        line(&format!(
            "failure {id} {profile} {count} {seeds} {events} {time} {digest}"
        ));
        line(&format!("faults {}", kind.first.faults));
        line(&format!("text {}", escaped(&kind.first.text)));
    }
    line("end");
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(text: &str) -> String {
    let pieces = text.split("\\\\").map(|piece| piece.replace("\\n", "\n"));
    pieces.collect::<Vec<_>>().join("\\")
}

fn parse(text: &str, build: &str, plan: &Plan) -> Result<Tally, String> {
    let mut lines = text.lines();
    let mut field = |name: &str| {
        let line = lines.next().unwrap_or_default();
        let value = line.strip_prefix(name).map(str::trim_start);
        value.ok_or(format!("no line begins with `{name}`"))
    };
    field(HEAD)?;
    if field("build")? != build {
        return Err("it was written by another build of sim".to_owned());
    }
    let (theirs, ours) = (field("plan")?, plan_line(plan));
    if theirs != ours {
        return Err(format!("it is of another plan: {theirs}, not {ours}"));
    }
    let mut tally = Tally {
        wall: Duration::from_micros(number(field("wall")?)?),
        ..Tally::default()
    };
    tally.done.below = number(field("done")?)?;
    let mut last = None;
    for line in lines {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        let at = |place: usize| words.get(place).copied().unwrap_or_default();
        match name {
            "also" => _ = tally.done.also.insert(number(rest)?),
            "replies" => tally.replies = number(rest)?,
            "histories" => (tally.histories, tally.gave_up) = (number(at(0))?, number(at(1))?),
            "share" => {
                let share = Share {
                    runs: number(at(1))?,
                    events: number(at(2))?,
                    simulated: number(at(3))?,
                    busy_us: number(at(4))?,
                };
                tally.shares.insert(profile(at(0))?, share);
            }
            "fault" => known(&mut tally.goals.faults, Fault::ALL, Fault::key, &words)?,
            "goal" => known(&mut tally.goals.goals, Goal::ALL, Goal::key, &words)?,
            "state" => known(
                &mut tally.goals.states,
                RareState::ALL,
                RareState::key,
                &words,
            )?,
            "drawn" => {
                let key = (at(0).to_owned(), at(1).to_owned());
                tally.drawn.insert(key, number(at(2))?);
            }
            "failure" => {
                let (key, kind) = failure(&words)?;
                tally.failures.insert(key, kind);
                last = Some(key);
            }
            "faults" | "text" => {
                let kind = last.and_then(|key| tally.failures.get_mut(&key));
                let first = &mut kind
                    .ok_or(format!(
                        "`{name}` does not belong to a \
                    failure"
                    ))?
                    .first;
                match name {
                    "text" => first.text = unescaped(rest),
                    _ => rest.clone_into(&mut first.faults),
                }
            }
            "end" => return Ok(tally),
            _ => return Err(format!("it says `{line}`")),
        }
    }
    Err("it is truncated".to_owned())
}

fn failure(words: &[&str]) -> Result<((Id, &'static str), Kind), String> {
    let [id, name, count, seeds, events, time, digest] = words else {
        return Err(format!("a failure has {} words", words.len()));
    };
    let mut ids = Id::ALL.iter().copied();
    let known = ids.find(|known| known.to_string() == *id);
    let id = known.ok_or(format!("{id} is not an invariant"))?;
    let profile = profile(name)?;
    let seeds = seeds.split(',').map(number::<u64>);
    let seeds = seeds.collect::<Result<Vec<_>, _>>()?;
    let first = Failure {
        seed: seeds.first().copied().unwrap_or_default(),
        profile,
        black_box: false,
        id,
        text: String::new(),
        events: number(events)?,
        time: number(time)?,
        digest: (*digest).to_owned(),
        faults: String::new(),
    };
    let count = number(count)?;
    let kind = Kind {
        count,
        seeds,
        first,
    };
    Ok(((id, profile), kind))
}

/// Notes how often something was seen, if its name is one of those that are known.
fn known<T: Ord + Copy>(
    counts: &mut BTreeMap<T, u64>,
    all: &[T],
    key: impl Fn(T) -> &'static str,
    words: &[&str],
) -> Result<(), String> {
    let name = words.first().copied().unwrap_or_default();
    let found = all.iter().copied().find(|one| key(*one) == name);
    let found = found.ok_or(format!("unknown name `{name}`"))?;
    counts.insert(found, number(words.get(1).copied().unwrap_or_default())?);
    Ok(())
}

fn profile(name: &str) -> Result<&'static str, String> {
    let mut all = Profile::value_variants().iter().map(|p| p.name());
    let found = all.find(|known| *known == name);
    found.ok_or(format!("{name} is not a profile"))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            seeds: 5..9,
            profiles: vec![Profile::Smoke, Profile::Raft],
        }
    }

    fn tally() -> Tally {
        let mut tally = Tally {
            wall: Duration::from_micros(77),
            replies: 3,
            histories: 2,
            gave_up: 1,
            ..Tally::default()
        };
        for number in [0, 1, 4] {
            tally.done.add(number);
        }
        let share = Share {
            runs: 3,
            events: 10,
            simulated: 1 << 40,
            busy_us: 5,
        };
        tally.shares.insert("raft", share);
        tally.goals.fired(Fault::Loss);
        tally.goals.reach(Goal::Elected);
        tally.goals.met(RareState::LogCut);
        tally.drawn.insert(("fsync".to_owned(), "no".to_owned()), 2);
        let first = Failure {
            seed: 6,
            profile: "raft",
            black_box: false,
            id: Id::C1,
            text: "two\nlines, a \\n and a \\".to_owned(),
            events: 4,
            time: 5,
            digest: "ab".to_owned(),
            faults: "loss=1 cut=2".to_owned(),
        };
        let kind = Kind {
            count: 2,
            seeds: vec![6, 8],
            first,
        };
        tally.failures.insert((Id::C1, "raft"), kind);
        tally
    }

    #[test]
    fn a_state_comes_back_as_it_was() {
        let text = written("b1", &plan(), &tally());
        assert_eq!(parse(&text, "b1", &plan()), Ok(tally()), "{text}");
    }

    #[test]
    fn another_build_another_plan_and_a_torn_file_are_refused() {
        let text = written("b1", &plan(), &tally());
        let refused = |text: &str, build: &str, plan: &Plan, why: &str| {
            let error = parse(text, build, plan).expect_err(why);
            assert!(error.contains(why), "{error}");
        };
        refused(&text, "b2", &plan(), "another build");
        let other = Plan {
            seeds: 5..10,
            ..plan()
        };
        refused(
            &text,
            "b1",
            &other,
            "it is of another plan: 5..9 smoke,raft, not 5..10",
        );
        let torn = text.strip_suffix("end\n").unwrap();
        refused(torn, "b1", &plan(), "truncated");
        refused("", "b1", &plan(), "no line begins with `sim fleet");
        refused(
            &text.replace("fault loss", "fault lost"),
            "b1",
            &plan(),
            "`lost`",
        );
    }
}
