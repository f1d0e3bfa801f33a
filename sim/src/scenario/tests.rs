//! No field is forgotten: of a configuration it is drawn, or stands here with the reason why not;
//! of a scenario it ends with all faults, or is none.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The fields of a configuration, as text: of a new one the compiler asks.
macro_rules! fields {
    (drawn: $($drawn:ident)*; fixed: $($fixed:ident)*;) => {
        const DRAWN: &[&str] = &[$(stringify!($drawn)),*];

        fn all(config: Config) -> Vec<(&'static str, String)> {
            let Config { $($drawn,)* $($fixed,)* } = config;
            vec![
                $((stringify!($drawn), format!("{:?}", $drawn)),)*
                $((stringify!($fixed), format!("{:?}", $fixed)),)*
            ]
        }
    };
}

// Fixed: which member it is and of which group, which the world says of each; what is about
// passwords, files and the process; what the world draws anew for each life (`entry_versions`).
fields! {
    drawn: seed hash_seed tables append_only fsync rewrite_percentage rewrite_min_bytes
        segment_bytes large_argument_bytes log_piece_bytes waiting_bytes_max lease_reads
        retained_bytes append_bytes chunk_bytes client_work turn_work memory_max memory_policy
        clients_memory script_instructions script_memory_bytes
        memory_samples lfu_log_factor lfu_decay_minutes output_limits
        debug_command timeout_s borders bounds events tracked_keys_max;
    fixed: id founders incarnation cluster staleness_ms_max follower_proxy requirepass clients_max
        clients_limit query_buffer_max slowlog_slower_than_us slowlog_entries_max protected_mode
        latency_least_ms latency_tracking latency_percentiles
        taken_away remembered process entry_versions witness;
}

#[test]
fn what_steers_the_core_is_drawn() {
    let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
    for profile in Profile::ALL {
        for seed in 0..40 {
            seen.extend(all(Scenario::draw(seed, profile).config));
        }
    }
    let several = |name: &str| seen.iter().filter(|(of, _)| *of == name).count() > 1;
    let names: BTreeSet<&str> = seen.iter().map(|(name, _)| *name).collect();
    for name in names {
        assert_eq!(several(name), DRAWN.contains(&name), "{name}");
    }
}

/// The fields of a scenario, told apart: of a new one the compiler asks.
macro_rules! scenario {
    (ended: $($ended:ident)*; other: $($other:ident)*;) => {
        fn ended(scenario: Scenario) -> Vec<(&'static str, String)> {
            let Scenario { $($ended,)* $($other: _,)* } = scenario;
            vec![$((stringify!($ended), format!("{:?}", $ended)),)*]
        }
    };
}

// Other: what there is, who asks, how fast all goes, and how a fault is that strikes; what clients
// do to themselves, which whoever brings clients of its own leaves out; upgrades, which end with
// the last of the newer version (`World::end_upgrade`).
scenario! {
    ended: crashes pauses mid_turn jumps drifts freezes stalls full slow_disks sync_fails op_fails
        sticks flips damage wipes loss twice kinds overdue aims cuts lags partitions;
    other: seed policy config members founders newcomers_ask knocks meets upgrades duration clients
        think rush naps pipeline patience patient depth segment_max latency read_max slow close ends
        inline_disk disk_latency sync_latency base_latency thin_disk final_failures flaps hunts
        minority_lost frame_latency audits twins;
}

#[test]
fn all_faults_end_when_all_is_calm() {
    let mut seen = BTreeSet::new();
    for profile in Profile::ALL {
        for seed in 0..20 {
            let mut scenario = Scenario::draw(seed, profile);
            let before = ended(scenario.clone());
            scenario.calm();
            let after = ended(scenario);
            for ((name, was), (_, is)) in before.into_iter().zip(after) {
                let is_calm =
                    ["0", "None"].contains(&&is[..]) || !is.contains(|c| "123456789".contains(c));
                assert!(is_calm, "{name} is {is}");
                if was != is {
                    seen.insert(name);
                }
            }
        }
    }
    // Whatever ends was there before in some run.
    assert_eq!(seen.len(), ended(Scenario::draw(0, Profile::Smoke)).len());
}

#[test]
fn classes_that_are_drawn_apart_have_numbers_of_their_own() {
    let sources = [
        include_str!("../scenario.rs"),
        include_str!("../knobs.rs"),
        include_str!("../events.rs"),
        include_str!("../profile.rs"),
    ];
    let mut seen = BTreeMap::new();
    for source in sources {
        for opening in ["class(", "every(", "share("] {
            for rest in source.split(opening).skip(1) {
                let number = rest.split(|c: char| !c.is_ascii_digit()).next();
                if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
                    *seen.entry(number).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(seen.len() > 100);
    seen.retain(|_, times| *times > 1);
    // Of these a run draws one or the other.
    assert!(seen.into_keys().eq([1, 4, 52, 83, 84]));
}
