//! Things to which clients subscribe.

/// A thing to which clients subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Channel,
    Pattern,
    Shard,
}
