//! Members of sets on their way into a reply or a new set, from piece to piece of a long command.

use super::batch::Batch;
use super::found::Found;
use crate::store::NewSet;

/// The stages of a command that makes a set, or an answer of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Keys are looked at.
    #[default]
    Look,
    /// Members are drawn.
    Draw,
    /// Members are walked over, and chance decides on each.
    Choose,
    /// Members are walked over.
    Walk,
    /// Some of them are looked for in other sets.
    Compare,
    /// Those that remain are taken.
    Take,
    /// The set that was made in passing is freed.
    Free,
}

/// How far such a command has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Making {
    pub(super) stage: Stage,
    /// The place of the key whose members it gathers.
    pub(super) start: usize,
    /// The place of the key that it is at.
    pub(super) key: usize,
    /// The place at which the walk over that one's members goes on.
    pub(super) cursor: u64,
    /// How many keys or members it has passed, or how often it has drawn.
    pub(super) passed: u64,
    /// How many it has still to draw.
    pub(super) left: u64,
    /// The members that are looked for in other sets, and the set in which they are next.
    pub(super) batch: Batch,
    pub(super) other: usize,
    /// The members that are to be answered, so far.
    pub(super) found: Found,
    /// The set that it makes.
    pub(super) made: Option<NewSet>,
}
