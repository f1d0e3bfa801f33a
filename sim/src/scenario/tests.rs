//! Every field of a node's configuration is drawn, or stands here with the reason why not.

use std::collections::BTreeSet;

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
        retained_bytes append_bytes chunk_bytes client_work turn_work memory_max output_limits
        timeout_s;
    fixed: id founders incarnation cluster staleness_ms_max follower_proxy requirepass clients_max
        clients_limit query_buffer_max slowlog_slower_than_us slowlog_entries_max protected_mode
        debug_command taken_away remembered process entry_versions witness;
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
