//! LATENCY, and what INFO says of how long commands take.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::command::error::Outcome;
use crate::command::row::Row;
use crate::command::table;
use crate::command::verb::LatencyVerb;
use crate::node::config::Config;
use crate::node::metrics::Metrics;
use crate::node::metrics::stats::Calls;
use crate::resp::reply::Reply;
use crate::time::Now;

use super::request::Request;

/// LATENCY.
pub(super) fn latency_verb(
    metrics: &mut Metrics,
    moment: (Now, &Config),
    verb: LatencyVerb,
    request: Request<'_, '_>,
) -> Outcome {
    let Request {
        args, mut reply, ..
    } = request;
    if verb != LatencyVerb::Histogram {
        return metrics.latency(verb, args, moment, &mut reply);
    }
    let rows: Vec<&'static Row> = if args.len() == 2 {
        table::all().collect()
    } else {
        args.from(2).iter().flat_map(named).collect()
    };
    // Each once, however often it is named.
    let mut seen = BTreeSet::new();
    let known: Vec<&'static Row> = rows
        .into_iter()
        .filter(|row| calls_of(metrics, row).durations.count() > 0)
        .filter(|row| seen.insert(table::place(row)))
        .collect();
    reply.map(known.len());
    for row in known {
        reply.bulk(row.name.as_bytes());
        write_durations(calls_of(metrics, row), &mut reply);
    }
    Ok(())
}

fn calls_of<'a>(metrics: &'a Metrics, row: &'static Row) -> &'a Calls {
    &metrics.stats().calls[table::place(row)]
}

/// The section `latencystats` of INFO.
pub(super) fn latency_section(metrics: &Metrics, config: &Config) -> String {
    let percentiles = core::str::from_utf8(&config.latency_percentiles);
    let percentiles: Vec<(&str, f64)> = percentiles
        .unwrap_or_default()
        .split(' ')
        .filter_map(|word| Some((word, word.parse().ok()?)))
        .collect();
    let mut text = String::new();
    let rows = table::all().filter(|_| config.latency_tracking);
    for row in rows {
        let durations = &calls_of(metrics, row).durations;
        if durations.count() == 0 {
            continue;
        }
        let shown: Vec<String> = percentiles
            .iter()
            .map(|(word, percent)| {
                let nanoseconds = durations.percentile(*percent);
                let (us, rest) = (nanoseconds / 1000, nanoseconds % 1000);
                format!("p{word}={us}.{rest:03}")
            })
            .collect();
        let (name, shown) = (row.name, shown.join(","));
        // Writing to a string cannot fail.
        let _ = write!(text, "latency_percentiles_usec_{name}:{shown}\r\n");
    }
    text
}

/// The rows that a word names: a command, with its subcommands where it has some, or one of these.
fn named(word: &[u8]) -> impl Iterator<Item = &'static Row> + use<> {
    let row = table::find_full(word);
    let row = row.into_iter();
    row.flat_map(|row| core::iter::once(row).chain(row.subcommands))
}

fn write_durations(calls: &Calls, reply: &mut Reply<'_>) {
    let cumulative: Vec<(u64, u64)> = calls.durations.cumulative().collect();
    reply.map(2);
    reply.bulk(b"calls");
    reply.integer(calls.durations.count() as i64);
    reply.bulk(b"histogram_usec");
    reply.map(cumulative.len());
    for (microseconds, count) in cumulative {
        reply.integer(microseconds as i64);
        reply.integer(count as i64);
    }
}
