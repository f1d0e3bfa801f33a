//! The groups of commands, in Redis's words.

use super::flag::Category;
use super::wait::Awaited;

/// The group of a command, in Redis's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Keys, whatever their type.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sorted sets.
    SortedSet,
    /// Hashes.
    Hash,
    /// Sets.
    Set,
    /// Bits of strings.
    Bitmap,
    /// Places on Earth, as scores of sorted sets.
    Geo,
    /// Channels.
    PubSub,
    /// Strings that tell how many different elements were added.
    HyperLogLog,
    /// The connection.
    Connection,
    /// Transactions.
    Transactions,
    /// Scripts and functions.
    Scripting,
    /// The group of members.
    Cluster,
    /// The server.
    Server,
}

impl Group {
    /// The name in COMMAND DOCS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::List => "list",
            Self::SortedSet => "sorted-set",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::Bitmap => "bitmap",
            Self::Geo => "geo",
            Self::PubSub => "pubsub",
            Self::HyperLogLog => "hyperloglog",
            Self::Connection => "connection",
            Self::Transactions => "transactions",
            Self::Scripting => "scripting",
            Self::Cluster => "cluster",
            Self::Server => "server",
        }
    }

    /// The values of its type, if clients may wait for them.
    pub(super) const fn awaited(self) -> Option<Awaited> {
        match self {
            Self::List => Some(Awaited::List),
            Self::SortedSet | Self::Geo => Some(Awaited::SortedSet),
            _ => None,
        }
    }

    /// The ACL category of all its commands.
    pub(super) const fn category(self) -> Option<Category> {
        match self {
            Self::Generic => Some(Category::Keyspace),
            Self::String => Some(Category::String),
            Self::List => Some(Category::List),
            Self::SortedSet => Some(Category::SortedSet),
            Self::Hash => Some(Category::Hash),
            Self::Set => Some(Category::Set),
            Self::Bitmap => Some(Category::Bitmap),
            Self::Geo => Some(Category::Geo),
            Self::HyperLogLog => Some(Category::HyperLogLog),
            Self::Connection => Some(Category::Connection),
            Self::Transactions => Some(Category::Transaction),
            Self::Scripting => Some(Category::Scripting),
            // Its flag says more.
            Self::PubSub | Self::Cluster | Self::Server => None,
        }
    }
}
