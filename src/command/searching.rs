//! Members within a part of Earth on their way into an answer or a new set, from piece to piece.

use super::geo::hash::Point;
use super::geo::shape::Shape;
use super::sorting::{Arena, Merging, Span};
use crate::store::NewZset;

/// The order in which members are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The nearest first.
    Nearest,
    /// The furthest first.
    Furthest,
}

/// The words of such a command, as far as they are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// The place of the word that is read next.
    pub(super) next: usize,
    pub(super) shape: Shape,
    /// It is said where the center is: at a member.
    pub(super) from_member: bool,
    /// It is said where the center is: at a place.
    pub(super) from_place: bool,
    pub(super) by_radius: bool,
    pub(super) by_box: bool,
    pub(super) order: Option<Order>,
    /// How many members are wanted; 0: all.
    pub(super) count: u64,
    /// The first that are found will do.
    pub(super) any: bool,
    pub(super) with_distance: bool,
    pub(super) with_hash: bool,
    pub(super) with_place: bool,
    /// The place of the key that is to hold the outcome.
    pub(super) target: Option<usize>,
    /// It holds distances, not places.
    pub(super) stores_distance: bool,
}

/// A member that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) member: Span,
    pub(super) score: f64,
    pub(super) place: Point,
    /// Its distance from the center in meters.
    pub(super) distance_m: f64,
}

/// The stages of such a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Words are read.
    #[default]
    Read,
    /// Members are looked for.
    Search,
    /// They are put in order.
    Order,
    /// They are in order, and none is given yet.
    Begin,
    /// They are answered, or taken into a new set.
    Give,
    /// The texts are freed.
    Free,
}

/// How far such a command has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Searching {
    pub(super) stage: Stage,
    pub(super) words: Words,
    /// The area that is looked into, and the rank at which the walk goes on there.
    pub(super) area: usize,
    pub(super) rank: Option<usize>,
    pub(super) texts: Arena,
    pub(super) hits: Merging<Hit>,
    /// How many of them are given.
    pub(super) given: usize,
    /// The set that is made of them.
    pub(super) made: Option<NewZset>,
}
