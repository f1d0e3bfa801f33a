//! Members of sorted sets on their way into a new one, from piece to piece of a long command.

use super::batch::Batch;
use super::sorting::Merging;
use crate::store::NewZset;
use alloc::vec::Vec;

/// The stages of a command that makes a sorted set, or an answer of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Keys are looked at.
    #[default]
    Look,
    /// The words behind them are read.
    Read,
    /// The keys are put in the order in which their members are taken.
    Order,
    /// Some members of a source are gathered.
    Gather,
    /// They are looked for in the others.
    Compare,
    /// Those that remain are taken.
    Take,
    /// The members are answered.
    Answer,
    /// The set that was made in passing is freed.
    Free,
}

/// How the scores of a member are put together that several sets have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    pub(super) fn of(self, one: f64, other: f64) -> f64 {
        match self {
            // Infinities of both signs are nothing together.
            Self::Sum if (one + other).is_nan() => 0.0,
            Self::Sum => one + other,
            Self::Min if other < one => other,
            Self::Max if other > one => other,
            Self::Min | Self::Max => one,
        }
    }
}

/// A key with the number of its members, and its place among all keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked {
    pub(super) len: usize,
    pub(super) nth: usize,
}

/// How far such a command has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Combining {
    pub(super) stage: Stage,
    /// The place of the word that is read next.
    pub(super) word: usize,
    /// The weights that are still to be read.
    pub(super) missing: usize,
    /// The weights of all keys; none: each has the weight 1.
    pub(super) weights: Vec<f64>,
    pub(super) aggregate: Aggregate,
    pub(super) with_scores: bool,
    /// How many members are enough; 0: all are wanted.
    pub(super) limit: u64,
    pub(super) order: Merging<Ranked>,
    /// The source whose members are gathered, in that order.
    pub(super) source: usize,
    /// The place at which the walk over them goes on.
    pub(super) cursor: u64,
    pub(super) batch: Batch,
    /// The source in which they are looked for next.
    pub(super) other: usize,
    /// How many members remain, where they are only counted.
    pub(super) counted: u64,
    /// The set that it makes.
    pub(super) made: Option<NewZset>,
}

impl Combining {
    /// The weight of a key.
    pub(super) fn weight(&self, nth: usize) -> f64 {
        self.weights.get(nth).copied().unwrap_or(1.0)
    }
}
