//! Servers beside one another: the same load on each in turn, medians, spreads and ratios.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cores::Cores;
use crate::failure::Result;
use crate::load::requests::Numbers;
use crate::load::{Measured, closed};
use crate::loads::{Data, Load};
use crate::programs::{Program, YARDSTICK};
use crate::server::{Log, Server};
use crate::statistics::{Latencies, Rounds};
use crate::table::Table;

/// How loads are compared.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers, in the order of their turns.
    pub programs: Vec<Program>,
    /// Their log.
    pub log: Log,
    /// Rounds of each load.
    pub rounds: u32,
    /// How long a load lasts each time.
    pub time: Duration,
    /// The number of keys.
    pub keys: u64,
    /// The seed of what is drawn.
    pub seed: u64,
    /// The cores of load and server.
    pub cores: Option<Cores>,
}

/// The results of one server under one load, round by round.
#[derive(Clone, Debug)]
pub struct Row {
    load: &'static str,
    program: String,
    rates: Rounds,
    processor_us: Rounds,
    latencies: Latencies,
}

/// Plays a load on all servers in turn, each started anew, and returns a row for each.
pub fn play(load: &Load, settings: &Settings) -> Result<Vec<Row>> {
    let keys = load.keys(settings.keys);
    let mut running = Vec::new();
    for program in &settings.programs {
        let server = Server::start(program, settings.log, settings.cores)?;
        if let Data::Keys(request) = load.data {
            server.fill(&load.with_value(request), keys)?;
        }
        running.push((server, Row::new(load.name, &program.name)));
    }
    for round in 0..settings.rounds {
        for (server, row) in &mut running {
            let mut how = closed::Closed::during(load.clients, load.pipeline, settings.time);
            if let Data::Refill {
                request,
                times,
                lasts,
            } = load.data
            {
                server.ask(&["FLUSHALL"])?;
                server.fill(&load.with_value(request), times)?;
                how.requests = lasts;
            }
            let mut numbers = Numbers::uniform(keys, settings.seed + u64::from(round));
            let before = server.processor_s()?;
            let measured = closed::run(server.address, &load.template(), &mut numbers, how)
                .map_err(|failure| failure.during(&format!("{} of {}", load.name, row.program)))?;
            row.add(&measured, server.processor_s()? - before);
        }
    }
    Ok(running.into_iter().map(|(_, row)| row).collect())
}

impl Row {
    fn new(load: &'static str, program: &str) -> Self {
        Self {
            load,
            program: program.to_owned(),
            rates: Rounds::default(),
            processor_us: Rounds::default(),
            latencies: Latencies::default(),
        }
    }

    fn add(&mut self, measured: &Measured, processor_s: f64) {
        self.rates.0.push(measured.rate());
        let requests = measured.requests.max(1) as f64;
        self.processor_us.0.push(processor_s * 1e6 / requests);
        self.latencies.add(measured);
    }

    fn json(&self) -> Value {
        json!({
            "load": self.load,
            "server": self.program,
            "requests_per_s": self.rates.0,
            "processor_us_per_request": self.processor_us.0,
            "p50_us": self.latencies.p50.0,
            "p99_us": self.latencies.p99.0,
            "max_us": self.latencies.longest.0,
        })
    }
}

/// The rows as a table: medians, the spread of the rates, ratios to redis.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new(
        &["load", "server"],
        &[
            "requests/s",
            "spread",
            "to redis",
            "CPU µs",
            "to redis",
            "p50 µs",
            "p99 µs",
            "max µs",
        ],
    );
    for row in rows {
        let yardstick = rows
            .iter()
            .find(|other| other.load == row.load && other.program == YARDSTICK);
        let ratio = |of: fn(&Row) -> &Rounds| {
            let ratio = yardstick.map(|other| of(row).over(of(other)).median());
            // A load that was shorter than a tick of the system's clock has used no time.
            let ratio = ratio.filter(|ratio| ratio.is_finite());
            ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
        };
        table.row([
            row.load.to_owned(),
            row.program.clone(),
            format!("{:.0}", row.rates.median()),
            format!("{:.0} %", 100.0 * row.rates.spread()),
            ratio(|row| &row.rates),
            format!("{:.2}", row.processor_us.median()),
            ratio(|row| &row.processor_us),
            format!("{:.0}", row.latencies.p50.median()),
            format!("{:.0}", row.latencies.p99.median()),
            format!("{:.0}", row.latencies.longest.median()),
        ]);
    }
    table.markdown()
}

/// The rows as data, with every round.
pub fn json(rows: &[Row]) -> Value {
    rows.iter().map(Row::json).collect()
}
