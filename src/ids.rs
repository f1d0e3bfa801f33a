//! Identities: small newtypes for everything that is counted or named.
//!
//! A term is never an index and a ticket is never a connection: the compiler keeps them apart. This
//! module names nothing else of the project.

use core::fmt;

/// The number of a database; below `limits::TABLES`, or a call of the store panics.
pub type DbId = u32;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// One client connection; given by the driver, never used twice.
    ConnId,
    "c"
);
id!(
    /// One member of a Raft group, as its operator numbered it; never 0.
    NodeId,
    "n"
);
id!(
    /// One life of a member's disk: a wiped disk comes back with another incarnation.
    Incarnation,
    "inc"
);
id!(
    /// One Raft group.
    ClusterId,
    "g"
);
id!(
    /// One disk operation in flight.
    Ticket,
    "t"
);
id!(
    /// A place in the Raft log; the first entry has index 1, 0 is "before the log".
    LogIndex,
    "i"
);
id!(
    /// A Raft term; 0 is "before the first election".
    Term,
    "T"
);
id!(
    /// How much of what a member decided is on its disk: cumulative, counted in hand-overs to the
    /// log.
    PersistSeq,
    "p"
);
