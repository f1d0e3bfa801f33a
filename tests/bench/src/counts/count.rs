//! A count, and the loads whose requests are counted.

use crate::server::Log;

/// One count.
#[derive(Clone, Debug)]
pub struct Count {
    /// The name, with its unit.
    pub name: String,
    /// The value: less is better.
    pub value: f64,
    /// It is held to the file.
    pub is_kept: bool,
    /// It is what this compiler makes of the code, so that another one's is no evidence.
    pub is_of_compiler: bool,
}

/// The counts of a run, and what was left out, in sentences.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// All counts.
    pub counts: Vec<Count>,
    /// Why some could not be had.
    pub skipped: Vec<String>,
}

/// Keys that are there before a load.
pub(super) const KEYS: u64 = 10_000;

/// A load: its request, clients and pipeline, and the log that the server keeps.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) request: &'static [&'static str],
    pub(super) clients: usize,
    pub(super) pipeline: usize,
    pub(super) log: Log,
}

/// A load without a log.
pub(super) const fn shape(
    name: &'static str,
    request: &'static [&'static str],
    clients: usize,
    pipeline: usize,
) -> Shape {
    Shape {
        name,
        request,
        clients,
        pipeline,
        log: Log::Off,
    }
}

impl Shape {
    /// The same with a log.
    pub(super) const fn with(self, log: Log) -> Self {
        Self { log, ..self }
    }
}

/// Those of some loads that are asked for, each with the name of its count.
pub(super) fn wanted<'a>(what: &str, shapes: &'a [Shape], only: &str) -> Vec<(String, &'a Shape)> {
    let named = shapes.iter();
    let named = named.map(|shape| (format!("{what} per {}", shape.name), shape));
    named.filter(|(name, _)| name.contains(only)).collect()
}

pub(super) const VALUE: &str = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";
pub(super) const GET: &[&str] = &["GET", "key:{}"];
pub(super) const SET: &[&str] = &["SET", "key:{}", VALUE];
