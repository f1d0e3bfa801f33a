//! The summary of a campaign, for people and for programs, and its exit code.

use std::fmt::Write as _;

use super::Plan;
use super::tally::{Share, Tally};
use crate::goals::{Fault, Goal, Goals};
use crate::json::Json;
use crate::report;
use crate::scenario::has_log;
use crate::states::RareState;

/// A campaign below so many runs need not have seen everything.
const TELLING_RUNS: u64 = 200;
/// Of so many histories one may be given up, and one more in any campaign.
const GAVE_UP_SHARE: u64 = 1000;
/// So many kinds of failures are shown in full.
const SHOWN: usize = 5;

/// The faults and goals that a campaign could have seen and has not.
fn missing(goals: &Goals, runs: u64) -> Vec<&'static str> {
    let with_log = [
        Fault::Stall,
        Fault::Full,
        Fault::Flip,
        Fault::SyncFails,
        Fault::SlowDisk,
        Fault::OpFails,
        Fault::Stuck,
        Fault::DuringRecovery,
    ];
    let goals_with_log = [
        Goal::Loading,
        Goal::NoSpace,
        Goal::Recovered,
        Goal::Refused,
        Goal::Stopped,
    ];
    let strings = [Goal::WrongType];
    let log = has_log();
    let has_strings = seedis::command::table::find(b"set").is_some();
    let faults = Fault::ALL
        .iter()
        .filter(|fault| log || !with_log.contains(fault));
    let grouped = goals.goals.contains_key(&Goal::Elected);
    let alone = goals.goals.contains_key(&Goal::Recovered);
    let faults = faults
        .filter(|fault| {
            if fault.takes_a_group() {
                grouped
            } else {
                alone
            }
        })
        .filter(|fault| !goals.faults.contains_key(fault))
        .map(|fault| fault.key());
    let wanted = Goal::ALL
        .iter()
        .filter(|goal| log || !goals_with_log.contains(goal));
    let wanted = wanted.filter(|goal| has_strings || !strings.contains(goal));
    let wanted = wanted
        .filter(|goal| if goal.takes_a_group() { grouped } else { alone })
        .filter(|goal| !goals.goals.contains_key(goal))
        .map(|goal| goal.key());
    let states = RareState::ALL
        .iter()
        .filter(|state| log && runs >= state.expected_in_runs())
        .filter(|state| {
            if state.takes_a_group() {
                grouped
            } else {
                alone
            }
        })
        .filter(|state| !goals.states.contains_key(state))
        .map(|state| state.key());
    faults.chain(wanted).chain(states).collect()
}

/// The faults, goals and states that a campaign should have seen and has not; `demands`: each of
/// them, however few its runs are.
fn never_seen(tally: &Tally, demands: bool) -> Vec<&'static str> {
    let runs = if demands {
        u64::MAX
    } else {
        tally.total().runs
    };
    if runs < TELLING_RUNS {
        return Vec::new();
    }
    missing(&tally.goals, runs)
}

/// The exit code: that of the worst failure, or why a pass does not count.
fn code(tally: &Tally, demands: bool) -> u8 {
    let worst = tally.failures.keys().map(|(id, _)| report::code(*id)).min();
    let unknown = tally.gave_up.saturating_sub(1) * GAVE_UP_SHARE > tally.histories;
    worst.unwrap_or(match (unknown, never_seen(tally, demands).is_empty()) {
        (true, _) => 15,
        (false, false) => 16,
        (false, true) => 0,
    })
}

/// How quick it was, over `wall` seconds.
fn speed(share: Share, wall: f64) -> [f64; 3] {
    let wall = wall.max(1e-9);
    let simulated = share.simulated as f64 / 1e9;
    [
        share.runs as f64 / wall,
        share.events as f64 / wall,
        simulated / wall,
    ]
}

