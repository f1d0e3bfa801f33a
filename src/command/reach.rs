//! How much of the state a command may look at, beside what it takes and answers.

/// How much of the state a command may look at, beside what it takes and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Hardly anything.
    Parts,
    /// As many parts of a value as the number that it answers.
    Counted,
    /// As many parts of a value as its second argument asks for.
    Picks,
    /// The members within an area.
    Area,
    /// All of the values of its keys.
    Values,
    /// All of a value, in another order.
    Sorted,
    /// Each part of one value beside each of another.
    Pairs,
    /// All keys of a database.
    Keys,
}
