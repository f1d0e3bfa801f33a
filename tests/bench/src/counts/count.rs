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

/// A load: its request, clients and pipeline, and the log that the server keeps.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) request: &'static [&'static str],
    pub(super) clients: usize,
    pub(super) pipeline: usize,
    pub(super) log: Log,
}

pub(super) const VALUE: &str = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";
pub(super) const GET: &[&str] = &["GET", "key:{}"];
pub(super) const SET: &[&str] = &["SET", "key:{}", VALUE];
