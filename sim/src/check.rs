//! Determinism: each seed run again, in another order and in another process, must give the same
//! chain.

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::Command;

use crate::report;
use crate::run::{self, Order};
use crate::scenario::Profile;

/// Digest and number of events of a run.
fn digest(seed: u64, profile: Profile) -> String {
    let outcome = run::run(Order::quiet(seed, profile));
    format!("{} {}", outcome.digest, outcome.events)
}

/// The output of the second process: a line for each seed.
pub(crate) fn print_digests(seeds: Range<u64>, profile: Profile) {
    for seed in seeds {
        report::line(&format!("{seed} {}", digest(seed, profile)));
    }
}

/// The output of a second process for one seed: the digest after each event.
pub(crate) fn print_chain(seed: u64, profile: Profile) {
    for link in run::chain(Order::quiet(seed, profile)) {
        report::line(&format!("{link:032x}"));
    }
}

fn second_process(words: &[String]) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(words)
        .output()
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Compares, and gives the exit code.
pub(crate) fn check(seeds: Range<u64>, profile: Profile) -> u8 {
    let mut digests: BTreeMap<u64, String> = BTreeMap::new();
    for seed in seeds.clone() {
        digests.insert(seed, digest(seed, profile));
    }
    for seed in seeds.clone().rev() {
        let again = digest(seed, profile);
        if digests.get(&seed) != Some(&again) {
            let other = run::chain(Order::quiet(seed, profile));
            return differs(seed, profile, "when it was run again", &other);
        }
    }
    let range = format!("{}..{}", seeds.start, seeds.end);
    let words = ["digests", "--seeds", &range, "--profile", profile.name()].map(str::to_owned);
    let output = match second_process(&words) {
        Ok(output) => output,
        Err(why) => {
            report::line(&format!("no second process: {why}"));
            return 14;
        }
    };
    for (seed, digest) in &digests {
        let wanted = format!("{seed} {digest}");
        if !output.lines().any(|line| line == wanted) {
            let words =
                ["chain", &seed.to_string(), "--profile", profile.name()].map(str::to_owned);
            let chain = second_process(&words).unwrap_or_default();
            let links = chain
                .lines()
                .filter_map(|line| u128::from_str_radix(line, 16).ok());
            return differs(
                *seed,
                profile,
                "in another process",
                &links.collect::<Vec<_>>(),
            );
        }
    }
    report::line(&format!(
        "pass seeds={range} profile={}: the same twice, in reversed order, and in another process",
        profile.name()
    ));
    0
}

/// Names the first event at which two runs of a seed part.
fn differs(seed: u64, profile: Profile, how: &str, other: &[u128]) -> u8 {
    let chain = run::chain(Order::quiet(seed, profile));
    let same = chain.iter().zip(other).take_while(|(a, b)| a == b).count();
    let name = profile.name();
    report::line(&format!(
        "seed {seed} ({name}) is not deterministic: it differs {how}"
    ));
    report::line(&format!(
        "first event that differs: {} (of {} and {})",
        same + 1,
        chain.len(),
        other.len()
    ));
    report::line(&format!(
        "see: sim run {seed} --profile {name} --events {} --trace",
        same + 1
    ));
    14
}