/// Prints what was seen, and gives the exit code.
pub(super) fn print(tally: &Tally, demands: bool) -> u8 {
    let mut kinds: Vec<_> = tally.failures.iter().collect();
    kinds.sort_by_key(|((id, profile), kind)| (kind.first.seed, *profile, *id));
    for (_, kind) in kinds.iter().take(SHOWN) {
        kind.first.print(&kind.first.name());
    }
    for ((id, profile), kind) in &tally.failures {
        let seeds: Vec<String> = kind.seeds.iter().map(ToString::to_string).collect();
        let (count, seeds) = (kind.count, seeds.join(" "));
        report::line(&format!("{id} under {profile}: {count} failures: {seeds}"));
    }
    report::line(&format!("faults: {}", tally.goals.faults_line()));
    let goals = tally.goals.goals.iter();
    let goals = goals.map(|(goal, count)| format!("{}={count}", goal.key()));
    report::line(&format!("goals: {}", goals.collect::<Vec<_>>().join(" ")));
    let states = tally.goals.states.iter();
    let states = states.map(|(state, count)| format!("{}={count}", state.key()));
    report::line(&format!("states: {}", states.collect::<Vec<_>>().join(" ")));
    report::line(&format!("settings: {}", settings(tally)));
    let never = never_seen(tally, demands);
    if !never.is_empty() {
        report::line(&format!("never seen: {}", never.join(" ")));
    }
    for (profile, share) in tally.shares.iter().filter(|_| tally.shares.len() > 1) {
        let busy = share.busy_us as f64 / 1e6;
        let [seeds, events, acceleration] = speed(*share, busy);
        report::line(&format!(
            "{profile}: runs={} busy={busy:.1}s, on one core seeds/s={seeds:.1} \
             events/s={events:.0} acceleration={acceleration:.0}",
            share.runs
        ));
    }
    let (total, wall) = (tally.total(), tally.wall.as_secs_f64());
    let busy = total.busy_us as f64 / 1e6;
    let [seeds, events, acceleration] = speed(total, wall);
    report::line(&format!(
        "runs={} failures={} events={} replies={} simulated={:.0}s wall={wall:.1}s \
         busy={busy:.1}s seeds/s={seeds:.1} events/s={events:.0} acceleration={acceleration:.0}",
        total.runs,
        tally.failed_runs(),
        total.events,
        tally.replies,
        total.simulated as f64 / 1e9,
    ));
    let (histories, gave_up) = (tally.histories, tally.gave_up);
    report::line(&format!("histories={histories} gave-up={gave_up}"));
    code(tally, demands)
}

/// How many runs have had each setting in which class of its values.
fn settings(tally: &Tally) -> String {
    let mut text = String::new();
    let mut last = "";
    for ((key, class), count) in &tally.drawn {
        let mark = if key == last { "," } else { ":" };
        if key != last {
            let space = if last.is_empty() { "" } else { " " };
            let _ = write!(text, "{space}{key}");
        }
        let _ = write!(text, "{mark}{class}={count}");
        last = key;
    }
    text
}

/// The same for programs.
pub(super) fn json(plan: &Plan, tally: &Tally, (code, demands): (u8, bool)) -> Json {
    let (total, wall) = (tally.total(), tally.wall.as_secs_f64());
    let shares = tally.shares.iter();
    let shares = shares.map(|(name, share)| {
        let busy = share.busy_us as f64 / 1e6;
        ((*name).to_owned(), json_of(*share, "busy_seconds", busy))
    });
    let failures = tally.failures.iter().map(|((id, profile), kind)| {
        let seeds = kind.seeds.iter().map(|seed| Json::Count(*seed));
        Json::object([
            ("id", Json::Text(id.to_string())),
            ("name", Json::from(id.name())),
            ("profile", Json::from(*profile)),
            ("count", Json::Count(kind.count)),
            ("seeds", Json::List(seeds.collect())),
            ("text", Json::from(kind.first.text.as_str())),
            ("event", Json::Count(kind.first.events)),
            ("digest", Json::from(kind.first.digest.as_str())),
            (
                "reproduce",
                Json::Text(kind.first.reproduce(&kind.first.name())),
            ),
        ])
    });
    let faults = tally.goals.faults.iter();
    let goals = tally.goals.goals.iter();
    let states = tally.goals.states.iter();
    let drawn = tally.drawn.iter();
    let drawn = drawn.map(|((key, class), n)| (format!("{key} {class}"), Json::Count(*n)));
    Json::object([
        ("code", Json::Count(u64::from(code))),
        ("first_seed", Json::Count(plan.seeds.start)),
        ("runs_done_in_order", Json::Count(tally.done.below)),
        ("total", json_of(total, "wall_seconds", wall)),
        ("profiles", Json::Object(shares.collect())),
        ("replies", Json::Count(tally.replies)),
        ("histories", Json::Count(tally.histories)),
        ("histories_given_up", Json::Count(tally.gave_up)),
        ("failed_runs", Json::Count(tally.failed_runs())),
        ("failures", Json::List(failures.collect())),
        ("faults", Json::counts(faults.map(|(f, n)| (f.key(), *n)))),
        ("goals", Json::counts(goals.map(|(g, n)| (g.key(), *n)))),
        ("states", Json::counts(states.map(|(s, n)| (s.key(), *n)))),
        ("settings", Json::Object(drawn.collect())),
        ("never_seen", Json::list(never_seen(tally, demands))),
    ])
}

fn json_of(share: Share, name: &str, seconds: f64) -> Json {
    let [seeds, events, acceleration] = speed(share, seconds);
    Json::object([
        ("runs", Json::Count(share.runs)),
        ("events", Json::Count(share.events)),
        (
            "simulated_seconds",
            Json::Figure(share.simulated as f64 / 1e9),
        ),
        (name, Json::Figure(seconds)),
        ("seeds_per_second", Json::Figure(seeds)),
        ("events_per_second", Json::Figure(events)),
        ("acceleration", Json::Figure(acceleration)),
    ])
}
