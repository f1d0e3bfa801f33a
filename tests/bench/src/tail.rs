//! The tail of latency: SETs at a given rate, while the server has something else to do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cores::Cores;
use crate::failure::{Failure, Result};
use crate::load::open::{self, Beside, Open};
use crate::load::requests::{Numbers, Template};
use crate::load::{Measured, PATIENCE};
use crate::programs::Program;
use crate::server::{Log, Server};
use crate::statistics::Latencies;
use crate::table::Table;

/// Something that a server has to do beside its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Situation {
    /// Nothing: SETs of keys that are there.
    Calm,
    /// Every SET brings a new key, and the number of keys passes a power of two.
    Growth,
    /// BGREWRITEAOF of all keys.
    Rewrite,
    /// All keys expire at one moment.
    Expiry,
    /// FLUSHALL of all keys.
    Flushall,
}

impl Situation {
    /// All situations, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::Calm,
        Self::Growth,
        Self::Rewrite,
        Self::Expiry,
        Self::Flushall,
    ];

    /// The name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Growth => "growth",
            Self::Rewrite => "rewrite",
            Self::Expiry => "expiry",
            Self::Flushall => "flushall",
        }
    }
}

/// How tails are measured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers, in the order of their turns.
    pub programs: Vec<Program>,
    /// Their log; a rewrite needs one.
    pub log: Log,
    /// Rounds of each situation.
    pub rounds: u32,
    /// SETs in a second.
    pub rate: f64,
    /// How long they are sent.
    pub time: Duration,
    /// The number of keys before.
    pub keys: u64,
    /// The seed of what is drawn.
    pub seed: u64,
    /// The cores of load and server.
    pub cores: Option<Cores>,
}

/// The tail of one server in one situation, round by round.
#[derive(Clone, Debug)]
pub struct Row {
    situation: &'static str,
    program: String,
    latencies: Latencies,
}

/// Plays a situation on all servers in turn, each started anew for each round.
pub fn play(situation: Situation, settings: &Settings) -> Result<Vec<Row>> {
    let named = settings.programs.iter().map(|program| &program.name);
    let mut rows = named
        .map(|name| Row::new(situation, name))
        .collect::<Vec<_>>();
    for round in 0..settings.rounds {
        for (program, row) in settings.programs.iter().zip(&mut rows) {
            let seed = settings.seed + u64::from(round);
            let measured = once(situation, program, seed, settings).map_err(|failure| {
                failure.during(&format!("{} of {}", row.situation, row.program))
            })?;
            row.latencies.add(&measured);
        }
    }
    Ok(rows)
}

fn once(
    situation: Situation,
    program: &Program,
    seed: u64,
    settings: &Settings,
) -> Result<Measured> {
    let log = match (situation, settings.log) {
        (Situation::Rewrite, Log::Off) => Log::Everysec,
        (_, log) => log,
    };
    let server = Server::start(program, log, settings.cores)?;
    let value = "v".repeat(64);
    let request = Template::new(&["SET", "key:{}", &value]);
    let sent = (settings.rate * settings.time.as_secs_f64()) as u64;
    let keys = if situation == Situation::Growth {
        // Tables of some servers double at powers of two: that happens half way.
        power_of_two_below(settings.keys)
            .saturating_sub(sent / 2)
            .max(1)
    } else {
        settings.keys
    };
    let filled = server.fill(&request, keys)?;
    let quarter = settings.time / 4;
    let event = |words: &[&str]| {
        Some(Beside {
            after: quarter,
            request: Template::new(words),
        })
    };
    let beside = match situation {
        Situation::Calm | Situation::Growth => None,
        Situation::Rewrite => event(&["BGREWRITEAOF"]),
        Situation::Flushall => event(&["FLUSHALL"]),
        Situation::Expiry => {
            expire_later(&server, keys, filled.elapsed, quarter)?;
            None
        }
    };
    let mut numbers = match situation {
        Situation::Growth => Numbers::rising_from(keys, keys + sent + 1),
        // What expires, and what is flushed, are other keys than those that are set.
        Situation::Expiry | Situation::Flushall => {
            Numbers::rising_from(keys, keys + sent.clamp(1, 1000))
        }
        Situation::Calm | Situation::Rewrite => Numbers::uniform(keys, seed),
    };
    let how = Open {
        clients: 50,
        rate: settings.rate,
        time: settings.time,
        patience: PATIENCE,
    };
    open::run(server.address, &request, &mut numbers, how, beside.as_ref())
}

/// Lets all keys expire at one moment that lies so long after this returns.
fn expire_later(server: &Server, keys: u64, filled: Duration, ahead: Duration) -> Result<()> {
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    };
    // An expiry is given as fast as a value was, at least as half of that.
    let at = now() + 2 * filled + Duration::from_secs(1) + ahead;
    let at_ms = at.as_millis().to_string();
    server.fill(&Template::new(&["PEXPIREAT", "key:{}", &at_ms]), keys)?;
    let pause = at.checked_sub(now() + ahead).ok_or_else(|| {
        Failure::new("giving all keys an expiry has taken too long: the machine is too busy")
    })?;
    std::thread::sleep(pause);
    Ok(())
}

fn power_of_two_below(number: u64) -> u64 {
    1 << number.max(1).ilog2()
}

impl Row {
    fn new(situation: Situation, program: &str) -> Self {
        Self {
            situation: situation.name(),
            program: program.to_owned(),
            latencies: Latencies::default(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "situation": self.situation,
            "server": self.program,
            "p50_us": self.latencies.p50.0,
            "p99_us": self.latencies.p99.0,
            "p99_9_us": self.latencies.p999.0,
            "max_us": self.latencies.longest.0,
        })
    }
}

/// The rows as a table: medians over the rounds, in milliseconds.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new(
        &["situation", "server"],
        &["p50 ms", "p99 ms", "p99.9 ms", "max ms", "worst max"],
    );
    let ms = |us: f64| format!("{:.3}", us / 1e3);
    for row in rows {
        let worst = row
            .latencies
            .longest
            .0
            .iter()
            .copied()
            .fold(f64::NAN, f64::max);
        table.row([
            row.situation.to_owned(),
            row.program.clone(),
            ms(row.latencies.p50.median()),
            ms(row.latencies.p99.median()),
            ms(row.latencies.p999.median()),
            ms(row.latencies.longest.median()),
            ms(worst),
        ]);
    }
    table.markdown()
}

/// The rows as data, with every round.
pub fn json(rows: &[Row]) -> Value {
    rows.iter().map(Row::json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_passes_the_last_power_of_two() {
        assert_eq!(power_of_two_below(1_000_000), 524_288);
        assert_eq!(power_of_two_below(1024), 1024);
        assert_eq!(power_of_two_below(0), 1);
    }
}
